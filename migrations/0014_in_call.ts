/**
 * Texting during calls: its settings and presets, what numbers are for, which sessions belong to a call, and which types
 * of files are fetched.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table in_call (
     id boolean primary key default true check (id),
     settings jsonb not null
   )`,
  `insert into in_call (settings) values ('{}')`,
  `create table in_call_presets (
     id text collate "C" primary key,
     label text not null unique,
     texts jsonb not null,
     queue_ids jsonb not null default '[]',
     created_at timestamptz not null default now(),
     updated_at timestamptz not null default now()
   )`,
  `alter table queues add column in_call jsonb not null default '{}'`,
  `alter table numbers add column purpose text not null default 'chat'`,
  `alter table sessions add column kind text not null default 'chat', add column call_id text collate "C"`,
  `create index sessions_call on sessions (call_id, id) where call_id is not null`,
  `create index sessions_calls on sessions (id) where kind = 'call'`,
  // The open session's copy that its conversation decides by.
  `update conversations set state = jsonb_set(state::jsonb, '{session}',
       '{"kind": "chat", "call_id": null}'::jsonb || (state->'session')::jsonb)::json
   where state->'session'->>'id' is not null`,
  // Null: what its channel takes.
  `alter table media add column types jsonb`,
];
