/**
 * The simulated {@link PartitionStore}; the real one is `adapters/postgres/partition_store.ts`.
 *
 * @module
 */
import type { OutboxRow, Published } from "../../core/outbox.ts";
import type { LogMark } from "../../core/ports/partition_log.ts";
import type {
  OwnedPartition,
  PartitionKind,
  PartitionRow,
  PartitionStore,
} from "../../core/ports/partition_store.ts";
import type { AtOnce, Tables } from "./tables.ts";

export class SimulatedPartitions implements AtOnce<PartitionStore> {
  constructor(private readonly tables: Tables) {}

  list(kinds: readonly PartitionKind[]): PartitionRow[] {
    return [...this.tables.partitions.values()].filter(({ kind }) => kinds.includes(kind)).map((row) =>
      this.#kept(row)
    );
  }

  take(
    kind: PartitionKind,
    judged: readonly { readonly partition: number; readonly epoch: number }[],
    owner: string,
  ): OwnedPartition[] {
    return judged.flatMap(({ partition, epoch }) => {
      const row = this.tables.partition(kind, partition);
      if (row.epoch !== epoch) return [];
      this.tables.change(row, { epoch: epoch + 1, owner });
      return [this.#kept(this.tables.partition(kind, partition))];
    });
  }

  cursors(kind: PartitionKind, partitions: readonly number[]): ReadonlyMap<number, number> {
    return new Map(partitions.map((partition) => [partition, this.tables.partition(kind, partition).cursor]));
  }

  resetCursor(kind: PartitionKind, partition: number, epoch: number, mark: LogMark): boolean {
    if (!this.tables.holds(kind, partition, epoch)) return false;
    this.tables.resetCursor(kind, partition, mark);
    return true;
  }

  release(
    kind: PartitionKind,
    owned: readonly { readonly partition: number; readonly epoch: number }[],
  ): void {
    for (const { partition, epoch } of owned) {
      const row = this.tables.partition(kind, partition);
      if (row.epoch === epoch) this.tables.change(row, { owner: null });
    }
  }

  loadOutbox(kind: PartitionKind, partitions: readonly number[]): OutboxRow[] {
    return [...this.tables.outbox.values()]
      .filter((row) => row.kind === kind && partitions.includes(row.partition))
      .sort((a, b) => a.partition - b.partition || a.sequence - b.sequence);
  }

  clearOutbox(kind: PartitionKind, published: Published): void {
    this.tables.forget(kind, published);
  }

  #kept(row: PartitionRow): PartitionRow {
    return this.tables.mistake === "forgets-stored" ? { ...row, cursorStored: null } : row;
  }
}
