/**
 * More room in each page for the versions that messages and conversations go through: with 70 and 80 % filled, half of
 * the claims and a fifth of the conversations' updates went to another page, with a new entry in every index. Holds for
 * pages filled from now on; nothing is rewritten.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table conversations set (fillfactor = 50)`,
  `do $$
   declare part regclass;
   begin
     for part in select inhrelid::regclass from pg_inherits where inhparent = 'messages'::regclass loop
       execute format('alter table %s set (fillfactor = 50)', part);
     end loop;
   end $$`,
];
