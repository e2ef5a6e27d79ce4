/**
 * Taking partitions over in tests, whoever has them.
 *
 * @module
 */
import type { OwnedPartition, PartitionKind, PartitionStore } from "../../core/ports/partition_store.ts";

export async function takeOver(
  store: PartitionStore,
  kind: PartitionKind,
  partitions: readonly number[],
  owner: string,
): Promise<OwnedPartition[]> {
  const rows = await store.list([kind]);
  return await store.take(kind, rows.filter(({ partition }) => partitions.includes(partition)), owner);
}
