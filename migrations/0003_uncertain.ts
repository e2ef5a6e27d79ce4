/**
 * An index of the messages of which nobody can tell whether the provider took them: few, and people look for them.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index messages_uncertain on messages (id) where uncertain`.execute(db);
}
