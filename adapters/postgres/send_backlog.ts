/**
 * What waits to be sent.
 *
 * @module
 */
import type { Sql } from "./database.ts";

export interface ChannelBacklog {
  readonly channelId: string;
  readonly waiting: number;
  /** Since when the oldest could have been sent, ms since 1970. */
  readonly oldestMs: number;
}

/** Messages that are due at `nowMs` and still queued, by channel; channels without any are left out. */
export async function sendBacklogs(sql: Sql, nowMs: number): Promise<ChannelBacklog[]> {
  return await sql<ChannelBacklog[]>`
    select channel_id as "channelId", count(*)::int as waiting,
      min(greatest(created_ms, coalesce(not_before_ms, 0))) as "oldestMs"
    from messages
    where status = 'queued' and direction = 'outbound' and coalesce(not_before_ms, 0) <= ${nowMs}
    group by channel_id`;
}
