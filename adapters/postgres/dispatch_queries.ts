/**
 * The dispatcher's rows, read for the API: as they were committed last.
 *
 * @module
 */
import type { Drain } from "../../core/dispatch/drain.ts";
import type { ServiceFigures, Thresholds } from "../../core/dispatch/thresholds.ts";
import type { DispatchSessionRow } from "../../core/dispatch/records.ts";
import type { AgentAtWork, DispatchQueries, LiveQueue } from "../../core/ports/dispatch_queries.ts";
import { serviceFigures } from "./service_figures.ts";
import type { Sql } from "./database.ts";

export class PostgresDispatchQueries implements DispatchQueries {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async agents(extensionIds: readonly string[]): Promise<ReadonlyMap<string, AgentAtWork>> {
    const rows = await this.#sql<AgentAtWork[]>`
      select a.*, (
        select count(*)::int from dispatch_sessions s
        where coalesce(s.extension_id, s.offered_to, s.pending->>'extensionId') = a.extension_id
      ) as sessions from dispatch_agents a
      where a.extension_id = any(${[...extensionIds]}::text[])`;
    return new Map(rows.map((row) => [row.extension_id, row]));
  }

  service(queueId: string, thresholds: Thresholds, nowMs: number): Promise<ServiceFigures> {
    return serviceFigures(this.#sql, queueId, thresholds, nowMs);
  }

  async queue(queueId: string, limit: number): Promise<LiveQueue> {
    const [counts, line, drains] = await Promise.all([
      this.#sql<{ state: string; n: number; oldest_ms: number }[]>`
        select case when state = 'waiting' and pending is not null then 'offered' else state end as state,
          count(*)::int as n, min(waiting_since_ms) as oldest_ms
        from dispatch_sessions where queue_id = ${queueId} group by 1`,
      this.#sql<DispatchSessionRow[]>`
        select * from dispatch_sessions where queue_id = ${queueId} and state = 'waiting' and pending is null
        order by priority, waiting_since_ms, id limit ${limit}`,
      this.#sql<Drain[]>`select drain_ms, drain_since_ms from dispatch_queues where queue_id = ${queueId}`,
    ]);
    const of = (state: string) => counts.find((row) => row.state === state);
    return {
      waiting: of("waiting")?.n ?? 0,
      offered: of("offered")?.n ?? 0,
      active: of("active")?.n ?? 0,
      wrapUp: of("wrap-up")?.n ?? 0,
      oldestMs: of("waiting")?.oldest_ms ?? null,
      drain: drains[0] ?? null,
      line,
    };
  }
}
