/**
 * Reading how the dispatcher sees agents and queues, for the API.
 *
 * @module
 */
import type { Drain } from "../dispatch/drain.ts";
import type { ServiceFigures, Thresholds } from "../dispatch/thresholds.ts";
import type { DispatchAgentRow, DispatchSessionRow } from "../dispatch/records.ts";

/** An agent with the number of its sessions: on offer, active and in wrap-up. */
export interface AgentAtWork extends DispatchAgentRow {
  readonly sessions: number;
}

export interface LiveQueue {
  readonly waiting: number;
  readonly offered: number;
  readonly active: number;
  readonly wrapUp: number;
  /** When whoever waits longest began to; null: nobody waits. */
  readonly oldestMs: number | null;
  readonly drain: Drain | null;
  /** In order, from the first. */
  readonly line: readonly DispatchSessionRow[];
}

export interface DispatchQueries {
  /** Those of whom anything is known. */
  agents(extensionIds: readonly string[]): Promise<ReadonlyMap<string, AgentAtWork>>;
  /** What the thresholds are held against, at `nowMs`. */
  service(queueId: string, thresholds: Thresholds, nowMs: number): Promise<ServiceFigures>;
  /** At most `limit` of the line. */
  queue(queueId: string, limit: number): Promise<LiveQueue>;
}
