/**
 * Platforms: how long they may have a session and who has it then, their user at the broker, how their endpoint does.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table platforms
     add column deadline_seconds integer,
     add column hold_seconds integer,
     add column fallback jsonb,
     add column nats_key text,
     add column nats_key_at timestamptz,
     add column status text not null default 'ready',
     add column status_reason text,
     add column status_at timestamptz not null default now()`,
  `alter table conversations add column held_until_ms bigint`,
  `create index conversations_held on conversations (partition, held_until_ms) where held_until_ms is not null`,
  `create index sessions_held on sessions (platform_id) where state = 'platform'`,
  // What platforms have now counts from its last message, and time to answer from the contact's next one.
  `update conversations set state = jsonb_set(state::jsonb, '{hold}', jsonb_build_object(
       'sinceMs', (state->'session'->>'last_activity_ms')::bigint,
       'owedMs', null,
       'untilMs', null
     ))::json
   where state->'session'->>'state' = 'platform'`,
];
