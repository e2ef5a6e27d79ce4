import { deepEqual, equal, ok } from "node:assert/strict";
import type { CommandEntry } from "../../core/entry.ts";
import type { Destination } from "../../core/channel.ts";
import {
  SESSION_MOVES,
  SESSION_STATES,
  SESSION_TRANSITIONS,
  type SessionMove,
  type SessionState,
} from "../../core/session.ts";
import { type ConversationState, type Decision, NEW_CONVERSATION } from "../../routing/conversation.ts";
import { ALICE, BOB, DIRECTORY, PLATFORM, QUEUE, TO_PLATFORM, withQueue } from "./directory.ts";
import {
  act,
  active,
  agent,
  type Author,
  DISPATCHER,
  offer,
  offered,
  T0,
  types,
  waiting,
  write,
} from "./steps.ts";

Deno.test("RT-10: every pair of state and move is either in the table or impossible", () => {
  const possible = SESSION_STATES.flatMap((state) =>
    SESSION_MOVES.flatMap((move) => {
      const to = SESSION_TRANSITIONS[state][move];
      return to === undefined ? [] : [`${state} ${move} ${to}`];
    })
  );
  deepEqual(possible, [
    "waiting accept active",
    "waiting offer offered",
    "waiting transfer-extension active",
    "waiting transfer-queue waiting",
    "waiting transfer-platform platform",
    "waiting close closed",
    "offered accept active",
    "offered decline waiting",
    "offered offer-expired waiting",
    "offered take-back waiting",
    "offered transfer-extension active",
    "offered transfer-queue waiting",
    "offered transfer-platform platform",
    "offered close closed",
    "active take-back waiting",
    "active transfer-extension active",
    "active transfer-queue waiting",
    "active transfer-platform platform",
    "active wrap-up wrap-up",
    "active close closed",
    "platform transfer-extension active",
    "platform transfer-queue waiting",
    "platform transfer-platform platform",
    "platform close closed",
    "wrap-up wrap-up-over closed",
    "wrap-up reopen active",
    "wrap-up close closed",
  ]);
});

Deno.test("RT-4: an offer is for one extension, until a time, and only that one may take it", () => {
  const decision = offer(waiting());
  const session = decision.state.session!;
  deepEqual([session.state, session.offered_to, session.offer_until_ms, session.version], [
    "offered",
    BOB,
    T0 + 31_000,
    2,
  ]);
  deepEqual(types(decision), ["session.offered"]);
  equal(decision.events[0]!.data.offeredTo, BOB);
  equal(decision.events[0]!.audience.extensionId, BOB);
  const sessionId = session.id;
  const other = act(decision.state, agent(ALICE), { kind: "accept", sessionId, extensionId: ALICE });
  ok(other.reply?.ok === false && other.reply.code === "offered-to-another");
  ok(other.reply.detail.includes("102 (Bob)"));
  const taken = act(decision.state, agent(BOB), { kind: "accept", sessionId, extensionId: BOB });
  const { state, extension_id, queue_id, offered_to, offer_until_ms } = taken.state.session!;
  deepEqual([state, extension_id, queue_id, offered_to, offer_until_ms], ["active", BOB, QUEUE, null, null]);
});

Deno.test("RT-4: an offer that is declined or not taken in time goes back to its place in the line", () => {
  const before = offered();
  const { id: sessionId, version } = before.session!;
  const declined = act(before, agent(BOB), { kind: "decline", sessionId, extensionId: BOB });
  const expired = act(before, DISPATCHER, { kind: "offer-expired", sessionId, version });
  for (const decision of [declined, expired]) {
    const session = decision.state.session!;
    deepEqual([session.state, session.offered_to, session.declined_by, session.waiting_since_ms], [
      "waiting",
      null,
      [BOB],
      T0,
    ]);
    deepEqual(types(decision), ["session.declined", "session.offered"]);
  }
  const notTheirs = act(before, agent(ALICE), { kind: "decline", sessionId, extensionId: ALICE });
  ok(notTheirs.reply?.ok === false && notTheirs.reply.code === "not-offered");
});

