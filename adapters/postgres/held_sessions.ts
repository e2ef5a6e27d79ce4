/**
 * Sessions that platforms have no longer to have.
 *
 * @module
 */
import type { Sql } from "./database.ts";

export interface HeldSession {
  readonly id: string;
  readonly number: string;
  readonly contact: string;
  /** What tells this hold from later ones of the same session. */
  readonly mark: string;
}

/** Those of these partitions whose time was over at `nowMs`, or whose platform is one of `off`. */
export async function findHeldSessions(
  sql: Sql,
  partitions: readonly number[],
  off: readonly string[],
  nowMs: number,
  limit: number,
): Promise<HeldSession[]> {
  const overdue = await sql<HeldSession[]>`
    select session_id as id, number, contact, held_until_ms::text as mark from conversations
    where held_until_ms <= ${nowMs} and partition = any(${partitions as number[]}::int[])
      and session_id is not null
    order by held_until_ms limit ${limit}`;
  if (off.length === 0) return overdue;
  const without = await sql<HeldSession[]>`
    select id, number, contact, 'v' || version as mark from sessions
    where state = 'platform' and platform_id = any(${off as string[]}::text[])
      and partition = any(${partitions as number[]}::int[])
    limit ${limit}`;
  return [...overdue, ...without];
}
