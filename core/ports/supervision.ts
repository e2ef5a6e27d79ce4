/**
 * What supervisors watch: who has how much, and who waits.
 *
 * @module
 */
import type { SessionRow } from "../session.ts";

/** Sessions of one extension on one channel in one state. */
export interface HeldSessions {
  readonly extensionId: string;
  readonly channelId: string;
  readonly state: "offered" | "active" | "wrap-up";
  readonly sessions: number;
}

/** A place in the line of all who wait: whoever waits longest is first. */
export interface WaitingPlace {
  readonly sinceMs: number;
  readonly id: string;
}

export interface WaitingSession extends SessionRow {
  readonly since_ms: number;
}

export interface SupervisionQueries {
  /** Of those extensions that have any. */
  held(extensionIds: readonly string[]): Promise<HeldSessions[]>;
  /** How many sessions each of them had when they were closed, from `fromMs` on. */
  completed(extensionIds: readonly string[], fromMs: number): Promise<ReadonlyMap<string, number>>;
  /** Sessions that wait or are on offer, of one queue or of all. */
  waiting(query: {
    readonly queueId?: string;
    readonly after?: WaitingPlace;
    readonly limit: number;
  }): Promise<WaitingSession[]>;
}
