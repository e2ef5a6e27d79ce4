import { deepEqual, equal, ok } from "node:assert/strict";
import { CalendarSettingsSchema } from "../../core/calendar/calendar.ts";
import type { Directory } from "../../core/directory.ts";
import { NEW_CONVERSATION } from "../../routing/conversation.ts";
import {
  ALICE,
  BOB,
  CAROL,
  DIRECTORY,
  PLATFORM,
  QUEUE,
  TO_NOBODY,
  TO_QUEUE,
  withQueue,
} from "./directory.ts";
import { act, active, agent, DISPATCHER, T0, types, waiting, write } from "./steps.ts";

const KEY = { kind: "key" as const, id: "key_1" };
const DAY_MS = 86_400_000;
const said = (decision: { messages: readonly { text: string; author: unknown }[] }) =>
  decision.messages.filter(({ author }) => (author as { kind?: string } | null)?.kind === "system")
    .map(({ text }) => text);

Deno.test("RT-10: an agent's close leads to wrap-up where the queue has one, and its end closes the session", () => {
  const directory = withQueue({ wrapUpSeconds: 60 });
  const before = active();
  const sessionId = before.session!.id;
  const close = act(before, agent(BOB), { kind: "close", sessionId }, T0 + 5_000, directory);
  const session = close.state.session!;
  deepEqual([session.state, session.extension_id, session.wrap_until_ms, session.closed_ms], [
    "wrap-up",
    BOB,
    T0 + 65_000,
    null,
  ]);
  deepEqual(types(close), ["session.wrap-up"]);
  deepEqual([close.dispatch.at(-1)?.state, close.dispatch.at(-1)?.wrapUntilMs], ["wrap-up", T0 + 65_000]);
  const transferred = act(close.state, agent(BOB), {
    kind: "transfer",
    sessionId,
    to: { kind: "extension", id: ALICE },
  });
  ok(transferred.reply?.ok === false && transferred.reply.code === "in-wrap-up");
  const ends = [
    act(close.state, DISPATCHER, { kind: "wrap-up-over", sessionId, version: session.version }, T0 + 65_000),
    act(close.state, { kind: "system", id: "idle" }, { kind: "idle", sessionId }, T0 + 65_000),
    act(close.state, agent(BOB), { kind: "close", sessionId }, T0 + 10_000),
  ];
  for (const end of ends) {
    equal(end.state.session, null);
    deepEqual([end.sessions.at(-1)?.state, end.sessions.at(-1)?.close_reason], ["closed", "agent"]);
    deepEqual(types(end), ["session.closed"]);
  }
  // Whoever steers from outside ends it at once.
  equal(act(before, KEY, { kind: "close", sessionId }, T0, directory).state.session, null);
});

Deno.test("RT-10: a contact who writes during wrap-up is back with the same agent; STOP is not", () => {
  const directory = withQueue({ wrapUpSeconds: 60 });
  const before = active();
  const sessionId = before.session!.id;
  const wrapUp = act(before, agent(BOB), { kind: "close", sessionId }, T0 + 5_000, directory).state;
  const again = write(wrapUp, TO_QUEUE.number, T0 + 20_000, directory);
  const session = again.state.session!;
  deepEqual([session.id, session.state, session.extension_id, session.close_reason, session.wrap_until_ms], [
    sessionId,
    "active",
    BOB,
    null,
    null,
  ]);
  equal(session.idle_ms, T0 + 20_000 + DAY_MS);
  deepEqual(types(again), ["session.reopened", "message.received"]);
  // The timer of the wrap-up that was ended finds another version.
  const late = act(again.state, DISPATCHER, {
    kind: "wrap-up-over",
    sessionId,
    version: wrapUp.session!.version,
  });
  deepEqual(late.state, again.state);
  const stop = write(wrapUp, TO_QUEUE.number, T0 + 20_000, directory, "STOP");
  equal(stop.state.session?.state, "wrap-up");
  equal(stop.state.session?.idle_ms, T0 + 65_000);
});

