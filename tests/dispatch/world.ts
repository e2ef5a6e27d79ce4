/** What stands around the dispatcher in tests: settings, conversations that answer, and a table that keeps its rows. */
import type { DispatchEntry, SessionFact } from "../../core/dispatch/entry.ts";
import type { Changes } from "../../core/dispatch/draft.ts";
import type { DispatchCommand } from "../../core/dispatch/outcome.ts";
import type {
  DispatchAgentRow,
  DispatchQueueRow,
  DispatchSessionRow,
  DispatchState,
} from "../../core/dispatch/records.ts";
import {
  type AgentSettings,
  DEFAULT_DISTRIBUTION,
  DEFAULT_OVERALL_DISTRIBUTION,
  type Distribution,
  type OverallDistribution,
} from "../../core/dispatch/settings.ts";
import type { DispatchSettings } from "../../core/dispatch/snapshot.ts";

export type ConnectionsEntry = Extract<DispatchEntry, { kind: "connections" }>;

export interface Office {
  readonly queues: Readonly<Record<string, Partial<Distribution> & { readonly members: readonly string[] }>>;
  readonly agents: Readonly<Record<string, Partial<AgentSettings>>>;
  readonly overall?: Partial<OverallDistribution>;
}

export function settingsOf({ queues, agents, overall }: Office): DispatchSettings {
  return {
    key: JSON.stringify([queues, agents, overall]),
    queues: new Map(
      Object.entries(queues).map(([id, { members, ...settings }]) => [id, {
        settings: { ...DEFAULT_DISTRIBUTION, ...settings },
        members: new Set(members),
        tellsWaiting: false,
      }]),
    ),
    agents: new Map(
      Object.entries(agents).map(([id, settings]) => [id, { capacity: null, skills: {}, ...settings }]),
    ),
    overall: { ...DEFAULT_OVERALL_DISTRIBUTION, ...overall },
  };
}

/** A new session's first fact. */
export function waiting(
  sessionId: string,
  queueId: string,
  at: number,
  more: Partial<SessionFact> = {},
): SessionFact {
  return {
    kind: "session",
    at,
    sessionId,
    number: "+14155550100",
    contact: "+14155550101",
    version: 1,
    state: "waiting",
    queueId,
    extensionId: null,
    offeredTo: null,
    offerUntilMs: null,
    openedMs: at,
    waitingSinceMs: at,
    priority: 5,
    ...more,
  };
}

/** What a conversation tells of its session after a command of the dispatcher; null: nothing changed. */
export function answer(fact: SessionFact, command: DispatchCommand, at: number): SessionFact | null {
  if (fact.version !== command.version) return null;
  const next = { ...fact, at, version: fact.version + 1, offeredTo: null, offerUntilMs: null };
  switch (command.kind) {
    case "offer":
      if (fact.state !== "waiting") return null;
      return command.autoAccept === true
        ? { ...next, state: "active", extensionId: command.extensionId }
        : { ...next, state: "offered", offeredTo: command.extensionId, offerUntilMs: command.untilMs };
    case "offer-expired":
      return fact.state === "offered" ? declined(next, fact.offeredTo!) : null;
    case "take-back":
      if (fact.state !== "active" || fact.queueId === null) return null;
      return command.close === true
        ? { ...next, state: "closed" }
        : { ...declined(next, fact.extensionId!), extensionId: null, unansweredSinceMs: undefined };
    case "wrap-up-over":
      return fact.state === "wrap-up" ? { ...next, state: "closed" } : null;
  }
}

export function declined(fact: SessionFact, by: string): SessionFact {
  return {
    ...fact,
    state: "waiting",
    declinedBy: [...(fact.declinedBy ?? []).filter((id) => id !== by), by],
  };
}

/** The tables. */
export class Store {
  readonly #sessions = new Map<string, DispatchSessionRow>();
  readonly #agents = new Map<string, DispatchAgentRow>();
  readonly #queues = new Map<string, DispatchQueueRow>();

  keep({ sessions, forgotten, agents, queues }: Changes): void {
    for (const row of sessions) this.#sessions.set(row.id, row);
    for (const id of forgotten) this.#sessions.delete(id);
    for (const row of agents) this.#agents.set(row.extension_id, row);
    for (const row of queues) this.#queues.set(row.queue_id, row);
  }

  get state(): DispatchState {
    const plain = JSON.parse(JSON.stringify({
      sessions: [...this.#sessions.values()],
      agents: [...this.#agents.values()],
      queues: [...this.#queues.values()],
    }));
    return plain as DispatchState;
  }
}
