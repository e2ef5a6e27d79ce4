/**
 * How queues served their sessions of late, for their thresholds.
 *
 * @module
 */
import type { ServiceFigures, Thresholds } from "../../core/dispatch/thresholds.ts";
import { ID_PREFIX, idBodyFloor } from "../../core/ids.ts";
import type { Sql } from "./database.ts";

const WINDOW_MS = 3_600_000;

/** Of one queue, at `nowMs`; the seconds are those of its thresholds. */
export async function serviceFigures(
  sql: Sql,
  queueId: string,
  { serviceLevel, abandoned }: Thresholds,
  nowMs: number,
): Promise<ServiceFigures> {
  const since = `${ID_PREFIX.session}_${idBodyFloor(nowMs - WINDOW_MS)}`;
  const inTimeMs = (serviceLevel?.seconds ?? 0) * 1_000;
  const lateMs = (abandoned?.seconds ?? 0) * 1_000;
  const [[decided], [now]] = await Promise.all([
    sql<Omit<ServiceFigures, "longestChatSeconds" | "waiting">[]>`
      select count(*) filter (where accepted_ms is not null or state = 'closed')::int as decided,
        count(*) filter (where accepted_ms - coalesce(waiting_since_ms, opened_ms) <= ${inTimeMs})::int
          as "takenInTime",
        count(*) filter (where accepted_ms is null and state = 'closed'
          and closed_ms - coalesce(waiting_since_ms, opened_ms) >= ${lateMs})::int as "abandonedLate"
      from sessions where queue_id = ${queueId} and id >= ${since}`,
    sql<{ waiting: number; since_ms: number | null }[]>`
      select count(*) filter (where d.state = 'waiting')::int as waiting,
        min(s.accepted_ms) filter (where d.state = 'active') as since_ms
      from dispatch_sessions d join sessions s on s.id = d.id where d.queue_id = ${queueId}`,
  ]);
  return {
    ...decided!,
    waiting: now!.waiting,
    longestChatSeconds: now!.since_ms === null ? 0 : Math.round(Math.max(0, nowMs - now!.since_ms) / 1_000),
  };
}
