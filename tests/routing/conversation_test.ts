import { deepStrictEqual as equal, ok } from "node:assert/strict";
import fc from "fast-check";
import type { OwnNumber } from "../../core/channel.ts";
import type { Command, CommandEntry, ConversationEntry, InboundEntry } from "../../core/entry.ts";
import {
  type ConversationState,
  decide,
  type Decision,
  NEW_CONVERSATION,
} from "../../routing/conversation.ts";
import {
  ALICE,
  BOB,
  CAROL,
  CHANNEL,
  DIRECTORY,
  PLATFORM,
  QUEUE,
  TO_EXTENSION,
  TO_NOBODY,
  TO_PLATFORM,
  TO_QUEUE,
} from "./directory.ts";

const CONTACT = "+14155550177";
const T0 = 1_800_000_000_000;
let sequence = 0;

function inbound(number: OwnNumber, text = "hello", at = T0): InboundEntry {
  return {
    kind: "inbound",
    key: `k${++sequence}`,
    at,
    channelId: number.channelId,
    number: number.number,
    contact: CONTACT,
    text,
  };
}

function command(
  number: OwnNumber,
  author: CommandEntry["author"],
  what: Command,
  at = T0 + 1,
): CommandEntry {
  return {
    kind: "command",
    key: `k${++sequence}`,
    at,
    number: number.number,
    contact: CONTACT,
    author,
    command: what,
  };
}

const agent = (id: string) => ({ kind: "extension" as const, id });
const KEY = { kind: "key" as const, id: "key_1" };

function apply(state: ConversationState, entry: ConversationEntry): Decision {
  return decide(state, entry, {
    directory: DIRECTORY,
    position: { partition: 3, sequence: ++sequence, entry: 0 },
  });
}

function opened(number: OwnNumber): ConversationState {
  return apply(NEW_CONVERSATION, inbound(number)).state;
}

const types = (decision: Decision) => decision.events.map((event) => event.type);

Deno.test("RT-2: a number's extension gets the session, active at once", () => {
  const decision = apply(NEW_CONVERSATION, inbound(TO_EXTENSION));
  equal(decision.state.session?.state, "active");
  equal(decision.state.session?.extension_id, ALICE);
  equal(types(decision), ["session.opened", "session.assigned", "message.received"]);
  equal(decision.messages[0]?.extension_id, ALICE);
});

Deno.test("RT-3: a queue's session waits and is offered to the queue", () => {
  const decision = apply(NEW_CONVERSATION, inbound(TO_QUEUE));
  equal(decision.state.session?.state, "waiting");
  equal(types(decision), ["session.opened", "session.offered", "message.received"]);
  ok(decision.events.every((event) => event.audience.queueId === QUEUE));
});

Deno.test("RT-5: a platform's session is held by the platform", () => {
  const decision = apply(NEW_CONVERSATION, inbound(TO_PLATFORM));
  equal(decision.state.session?.state, "platform");
  ok(decision.events.every((event) => event.audience.platformId === PLATFORM));
});

Deno.test("a number without a destination keeps the message in a session that waits for anyone", () => {
  const decision = apply(NEW_CONVERSATION, inbound(TO_NOBODY));
  equal(decision.state.session?.state, "waiting");
  equal(decision.state.session?.queue_id, null);
  equal(decision.messages.length, 1);
});

Deno.test("IN-2: a second message goes to the open session", () => {
  const state = opened(TO_QUEUE);
  const decision = apply(state, inbound(TO_QUEUE, "again", T0 + 5));
  equal(types(decision), ["message.received"]);
  equal(decision.messages[0]?.session_id, state.session?.id);
  equal(decision.messages[0]?.position, 2);
});

