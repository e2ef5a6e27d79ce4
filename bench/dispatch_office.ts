/**
 * The office that `dispatch` is measured with: agents in several queues, a full line, and conversations that answer the
 * dispatcher at once.
 *
 * @module
 */
import { type Directory, EMPTY_DIRECTORY } from "../core/directory.ts";
import type { DispatchEntry, SessionFact } from "../core/dispatch/entry.ts";
import type { DispatchCommand } from "../core/dispatch/outcome.ts";
import { DEFAULT_DISTRIBUTION, STRATEGIES } from "../core/dispatch/settings.ts";

export const AGENTS = 2_000;
export const QUEUES = 200;
export const WAITING = 50_000;
const QUEUES_PER_AGENT = 5;
/** Those that offer. */
const OFFERING = STRATEGIES.filter((strategy) => strategy !== "pickup");

const agentId = (index: number) => `ext_${String(index).padStart(26, "0")}`;
const queueId = (index: number) => `mq_${String(index).padStart(26, "0")}`;

/** Every agent serves five queues and has one session at a time; every strategy has a quarter of the queues. */
export function officeDirectory(): Directory {
  const members = Array.from({ length: QUEUES }, () => new Set<string>());
  const extensions = Array.from({ length: AGENTS }, (_, index) => {
    const id = agentId(index);
    for (let n = 0; n < QUEUES_PER_AGENT; n++) members[(index + n * 37) % QUEUES]!.add(id);
    return {
      id,
      extension: String(index),
      name: String(index),
      capacity: 1,
      cannedOnly: false,
      skills: { spanish: 1 + index % 10 },
    };
  });
  const queues = members.map((members, index) => {
    const strategy = OFFERING[index % OFFERING.length]!;
    return {
      ...DEFAULT_DISTRIBUTION,
      id: queueId(index),
      name: String(index),
      members,
      calendarId: null,
      texts: {},
      inCall: {},
      strategy,
      autoAccept: true,
      ...(strategy === "skills"
        ? { skills: { spanish: 4 }, relaxation: [{ afterSeconds: 3_600, drop: true }] }
        : {}),
    };
  });
  return {
    ...EMPTY_DIRECTORY,
    version: 1,
    extensions: new Map(extensions.map((extension) => [extension.id, extension])),
    queues: new Map(queues.map((queue) => [queue.id, queue])),
  };
}

/** The sessions, as their conversations would tell of them. */
export class Office {
  readonly #facts = new Map<string, SessionFact>();
  #sessions = 0;

  /** Somebody writes for the first time. */
  arrival(at: number): SessionFact {
    const index = this.#sessions++;
    const digits = String(index).padStart(10, "0");
    const fact: SessionFact = {
      kind: "session",
      at,
      sessionId: `ses_${String(index).padStart(26, "0")}`,
      number: "+14155550100",
      contact: `+1${digits}`,
      version: 1,
      state: "waiting",
      queueId: queueId(index % QUEUES),
      extensionId: null,
      offeredTo: null,
      offerUntilMs: null,
      openedMs: at,
      waitingSinceMs: at,
      priority: index % 3,
    };
    this.#facts.set(fact.sessionId, fact);
    return fact;
  }

  /** An offer is taken at once; null where the session has moved since. */
  accepted(command: DispatchCommand, at: number): SessionFact | null {
    const fact = this.#facts.get(command.sessionId);
    if (command.kind !== "offer" || fact?.version !== command.version) return null;
    const active: SessionFact = {
      ...fact,
      at,
      version: fact.version + 1,
      state: "active",
      extensionId: command.extensionId,
    };
    this.#facts.set(fact.sessionId, active);
    return active;
  }

  /** The agent is done with it. */
  closed(fact: SessionFact, at: number): SessionFact {
    this.#facts.delete(fact.sessionId);
    return { ...fact, at, version: fact.version + 1, state: "closed" };
  }
}

/** Every agent comes in the morning. */
export function morning(at: number): DispatchEntry[] {
  return Array.from({ length: AGENTS }, (_, index) => ({
    kind: "presence",
    key: `morning ${index}`,
    at,
    extensionId: agentId(index),
    presence: "free",
    by: "bench",
  }));
}
