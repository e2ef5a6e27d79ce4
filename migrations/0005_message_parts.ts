/**
 * Messages that come in several webhooks: when what there is of one is delivered as it is, and what its reader
 * is told.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table conversations add column due_ms bigint`,
  // Null but for a few minutes of a few conversations, so that other updates are still made in place.
  `create index conversations_due on conversations (due_ms) where due_ms is not null`,
  `alter table messages add column note text`,
];
