/**
 * The right to apply partitions: rows of `partitions`, and the outbox of what they committed.
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
import type { Sql } from "./database.ts";
import { prepared } from "./prepared.ts";
import { publishedJson, publishedRows } from "./published_rows.ts";
import { type StoredPayload, wholePayloads } from "./told_messages.ts";

/** $1 kind, $2 rows. */
const CLEAR_OUTBOX = `
delete from outbox where ctid = any (array(
  ${publishedRows("$1::text", "$2")}))`;

interface Row {
  readonly kind: PartitionKind;
  readonly partition: number;
  readonly epoch: number;
  readonly owner: string | null;
  readonly cursor: number;
  readonly cursor_stored: string | null;
  readonly stream_created: string | null;
}

export class PostgresPartitionStore implements PartitionStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async list(kinds: readonly PartitionKind[]): Promise<PartitionRow[]> {
    const rows = await this.#sql<Row[]>`
      select kind, partition, epoch, owner, cursor, cursor_stored, stream_created from partitions
      where kind = any(${[...kinds]}::text[]) order by kind, partition`;
    return rows.map((row) => ({ ...toOwned(row), kind: row.kind, owner: row.owner }));
  }

  async take(
    kind: PartitionKind,
    judged: readonly { readonly partition: number; readonly epoch: number }[],
    owner: string,
  ): Promise<OwnedPartition[]> {
    const rows = await this.#sql<Row[]>`
      with wanted as (
        select p.partition from partitions p
        join unnest(${judged.map((j) => j.partition)}::int[], ${
      judged.map((j) => j.epoch)
    }::bigint[]) as j (partition, epoch) on j.partition = p.partition and j.epoch = p.epoch
        where p.kind = ${kind} order by p.partition for update of p
      )
      update partitions p set epoch = p.epoch + 1, owner = ${owner}
      from wanted w where p.kind = ${kind} and p.partition = w.partition
      returning p.kind, p.partition, p.epoch, p.owner, p.cursor, p.cursor_stored, p.stream_created`;
    return rows.map(toOwned).sort((a, b) => a.partition - b.partition);
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
    { created, sequence, stored }: LogMark,
  ): Promise<boolean> {
    const rows = await this.#sql`
      update partitions set cursor = ${sequence}, cursor_stored = ${stored}, stream_created = ${created}
      where kind = ${kind} and partition = ${partition} and epoch = ${epoch}
      returning 1`;
    return rows.length === 1;
  }

  async release(
    kind: PartitionKind,
    owned: readonly { readonly partition: number; readonly epoch: number }[],
  ): Promise<void> {
    await this.#sql`
      update partitions p set owner = null
      from unnest(${owned.map((o) => o.partition)}::int[], ${
      owned.map((o) => o.epoch)
    }::bigint[]) as b (partition, epoch)
      where p.kind = ${kind} and p.partition = b.partition and p.epoch = b.epoch`;
  }

  async loadOutbox(kind: PartitionKind, partitions: readonly number[]): Promise<OutboxRow[]> {
    const rows = await this.#sql<
      { partition: number; sequence: string; payload: StoredPayload }[]
    >`
      select partition, sequence, payload from outbox
      where kind = ${kind} and partition = any(${[...partitions]}::int[])
      order by partition, sequence`;
    const payloads = await wholePayloads(this.#sql, rows.map(({ payload }) => payload));
    return rows.map(({ partition, sequence }, index) => ({
      kind,
      partition,
      sequence: Number(sequence),
      payload: payloads[index]!,
    }));
  }

  async clearOutbox(kind: PartitionKind, published: Published): Promise<void> {
    if (published.size === 0) return;
    await prepared(this.#sql, CLEAR_OUTBOX, [kind, publishedJson(published)]);
  }
}

function toOwned({ partition, epoch, cursor, cursor_stored, stream_created }: Row): OwnedPartition {
  return { partition, epoch, cursor, cursorStored: cursor_stored, logCreated: stream_created };
}
