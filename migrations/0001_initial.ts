/**
 * The first schema. Forward only.
 *
 * Ids are text under the C collation, so that they sort by time and by byte whatever the cluster's locale.
 * Times are milliseconds since 1970 (`…_ms bigint`): they come from the log's entries, not from the database.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // The lattice of core/message.ts; tests compare the two.
  `create function status_rank(status text) returns smallint language sql immutable parallel safe as $$
     select (case status
       when 'queued' then 0 when 'sending' then 1 when 'sent' then 2
       when 'delivered' then 4 when 'received' then 4 else 3 end)::smallint
   $$`,

  `create table installation (
     id boolean primary key default true check (id),
     partitions integer not null,
     created_at timestamptz not null default now()
   )`,

  // Who may write what: one row per partition and kind; the epoch is the fencing token.
  `create table partitions (
     kind text not null,
     partition integer not null,
     epoch bigint not null default 0,
     owner text,
     cursor bigint not null default 0,
     stream_created text,
     primary key (kind, partition)
   )`,

  `create table channels (
     id text collate "C" primary key,
     name text not null unique,
     provider text not null,
     enabled boolean not null default true,
     is_default boolean not null default false,
     settings jsonb not null,
     credentials bytea not null,
     status text not null,
     status_reason text,
     status_at timestamptz not null default now(),
     created_at timestamptz not null default now(),
     updated_at timestamptz not null default now()
   )`,
  `create unique index channels_one_default on channels (is_default) where is_default`,

  `create table webhook_secrets (
     hash text collate "C" primary key,
     channel_id text collate "C" not null references channels (id) on delete cascade,
     secret bytea not null,
     expires_at timestamptz,
     created_at timestamptz not null default now()
   )`,
  `create index webhook_secrets_channel on webhook_secrets (channel_id)`,

  `create table extensions (
     id text collate "C" primary key,
     extension text not null unique,
     name text not null,
     created_at timestamptz not null default now(),
     updated_at timestamptz not null default now()
   )`,

  `create table queues (
     id text collate "C" primary key,
     name text not null unique,
     strategy text not null default 'pickup',
     created_at timestamptz not null default now(),
     updated_at timestamptz not null default now()
   )`,
  `create table queue_members (
     queue_id text collate "C" not null references queues (id) on delete cascade,
     extension_id text collate "C" not null references extensions (id) on delete cascade,
     primary key (queue_id, extension_id)
   )`,

  `create table platforms (
     id text collate "C" primary key,
     name text not null unique,
     enabled boolean not null default true,
     endpoint text,
     secret bytea,
     created_at timestamptz not null default now(),
     updated_at timestamptz not null default now()
   )`,

  `create table numbers (
     id text collate "C" primary key,
     channel_id text collate "C" not null references channels (id),
     number text not null unique,
     type text not null,
     label text,
     verified boolean not null default false,
     direction text not null default 'both',
     rate_mps double precision,
     burst double precision,
     destination jsonb,
     allowed_extensions jsonb not null default '[]',
     created_at timestamptz not null default now(),
     updated_at timestamptz not null default now()
   )`,
  `create index numbers_channel on numbers (channel_id)`,

  `create table api_keys (
     id text collate "C" primary key,
     name text not null,
     role text not null,
     hash text collate "C" not null unique,
     extension_id text collate "C" references extensions (id) on delete cascade,
     platform_id text collate "C" references platforms (id) on delete cascade,
     expires_at timestamptz,
     created_at timestamptz not null default now()
   )`,

  `create table audit_log (
     id text collate "C" primary key,
     at timestamptz not null default now(),
     actor text not null,
     action text not null,
     kind text not null,
     target text not null,
     before jsonb,
     after jsonb
   )`,

  // The version of the configuration: raised in the transaction of every change, watched by all processes.
  `create table directory_version (id boolean primary key default true check (id), version bigint not null)`,
  `insert into directory_version (version) values (1)`,

  // Answers to POSTs with an Idempotency-Key that do not go through a conversation.
  `create table idempotency (
     key text collate "C" primary key,
     fingerprint text not null,
     status integer,
     body jsonb,
     created_at timestamptz not null default now()
   )`,
  `create index idempotency_created on idempotency (created_at)`,

  `create table conversations (
     id text collate "C" primary key,
     partition integer not null,
     number text not null,
     contact text not null,
     state json not null,
     session_id text collate "C",
     last_activity_ms bigint not null,
     idle_ms bigint
   ) with (fillfactor = 80)`,
  // No index on the due time: it moves with every message, and then none of those updates could be made in place.
  `create index conversations_open on conversations (partition) where session_id is not null`,
  // Everything about one contact is found through its conversations.
  `create index conversations_contact on conversations (contact)`,

  `create table sessions (
     id text collate "C" primary key,
     conversation_id text collate "C" not null,
     partition integer not null,
     channel_id text collate "C" not null,
     number_id text collate "C" not null,
     number text not null,
     contact text not null,
     state text not null,
     extension_id text collate "C",
     queue_id text collate "C",
     platform_id text collate "C",
     opened_ms bigint not null,
     accepted_ms bigint,
     closed_ms bigint,
     close_reason text,
     last_activity_ms bigint not null,
     idle_ms bigint not null,
     history jsonb not null
   ) with (fillfactor = 80)`,
  `create index sessions_conversation on sessions (conversation_id, id)`,
  `create index sessions_open on sessions (id) where state <> 'closed'`,
  `create index sessions_extension on sessions (extension_id, id) where extension_id is not null`,
  `create index sessions_queue on sessions (queue_id, id) where queue_id is not null`,

  // Partitioned by its time-ordered id: look-ups by id prune, retention drops whole partitions.
  `create table messages (
     id text collate "C" not null,
     conversation_id text collate "C" not null,
     position integer not null,
     session_id text collate "C",
     channel_id text collate "C" not null,
     number_id text collate "C" not null,
     number text not null,
     contact text not null,
     direction text not null,
     status text not null,
     priority smallint not null,
     text text not null,
     encoding text not null,
     segments smallint not null,
     media jsonb,
     author jsonb,
     extension_id text collate "C",
     queue_id text collate "C",
     platform_id text collate "C",
     provider_id text collate "C",
     attempts integer not null default 0,
     uncertain boolean not null default false,
     error jsonb,
     history jsonb not null,
     not_before_ms bigint,
     expires_ms bigint,
     created_ms bigint not null,
     updated_ms bigint not null,
     primary key (id)
   ) partition by range (id)`,
  `create index messages_conversation on messages (conversation_id, position)`,
  `create index messages_provider on messages (provider_id) where provider_id is not null and direction = 'outbound'`,
  // The send queue: what is unfinished, in sending order.
  `create index messages_unsent on messages (channel_id, priority, id) where status in ('queued', 'sending')`,
  `create index messages_unsent_conversation on messages (conversation_id, position) where status in ('queued', 'sending')`,

  // What has been seen: a provider's deliveries and callers' idempotency keys. The primary key is the last
  // line of defence; the owner of a partition looks here before it decides.
  `create table seen (
     key text collate "C" primary key,
     at_ms bigint not null,
     result jsonb
   )`,
  `create index seen_at on seen using brin (at_ms)`,

  // Effects of a commit that still have to be published; a row goes when they are.
  `create table outbox (
     kind text not null,
     partition integer not null,
     sequence bigint not null,
     payload json not null,
     created_at timestamptz not null default now(),
     primary key (kind, partition, sequence)
   )`,

  // Counters, one row per writer (shard), so that writers never wait for each other; readers add them up.
  `create table statistics (
     channel_id text collate "C" not null,
     number text not null,
     hour_ms bigint not null,
     shard integer not null,
     received bigint not null default 0,
     sent bigint not null default 0,
     delivered bigint not null default 0,
     failed bigint not null default 0,
     segments_in bigint not null default 0,
     segments_out bigint not null default 0,
     primary key (channel_id, hour_ms, number, shard)
   )`,

  // Reports of messages that nobody knows yet.
  `create table pending_reports (
     id text collate "C" primary key,
     partition integer not null,
     at_ms bigint not null,
     entry jsonb not null
   )`,
  `create index pending_reports_partition on pending_reports (partition, id)`,

  `create table dead_letters (
     id text collate "C" primary key,
     at_ms bigint not null,
     kind text not null,
     stream text not null,
     partition integer not null,
     sequence bigint not null,
     reason text not null,
     payload text not null,
     replayed_at timestamptz
   )`,
];
