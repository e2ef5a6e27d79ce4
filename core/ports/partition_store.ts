/**
 * The right to apply partitions, kept where their effects are kept.
 *
 * @module
 */
import type { OutboxRow, Published } from "../outbox.ts";
import type { LogMark } from "./partition_log.ts";

/** `singleton` has one partition: what exactly one router does. */
export type PartitionKind = "route" | "status" | "dispatch" | "send" | "singleton";

/** A partition as it is stored. */
export interface PartitionRow {
  readonly kind: PartitionKind;
  readonly partition: number;
  readonly epoch: number;
  /** Who took it last; null when it was given back. */
  readonly owner: string | null;
  readonly cursor: number;
  readonly cursorStored: string | null;
  readonly logCreated: string | null;
}

export interface OwnedPartition {
  readonly partition: number;
  /** The fencing token: every write carries it, and one with an older epoch changes nothing. */
  readonly epoch: number;
  /** The last log sequence applied. */
  readonly cursor: number;
  /** When the log stored the entry at the cursor, ns since 1970 as digits; null when it is not known. */
  readonly cursorStored: string | null;
  /** The log that the cursor belongs to; null before the first. */
  readonly logCreated: string | null;
}

export interface PartitionStore {
  /** All partitions of these kinds. */
  list(kinds: readonly PartitionKind[]): Promise<PartitionRow[]>;
  /**
   * Takes partitions over by raising their epochs: whoever had them can no longer commit. Those whose epoch is
   * not the given one any more are left alone: somebody was faster.
   */
  take(
    kind: PartitionKind,
    judged: readonly { readonly partition: number; readonly epoch: number }[],
    owner: string,
  ): Promise<OwnedPartition[]>;
  /** The last log sequence applied, by partition. */
  cursors(kind: PartitionKind, partitions: readonly number[]): Promise<ReadonlyMap<number, number>>;
  /** Sets a cursor to where a log is read from now. False when fenced. */
  resetCursor(
    kind: PartitionKind,
    partition: number,
    epoch: number,
    mark: LogMark,
  ): Promise<boolean>;
  /** Marks the partitions as free. Changes nothing where the epoch is no longer ours. */
  release(
    kind: PartitionKind,
    owned: readonly { readonly partition: number; readonly epoch: number }[],
  ): Promise<void>;
  /** What former owners committed and did not get published, in order. */
  loadOutbox(kind: PartitionKind, partitions: readonly number[]): Promise<OutboxRow[]>;
  /** Forgets what is published. */
  clearOutbox(kind: PartitionKind, published: Published): Promise<void>;
}
