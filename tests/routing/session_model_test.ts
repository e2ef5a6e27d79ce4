/**
 * The session against a model of it that is small enough to be read: any row of contacts' messages and commands,
 * late, repeated or out of place, and after each of them the two agree.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import type { Destination } from "../../core/channel.ts";
import type { CommandEntry } from "../../core/entry.ts";
import { SESSION_STATES, SESSION_TRANSITIONS, type SessionState } from "../../core/session.ts";
import { type ConversationState, type Decision, NEW_CONVERSATION } from "../../routing/conversation.ts";
import { ALICE, BOB, CAROL, PLATFORM, QUEUE, TO_QUEUE, withQueue } from "./directory.ts";
import { act, agent, type Author, DISPATCHER, T0, write } from "./steps.ts";

const WRAP_UP_SECONDS = 60;
/** All steps of a run together are shorter than a wrap-up, which a timer would end. */
const STEP_MS = 1_000;
const DIRECTORY = withQueue({ wrapUpSeconds: WRAP_UP_SECONDS, sticky: true });
const MEMBERS: readonly string[] = [ALICE, BOB];
const KEY: Author = { kind: "key", id: "key_1" };
const BOT: Author = { kind: "platform", id: PLATFORM };

interface Model {
  state: SessionState;
  version: number;
  holder: string | null;
  offeredTo: string | null;
  hasQueue: boolean;
  /** Who had it last. */
  last: string | null;
}

interface Real {
  state: ConversationState;
  atMs: number;
  factVersion: number;
}

const CLOSED = { state: "closed", version: 0, holder: null, offeredTo: null, hasQueue: false } as const;

/** What the model becomes; null: it is refused, or nothing comes of it. */
type Expected = Partial<Model> | null;

class Step implements fc.Command<Model, Real> {
  constructor(
    private readonly name: string,
    private readonly expect: (model: Model) => Expected,
    private readonly run_: (real: Real, model: Model) => Decision,
  ) {}

  check(): boolean {
    return true;
  }

  run(model: Model, real: Real): void {
    real.atMs += STEP_MS;
    const before = real.state;
    const expected = this.expect(model);
    const decision = this.run_(real, model);
    if (expected !== null) {
      const isEnd = expected.state === "closed";
      if (isEnd) model.last = model.hasQueue ? model.holder : null;
      Object.assign(model, isEnd ? CLOSED : { version: model.version + 1, offeredTo: null, ...expected });
    }
    if (decision.reply?.ok === false) {
      deepEqual([decision.state, decision.sessions, decision.events, decision.dispatch], [
        before,
        [],
        [],
        [],
      ]);
    }
    real.state = decision.state;
    this.#compare(model, real, before, decision);
  }

  #compare(model: Model, real: Real, before: ConversationState, decision: Decision): void {
    const { session } = real.state;
    deepEqual(
      session === null ? { ...CLOSED, last: model.last } : {
        state: session.state,
        version: session.version,
        holder: session.extension_id,
        offeredTo: session.offered_to,
        hasQueue: session.queue_id !== null,
        last: model.last,
      },
      { ...model },
    );
    equal(
      session === null && real.state.last !== undefined ? real.state.last.extensionId : null,
      session === null ? model.last : null,
    );
    equal(session?.wrap_until_ms != null, model.state === "wrap-up");
    equal(session?.platform_id != null, model.state === "platform");
    for (const fact of decision.dispatch) {
      ok(fact.version > real.factVersion || fact.version === 1, "versions rise");
      real.factVersion = fact.version;
    }
    const isMoved = session !== null && session.version !== before.session?.version;
    const isServed = session !== null && (session.queue_id ?? session.extension_id) !== null;
    if (isMoved && isServed) equal(decision.dispatch.at(-1)?.version, session.version);
  }

  toString(): string {
    return this.name;
  }
}

const sessionId = ({ state }: Real) => state.session?.id ?? "ses_none";

function step(
  name: string,
  expect: (model: Model) => Expected,
  author: Author,
  command: (real: Real, model: Model) => CommandEntry["command"],
): Step {
  return new Step(
    name,
    expect,
    (real, model) => act(real.state, author, command(real, model), real.atMs, DIRECTORY),
  );
}

const can = ({ state }: Model, move: keyof (typeof SESSION_TRANSITIONS)[SessionState]) =>
  SESSION_TRANSITIONS[state][move] !== undefined;
const extensions = fc.constantFrom(ALICE, BOB, CAROL);
/** 0: the version of now; else so many before. */
const lateness = fc.constantFrom(0, 0, 0, 1);
const authors = fc.constantFrom(agent(ALICE), agent(BOB), agent(CAROL), BOT, KEY);

function directs(author: Author, model: Model): boolean {
  if (author.kind === "extension") return model.holder === author.id;
  return author.kind === "key" || model.state === "platform";
}

