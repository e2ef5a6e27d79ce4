/**
 * What supervisors watch, read from the sessions themselves.
 *
 * @module
 */
import type {
  HeldSessions,
  SupervisionQueries,
  WaitingPlace,
  WaitingSession,
} from "../../core/ports/supervision.ts";
import type { Sql } from "./database.ts";

export class PostgresSupervisionQueries implements SupervisionQueries {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async held(extensionIds: readonly string[]): Promise<HeldSessions[]> {
    // `state <> 'closed'` as the partial index has it.
    return await this.#sql<HeldSessions[]>`
      select case state when 'offered' then offered_to else extension_id end as "extensionId",
        channel_id as "channelId", state, count(*)::integer as sessions
      from sessions where state <> 'closed' and state in ('offered', 'active', 'wrap-up')
        and case state when 'offered' then offered_to else extension_id end = any(${[
      ...extensionIds,
    ]}::text[])
      group by 1, 2, 3`;
  }

  async completed(extensionIds: readonly string[], fromMs: number): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#sql<{ extension_id: string; sessions: number }[]>`
      select extension_id, count(*)::integer as sessions from sessions
      where closed_ms >= ${fromMs} and state = 'closed' and extension_id = any(${[...extensionIds]}::text[])
      group by 1`;
    return new Map(rows.map(({ extension_id, sessions }) => [extension_id, sessions]));
  }

  async waiting(
    { queueId, after, limit }: {
      readonly queueId?: string;
      readonly after?: WaitingPlace;
      readonly limit: number;
    },
  ): Promise<WaitingSession[]> {
    const sql = this.#sql;
    return await sql<(WaitingSession & Record<string, unknown>)[]>`
      select * from (
        select *, coalesce(waiting_since_ms, opened_ms) as since_ms from sessions
        where state <> 'closed' and state in ('waiting', 'offered')
          ${queueId === undefined ? sql`` : sql`and queue_id = ${queueId}`}
      ) s ${
      after === undefined ? sql`` : sql`where (since_ms, id) > (${after.sinceMs}::bigint, ${after.id}::text)`
    }
      order by since_ms, id limit ${limit}`;
  }
}
