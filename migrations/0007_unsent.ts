/**
 * Whether a message is still to leave, as a column of its own. The send queue's indexes named the status in their
 * predicates, so that every change of it made new entries in all indexes; now a claim and a delivery report change
 * nothing that is indexed, and PostgreSQL makes them in place (heap-only tuples).
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table messages add column unsent boolean
     generated always as (direction = 'outbound' and status in ('queued', 'sending')) stored`,
  `drop index messages_unsent`,
  `drop index messages_unsent_conversation`,
  `create index messages_unsent on messages (channel_id, priority, id) where unsent`,
  `create index messages_unsent_conversation on messages (conversation_id, position) where unsent`,
  // Room in each page for the versions that a message goes through; partitions made later get it when they are made.
  `do $$
   declare part regclass;
   begin
     for part in select inhrelid::regclass from pg_inherits where inhparent = 'messages'::regclass loop
       execute format('alter table %s set (fillfactor = 70)', part);
     end loop;
   end $$`,
];