const message = fc.constant(
  new Step("message", (model) => {
    if (model.state === "closed") {
      return { state: "waiting", version: 1, holder: null, hasQueue: true, last: null };
    }
    return model.state === "wrap-up" ? { state: "active" } : null;
  }, (real) => write(real.state, TO_QUEUE.number, real.atMs, DIRECTORY)),
);
const offers = fc.tuple(extensions, lateness, fc.boolean()).map(([extensionId, late, autoAccept]) =>
  step(
    `offer(${extensionId}, ${late}, ${autoAccept})`,
    (model) => {
      if (late > 0 || !can(model, "offer")) return null;
      return autoAccept
        ? { state: "active", holder: extensionId }
        : { state: "offered", offeredTo: extensionId };
    },
    DISPATCHER,
    (real, model) => ({
      kind: "offer",
      sessionId: sessionId(real),
      extensionId,
      untilMs: real.atMs + 30_000,
      version: model.version - late,
      autoAccept,
    }),
  )
);
const accepts = extensions.map((extensionId) =>
  step(
    `accept(${extensionId})`,
    (model) => {
      const isFree = model.state === "waiting" && (!model.hasQueue || MEMBERS.includes(extensionId));
      const isTheirs = model.state === "offered" && model.offeredTo === extensionId;
      return isFree || isTheirs ? { state: "active", holder: extensionId } : null;
    },
    agent(extensionId),
    (real) => ({ kind: "accept", sessionId: sessionId(real), extensionId }),
  )
);
const declines = extensions.map((extensionId) =>
  step(
    `decline(${extensionId})`,
    (model) => model.state === "offered" && model.offeredTo === extensionId ? { state: "waiting" } : null,
    agent(extensionId),
    (real) => ({ kind: "decline", sessionId: sessionId(real), extensionId }),
  )
);
const expiries = lateness.map((late) =>
  step(
    `offer-expired(${late})`,
    (model) => late === 0 && can(model, "offer-expired") ? { state: "waiting" } : null,
    DISPATCHER,
    (real, model) => ({ kind: "offer-expired", sessionId: sessionId(real), version: model.version - late }),
  )
);
const takeBacks = fc.tuple(lateness, fc.boolean()).map(([late, close]) =>
  step(
    `take-back(${late}, ${close})`,
    (model) => {
      if (late > 0 || !can(model, "take-back")) return null;
      if (close) return { state: "closed" };
      return model.hasQueue ? { state: "waiting", holder: null } : null;
    },
    DISPATCHER,
    (real, model) => ({
      kind: "take-back",
      sessionId: sessionId(real),
      version: model.version - late,
      reason: "gone",
      close,
    }),
  )
);
const destinations = fc.constantFrom<Destination>(
  { kind: "extension", id: ALICE },
  { kind: "extension", id: CAROL },
  { kind: "extension", id: "ext_none" },
  { kind: "queue", id: QUEUE },
  { kind: "platform", id: PLATFORM },
);
const transfers = fc.tuple(authors, destinations).map(([author, to]) =>
  step(
    `transfer(${author.id}, ${to.id})`,
    (model) => {
      const move = `transfer-${to.kind}` as const;
      if (!can(model, move) || !directs(author, model) || to.id === "ext_none") return null;
      switch (to.kind) {
        case "extension":
          if (model.holder === to.id) return null;
          return { state: "active", holder: to.id, hasQueue: model.hasQueue && MEMBERS.includes(to.id) };
        case "queue":
          if (model.hasQueue && model.holder === null) return null;
          return { state: "waiting", holder: null, hasQueue: true };
        case "platform":
          return { state: "platform", holder: null, hasQueue: false };
      }
    },
    author,
    (real) => ({ kind: "transfer", sessionId: sessionId(real), to }),
  )
);
const closes = authors.map((author) =>
  step(
    `close(${author.id})`,
    (model) => {
      if (!can(model, "close") || !directs(author, model)) return null;
      const wrapsUp = model.state === "active" && model.hasQueue && author.kind === "extension";
      return { state: wrapsUp ? "wrap-up" : "closed" };
    },
    author,
    (real) => ({ kind: "close", sessionId: sessionId(real) }),
  )
);
const wrapUpEnds = lateness.map((late) =>
  step(
    `wrap-up-over(${late})`,
    (model) => late === 0 && can(model, "wrap-up-over") ? { state: "closed" } : null,
    DISPATCHER,
    (real, model) => ({ kind: "wrap-up-over", sessionId: sessionId(real), version: model.version - late }),
  )
);
const opens = extensions.map((extensionId) =>
  step(
    `open(${extensionId})`,
    (model) => {
      if (model.state === "closed") {
        return { state: "active", version: 1, holder: extensionId, hasQueue: false };
      }
      return model.state === "wrap-up" && model.holder === extensionId ? { state: "active" } : null;
    },
    agent(extensionId),
    () => ({ kind: "open", extensionId }),
  )
);
/** What moves nothing, whoever says it and whenever. */
const others = authors.chain((author) =>
  fc.constantFrom<(real: Real) => CommandEntry["command"]>(
    (real) => ({ kind: "note", sessionId: sessionId(real), text: "a note" }),
    (real) => ({ kind: "tag", sessionId: sessionId(real), add: ["vip"] }),
    (real) => ({ kind: "send", sessionId: sessionId(real), text: "an answer", priority: 0 }),
    (real) => ({ kind: "idle", sessionId: sessionId(real) }),
    (real) => ({ kind: "say", sessionId: sessionId(real), queueId: QUEUE, text: "waiting" }),
    () => ({ kind: "close", sessionId: "ses_of_somebody_else" }),
  ).map((command) => step(`other(${author.id})`, () => null, author, command))
);

Deno.test("RT-3, RT-4, RT-10: whatever comes, in whatever order, the session is what the model says", () => {
  fc.assert(
    fc.property(
      fc.commands([
        message,
        offers,
        accepts,
        declines,
        expiries,
        takeBacks,
        transfers,
        closes,
        wrapUpEnds,
        opens,
        others,
      ], { maxCommands: 30, size: "max" }),
      (commands) => {
        fc.modelRun(() => ({
          model: { ...CLOSED, last: null },
          real: { state: NEW_CONVERSATION, atMs: T0, factVersion: 0 },
        }), commands);
      },
    ),
    { numRuns: 10_000 },
  );
});

Deno.test("every state is one that the model can tell", () => {
  deepEqual(Object.keys(SESSION_TRANSITIONS), [...SESSION_STATES]);
});
