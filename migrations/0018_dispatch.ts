/**
 * What the dispatcher knows of sessions, agents and queues.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table dispatch_sessions (
     id text collate "C" primary key,
     number text not null,
     contact text not null,
     version bigint not null,
     state text not null,
     queue_id text collate "C",
     extension_id text collate "C",
     offered_to text collate "C",
     offer_until_ms bigint,
     opened_ms bigint not null,
     waiting_since_ms bigint not null,
     priority integer not null,
     skills jsonb,
     language text,
     sticky_extension_id text collate "C",
     declined_by jsonb,
     wrap_until_ms bigint,
     unanswered_since_ms bigint,
     pending jsonb
   )`,
  `create index dispatch_sessions_line on dispatch_sessions (queue_id, priority, waiting_since_ms, id)
     where state = 'waiting'`,
  `create table dispatch_agents (
     extension_id text collate "C" primary key,
     presence text not null,
     reason text,
     set_by text not null,
     set_ms bigint not null,
     shown text not null,
     shown_since_ms bigint not null,
     members jsonb not null,
     lost_ms bigint,
     gone boolean not null,
     idle_since_ms bigint not null,
     turn bigint not null
   )`,
  `create table dispatch_queues (
     queue_id text collate "C" primary key,
     drain_ms double precision,
     drain_since_ms bigint not null
   )`,
];