Deno.test("RT-3: the first to accept owns the session, the second is told who did", () => {
  const state = opened(TO_QUEUE);
  const sessionId = state.session!.id;
  const first = apply(state, command(TO_QUEUE, agent(BOB), { kind: "accept", sessionId, extensionId: BOB }));
  equal(first.reply, { ok: true, sessionId });
  equal(first.state.session?.extension_id, BOB);
  const second = apply(
    first.state,
    command(TO_QUEUE, agent(ALICE), { kind: "accept", sessionId, extensionId: ALICE }),
  );
  ok(second.reply?.ok === false);
  equal(second.reply.status, 409);
  equal(second.reply.holder, { extensionId: BOB });
  ok(second.reply.detail.includes("102 (Bob)"));
  equal(second.state, first.state);
  const again = apply(
    first.state,
    command(TO_QUEUE, agent(BOB), { kind: "accept", sessionId, extensionId: BOB }),
  );
  equal(again.reply, { ok: true, sessionId });
  equal(again.events, []);
});

Deno.test("RT-3: only members of the queue may accept", () => {
  const state = opened(TO_QUEUE);
  const decision = apply(
    state,
    command(TO_QUEUE, agent(CAROL), { kind: "accept", sessionId: state.session!.id, extensionId: CAROL }),
  );
  ok(decision.reply?.ok === false && decision.reply.status === 403);
});

Deno.test("an answer is queued for sending, ahead of bulk, in its place in the conversation", () => {
  const state = opened(TO_EXTENSION);
  const decision = apply(
    state,
    command(TO_EXTENSION, agent(ALICE), {
      kind: "send",
      sessionId: state.session!.id,
      text: "hi",
      priority: 0,
    }),
  );
  const message = decision.messages[0]!;
  equal([message.status, message.direction, message.priority, message.position], [
    "queued",
    "outbound",
    0,
    2,
  ]);
  equal(types(decision), ["message.queued"]);
  ok(decision.reply?.ok === true && decision.reply.messageId === message.id);
});

Deno.test("a waiting session must be accepted before it is answered, and by its holder only", () => {
  const waiting = opened(TO_QUEUE);
  const sessionId = waiting.session!.id;
  const early = apply(
    waiting,
    command(TO_QUEUE, agent(BOB), { kind: "send", sessionId, text: "hi", priority: 0 }),
  );
  ok(early.reply?.ok === false && early.reply.code === "not-accepted");
  const active =
    apply(waiting, command(TO_QUEUE, agent(BOB), { kind: "accept", sessionId, extensionId: BOB })).state;
  const other = apply(
    active,
    command(TO_QUEUE, agent(ALICE), { kind: "send", sessionId, text: "hi", priority: 0 }),
  );
  ok(other.reply?.ok === false && other.reply.status === 403);
});

Deno.test("RT-12: a transfer moves the session with its history and note, and tells both sides", () => {
  const state = opened(TO_EXTENSION);
  const sessionId = state.session!.id;
  const decision = apply(
    state,
    command(TO_EXTENSION, agent(ALICE), {
      kind: "transfer",
      sessionId,
      to: { kind: "queue", id: QUEUE },
      note: "VIP",
    }),
  );
  equal(decision.state.session?.state, "waiting");
  equal(decision.state.session?.extension_id, null);
  equal(types(decision), ["session.transferred", "session.offered"]);
  equal(decision.events[0]?.data.from, { kind: "extension", id: ALICE });
  equal(decision.state.session?.history.at(-1)?.note, "VIP");
  const nowhere = apply(
    state,
    command(TO_EXTENSION, agent(ALICE), {
      kind: "transfer",
      sessionId,
      to: { kind: "queue", id: "mq_none" },
    }),
  );
  ok(nowhere.reply?.ok === false && nowhere.reply.status === 422);
});

Deno.test("IN-3: a message's files are noted to be fetched, under ids of its own place in the log", () => {
  const entry: InboundEntry = {
    ...inbound(TO_QUEUE),
    media: [{ url: "https://m.test/1", contentType: "image/png" }, { url: "https://m.test/2" }],
  };
  const decision = apply(NEW_CONVERSATION, entry);
  const message = decision.messages[0]!;
  equal(message.media?.map(({ state, url }) => [state, url]), [
    ["pending", "https://m.test/1"],
    ["pending", "https://m.test/2"],
  ]);
  equal(decision.media.map((row) => [row.id, row.message_id, row.source_url, row.declared_type]), [
    [message.media![0]!.id, message.id, "https://m.test/1", "image/png"],
    [message.media![1]!.id, message.id, "https://m.test/2", null],
  ]);
  // Who listens gets no address that asks for the provider's credentials.
  equal(decision.events.at(-1)?.data.media, [
    { id: message.media![0]!.id, state: "pending", contentType: "image/png" },
    { id: message.media![1]!.id, state: "pending" },
  ]);
});

