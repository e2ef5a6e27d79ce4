/**
 * What is noted of contacts.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table contacts (
     number text collate "C" primary key,
     attributes jsonb not null default '{}',
     language text
   )`,
];
