/**
 * Conversations, sessions and messages: one query loads a batch, one statement commits it.
 *
 * The commit is a single statement on purpose. With BEGIN … COMMIT a paused process would hold the row locks
 * of its partitions, and a take-over would wait for it; one statement is either done or not.
 *
 * @module
 */
import type { CommandReply } from "../../core/entry.ts";
import type { MessageRow } from "../../core/message.ts";
import {
  type ConversationCommit,
  type ConversationRow,
  type ConversationStore,
  type SeenRow,
  type StoredConversation,
  UnstorableError,
} from "../../core/ports/conversation_store.ts";
import { columnArrays, type ColumnTypes, joinedJson, unjoinedJson, unnested } from "./column_arrays.ts";
import type { Sql } from "./database.ts";
import { prepared } from "./prepared.ts";
import { publishedJson, publishedRows } from "./published_rows.ts";
import { storedPayload } from "./told_messages.ts";
import { inTransaction } from "./transaction.ts";

const CONVERSATION: ColumnTypes<ConversationRow> = {
  id: "text",
  partition: "int",
  number: "text",
  contact: "text",
  state: "json",
  position: "int",
  session_id: "text",
  last_activity_ms: "bigint",
  idle_ms: "bigint",
  due_ms: "bigint",
  held_until_ms: "bigint",
};

const MESSAGE: ColumnTypes<MessageRow> = {
  id: "text",
  conversation_id: "text",
  position: "int",
  session_id: "text",
  channel_id: "text",
  number_id: "text",
  number: "text",
  contact: "text",
  direction: "text",
  status: "text",
  priority: "smallint",
  text: "text",
  encoding: "text",
  segments: "smallint",
  media: "jsonb",
  author: "jsonb",
  extension_id: "text",
  queue_id: "text",
  platform_id: "text",
  provider_id: "text",
  attempts: "int",
  uncertain: "boolean",
  error: "jsonb",
  note: "text",
  history: "jsonb",
  not_before_ms: "bigint",
  expires_ms: "bigint",
  created_ms: "bigint",
  updated_ms: "bigint",
};

const SEEN: ColumnTypes<SeenRow> = { key: "text", at_ms: "bigint", result: "jsonb" };

/** In place of a state that stays: a column that cannot be null refuses nulls before it looks for a conflict. */
const SAME_STATE = "'null'::json";

const listOf = (types: object) => Object.keys(types).join(", ");
const CONVERSATION_VALUES = Object.keys(CONVERSATION)
  .map((name) => name === "state" ? `coalesce(state, ${SAME_STATE})` : name).join(", ");

/** The parameters before the rows' columns. */
const FIXED_PARAMETERS = 14;
const FIRST_OF_CONVERSATION = FIXED_PARAMETERS + 1;
const FIRST_OF_MESSAGE = FIRST_OF_CONVERSATION + Object.keys(CONVERSATION).length;
const FIRST_OF_SEEN = FIRST_OF_MESSAGE + Object.keys(MESSAGE).length;

/**
 * The fence comes first: it locks the partitions' rows and counts those that still have our epoch. Every write
 * looks at `held`, so that one lost partition stops the whole batch.
 */
