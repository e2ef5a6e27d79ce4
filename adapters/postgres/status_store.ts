/**
 * Delivery reports in PostgreSQL: one query loads the messages of a batch, one statement commits it.
 *
 * @module
 */
import type { ReportEntry } from "../../core/entry.ts";
import type { OutboxRow } from "../../core/outbox.ts";
import {
  type LoadedMessages,
  type PendingReport,
  providerKey,
  type StatusCommit,
  type StatusStore,
  type StatusUpdate,
} from "../../core/ports/status_store.ts";
import type { ReportedMessage } from "../../core/status/report.ts";
import { columnArrays, type ColumnTypes, joinedJson, unjoinedJson, unnested } from "./column_arrays.ts";
import type { Sql } from "./database.ts";
import { asTexts, prepared, type TextParameter } from "./prepared.ts";
import { publishedJson, publishedRows } from "./published_rows.ts";

const REPORTED_COLUMNS = [
  "id",
  "conversation_id",
  "session_id",
  "channel_id",
  "number",
  "contact",
  "segments",
  "attempts",
  "extension_id",
  "queue_id",
  "platform_id",
  "status",
  "provider_id",
  "uncertain",
  "error",
];
const columns = REPORTED_COLUMNS.map((column) => `m.${column}`).join(", ");

/** $1 ids, $2 channels and providers' ids. */
const LOAD = `
select 'id' as found_by, ${columns} from json_array_elements_text($1::text::json) as r (id)
join messages m on m.id = r.id and m.direction = 'outbound'
union all
select 'provider', m.* from json_to_recordset($2::text::json) as r (channel_id text, provider_id text)
cross join lateral (
  select ${columns} from messages m
  where m.provider_id = r.provider_id and m.direction = 'outbound' and m.channel_id = r.channel_id
  order by m.id desc limit 1
) m`;

const PLACE: ColumnTypes<Pick<OutboxRow, "partition" | "sequence">> = {
  partition: "int",
  sequence: "bigint",
};
const UPDATE: ColumnTypes<StatusUpdate> = {
  id: "text",
  expected: "text",
  status: "text",
  provider_id: "text",
  uncertain: "boolean",
  error: "jsonb",
  steps: "jsonb",
  at_ms: "bigint",
};
const FIRST_OF_PLACE = 8;
const FIRST_OF_UPDATE = FIRST_OF_PLACE + Object.keys(PLACE).length;

/**
 * The fence locks the partitions' rows, then `locked` the messages, by id like every other writer: a message
 * that has moved since it was loaded makes all of it stale, and every write looks at `held`.
 */
const COMMIT = `
with bounds as (
  select * from json_to_recordset($1::text::json) as b (partition int, epoch bigint, cursor bigint, stored text)
), fence as (
  select p.partition from partitions p
  join bounds b on b.partition = p.partition and b.epoch = p.epoch
  where p.kind = 'status' order by p.partition for update of p
), owned as (
  select (select count(*) from fence) = (select count(*) from bounds) as ok
), changes as (
  ${unnested(UPDATE, FIRST_OF_UPDATE)}
), locked as (
  select m.id from changes u join messages m on m.id = u.id
  where (select ok from owned) and m.status = u.expected order by m.id for update of m
), held as (
  select (select ok from owned) as owned,
    (select ok from owned) and (select count(*) from locked) = (select count(*) from changes) as ok
), moved as (
  update partitions p set cursor = b.cursor, cursor_stored = b.stored from bounds b
  where p.kind = 'status' and p.partition = b.partition and b.cursor is not null and (select ok from held)
), message_rows as (
  update messages m set
    status = u.status, provider_id = coalesce(m.provider_id, u.provider_id), uncertain = u.uncertain,
    error = u.error, history = m.history || u.steps, updated_ms = greatest(m.updated_ms, u.at_ms)
  from changes u where m.id = u.id and (select ok from held)
), pending_rows as (
  insert into pending_reports (id, partition, at_ms, entry)
  select id, partition, at_ms, entry
  from json_to_recordset($3::text::json) as r (id text, partition int, at_ms bigint, entry jsonb)
  where (select ok from held)
  on conflict (id) do nothing
), settled as (
  delete from pending_reports p
  where p.id in (select value from json_array_elements_text($4::text::json)) and (select ok from held)
), statistic_rows as (
  insert into statistics as s (channel_id, number, hour_ms, shard, sent, delivered, failed, segments_out)
  select channel_id, number, hour_ms, shard, sent, delivered, failed, segments_out
  from json_to_recordset($5::text::json) as r (channel_id text, number text, hour_ms bigint, shard int,
    sent bigint, delivered bigint, failed bigint, segments_out bigint)
  where (select ok from held) order by channel_id, hour_ms, number, shard
  on conflict (channel_id, hour_ms, number, shard) do update set
    sent = s.sent + excluded.sent, delivered = s.delivered + excluded.delivered,
    failed = s.failed + excluded.failed, segments_out = s.segments_out + excluded.segments_out
), outbox_rows as (
  insert into outbox (kind, partition, sequence, payload)
  select 'status', partition, sequence, payload::json
  from (${unnested(PLACE, FIRST_OF_PLACE)}, ${unjoinedJson("$2")} as payload) as o
  where (select ok from held)
), dead_letter_rows as (
  insert into dead_letters (id, at_ms, kind, stream, partition, sequence, reason, payload)
  select id, at_ms, kind, stream, partition, sequence, reason, payload
  from json_to_recordset($6::text::json) as d (id text, at_ms bigint, kind text, stream text, partition int,
    sequence bigint, reason text, payload text)
  where (select ok from held)
), forgotten as (
  delete from outbox where (select ok from held) and ctid = any (array(
    ${publishedRows("'status'", "$7")}))
)
select owned, ok from held`;

