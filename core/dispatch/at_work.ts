/**
 * Sessions and agents as the dispatcher has them in memory.
 *
 * @module
 */
import type { Presence, Skills } from "./entry.ts";
import type { DispatchAgentRow, DispatchSessionRow } from "./records.ts";
import type { Requirement } from "./requirement.ts";

export interface Session {
  row: DispatchSessionRow;
  /** What it asks for, while it is in a line. */
  requirement: Requirement | null;
  /** Whom it counts against. */
  agent: Agent | null;
}

export interface Agent {
  readonly id: string;
  row: DispatchAgentRow;
  /** Sessions at once; Infinity: any number. */
  capacity: number;
  skills: Skills;
  /** What counts against the capacity: on offer, active and in wrap-up. */
  readonly sessions: Set<Session>;
}

/** Whether the agent's own word, or a lost event stream, takes it off duty. */
export function isOffline({ row }: Agent): boolean {
  return row.presence === "offline" || row.gone;
}

export function hasRoom({ sessions, capacity }: Agent): boolean {
  return sessions.size < capacity;
}

/** Whether sessions may be offered to the agent now. */
export function isReady(agent: Agent): boolean {
  return agent.row.presence === "free" && !agent.row.gone && hasRoom(agent);
}

/** What people see. */
export function shownPresence(agent: Agent): Presence {
  if (isOffline(agent)) return "offline";
  return agent.row.presence === "free" && !hasRoom(agent) ? "busy" : agent.row.presence;
}

/** Whom the session counts against. */
export function holderOf({ state, pending, offered_to, extension_id }: DispatchSessionRow): string | null {
  if (state === "waiting") return pending?.extensionId ?? null;
  return state === "offered" ? offered_to : extension_id;
}

/** Whether it waits for somebody, and nobody is asked at the moment. */
export function isInLine({ state, pending, queue_id }: DispatchSessionRow): boolean {
  return state === "waiting" && pending === null && queue_id !== null;
}

/** Whether it counts against what the queue, and all of them together, may have at once. */
export function isInUse({ state, pending, queue_id }: DispatchSessionRow): boolean {
  return queue_id !== null &&
    (state === "active" || state === "offered" || (state === "waiting" && pending !== null));
}

/** The order of a line: by priority, then by time, then by id. */
export function inLineOrder({ row: a }: Session, { row: b }: Session): number {
  return a.priority - b.priority || a.waiting_since_ms - b.waiting_since_ms ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
