/**
 * Finds the outbox rows that are published.
 *
 * Every row there is deleted after a moment, and until the next vacuum the table is thousands of dead rows and a
 * handful of living ones. The planner thinks that it is small and reads it whole, dead rows and all: a third of a
 * commit's price after a minute under load. Written like this it looks for each partition's rows alone.
 *
 * @module
 */
import type { Published } from "../../core/outbox.ts";

/**
 * Selects the `ctid` of the rows of `kind` that the JSON text `published` names, called `b (partition, first, last,
 * epoch)`, in partitions that still have the epoch, where there is one.
 */
export function publishedRows(kind: string, published: string): string {
  return `select o.ctid
    from json_to_recordset(${published}::text::json) as b (partition int, first bigint, last bigint, epoch bigint)
    cross join lateral (
      select o.ctid from outbox o
      where o.kind = ${kind} and o.partition = b.partition and o.sequence between b.first and b.last
        and (b.epoch is null or exists (
          select from partitions p where p.kind = ${kind} and p.partition = b.partition and p.epoch = b.epoch))
      offset 0
    ) o`;
}

/** The parameter for it. */
export function publishedJson(published: Published): string {
  return JSON.stringify([...published].map(([partition, rows]) => ({ partition, ...rows })));
}
