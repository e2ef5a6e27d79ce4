/**
 * Where the dispatcher's rows are kept.
 *
 * @module
 */
import type { SessionFact } from "../dispatch/entry.ts";
import type { Changes } from "../dispatch/draft.ts";
import type { DispatchState } from "../dispatch/records.ts";
import type { OutboxRow, Published } from "../outbox.ts";
import type { DeadLetterRow } from "./conversation_store.ts";

/** Everything that one batch changes. */
export interface DispatchCommit {
  readonly partition: number;
  readonly epoch: number;
  /** The last log sequence that the batch applied. */
  readonly cursor: number;
  /** When the log stored that one. */
  readonly stored: string;
  readonly changes: Changes;
  readonly outbox: OutboxRow | null;
  readonly deadLetters: readonly DeadLetterRow[];
  /** Outbox rows that may be forgotten. */
  readonly published: Published;
}

export interface DispatchStore {
  load(): Promise<DispatchState>;
  /** Writes all of it in one statement, if the partition still has the given epoch; else nothing, and "fenced". */
  commit(commit: DispatchCommit): Promise<"committed" | "fenced">;
  /**
   * What the dispatcher would have been told of sessions that it knows otherwise than they are: lost with its log, or
   * still on the way, which does no harm. At most `max`; `now` stands in the facts.
   */
  findMissed(now: number, max: number): Promise<SessionFact[]>;
}
