/**
 * What could not take effect, kept for a person to look at.
 *
 * @module
 */
import type { DeadLetterRow } from "./conversation_store.ts";
import type { NewestFirst } from "./runtime_queries.ts";

export interface StoredDeadLetter extends DeadLetterRow {
  /** When it was put back into its log. */
  readonly replayed_at: Date | null;
}

export interface DeadLetterStore {
  /** Without payloads, which may be large; `payloadBytes` says how large. */
  list(
    kind: DeadLetterRow["kind"] | undefined,
    page: NewestFirst,
  ): Promise<(Omit<StoredDeadLetter, "payload"> & { readonly payloadBytes: number })[]>;
  get(id: string): Promise<StoredDeadLetter | undefined>;
  /** False when it was marked before. */
  markReplayed(id: string, at: Date): Promise<boolean>;
  /** Adds one; one with its id that is there already stays as it is. */
  add(letter: DeadLetterRow): Promise<void>;
}