Deno.test("RT-10: a contact comes back to the same agent where the queue is sticky, for as long as it says", () => {
  const directory = withQueue({ sticky: true, stickyDays: 2 });
  const before = active();
  const end = act(before, agent(BOB), { kind: "close", sessionId: before.session!.id }, T0, directory).state;
  const back = write(end, TO_QUEUE.number, T0 + 2 * DAY_MS, directory);
  equal(back.state.session?.sticky_extension_id, BOB);
  equal(back.dispatch[0]?.stickyExtensionId, BOB);
  const late = write(end, TO_QUEUE.number, T0 + 2 * DAY_MS + 1, directory);
  equal(late.state.session?.sticky_extension_id, null);
  const left: Directory = withQueue({ sticky: true, members: new Set([ALICE]) });
  equal(write(end, TO_QUEUE.number, T0 + 1, left).state.session?.sticky_extension_id, null);
  // Where the queue does not want it, nothing is remembered.
  equal(act(before, agent(BOB), { kind: "close", sessionId: before.session!.id }).state.last, undefined);
});

Deno.test("RT-12: a transfer that is impossible is refused in clear words and changes nothing", () => {
  const closedToday = CalendarSettingsSchema.parse({ timeZone: "UTC" });
  const calendars = new Map([["cal_1", { ...closedToday, id: "cal_1", name: "Never" }]]);
  const closed: Directory = { ...withQueue({ calendarId: "cal_1" }), calendars };
  const before = active();
  const sessionId = before.session!.id;
  const to = (kind: "extension" | "queue" | "platform", id: string, directory = DIRECTORY, anyway = false) =>
    act(before, agent(BOB), { kind: "transfer", sessionId, to: { kind, id }, anyway }, T0 + 1, directory);
  const refusals = [
    to("extension", BOB),
    to("extension", "ext_none"),
    to("queue", QUEUE, closed),
    to("queue", QUEUE, withQueue({ members: new Set() })),
    act(waiting(), KEY, {
      kind: "transfer",
      sessionId: waiting().session!.id,
      to: { kind: "queue", id: QUEUE },
    }),
  ].map(({ reply }) => reply?.ok === false && [reply.status, reply.code, reply.detail]);
  deepEqual(refusals.slice(0, 4), [
    [409, "already-there", "the session is with extension 102 (Bob) already"],
    [422, "unknown-destination", "there is no extension ext_none"],
    [409, "queue-closed", "the queue Sales is closed"],
    [409, "queue-unserved", "the queue Sales has no members"],
  ]);
  const stays = waiting();
  const same = act(stays, KEY, {
    kind: "transfer",
    sessionId: stays.session!.id,
    to: { kind: "queue", id: QUEUE },
  });
  ok(same.reply?.ok === false && same.reply.detail === "the session is with the queue Sales already");
  deepEqual([same.state, same.events, same.dispatch], [stays, [], []]);
  equal(to("queue", QUEUE, closed, true).state.session?.state, "waiting");
  // Handed over among members it still counts for the queue; to anybody else it does not.
  equal(to("extension", ALICE).state.session?.queue_id, QUEUE);
  equal(to("extension", CAROL).state.session?.queue_id, null);
});

Deno.test("RT-12: a transfer's note is among the session's notes", () => {
  const before = active();
  const { notes } = act(before, agent(BOB), {
    kind: "transfer",
    sessionId: before.session!.id,
    to: { kind: "platform", id: PLATFORM },
    note: "asked for the bill",
  });
  deepEqual(notes.map(({ by, text, session_id }) => [by, text, session_id]), [
    [`extension:${BOB}`, "asked for the bill", before.session!.id],
  ]);
});

Deno.test("RT-6: where the queue minds, the dispatcher is told since when an answer is waited for, and when it came", () => {
  const directory = withQueue({ ignoredSeconds: 60 });
  const sessionId = (state: ReturnType<typeof waiting>) => state.session!.id;
  const open = write(NEW_CONVERSATION, TO_QUEUE.number, T0, directory).state;
  const taken = act(
    open,
    agent(BOB),
    { kind: "accept", sessionId: sessionId(open), extensionId: BOB },
    T0 + 1_000,
    directory,
  );
  equal(taken.dispatch.at(-1)?.unansweredSinceMs, T0 + 1_000);
  const more = write(taken.state, TO_QUEUE.number, T0 + 2_000, directory);
  deepEqual(more.dispatch, []);
  const answer = act(
    more.state,
    agent(BOB),
    { kind: "send", sessionId: sessionId(open), text: "hi", priority: 0 },
    T0 + 3_000,
    directory,
  );
  deepEqual(
    answer.dispatch.map(({ version, state, unansweredSinceMs }) => [version, state, unansweredSinceMs]),
    [
      [taken.dispatch.at(-1)!.version + 1, "active", undefined],
    ],
  );
  const next = write(answer.state, TO_QUEUE.number, T0 + 4_000, directory);
  equal(next.dispatch.at(-1)?.unansweredSinceMs, T0 + 4_000);
  // Where nobody minds, messages tell the dispatcher nothing.
  deepEqual(write(active()).dispatch, []);
});

