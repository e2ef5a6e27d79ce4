/**
 * Where polls of providers stand, and the numbers that messages were handed over under to providers that know no
 * other id.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table poll_marks (
     channel_id text collate "C" not null references channels (id) on delete cascade,
     name text not null,
     mark text,
     primary key (channel_id, name)
   )`,

  // The last number given out, by channel: counted up, so that what is chosen by it takes turns.
  `create table send_numbers (
     channel_id text collate "C" primary key references channels (id) on delete cascade,
     last integer not null
   )`,

  // One row for each try; it goes when the message has ended or is a day old.
  `create table numbered_sends (
     channel_id text collate "C" not null references channels (id) on delete cascade,
     number integer not null,
     message_id text collate "C" not null,
     contact text not null,
     sent_ms bigint not null,
     asked_ms bigint not null default 0,
     note text,
     primary key (channel_id, number)
   )`,
];
