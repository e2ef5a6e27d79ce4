/**
 * Finds the dispatcher's sessions by queue, and by whom they count against.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create index dispatch_sessions_queue on dispatch_sessions (queue_id, state)`,
  `create index dispatch_sessions_holder
     on dispatch_sessions ((coalesce(extension_id, offered_to, pending->>'extensionId')))`,
];
