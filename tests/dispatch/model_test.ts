import assert from "node:assert/strict";
import fc from "fast-check";
import { Dispatcher } from "../../core/dispatch/dispatcher.ts";
import type { DispatchEntry, SessionFact } from "../../core/dispatch/entry.ts";
import { PRESENCES } from "../../core/dispatch/entry.ts";
import type { DispatchCommand } from "../../core/dispatch/outcome.ts";
import type { DispatchSettings } from "../../core/dispatch/snapshot.ts";
import { NaiveDispatcher } from "./naive.ts";
import { answer, declined, type Office, settingsOf, Store, waiting } from "./world.ts";

const OFFICE: Office = {
  queues: {
    idle: { strategy: "longest-idle", members: ["ana", "ben", "cid"], sticky: true, offerSeconds: 10 },
    turns: {
      strategy: "round-robin",
      members: ["ana", "ben"],
      autoAccept: true,
      onAgentGone: "close",
      capacity: 3,
    },
    least: {
      strategy: "least-busy",
      members: ["ben", "cid", "dot"],
      onAgentGone: "keep",
      ignoredSeconds: 20,
    },
    skilled: {
      strategy: "skills",
      members: ["ana", "cid", "dot"],
      skills: { welsh: 5 },
      relaxation: [{ afterSeconds: 10, levelsDown: 3 }, { afterSeconds: 25, drop: true }],
    },
    open: { strategy: "pickup", members: ["ana", "dot"] },
  },
  agents: {
    ana: { capacity: 1, skills: { welsh: 9, sums: 2 } },
    ben: { capacity: 2 },
    cid: { capacity: 3, skills: { welsh: 3 } },
    dot: {},
  },
  overall: { agentCapacity: 2 },
};
/** Another day: less room, other members, a queue that is gone. */
const CHANGED: Office = {
  queues: {
    ...OFFICE.queues,
    idle: { strategy: "least-busy", members: ["ben", "dot"], capacity: 2 },
    open: { strategy: "longest-idle", members: ["ana", "ben", "cid", "dot"] },
    skilled: OFFICE.queues.turns!,
  },
  agents: { ...OFFICE.agents, ben: { capacity: 1 }, ana: { capacity: 3, skills: { sums: 7 } } },
  overall: { capacity: 4, agentCapacity: 1, graceSeconds: 10 },
};
const OFFICES = [settingsOf(OFFICE), settingsOf(CHANGED)] as const;

/** The dispatcher under test with its store, and beside it the naive one; both are told the same. */
class Pair {
  store = new Store();
  settings: DispatchSettings = OFFICES[0];
  real = new Dispatcher(this.store.state, this.settings);
  naive = new NaiveDispatcher(this.settings);
  nowMs = 1_000_000;
  /** How sessions stand in truth. */
  facts: SessionFact[] = [];
  /** What conversations were asked and did not see to yet. */
  asked: DispatchCommand[] = [];
  told: DispatchEntry[] = [];

  tell(entry: DispatchEntry): void {
    this.told.push(entry);
    const wanted = this.naive.apply(entry);
    const outcome = this.real.apply(entry);
    this.store.keep(this.real.takeChanges());
    assert.deepEqual(outcome.orders.map(({ command }) => command), wanted);
    this.asked.push(...wanted);
    this.check();
  }

  /** The conversation of one session has moved. */
  move(fact: SessionFact): void {
    const place = this.facts.findIndex(({ sessionId }) => sessionId === fact.sessionId);
    if (place < 0) this.facts.push(fact);
    else this.facts[place] = fact;
    this.tell(fact);
  }

  check(): void {
    const { naive, real } = this;
    assert.deepEqual(naive.pairs(), [], "a session waits that somebody could take");
    for (const agent of naive.agents) {
      const known = real.agents.get(agent.id);
      assert.deepEqual([known?.row.shown ?? "offline", known?.sessions.size ?? 0], [
        naive.shown(agent),
        naive.load(agent.id),
      ]);
    }
    assert.equal(real.sessions.size, naive.sessions.length);
    for (const [id, line] of real.lines) {
      const expected = naive.sessions.filter((session) =>
        naive.inLine(session) && session.fact.queueId === id
      );
      assert.deepEqual([line.waiting, line.inUse], [expected.length, naive.inUse(id)]);
    }
  }
}

interface Step {
  readonly pick: number;
  readonly more: number;
}

type Run = (pair: Pair, step: Step) => void;
const one = <T>(list: readonly T[], { pick }: Step): T | undefined => list[pick % list.length];
const AGENTS = Object.keys(OFFICE.agents);
const QUEUES = [...Object.keys(OFFICE.queues), "unknown"];
const next = (fact: SessionFact, at: number) => ({ ...fact, at, version: fact.version + 1 });

