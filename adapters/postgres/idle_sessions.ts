/**
 * Sessions that nobody has written to for too long.
 *
 * @module
 */
import type { Sql } from "./database.ts";

export interface IdleSession {
  readonly id: string;
  readonly number: string;
  readonly contact: string;
  readonly idleMs: number;
}

/** Open sessions of these partitions that were due at `nowMs`. */
export async function findIdleSessions(
  sql: Sql,
  partitions: readonly number[],
  nowMs: number,
  limit: number,
): Promise<IdleSession[]> {
  return await sql<IdleSession[]>`
    select session_id as id, number, contact, idle_ms as "idleMs" from conversations
    where session_id is not null and partition = any(${partitions as number[]}::int[]) and idle_ms <= ${nowMs}
    limit ${limit}`;
}