const COMMIT = `
with fence as (
  select p.partition from partitions p
  join unnest($1::int[], $2::bigint[]) as b (partition, epoch) on b.partition = p.partition and b.epoch = p.epoch
  where p.kind = 'route' order by p.partition for update of p
), held as (
  select count(*) = cardinality($1::int[]) as ok from fence
), moved as (
  update partitions p set cursor = b.cursor, cursor_stored = b.stored
  from unnest($1::int[], $3::bigint[], $4::text[]) as b (partition, cursor, stored)
  where p.kind = 'route' and p.partition = b.partition and (select ok from held)
), conversation_rows as (
  insert into conversations as c (${listOf(CONVERSATION)})
  select ${CONVERSATION_VALUES}
  from (${unnested(CONVERSATION, FIRST_OF_CONVERSATION)}) as n
  where (select ok from held)
  on conflict (id) do update set
    state = case when excluded.state::text = ${SAME_STATE}::text then c.state else excluded.state end,
    position = excluded.position, session_id = excluded.session_id,
    last_activity_ms = excluded.last_activity_ms, idle_ms = excluded.idle_ms, due_ms = excluded.due_ms,
    held_until_ms = excluded.held_until_ms
), session_rows as (
  insert into sessions select * from json_populate_recordset(null::sessions, $5::text::json)
  where (select ok from held)
  on conflict (id) do update set
    state = excluded.state, extension_id = excluded.extension_id, queue_id = excluded.queue_id,
    platform_id = excluded.platform_id, accepted_ms = excluded.accepted_ms, closed_ms = excluded.closed_ms,
    close_reason = excluded.close_reason, last_activity_ms = excluded.last_activity_ms,
    idle_ms = excluded.idle_ms, history = excluded.history, version = excluded.version,
    offered_to = excluded.offered_to, offer_until_ms = excluded.offer_until_ms,
    waiting_since_ms = excluded.waiting_since_ms, priority = excluded.priority, skills = excluded.skills,
    language = excluded.language, sticky_extension_id = excluded.sticky_extension_id,
    declined_by = excluded.declined_by, wrap_until_ms = excluded.wrap_until_ms, tags = excluded.tags
), message_rows as (
  insert into messages (${listOf(MESSAGE)})
  select * from (${unnested(MESSAGE, FIRST_OF_MESSAGE)}) as m
  where (select ok from held)
), media_rows as (
  insert into media (id, message_id, channel_id, state, source_url, declared_type, types, created_ms, due_ms)
  select m.id, m.message_id, m.channel_id, 'pending', m.source_url, m.declared_type, nullif(m.types, 'null'),
    m.created_ms, m.created_ms
  from json_to_recordset($10::text::json) as m
    (id text, message_id text, channel_id text, source_url text, declared_type text, types jsonb, created_ms bigint)
  where (select ok from held)
), note_rows as (
  insert into session_notes select * from json_populate_recordset(null::session_notes, $14::text::json)
  where (select ok from held)
), seen_rows as (
  insert into seen (${listOf(SEEN)}) select * from (${unnested(SEEN, FIRST_OF_SEEN)}) as s
  where (select ok from held)
), outbox_rows as (
  insert into outbox (kind, partition, sequence, payload)
  select 'route', o.partition, o.sequence, o.payload::json
  from (
    select unnest($6::int[]) as partition, unnest($7::bigint[]) as sequence, ${unjoinedJson("$8")} as payload
  ) as o
  where (select ok from held)
), forgotten as (
  delete from outbox where (select ok from held) and ctid = any (array(
    ${publishedRows("'route'", "$9")}))
), statistic_rows as (
  insert into statistics as s (channel_id, number, hour_ms, shard, received, segments_in)
  select r.channel_id, r.number, r.hour_ms, r.shard, r.received, r.segments_in
  from json_to_recordset($11::text::json)
    as r (channel_id text, number text, hour_ms bigint, shard int, received bigint, segments_in bigint)
  where (select ok from held) order by r.channel_id, r.hour_ms, r.number, r.shard
  on conflict (channel_id, hour_ms, number, shard) do update set
    received = s.received + excluded.received, segments_in = s.segments_in + excluded.segments_in
), dead_letter_rows as (
  insert into dead_letters (id, at_ms, kind, stream, partition, sequence, reason, payload)
  select d.id, d.at_ms, d.kind, d.stream, d.partition, d.sequence, d.reason, d.payload
  from json_to_recordset($12::text::json) as d
    (id text, at_ms bigint, kind text, stream text, partition int, sequence bigint, reason text, payload text)
  where (select ok from held)
), opt_out_changes as (
  select o.* from json_to_recordset($13::text::json)
    as o (audit_id text, contact text, number text, active boolean, at_ms bigint, source text, by text)
  where (select ok from held)
), opt_out_rows as (
  insert into opt_outs (contact, number, active, at_ms, source, by)
  select distinct on (contact, number) contact, number, active, at_ms, source, by from opt_out_changes
  order by contact, number, audit_id collate "C" desc
  on conflict (contact, number) do update set
    active = excluded.active, at_ms = excluded.at_ms, source = excluded.source, by = excluded.by
), audit_rows as (
  insert into audit_log (id, actor, action, kind, target, after)
  select audit_id, by, case when active then 'opt-out' else 'opt-in' end, 'contact', contact,
    jsonb_build_object('number', number, 'source', source)
  from opt_out_changes
)
select ok from held`;

export class PostgresConversationStore implements ConversationStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async load(
    conversations: readonly string[],
    keys: readonly string[],
  ): ReturnType<ConversationStore["load"]> {
    const [stored, seen] = await Promise.all([
      conversations.length === 0 ? [] : prepared<StoredConversation & { id: string }>(
        this.#sql,
        `select id, state, position, last_activity_ms as "lastActivityMs", idle_ms as "idleMs"
        from conversations where id = any($1::text[])`,
        [conversations as string[]],
      ),
      keys.length === 0 ? [] : prepared<{ key: string; result: CommandReply | null }>(
        this.#sql,
        "select key, result from seen where key = any($1::text[])",
        [keys as string[]],
      ),
    ]);
    return {
      conversations: new Map(stored.map((row) => [row.id, row])),
      seen: new Map(seen.map((row) => [row.key, row.result])),
    };
  }

  async commit(commit: ConversationCommit): Promise<"committed" | "fenced"> {
    try {
      const rows = await prepared<{ ok: boolean }>(this.#sql, COMMIT, parameters(commit));
      return rows[0]?.ok === true ? "committed" : "fenced";
    } catch (error) {
      throw isContentFault(error) ? new UnstorableError((error as Error).message, { cause: error }) : error;
    }
  }

  async rehearse(commit: ConversationCommit): Promise<boolean> {
    const undo = Symbol("undo");
    try {
      await inTransaction(this.#sql, async (sql) => {
        await sql.unsafe(COMMIT, parameters(commit));
        throw undo;
      });
    } catch (error) {
      if (error === undo) return true;
      if (isContentFault(error)) return false;
      throw error;
    }
    return true;
  }
}

function parameters(commit: ConversationCommit) {
  const { partitions, outbox, published } = commit;
  const messages = new Map(commit.messages.map((message) => [message.id, message]));
  return [
    partitions.map((p) => p.partition),
    partitions.map((p) => p.epoch),
    partitions.map((p) => p.cursor),
    partitions.map((p) => p.stored),
    JSON.stringify(commit.sessions),
    outbox.map((row) => row.partition),
    outbox.map((row) => row.sequence),
    joinedJson(outbox.map((row) => storedPayload(row.payload, messages))),
    publishedJson(published),
    JSON.stringify(commit.media),
    JSON.stringify(commit.statistics),
    JSON.stringify(commit.deadLetters),
    JSON.stringify(commit.optOuts),
    JSON.stringify(commit.notes),
    ...columnArrays(commit.conversations, CONVERSATION),
    ...columnArrays(commit.messages, MESSAGE),
    ...columnArrays(commit.seen, SEEN),
  ];
}

/**
 * Whether the content is at fault rather than the connection or the server: SQLSTATE classes 22 (data) and
 * 23 (integrity), see https://www.postgresql.org/docs/current/errcodes-appendix.html.
 */
function isContentFault(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && (code.startsWith("22") || code.startsWith("23"));
}
