/**
 * How work is given out: settings of queues, of extensions and of all of them together.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table queues add column distribution jsonb not null default '{}'`,
  `alter table extensions add column capacity integer, add column skills jsonb not null default '{}'`,
  `create table distribution (
     id boolean primary key default true check (id),
     settings jsonb not null
   )`,
  `insert into distribution (settings) values ('{}')`,
];
