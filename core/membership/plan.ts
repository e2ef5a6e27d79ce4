/**
 * What a member should do about the partitions of one kind: take, give back, let go of.
 *
 * @module
 */
import type { PartitionRow } from "../ports/partition_store.ts";

export interface PlanInput {
  readonly me: string;
  /** The member wished for each partition, by partition. */
  readonly wished: readonly string[];
  /** The partitions as the database has them. */
  readonly rows: readonly Pick<PartitionRow, "partition" | "epoch" | "owner">[];
  /** Those that this member works on, with their epochs. */
  readonly held: ReadonlyMap<number, number>;
  readonly isAlive: (member: string) => boolean;
  /** For how long the partition has been wanted from its present owner, ms. */
  readonly waitedMs: (row: Pick<PartitionRow, "partition" | "epoch" | "owner">) => number;
  /** An owner that is alive and does not give back what it should is waited for so long. */
  readonly handOffMsMax: number;
}

export interface Plan {
  /** To take, with the epoch that was judged: whoever takes it meanwhile wins. */
  readonly take: readonly { readonly partition: number; readonly epoch: number }[];
  /** Wanted from somebody alive, who is to give it back. */
  readonly awaited: readonly { readonly partition: number; readonly epoch: number }[];
  /** Wished for another member: to finish and give back. */
  readonly release: readonly number[];
  /** Somebody else's already: to drop. */
  readonly lost: readonly number[];
}

/** A pure judgement of what is known now; it may be wrong, and the epochs make that harmless. */
export function plan({ me, wished, rows, held, isAlive, waitedMs, handOffMsMax }: PlanInput): Plan {
  const take: { partition: number; epoch: number }[] = [];
  const awaited: { partition: number; epoch: number }[] = [];
  const release: number[] = [];
  const lost: number[] = [];
  for (const row of rows) {
    const { partition, epoch, owner } = row;
    const isMine = wished[partition] === me;
    const heldEpoch = held.get(partition);
    if (heldEpoch !== undefined) {
      if (heldEpoch !== epoch || owner !== me) lost.push(partition);
      else if (!isMine) release.push(partition);
    } else if (isMine) {
      const isFree = owner === null || owner === me || !isAlive(owner) || waitedMs(row) > handOffMsMax;
      (isFree ? take : awaited).push({ partition, epoch });
    }
  }
  return { take, awaited, release, lost };
}
