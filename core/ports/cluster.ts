/**
 * The members and what each of them works on, for those who run the system.
 *
 * @module
 */
import type { LivingMember } from "../membership/liveness.ts";
import type { PartitionKind } from "./partition_store.ts";

export interface PartitionView {
  readonly partition: number;
  /** A member's id; null: nobody's at the moment. */
  readonly owner: string | null;
  readonly epoch: number;
  /** The last log message applied, and the last one in the log; null where there is no log. */
  readonly cursor: number | null;
  readonly lastSequence: number | null;
  /** Log messages not applied, or messages due and not sent. */
  readonly waiting: number;
  /** Of the oldest of them, ms; null when nothing waits or when nobody knows. */
  readonly oldestAgeMs: number | null;
}

export interface KindView {
  readonly kind: PartitionKind;
  readonly partitions: readonly PartitionView[];
}

export interface ClusterView {
  /** The member that answers. */
  readonly me: string;
  readonly members: readonly LivingMember[];
  readonly kinds: readonly KindView[];
}

export interface ClusterSource {
  /** Rejects when the database or the broker is away. */
  view(): Promise<ClusterView>;
}