Deno.test("IN-4: a channel that takes no media leaves them out, and says so to the reader", () => {
  const settings = { ...CHANNEL.settings, media: { ...CHANNEL.settings.media, inbound: false } };
  const directory = { ...DIRECTORY, channels: new Map([[CHANNEL.id, { ...CHANNEL, settings }]]) };
  const decision = decide(NEW_CONVERSATION, { ...inbound(TO_QUEUE), media: [{ url: "https://m.test/1" }] }, {
    directory,
    position: { partition: 3, sequence: ++sequence, entry: 0 },
  });
  equal([decision.messages[0]!.media, decision.media], [null, []]);
  equal(decision.messages[0]!.note, "left out, as the channel takes no media: 1");
  equal(decision.events.at(-1)?.data.note, decision.messages[0]!.note);
});

Deno.test("RT-10: after a close, a new message opens a new session", () => {
  const state = opened(TO_EXTENSION);
  const closed = apply(
    state,
    command(TO_EXTENSION, agent(ALICE), { kind: "close", sessionId: state.session!.id }),
  );
  equal(closed.state.session, null);
  equal(closed.sessions.at(-1)?.close_reason, "agent");
  const next = apply(closed.state, inbound(TO_EXTENSION, "me again", T0 + 10));
  ok(next.state.session !== null && next.state.session.id !== state.session!.id);
  equal(next.messages[0]?.position, 2);
});

Deno.test("RT-11: an idle session closes, one that was written to since does not", () => {
  const state = opened(TO_EXTENSION);
  const sessionId = state.session!.id;
  const due = state.session!.idle_ms;
  const system = { kind: "system" as const, id: "idle" };
  const early = apply(state, command(TO_EXTENSION, system, { kind: "idle", sessionId }, due - 1));
  equal(early.state, state);
  const late = apply(state, command(TO_EXTENSION, system, { kind: "idle", sessionId }, due));
  equal(late.sessions.at(-1)?.close_reason, "idle");
});

Deno.test("RT-9: an agent opens a session to a contact, unless somebody else has one", () => {
  const fresh = apply(
    NEW_CONVERSATION,
    command(TO_QUEUE, agent(ALICE), { kind: "open", extensionId: ALICE }),
  );
  ok(fresh.reply?.ok === true);
  equal(fresh.state.session?.state, "active");
  const again = apply(fresh.state, command(TO_QUEUE, agent(ALICE), { kind: "open", extensionId: ALICE }));
  equal(again.reply, fresh.reply);
  const other = apply(fresh.state, command(TO_QUEUE, agent(BOB), { kind: "open", extensionId: BOB }));
  ok(other.reply?.ok === false && other.reply.holder?.extensionId === ALICE);
});