Deno.test("RT-14: joined and closed are said in the session's language, with the agent's name", () => {
  const directory = withQueue({
    texts: { joined: { en: "You talk to {agent}." }, closed: { en: "Bye {agent}" } },
  });
  const before = waiting();
  const sessionId = before.session!.id;
  const joined = act(before, agent(BOB), { kind: "accept", sessionId, extensionId: BOB }, T0 + 1, directory);
  deepEqual(said(joined), ["You talk to Bob."]);
  const closed = act(joined.state, agent(BOB), { kind: "close", sessionId }, T0 + 2, directory);
  deepEqual(said(closed), ["Bye {agent}"]);
  equal(closed.messages[0]!.session_id, sessionId);
  const idle = act(
    joined.state,
    { kind: "system", id: "idle" },
    { kind: "idle", sessionId },
    T0 + 2 * DAY_MS,
    directory,
  );
  deepEqual(said(idle), []);
  const silent = write(waiting(), TO_QUEUE.number, T0, directory, "STOP").state;
  deepEqual(
    said(
      act(
        silent,
        agent(BOB),
        { kind: "accept", sessionId: silent.session!.id, extensionId: BOB },
        T0 + 1,
        directory,
      ),
    ),
    [],
  );
});

Deno.test("RT-14: the first message after a close is answered and opens no session; a further one opens one", () => {
  const directory = withQueue({
    texts: { autoReply: { withinSeconds: 300, text: { en: "We are done here.", es: "Listo." } } },
  });
  const before = active();
  const end = act(before, agent(BOB), { kind: "close", sessionId: before.session!.id }, T0, directory).state;
  const thanks = write(end, TO_QUEUE.number, T0 + 300_000, directory);
  equal(thanks.state.session, null);
  deepEqual(said(thanks), ["We are done here."]);
  deepEqual(types(thanks), ["message.received", "message.queued"]);
  const further = write(thanks.state, TO_QUEUE.number, T0 + 300_000, directory);
  equal(further.state.session?.state, "waiting");
  deepEqual(said(further), []);
  equal(write(end, TO_QUEUE.number, T0 + 300_001, directory).state.session?.state, "waiting");
});

Deno.test("RT-7: who waits is told the place in the line; who finds no place is told so and is let go", () => {
  const directory = withQueue({
    texts: { waiting: { en: "{position} in line, {minutes} min" }, queueFull: { en: "Try later" } },
  });
  const before = waiting();
  const sessionId = before.session!.id;
  const tell = {
    kind: "say",
    sessionId,
    queueId: QUEUE,
    text: "waiting",
    position: 3,
    waitSeconds: 61,
  } as const;
  const told = act(before, DISPATCHER, tell, T0, directory);
  deepEqual(said(told), ["3 in line, 2 min"]);
  const { waitSeconds: _, ...unknown } = tell;
  deepEqual(said(act(before, DISPATCHER, unknown, T0, directory)), []);
  const full = { kind: "say", sessionId, queueId: QUEUE, text: "queue-full", close: true } as const;
  const gone = act(before, DISPATCHER, full, T0, directory);
  deepEqual(said(gone), ["Try later"]);
  equal(gone.sessions.at(-1)?.close_reason, "queue-full");
  // Taken, or in another line, meanwhile.
  const taken = act(before, agent(BOB), { kind: "accept", sessionId, extensionId: BOB }).state;
  deepEqual(act(taken, DISPATCHER, full, T0, directory).state, taken);
  deepEqual(act(before, DISPATCHER, { ...full, queueId: "mq_other" }, T0, directory).state, before);
});

