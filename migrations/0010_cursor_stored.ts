/**
 * When the log stored the entry at a partition's cursor: it tells the log from an older copy that was restored and has
 * grown past the cursor since.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  // Nanoseconds since 1970 as digits. Null: not known, until the partition is opened.
  await sql`alter table partitions add column cursor_stored text`.execute(db);
}
