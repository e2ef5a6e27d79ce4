/**
 * Conversations with a message whose missing parts are not waited for any longer.
 *
 * @module
 */
import type { Sql } from "./database.ts";

export interface OverdueParts {
  readonly id: string;
  readonly number: string;
  readonly contact: string;
  readonly dueMs: number;
}

/** Those of these partitions and `numbers` that were due at `nowMs`. */
export async function findOverdueParts(
  sql: Sql,
  partitions: readonly number[],
  numbers: readonly string[],
  nowMs: number,
  limit: number,
): Promise<OverdueParts[]> {
  return await sql<OverdueParts[]>`
    select id, number, contact, due_ms as "dueMs" from conversations
    where due_ms <= ${nowMs} and partition = any(${partitions as number[]}::int[])
      and number = any(${numbers as string[]}::text[])
    order by due_ms limit ${limit}`;
}
