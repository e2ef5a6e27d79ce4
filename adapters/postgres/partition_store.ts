/**
 * The right to apply partitions: rows of `partitions`, and the outbox of what they committed.
 *
 * @module
 */
import type { OutboxRow } from "../../core/outbox.ts";
import type { OwnedPartition, PartitionKind, PartitionStore } from "../../core/ports/partition_store.ts";
import type { Sql } from "./database.ts";

export class PostgresPartitionStore implements PartitionStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async acquire(
    kind: PartitionKind,
    partitions: readonly number[],
    owner: string,
  ): Promise<OwnedPartition[]> {
    const rows = await this.#sql<
      { partition: number; epoch: string; cursor: string; stream_created: string | null }[]
    >`
      update partitions set epoch = epoch + 1, owner = ${owner}
      where kind = ${kind} and partition = any(${[...partitions]}::int[])
      returning partition, epoch, cursor, stream_created`;
    return rows.map((row) => ({
      partition: row.partition,
      epoch: Number(row.epoch),
      cursor: Number(row.cursor),
      logCreated: row.stream_created,
    })).sort((a, b) => a.partition - b.partition);
  }

  async cursors(kind: PartitionKind, partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const rows = await this.#sql<{ partition: number; cursor: string }[]>`
      select partition, cursor from partitions
      where kind = ${kind} and partition = any(${[...partitions]}::int[])`;
    return new Map(rows.map((row) => [row.partition, Number(row.cursor)]));
  }

  async resetCursor(
    kind: PartitionKind,
    partition: number,
    epoch: number,
    cursor: number,
    logCreated: string,
  ): Promise<boolean> {
    const rows = await this.#sql`
      update partitions set cursor = ${cursor}, stream_created = ${logCreated}
      where kind = ${kind} and partition = ${partition} and epoch = ${epoch}
      returning 1`;
    return rows.length === 1;
  }

  async release(kind: PartitionKind, owned: readonly { partition: number; epoch: number }[]): Promise<void> {
    await this.#sql`
      update partitions p set owner = null
      from unnest(${owned.map((o) => o.partition)}::int[], ${
      owned.map((o) => o.epoch)
    }::bigint[]) as b (partition, epoch)
      where p.kind = ${kind} and p.partition = b.partition and p.epoch = b.epoch`;
  }

  async loadOutbox(kind: PartitionKind, partitions: readonly number[]): Promise<OutboxRow[]> {
    const rows = await this.#sql<
      { partition: number; sequence: string; payload: OutboxRow["payload"] }[]
    >`
      select partition, sequence, payload from outbox
      where kind = ${kind} and partition = any(${[...partitions]}::int[])
      order by partition, sequence`;
    return rows.map((row) => ({
      kind,
      partition: row.partition,
      sequence: Number(row.sequence),
      payload: row.payload,
    }));
  }

  async clearOutbox(kind: PartitionKind, published: ReadonlyMap<number, number>): Promise<void> {
    if (published.size === 0) return;
    await this.#sql`
      delete from outbox o
      using unnest(${[...published.keys()]}::int[], ${[
      ...published.values(),
    ]}::bigint[]) as b (partition, sequence)
      where o.kind = ${kind} and o.partition = b.partition and o.sequence <= b.sequence`;
  }
}
