/**
 * Offers, the waiting line, wrap-up, notes and tags of sessions; queues that may write from a number.
 *
 * Routers of the former version cannot work with it: they know neither the columns nor the commands.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table sessions
     add column version integer not null default 1,
     add column offered_to text collate "C",
     add column offer_until_ms bigint,
     add column waiting_since_ms bigint,
     add column priority smallint not null default 5,
     add column skills jsonb,
     add column language text,
     add column sticky_extension_id text collate "C",
     add column declined_by jsonb not null default '[]',
     add column wrap_until_ms bigint,
     add column tags jsonb not null default '[]'`,
  `update sessions set waiting_since_ms = opened_ms where state = 'waiting'`,
  // The open session's copy that its conversation decides by.
  `update conversations set state = jsonb_set(state::jsonb, '{session}', jsonb_build_object(
       'version', 1, 'offered_to', null, 'offer_until_ms', null,
       'waiting_since_ms', case when state->'session'->>'state' = 'waiting'
         then (state->'session'->>'opened_ms')::bigint end,
       'priority', 5, 'skills', null, 'language', null, 'sticky_extension_id', null,
       'declined_by', '[]'::jsonb, 'wrap_until_ms', null, 'tags', '[]'::jsonb
     ) || (state->'session')::jsonb)::json
   where state->'session'->>'id' is not null`,
  `create table session_notes (
     id text collate "C" primary key,
     session_id text collate "C" not null,
     at_ms bigint not null,
     by text not null,
     text text not null
   )`,
  `create index session_notes_session on session_notes (session_id, id)`,
  `alter table numbers add column allowed_queues jsonb not null default '[]'`,
];
