/**
 * Counts of calls and of what was written during them, out of the sessions and messages themselves: exact whatever a
 * number was for before, and by queue and agent.
 *
 * @module
 */
import { sql } from "kysely";
import type { CallCounts, CallStatistics } from "../../core/ports/runtime_queries.ts";
import type { Database } from "./database.ts";
import { idFloor } from "./newest_first.ts";

export class PostgresCallStatistics implements CallStatistics {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async sums(
    { of, fromMs, toMs, bucketMs }: Parameters<CallStatistics["sums"]>[0],
  ): Promise<(CallCounts & { readonly startMs: number })[]> {
    const { queueId = null, extensionId = null } = of;
    // A session's messages are no older than itself: the bound leaves out whole partitions.
    const { rows } = await sql<CallCounts & { startMs: number }>`
      select s.opened_ms - s.opened_ms % ${bucketMs}::bigint as "startMs",
        count(*)::int as calls,
        count(*) filter (where m.written > 0)::int as "textedIn",
        sum(m.received)::int as received, sum(m.sent)::int as sent, sum(m.delivered)::int as delivered,
        sum(m.failed)::int as failed, sum(m.segments_in)::int as "segmentsIn",
        sum(m.segments_out)::int as "segmentsOut"
      from sessions s
      cross join lateral (
        select count(*) as written,
          count(*) filter (where direction = 'inbound') as received,
          count(*) filter (where taken) as sent,
          count(*) filter (where status = 'delivered') as delivered,
          count(*) filter (where status in ('failed', 'undelivered', 'rejected', 'expired', 'blocked')) as failed,
          coalesce(sum(segments) filter (where direction = 'inbound'), 0) as segments_in,
          coalesce(sum(segments) filter (where taken), 0) as segments_out
        from (
          select direction, status, segments, history @> '[{"status": "sent"}]' as taken
          from messages
          where conversation_id = s.conversation_id and session_id = s.id and id >= ${
      idFloor("message", fromMs)
    }
        ) as written
      ) m
      where s.kind = 'call' and s.id >= ${idFloor("session", fromMs)} and s.id < ${idFloor("session", toMs)}
        and (${queueId}::text is null or s.queue_id = ${queueId})
        and (${extensionId}::text is null or s.extension_id = ${extensionId})
      group by 1 order by 1`.execute(this.#db);
    return rows;
  }
}
