/**
 * The counters, summed over their writers.
 *
 * @module
 */
import { sql } from "kysely";
import type { Counts, StatisticsQueries } from "../../core/ports/runtime_queries.ts";
import type { Database } from "./database.ts";

type Of = { readonly channelId: string } | { readonly number: string };

export class PostgresStatisticsQueries implements StatisticsQueries {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async sums({ of, fromMs, toMs, bucketMs }: {
    readonly of: Of;
    readonly fromMs: number;
    readonly toMs: number;
    readonly bucketMs: number;
  }): Promise<(Counts & { readonly startMs: number })[]> {
    // sum(bigint) is numeric, which the driver hands over as text: hence the casts.
    const { rows } = await sql<Counts & { startMs: number }>`
      select hour_ms - hour_ms % ${bucketMs}::bigint as "startMs",
        sum(received)::bigint as received, sum(sent)::bigint as sent,
        sum(delivered)::bigint as delivered, sum(failed)::bigint as failed,
        sum(segments_in)::bigint as "segmentsIn", sum(segments_out)::bigint as "segmentsOut"
      from statistics
      where ${condition(of)} and hour_ms >= ${fromMs}::bigint and hour_ms < ${toMs}::bigint
      group by 1 order by 1`.execute(this.#db);
    return rows;
  }

  async hasAny(of: Of): Promise<boolean> {
    const { rows } = await sql`select 1 from statistics where ${condition(of)} limit 1`.execute(this.#db);
    return rows.length > 0;
  }
}

function condition(of: Of) {
  return "channelId" in of ? sql`channel_id = ${of.channelId}` : sql`number = ${of.number}`;
}