/** $1 partitions, $2 since, $3 expired before, $4 at most. */
const LOAD_PENDING = `
select p.id, p.partition, p.at_ms, p.entry from pending_reports p
where p.partition in (select value::int from json_array_elements_text($1::text::json))
  and (p.at_ms < $3::text::bigint or p.at_ms >= $2::text::bigint and (
    exists (select from messages m where m.id = p.entry->>'messageId' and m.direction = 'outbound'
      and m.channel_id = p.entry->>'channelId')
    or exists (select from messages m where m.provider_id = p.entry->>'providerId' and m.direction = 'outbound'
      and m.channel_id = p.entry->>'channelId')))
order by p.partition, p.id limit $4::text::int`;

export class PostgresStatusStore implements StatusStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async load(reports: readonly ReportEntry[]): Promise<LoadedMessages> {
    const byId = new Map<string, ReportedMessage>();
    const byProviderId = new Map<string, ReportedMessage>();
    if (reports.length === 0) return { byId, byProviderId };
    const ids = [...new Set(reports.flatMap(({ messageId }) => messageId ?? []))];
    const providerIds = new Map(
      reports.flatMap(({ channelId, providerId }) =>
        providerId === undefined
          ? []
          : [[providerKey(channelId, providerId), { channel_id: channelId, provider_id: providerId }]]
      ),
    );
    const rows = await this.#run<ReportedMessage & { found_by: "id" | "provider" }>(LOAD, ids, [
      ...providerIds.values(),
    ]);
    for (const { found_by, ...message } of rows) {
      if (found_by === "id") byId.set(message.id, message);
      else byProviderId.set(providerKey(message.channel_id, message.provider_id!), message);
    }
    return { byId, byProviderId };
  }

  async commit(commit: StatusCommit): Promise<"committed" | "fenced" | "stale"> {
    const [row] = await this.#run<{ owned: boolean; ok: boolean }>(
      COMMIT,
      commit.partitions,
      joinedJson(commit.outbox.map(({ payload }) => payload)),
      commit.pending,
      commit.settled,
      commit.statistics,
      commit.deadLetters,
      publishedJson(commit.published),
      ...columnArrays(commit.outbox, PLACE),
      ...columnArrays([...commit.updates].sort((a, b) => a.id < b.id ? -1 : 1), UPDATE),
    );
    if (row?.owned !== true) return "fenced";
    return row.ok ? "committed" : "stale";
  }

  async loadPending(partitions: readonly number[], sinceMs: number, expiredMs: number, max: number) {
    return await this.#run<PendingReport>(LOAD_PENDING, partitions, sinceMs, expiredMs, max);
  }

  async #run<Row>(
    statement: string,
    ...parameters: TextParameter[]
  ): Promise<Row[]> {
    return await prepared<Row>(this.#sql, statement, asTexts(parameters));
  }
}