Deno.test("RT-4: what the dispatcher asks of a session that has moved since changes nothing", () => {
  const before = waiting();
  const { id: sessionId, version } = before.session!;
  const taken = act(before, agent(ALICE), { kind: "accept", sessionId, extensionId: ALICE }).state;
  const late = [
    act(taken, DISPATCHER, { kind: "offer", sessionId, extensionId: BOB, untilMs: T0, version }),
    act(taken, DISPATCHER, { kind: "offer-expired", sessionId, version }),
    act(taken, DISPATCHER, { kind: "take-back", sessionId, version, reason: "gone" }),
    act(taken, DISPATCHER, { kind: "wrap-up-over", sessionId, version }),
  ];
  for (const decision of late) {
    equal(decision.reply?.ok, true);
    deepEqual(decision.state, taken);
    deepEqual([decision.sessions, decision.events, decision.dispatch], [[], [], []]);
  }
});

Deno.test("RT-6: a session is taken back from an agent who is gone, to its place in the line or to an end", () => {
  const before = active();
  const { id: sessionId, version } = before.session!;
  const back = act(before, DISPATCHER, { kind: "take-back", sessionId, version, reason: "gone" });
  const { state, extension_id, queue_id, waiting_since_ms, declined_by } = back.state.session!;
  deepEqual([state, extension_id, queue_id, waiting_since_ms, declined_by], [
    "waiting",
    null,
    QUEUE,
    T0,
    [BOB],
  ]);
  deepEqual(types(back), ["session.transferred", "session.offered"]);
  deepEqual(back.events[0]!.data.from, { kind: "extension", id: BOB });
  const take = { kind: "take-back", sessionId, version, reason: "gone", close: true } as const;
  const ended = act(before, DISPATCHER, take);
  equal(ended.sessions.at(-1)!.close_reason, "agent-gone");
});

Deno.test("the dispatcher is told of every move of a session that people serve, in rising versions", () => {
  const opening = write(NEW_CONVERSATION);
  const sessionId = opening.state.session!.id;
  const facts = [...opening.dispatch];
  let state = opening.state;
  const steps: [Author, CommandEntry["command"]][] = [
    [agent(BOB), { kind: "accept", sessionId, extensionId: BOB }],
    [agent(BOB), { kind: "transfer", sessionId, to: { kind: "platform", id: PLATFORM } }],
    [{ kind: "platform", id: PLATFORM }, { kind: "transfer", sessionId, to: { kind: "queue", id: QUEUE } }],
    [{ kind: "key", id: "key_1" }, { kind: "close", sessionId }],
  ];
  for (const [author, command] of steps) {
    const decision = act(state, author, command);
    facts.push(...decision.dispatch);
    state = decision.state;
  }
  deepEqual(facts.map((fact) => [fact.version, fact.state, fact.queueId, fact.extensionId]), [
    [1, "waiting", QUEUE, null],
    [2, "active", QUEUE, BOB],
    [3, "platform", null, null],
    [4, "waiting", QUEUE, null],
    [5, "closed", QUEUE, null],
  ]);
});

Deno.test("the dispatcher is told nothing of messages, nor of what only platforms have", () => {
  deepEqual(write(waiting()).dispatch, []);
  const held = write(NEW_CONVERSATION, TO_PLATFORM.number);
  deepEqual(held.dispatch, []);
  const { id: sessionId } = held.state.session!;
  deepEqual(act(held.state, { kind: "platform", id: PLATFORM }, { kind: "close", sessionId }).dispatch, []);
});

