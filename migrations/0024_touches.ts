/**
 * What every message changes of a conversation, beside its state: a message used to write the whole state anew for the
 * position and two times in it. Routers of the version before do not look at it: all of them must be stopped first.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  // Less than any state's own: until the next message the state says it all.
  await sql.raw(`alter table conversations add column position int not null default 0`).execute(db);
}
