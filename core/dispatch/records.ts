/**
 * What the dispatcher remembers, as it is stored: field names are the column names of `dispatch_sessions`,
 * `dispatch_agents` and `dispatch_queues`. Times are ms since 1970.
 *
 * @module
 */
import type { SessionState } from "../session.ts";
import type { Presence, SessionFact, Skills } from "./entry.ts";

/** What was asked of a session's conversation and is not answered by a fact yet. */
export interface Pending {
  readonly kind: "offer" | "claim" | "offer-expired" | "take-back" | "wrap-up-over";
  /** Whose room is kept for it. */
  readonly extensionId: string | null;
  /** When it counts as lost and is decided anew. */
  readonly untilMs: number;
}

/** A session that people see, until it is closed. */
export interface DispatchSessionRow {
  readonly id: string;
  readonly number: string;
  readonly contact: string;
  readonly version: number;
  readonly state: SessionState;
  readonly queue_id: string | null;
  readonly extension_id: string | null;
  readonly offered_to: string | null;
  readonly offer_until_ms: number | null;
  readonly opened_ms: number;
  readonly waiting_since_ms: number;
  readonly priority: number;
  readonly skills: Skills | null;
  readonly language: string | null;
  readonly sticky_extension_id: string | null;
  readonly declined_by: readonly string[] | null;
  readonly wrap_until_ms: number | null;
  readonly unanswered_since_ms: number | null;
  readonly pending: Pending | null;
}

/** What people see of an agent. */
export type ShownPresence = Presence;

export interface DispatchAgentRow {
  readonly extension_id: string;
  /** As it was set. */
  readonly presence: Presence;
  readonly reason: string | null;
  /** Who set it; empty: nobody ever did. */
  readonly set_by: string;
  readonly set_ms: number;
  /** What it amounts to: also offline when the event stream is lost, and busy when no more sessions fit. */
  readonly shown: ShownPresence;
  readonly shown_since_ms: number;
  /** Processes that serve an event stream of the agent. */
  readonly members: readonly string[];
  /** Since when there is none of those that there was; null: there is one, or there never was. */
  readonly lost_ms: number | null;
  /** Lost for longer than the grace period. */
  readonly gone: boolean;
  /** When the agent last got or lost a session: who is longest idle has the earliest. */
  readonly idle_since_ms: number;
  /** The number of the last session given to the agent, over all agents: whose turn it is has the lowest. */
  readonly turn: number;
}

export interface DispatchQueueRow {
  readonly queue_id: string;
  /** How long it takes for one session to leave the line, ms: a moving average; null: not known. */
  readonly drain_ms: number | null;
  /** Since when the next one is about to: the last left, or the line began. */
  readonly drain_since_ms: number;
}

/** All that is stored. */
export interface DispatchState {
  readonly sessions: readonly DispatchSessionRow[];
  readonly agents: readonly DispatchAgentRow[];
  readonly queues: readonly DispatchQueueRow[];
}

/** How a session stands after `fact`; what was asked of it is answered. */
export function sessionRow(fact: SessionFact): DispatchSessionRow {
  return {
    id: fact.sessionId,
    number: fact.number,
    contact: fact.contact,
    version: fact.version,
    state: fact.state,
    queue_id: fact.queueId,
    extension_id: fact.extensionId,
    offered_to: fact.offeredTo,
    offer_until_ms: fact.offerUntilMs,
    opened_ms: fact.openedMs,
    waiting_since_ms: fact.waitingSinceMs,
    priority: fact.priority,
    skills: fact.skills ?? null,
    language: fact.language ?? null,
    sticky_extension_id: fact.stickyExtensionId ?? null,
    declined_by: fact.declinedBy ?? null,
    wrap_until_ms: fact.wrapUntilMs ?? null,
    unanswered_since_ms: fact.unansweredSinceMs ?? null,
    pending: null,
  };
}

/** An agent of whom nothing is known. */
export function newAgentRow(extensionId: string): DispatchAgentRow {
  return {
    extension_id: extensionId,
    presence: "offline",
    reason: null,
    set_by: "",
    set_ms: 0,
    shown: "offline",
    shown_since_ms: 0,
    members: [],
    lost_ms: null,
    gone: false,
    idle_since_ms: 0,
    turn: 0,
  };
}
