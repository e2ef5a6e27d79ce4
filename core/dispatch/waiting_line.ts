/**
 * One queue's waiting line, and those of its members who could take something out of it.
 *
 * Sessions that ask for the same skills stand in a line of their own as well: whoever fits one of them fits all, so that
 * only the first of each has to be looked at. Beside the binary searches an assignment looks at as many ready members as
 * do not fit or declined before, at most all of them.
 *
 * @module
 */
import { type Agent, inLineOrder, type Session } from "./at_work.ts";
import { type Drain, drained } from "./drain.ts";
import { fits, mastery, type Requirement } from "./requirement.ts";
import type { Distribution, Strategy } from "./settings.ts";
import { SortedList } from "./sorted_list.ts";

/** A session, and who is to have it. */
export interface Match {
  readonly session: Session;
  readonly agent: Agent;
  /** Everybody with room declined it before: it comes after all that somebody with room has not declined. */
  readonly again: boolean;
}

/** What comes first: whatever nobody with room declined yet, in the order of the line. */
export function isBefore(a: Match, b: Match): boolean {
  return a.again === b.again ? inLineOrder(a.session, b.session) < 0 : b.again;
}

interface Class {
  readonly requirement: Requirement;
  readonly line: SortedList<Session>;
}

export class WaitingLine {
  readonly id: string;
  readonly settings: Readonly<Distribution>;
  readonly members: ReadonlySet<string>;
  /** Sessions on offer or active. */
  inUse = 0;
  drain: Drain;
  readonly #line = new SortedList<Session>(inLineOrder);
  readonly #classes = new Map<string, Class>();
  readonly #ready: SortedList<Agent>;

  constructor(id: string, settings: Readonly<Distribution>, members: ReadonlySet<string>, drain: Drain) {
    this.id = id;
    this.settings = settings;
    this.members = members;
    this.drain = drain;
    this.#ready = new SortedList(ORDER[settings.strategy]);
  }

  get waiting(): number {
    return this.#line.size;
  }

  /** Who has waited longest of those with the best priority. */
  get first(): Session | undefined {
    return this.#line.first();
  }

  /** From 1; of a session in the line. */
  positionOf(session: Session): number {
    return this.#line.rank(session) + 1;
  }

  /** There is a line from now on. */
  begin(nowMs: number): void {
    this.drain = { ...this.drain, drain_since_ms: nowMs };
  }

  add(session: Session): void {
    this.#line.add(session);
    const requirement = session.requirement!;
    let found = this.#classes.get(requirement.key);
    if (found === undefined) {
      found = { requirement, line: new SortedList(inLineOrder) };
      this.#classes.set(requirement.key, found);
    }
    found.line.add(session);
  }

  remove(session: Session): void {
    if (!this.#line.remove(session)) return;
    const { key } = session.requirement!;
    const found = this.#classes.get(key)!;
    found.line.remove(session);
    if (found.line.size === 0) this.#classes.delete(key);
  }

  /** A session of this queue is served from now on. */
  served(nowMs: number): void {
    this.drain = drained(this.drain, nowMs);
  }

  addReady(agent: Agent): void {
    this.#ready.add(agent);
  }

  removeReady(agent: Agent): void {
    this.#ready.remove(agent);
  }

  /** What is to be offered to whom next; null: nothing, or to nobody. */
  next(): Match | null {
    const { strategy, capacity } = this.settings;
    if (strategy === "pickup" || this.#ready.size === 0 || this.#line.size === 0) return null;
    if (capacity !== null && this.inUse >= capacity) return null;
    return this.#match(false) ?? this.#match(true);
  }

  #match(again: boolean): Match | null {
    let best: Match | null = null;
    for (const { requirement, line } of this.#classes.values()) {
      if (best !== null && inLineOrder(best.session, line.first()!) < 0) continue;
      if (!this.#somebodyFits(requirement)) continue;
      for (const session of line) {
        if (best !== null && inLineOrder(best.session, session) < 0) break;
        const agent = this.#agentFor(session, again);
        // All who fit declined this one: another one may be for them.
        if (agent === null) continue;
        best = { session, agent, again };
        break;
      }
    }
    return best;
  }

  #somebodyFits(requirement: Requirement): boolean {
    for (const agent of this.#ready) if (fits(requirement, agent.skills)) return true;
    return false;
  }

  #agentFor({ row, requirement }: Session, again: boolean): Agent | null {
    const { strategy, sticky } = this.settings;
    const declined = again ? null : row.declined_by;
    const bySkill = strategy === "skills" && requirement!.levels.length > 0;
    let best: Agent | null = null;
    let bestMastery = -1;
    const favourite = sticky ? row.sticky_extension_id : null;
    for (const agent of this.#ready) {
      if (!fits(requirement!, agent.skills) || declined?.includes(agent.id)) continue;
      if (agent.id === favourite) return agent;
      if (best !== null && !bySkill) continue;
      const known = bySkill ? mastery(requirement!, agent.skills) : 0;
      if (known > bestMastery) {
        best = agent;
        bestMastery = known;
      }
      if (!bySkill && favourite === null) return best;
    }
    return best;
  }
}

const byId = (a: Agent, b: Agent) => a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
const longestIdle = (a: Agent, b: Agent) => a.row.idle_since_ms - b.row.idle_since_ms || byId(a, b);

/** In which order ready members are asked. */
const ORDER: Readonly<Record<Strategy, (a: Agent, b: Agent) => number>> = {
  pickup: byId,
  "longest-idle": longestIdle,
  "round-robin": (a, b) => a.row.turn - b.row.turn || byId(a, b),
  "least-busy": (a, b) => a.sessions.size - b.sessions.size || longestIdle(a, b),
  // Among those who know equally well.
  skills: longestIdle,
};
