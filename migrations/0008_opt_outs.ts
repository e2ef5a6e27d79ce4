/**
 * Contacts who want no more messages, and how each of our numbers understands that wish.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // The number "*" stands for all of ours. A wish that was taken back stays, inactive: who asked for what is kept.
  `create table opt_outs (
     contact text collate "C" not null,
     number text collate "C" not null,
     active boolean not null,
     at_ms bigint not null,
     source text not null,
     by text not null,
     primary key (contact, number)
   )`,
  `create index opt_outs_active on opt_outs (contact, number) where active`,
  `alter table numbers add column opt_out jsonb`,
];