const authors = fc.constantFrom(agent(ALICE), agent(BOB), agent(CAROL), {
  kind: "platform" as const,
  id: PLATFORM,
}, KEY);
const destinations = fc.constantFrom(
  { kind: "extension" as const, id: BOB },
  { kind: "queue" as const, id: QUEUE },
  { kind: "platform" as const, id: PLATFORM },
  { kind: "extension" as const, id: "ext_nobody" },
);
type Step = (state: ConversationState, at: number) => ConversationEntry;
const steps = (number: OwnNumber): fc.Arbitrary<Step> => {
  const id = (state: ConversationState) => state.session?.id ?? "ses_none";
  return fc.oneof(
    // Not one of the words that ask for no more messages: those have their own test.
    fc.string().map((text): Step => (_, at) => inbound(number, `note ${text}`, at)),
    fc.constantFrom(ALICE, BOB, CAROL).map((extensionId): Step => (state, at) =>
      command(number, agent(extensionId), { kind: "accept", sessionId: id(state), extensionId }, at)
    ),
    fc.tuple(authors, destinations).map(([author, to]): Step => (state, at) =>
      command(number, author, { kind: "transfer", sessionId: id(state), to }, at)
    ),
    authors.map((author): Step => (state, at) =>
      command(number, author, { kind: "close", sessionId: id(state) }, at)
    ),
    fc.tuple(authors, fc.boolean(), fc.string()).map(([author, named, text]): Step => (state, at) =>
      command(
        number,
        author,
        { kind: "send", ...(named ? { sessionId: id(state) } : {}), text, priority: 0 },
        at,
      )
    ),
    fc.constantFrom(ALICE, BOB).map((extensionId): Step => (_, at) =>
      command(number, agent(extensionId), { kind: "open", extensionId }, at)
    ),
    fc.constant<Step>((state, at) =>
      command(number, { kind: "system", id: "idle" }, { kind: "idle", sessionId: id(state) }, at)
    ),
  );
};

Deno.test("whatever happens to a conversation, its invariants hold", () => {
  const numbers = fc.constantFrom(TO_EXTENSION, TO_QUEUE, TO_PLATFORM, TO_NOBODY);
  const runs = numbers.chain((number) =>
    fc.tuple(fc.constant(number), fc.array(steps(number), { maxLength: 40 }))
  );
  fc.assert(
    fc.property(runs, ([, run]) => {
      let state = NEW_CONVERSATION;
      const ids = new Set<string>();
      const closed = new Set<string>();
      let position = 0;
      for (const [index, step] of run.entries()) {
        const entry = step(state, T0 + index * 40_000_000);
        const place = { directory: DIRECTORY, position: { partition: 3, sequence: index + 1, entry: 0 } };
        const decision = decide(state, entry, place);
        // Same input, same decision, same ids.
        equal(decide(state, entry, place), decision);
        if (decision.reply?.ok === false) {
          equal([decision.state, decision.messages, decision.sessions, decision.events], [state, [], [], []]);
        }
        for (const message of decision.messages) equal(message.position, ++position);
        for (const session of decision.sessions) {
          ok(!closed.has(session.id), "a closed session stays closed");
          if (session.state === "closed") closed.add(session.id);
        }
        for (const made of [...decision.messages, ...decision.events]) {
          ok(!ids.has(made.id), "no id twice");
          ids.add(made.id);
        }
        const session = decision.state.session;
        if (session !== null) {
          ok(session.state !== "closed");
          equal(session.state === "active", session.extension_id !== null);
          equal(session.state === "platform", session.platform_id !== null);
        }
        if (entry.kind === "inbound") ok(session !== null && decision.messages.length === 1);
        equal(decision.state.position, position);
        state = decision.state;
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("a text over the channel's limit is stored in parts where the channel splits, each as it is sent", () => {
  const channel = {
    ...CHANNEL,
    settings: { ...CHANNEL.settings, overlong: "split", maxTextLength: 10, substitution: "smart" } as const,
  };
  const directory = { ...DIRECTORY, channels: new Map([[channel.id, channel]]) };
  const media = [{ url: "https://m.test/1" }];
  const entry = command(TO_NOBODY, KEY, { kind: "send", text: "“one” two… three", media, priority: 1 });
  const position = { partition: 0, sequence: 1, entry: 0 };
  const { messages, events, reply, state } = decide(NEW_CONVERSATION, entry, { directory, position });
  equal(
    messages.map(({ text, segments, position, media }) => [text, segments, position, media?.length ?? 0]),
    [
      ['"one" ', 1, 1, 1],
      ["two... ", 1, 2, 0],
      ["three", 1, 3, 0],
    ],
  );
  equal(events.map(({ type }) => type), ["message.queued", "message.queued", "message.queued"]);
  const ids = messages.map(({ id }) => id);
  equal(new Set(ids).size, 3);
  equal(reply, { ok: true, messageId: ids[0], messageIds: ids });
  equal(state.position, 3);
});