Deno.test("RT-10: the diagram in docs/routing.md is the table", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/routing.md", import.meta.url));
  const [, diagram] = /```mermaid\nstateDiagram-v2\n([\s\S]*?)```/.exec(text)!;
  const drawn = [...diagram!.matchAll(/^ *(\w+) --> (\w+): (.+)$/gm)]
    .map(([, from, to, move]) => `${from} ${move} ${to}`.replaceAll("wrapUp", "wrap-up"));
  const inTable = SESSION_STATES.flatMap((state) =>
    Object.entries(SESSION_TRANSITIONS[state]).map(([move, to]) => `${state} ${move} ${to}`)
  );
  deepEqual(drawn.toSorted(), inTable.toSorted());
});

Deno.test("RT-10: in every state, each move does what the table says, and an impossible one changes nothing", () => {
  const other = { ...DIRECTORY.queues.get(QUEUE)!, id: "mq_2", name: "Two" };
  const base = withQueue({ wrapUpSeconds: 60 });
  const directory = { ...base, queues: new Map([...base.queues, ["mq_2", other]]) };
  const key: Author = { kind: "key", id: "key_1" };
  const close = (state: ConversationState, author: Author) =>
    act(state, author, { kind: "close", sessionId: state.session!.id }, T0 + 1, directory).state;
  const states: Readonly<Record<SessionState, ConversationState>> = {
    waiting: waiting(),
    offered: offered(),
    active: active(),
    platform: write(NEW_CONVERSATION, TO_PLATFORM.number).state,
    "wrap-up": close(active(), agent(BOB)),
    closed: close(active(), key),
  };
  for (const state of SESSION_STATES) {
    const before = states[state];
    const { id: sessionId, version } = before.session ?? { id: "ses_closed", version: 9 };
    const transfer = (to: Destination) =>
      act(before, key, { kind: "transfer", sessionId, to }, T0 + 1, directory);
    const order = (command: CommandEntry["command"]) => act(before, DISPATCHER, command, T0 + 1, directory);
    const moves: Readonly<Record<SessionMove, () => Decision>> = {
      accept: () =>
        act(before, agent(BOB), { kind: "accept", sessionId, extensionId: BOB }, T0 + 1, directory),
      offer: () => order({ kind: "offer", sessionId, extensionId: BOB, untilMs: T0 + 30_000, version }),
      decline: () =>
        act(before, agent(BOB), { kind: "decline", sessionId, extensionId: BOB }, T0 + 1, directory),
      "offer-expired": () => order({ kind: "offer-expired", sessionId, version }),
      "take-back": () => order({ kind: "take-back", sessionId, version, reason: "ignored" }),
      "transfer-extension": () => transfer({ kind: "extension", id: ALICE }),
      "transfer-queue": () => transfer({ kind: "queue", id: "mq_2" }),
      "transfer-platform": () => transfer({ kind: "platform", id: PLATFORM }),
      "wrap-up": () => act(before, agent(BOB), { kind: "close", sessionId }, T0 + 1, directory),
      "wrap-up-over": () => order({ kind: "wrap-up-over", sessionId, version }),
      reopen: () => act(before, agent(BOB), { kind: "open", extensionId: BOB }, T0 + 1, directory),
      close: () => act(before, key, { kind: "close", sessionId }, T0 + 1, directory),
    };
    for (const move of SESSION_MOVES) {
      const to = SESSION_TRANSITIONS[state][move];
      // An agent's close ends the wrap-up, and opening with a contact who has no session makes a new one.
      const isOtherMove = (move === "wrap-up" && state === "wrap-up") ||
        (move === "reopen" && state === "closed");
      if (isOtherMove) continue;
      const decision = moves[move]();
      if (to === undefined) {
        const { state: after, sessions, messages, events, dispatch } = decision;
        deepEqual(
          [after, sessions, messages, events, dispatch],
          [before, [], [], [], []],
          `${state} ${move}`,
        );
      } else equal(decision.sessions.at(-1)?.state, to, `${state} ${move}`);
    }
  }
});
