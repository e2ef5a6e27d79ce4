/**
 * Sessions by the time they were closed, for the tables of who did how much. Sessions close about in the order in which
 * they were opened, so that the bounds of each stretch of rows are enough (BRIN) and closing one costs next to nothing.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(
    "create index sessions_closed on sessions using brin (closed_ms) with (autosummarize = on)",
  ).execute(db);
}
