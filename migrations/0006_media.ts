/**
 * Media that are kept here: what is to be fetched, told of and removed.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // States: pending (to be fetched), uploading, ready, failed, deleted. `due_ms`: when something is to be done about
  // it, whatever it is; null when nothing is. `claim`: the process that is at it until then.
  `create table media (
     id text collate "C" primary key,
     message_id text collate "C",
     channel_id text collate "C",
     state text not null,
     source_url text,
     declared_type text,
     content_type text,
     size_bytes bigint,
     author text,
     upload_key text collate "C" unique,
     attempts integer not null default 0,
     error text,
     told boolean not null default true,
     claim text,
     due_ms bigint,
     expires_ms bigint,
     created_ms bigint not null
   )`,
  `create index media_due on media (due_ms) where due_ms is not null`,
];