const RUNS: Readonly<Record<string, Run>> = {
  arrives: (pair, { pick, more }) => {
    const skills = more % 5 === 0 ? { sums: 1 + more % 9 } : undefined;
    pair.move(waiting(`ses_${pair.facts.length}`, QUEUES[pick % QUEUES.length]!, pair.nowMs, {
      priority: more % 3,
      ...(skills === undefined ? {} : { skills }),
      ...(more % 4 === 0 ? { stickyExtensionId: AGENTS[more % 3]! } : {}),
    }));
  },
  answers: (pair, step) => {
    const command = one(pair.asked, step);
    if (command === undefined) return;
    pair.asked = pair.asked.filter((other) => other !== command);
    const fact = pair.facts.find(({ sessionId }) => sessionId === command.sessionId)!;
    const moved = answer(fact, command, pair.nowMs);
    if (moved !== null) pair.move(moved);
  },
  accepts: (pair, step) => {
    const fact = one(pair.facts.filter(({ state }) => state === "offered"), step);
    if (fact === undefined) return;
    pair.move({
      ...next(fact, pair.nowMs),
      state: "active",
      extensionId: fact.offeredTo,
      offeredTo: null,
      offerUntilMs: null,
      declinedBy: undefined,
    });
  },
  declines: (pair, step) => {
    const fact = one(pair.facts.filter(({ state }) => state === "offered"), step);
    if (fact === undefined) return;
    pair.move({ ...declined(next(fact, pair.nowMs), fact.offeredTo!), offeredTo: null, offerUntilMs: null });
  },
  writes: (pair, step) => {
    const fact = one(pair.facts.filter(({ state }) => state === "active"), step);
    if (fact !== undefined) pair.move({ ...next(fact, pair.nowMs), unansweredSinceMs: pair.nowMs });
  },
  ends: (pair, step) => {
    const fact = one(pair.facts.filter(({ state }) => state !== "closed"), step);
    if (fact === undefined) return;
    const wraps = fact.state === "active" && step.more % 2 === 0;
    const { offeredTo: _o, offerUntilMs: _u, unansweredSinceMs: _s, ...rest } = next(fact, pair.nowMs);
    const ended = { ...rest, offeredTo: null, offerUntilMs: null };
    pair.move(
      wraps ? { ...ended, state: "wrap-up", wrapUntilMs: pair.nowMs + 5_000 } : { ...ended, state: "closed" },
    );
  },
  moves: (pair, step) => {
    const fact = one(pair.facts.filter(({ state }) => state === "waiting" || state === "active"), step);
    if (fact === undefined) return;
    const { unansweredSinceMs: _, ...rest } = next(fact, pair.nowMs);
    const to = AGENTS[step.more % AGENTS.length]!;
    pair.move(
      step.more % 2 === 0
        ? {
          ...rest,
          state: "waiting",
          extensionId: null,
          queueId: QUEUES[step.more % QUEUES.length]!,
          waitingSinceMs: pair.nowMs,
        }
        : { ...rest, state: "active", extensionId: to, queueId: null },
    );
  },
  picks: (pair, step) => {
    const fact = one(pair.facts.filter(({ state }) => state === "waiting"), step);
    if (fact === undefined) return;
    const extensionId = AGENTS[step.more % AGENTS.length]!;
    const key = `claim ${pair.told.length}`;
    pair.tell({ kind: "claim", key, at: pair.nowMs, sessionId: fact.sessionId, extensionId });
    if (
      pair.naive.sessions.find((session) => session.fact === fact)?.asked?.kind === "claim" &&
      step.more % 3 > 0
    ) {
      pair.move({ ...next(fact, pair.nowMs), state: "active", extensionId });
    }
  },
  says: (pair, step) => {
    pair.tell({
      kind: "presence",
      key: `presence ${pair.told.length}`,
      at: pair.nowMs,
      extensionId: AGENTS[step.pick % AGENTS.length]!,
      presence: step.more % 2 === 0 ? "free" : PRESENCES[step.more % PRESENCES.length]!,
      by: "test",
    });
  },
  connects: (pair, { pick, more }) => {
    const extensionIds = AGENTS.filter((_, index) => (more >> index) % 2 === 1);
    pair.tell({ kind: "connections", at: pair.nowMs, member: `p${pick % 2}`, extensionIds });
  },
  passes: (pair, { more }) => {
    pair.nowMs += more * 700;
    pair.tell({ kind: "tick", at: pair.nowMs });
  },
  repeats: (pair, step) => {
    const entry = one(pair.told, step);
    if (entry !== undefined && entry.kind !== "claim" && entry.kind !== "presence") pair.tell(entry);
  },
  restarts: (pair) => {
    pair.real = new Dispatcher(pair.store.state, pair.settings);
    pair.naive.reload();
    pair.check();
  },
  configures: (pair, { pick }) => {
    pair.settings = OFFICES[pick % 2]!;
    pair.real.configure(pair.settings);
    pair.naive.configure(pair.settings);
    pair.tell({ kind: "tick", at: pair.nowMs });
  },
};

class Act implements fc.Command<Pair, Pair> {
  readonly #name: string;
  readonly #step: Step;

  constructor(name: string, step: Step) {
    this.#name = name;
    this.#step = step;
  }

  check(): boolean {
    return true;
  }

  run(pair: Pair): void {
    pair.nowMs += 1 + this.#step.pick % 3;
    RUNS[this.#name]!(pair, this.#step);
  }

  toString(): string {
    return `${this.#name} ${this.#step.pick} ${this.#step.more}`;
  }
}

const WEIGHTS: Readonly<Record<string, number>> = { arrives: 6, answers: 6, says: 4, accepts: 3, ends: 3 };

Deno.test("RT-4 RT-6: the dispatcher does as a naive one does, and never leaves a session waiting that somebody could take", () => {
  const numbers = fc.record({ pick: fc.nat(60), more: fc.nat(60) });
  const acts = Object.keys(RUNS).flatMap((name) =>
    Array.from({ length: WEIGHTS[name] ?? 1 }, () => numbers.map((step) => new Act(name, step)))
  );
  fc.assert(
    fc.property(fc.commands(acts, { maxCommands: 60, size: "max" }), (commands) => {
      const pair = new Pair();
      fc.modelRun(() => ({ model: pair, real: pair }), commands);
    }),
    { numRuns: 10_000 },
  );
});
