/**
 * Calendars, routing rules, and what queues say by themselves.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table calendars (
     id text collate "C" primary key,
     name text not null unique,
     time_zone text not null,
     hours jsonb not null,
     holidays jsonb not null,
     exceptions jsonb not null,
     created_at timestamptz not null default now(),
     updated_at timestamptz not null default now()
   )`,
  `create table rules (
     id text collate "C" primary key,
     name text not null unique,
     enabled boolean not null,
     priority integer not null,
     conditions jsonb not null,
     action jsonb not null,
     created_at timestamptz not null default now(),
     updated_at timestamptz not null default now()
   )`,
  `alter table queues add column calendar_id text collate "C" references calendars,
     add column texts jsonb not null default '{}'`,
];