Deno.test("AG-2: a note is kept and told, in the session and after it", () => {
  const before = active();
  const sessionId = before.session!.id;
  const open = act(before, agent(BOB), { kind: "note", sessionId, text: "call back" });
  deepEqual(open.notes.map(({ by, text }) => [by, text]), [[`extension:${BOB}`, "call back"]]);
  deepEqual(types(open), ["session.note"]);
  deepEqual(open.state, before);
  const ended = act(before, agent(BOB), { kind: "close", sessionId }).state;
  const after = act(ended, agent(BOB), { kind: "note", sessionId, text: "done" });
  deepEqual(after.events.map(({ type, data }) => [type, data.sessionId, data.text]), [
    ["session.note", sessionId, "done"],
  ]);
});

Deno.test("AG-2: tags are set by whoever directs the session, and are few", () => {
  const before = active();
  const sessionId = before.session!.id;
  const tagged = act(before, agent(BOB), { kind: "tag", sessionId, add: ["vip", "bill", "vip"] });
  deepEqual(tagged.state.session?.tags, ["vip", "bill"]);
  equal(tagged.state.session?.version, before.session!.version);
  deepEqual(types(tagged), ["session.tagged"]);
  const less = act(tagged.state, KEY, { kind: "tag", sessionId, add: ["bill"], remove: ["vip"] });
  deepEqual(less.state.session?.tags, ["bill"]);
  deepEqual(act(less.state, KEY, { kind: "tag", sessionId, add: ["bill"] }).events, []);
  const others = act(before, agent(ALICE), { kind: "tag", sessionId, add: ["x"] });
  ok(others.reply?.ok === false && others.reply.code === "held-by-another");
  const many = act(before, KEY, {
    kind: "tag",
    sessionId,
    add: Array.from({ length: 20 }, (_, i) => `t${i}`),
  });
  const more = act(many.state, KEY, { kind: "tag", sessionId, add: ["one more"] });
  ok(more.reply?.ok === false && more.reply.code === "too-many-tags");
});

Deno.test("RT-13: a number is open to its queues' members, for its queues, and each has many", () => {
  const queues = new Map([...DIRECTORY.queues, ["mq_2", {
    ...DIRECTORY.queues.get(QUEUE)!,
    id: "mq_2",
    name: "Two",
  }]]);
  const number = { ...TO_NOBODY, allowedQueues: [QUEUE, "mq_2"] };
  const directory: Directory = {
    ...DIRECTORY,
    queues,
    numbersByAddress: new Map([[TO_QUEUE.number, number]]),
  };
  const open = (extensionId: string, queueId?: string, within = directory) =>
    act(
      NEW_CONVERSATION,
      agent(extensionId),
      {
        kind: "open",
        extensionId,
        ...(queueId === undefined ? {} : { queueId }),
      },
      T0,
      within,
    );
  for (const queueId of [QUEUE, "mq_2"]) equal(open(ALICE, queueId).state.session?.queue_id, queueId);
  equal(open(ALICE).state.session?.queue_id, null);
  const codes = [
    open(CAROL),
    open(ALICE, "mq_none"),
    open(ALICE, QUEUE, {
      ...directory,
      numbersByAddress: new Map([[TO_QUEUE.number, { ...number, allowedQueues: ["mq_2"] }]]),
    }),
  ].map(({ reply }) => reply?.ok === false && reply.code);
  deepEqual(codes, ["number-not-allowed", "unknown-queue", "number-not-allowed"]);
});

Deno.test("RT-8: a rule gives a session its place in the line, what it asks for and its language", () => {
  const rule = {
    id: "rul_1",
    name: "VIP",
    enabled: true,
    priority: 1,
    match: {},
    action: { priority: 0, skills: { french: 5 }, language: "fr" },
    pattern: null,
    words: [],
  };
  const { state, dispatch } = write(NEW_CONVERSATION, TO_QUEUE.number, T0, { ...DIRECTORY, rules: [rule] });
  deepEqual([state.session?.priority, state.session?.skills, state.session?.language], [
    0,
    { french: 5 },
    "fr",
  ]);
  deepEqual([dispatch[0]?.priority, dispatch[0]?.skills, dispatch[0]?.language], [0, { french: 5 }, "fr"]);
});
