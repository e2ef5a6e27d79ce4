/**
 * The send queue's fixed statements. Parameters are texts, of JSON or of arrays, so that one statement serves every
 * batch size.
 *
 * Messages are joined by id, which prunes to one partition a row; the input comes sorted by id, so that
 * writers that touch the same rows lock them in the same order. The fence locks the lanes' rows `for share`: a
 * take-over waits for the statement, and a statement that waited for a take-over finds the epoch moved.
 *
 * @module
 */
import { ALL_NUMBERS, CONFIRMATION_AUTHOR } from "../../core/opt_out/opt_out.ts";
import type { ClaimItem, RecordRow } from "../../core/ports/send_store.ts";
import { QUEUED_COLUMNS } from "../../core/send/queued_message.ts";
import { type ColumnTypes, unjoinedJson, unnested } from "./column_arrays.ts";
import { publishedRows } from "./published_rows.ts";

const columns = QUEUED_COLUMNS.map((column) => `m.${column}`).join(", ");

export const ITEM: ColumnTypes<ClaimItem> = {
  id: "text",
  lane: "int",
  channel_id: "text",
  attempts: "int",
  conversation_id: "text",
  number: "text",
  contact: "text",
};
const FIRST_OF_ITEM = 4;

/** A result without its event, which is passed on as the text that it is. */
export const RESULT: ColumnTypes<Omit<RecordRow, "event">> = {
  id: "text",
  lane: "int",
  channel_id: "text",
  status: "text",
  claimed: "int",
  attempts: "int",
  provider_id: "text",
  uncertain: "boolean",
  error: "jsonb",
  step: "jsonb",
};
const FIRST_OF_RESULT = 6;

const FENCE = `
  select p.partition as lane from partitions p
  join json_to_recordset($1::text::json) as b (lane int, epoch bigint)
    on b.lane = p.partition and b.epoch = p.epoch
  where p.kind = 'send' order by p.partition for share of p`;

const ANSWER = `
select (select coalesce(json_agg(lane), '[]') from fence) as held,
       (select coalesce(json_agg(id), '[]') from changed) as changed`;

/** A channel's messages of one priority that are not sent yet, by id. */
const LINE = "m.channel_id, m.priority, m.id";

/**
 * Written so that the index of unsent messages alone can give them in order. With two equations the primary key can, too,
 * and while most messages wait it looks as cheap; then each look walks past all that are sent already.
 */
function inLine(channel: string, priority: string): string {
  return `(m.channel_id, m.priority) >= (${channel}, ${priority})
    and (m.channel_id, m.priority) <= (${channel}, ${priority}) and m.unsent`;
}

/** $1 requests, $2 known ids, $3 due by ms, $4 the same as RFC 3339. */
export const LOAD_QUEUED = `
select m.* from json_to_recordset($1::text::json) as r (channel_id text, priority int, max int)
cross join lateral (
  select ${columns} from messages m
  where ${inLine("r.channel_id", "r.priority")} and m.status = 'queued'
    and coalesce(m.not_before_ms, 0) <= $3::text::bigint
    and coalesce(m.error->>'retryAt', '') <= $4::text
    and m.id not in (select value from json_array_elements_text($2::text::json))
  order by ${LINE} limit r.max
) m`;

/** $1 conversations, $2 messages of each at most, $3 now. */
export const LOAD_CONVERSATIONS = `
select m.* from json_array_elements_text($1::text::json) as c (id)
cross join lateral (
  select ${columns} from messages m
  where m.conversation_id = c.id and m.unsent and m.status = 'queued' and coalesce(m.not_before_ms, 0) <= $3::text::bigint
  order by m.position limit $2::text::int
) m`;

/**
 * $1 channels, $2 now. The first of each channel and priority by id: ids follow the time, and two index look-ups a
 * channel are all it may cost. One whose author asked for a later start counts from then.
 */
export const OLDEST_DUE = `
select min(greatest(m.created_ms, m.not_before_ms))::float8 as ms
from json_array_elements_text($1::text::json) as c (id)
cross join (values (0), (1)) as p (priority)
cross join lateral (
  select created_ms, not_before_ms from messages m
  where ${inLine("c.id", "p.priority")} and m.status = 'queued'
    and coalesce(m.not_before_ms, 0) <= $2::text::bigint
  order by ${LINE} limit 1
) m`;

/** $1 channels with their limits, $2 messages at most. */
export const LOAD_HELD = `
select ${columns} from json_to_recordset($1::text::json) as c (channel_id text, before bigint)
join messages m on m.channel_id = c.channel_id
where m.unsent and m.status = 'sending' and m.uncertain and greatest(m.created_ms, m.not_before_ms) < c.before
limit $2::text::int`;

/** $1 channels, $2 since. */
export const LOAD_USAGE = `
select channel_id, sum(sent)::float8 as messages, sum(segments_out)::float8 as segments from statistics
where channel_id in (select value from json_array_elements_text($1::text::json)) and hour_ms >= $2::text::bigint
group by channel_id`;

/** $1 lanes, $2 policies, $3 now, $4 the same as RFC 3339. */
export const RECOVER = `
with fence as (${FENCE}),
changed as (
  update messages m set
    status = case when r.policy = 'hold' then 'sending' else 'queued' end,
    uncertain = r.policy <> 'requeue',
    error = case when r.policy = 'hold' then jsonb_build_object('class', 'unknown', 'reason', r.reason) else m.error end,
    history = m.history || jsonb_build_object(
      'status', case when r.policy = 'hold' then 'sending' else 'queued' end, 'at', $4::text, 'reason', r.reason),
    updated_ms = greatest(m.updated_ms, $3::text::bigint)
  from json_to_recordset($2::text::json) as r (channel_id text, lane int, policy text, reason text)
  join fence f on f.lane = r.lane
  where m.channel_id = r.channel_id and m.unsent and m.status = 'sending'
    and not (r.policy = 'hold' and m.uncertain)
  returning m.id, r.policy
)
select policy, count(*)::int as count from changed group by policy`;

/** $1 lanes, $2 now, $3 the history's step, then the items by column. */
export const CLAIM = `
with fence as (${FENCE}),
items as (${unnested(ITEM, FIRST_OF_ITEM)}),
barred as (
  select i.id from items i
  where exists (
      select from opt_outs o
      where o.active and o.contact = i.contact
        -- A message that leaves by a fallback's number is still the conversation's.
        and (o.number in (i.number, '${ALL_NUMBERS}')
          or o.number = (select c.number from conversations c where c.id = i.conversation_id)))
    and not exists (
      select from messages m
      where m.id = i.id and m.author->>'kind' = '${CONFIRMATION_AUTHOR.kind}'
        and m.author->>'id' = '${CONFIRMATION_AUTHOR.id}')
),
changed as (
  update messages m set
    status = 'sending',
    attempts = i.attempts + 1,
    uncertain = false,
    history = case when m.status = 'queued' then m.history || $3::text::jsonb else m.history end,
    updated_ms = greatest(m.updated_ms, $2::text::bigint)
  from items i
  join fence f on f.lane = i.lane
  where m.id = i.id and m.channel_id = i.channel_id
    and i.id not in (select id from barred)
    and ((m.status = 'queued' and m.attempts = i.attempts)
      or (m.status = 'sending' and not m.uncertain and m.attempts = i.attempts + 1))
    and coalesce(m.not_before_ms, 0) <= $2::text::bigint
    and not exists (
      select from messages e
      where e.conversation_id = m.conversation_id and e.position < m.position
        and e.unsent and not (e.status = 'sending' and e.uncertain)
        and coalesce(e.not_before_ms, 0) <= $2::text::bigint)
  returning m.id
)${ANSWER}, (select coalesce(json_agg(id), '[]') from barred) as "optedOut"`;

/** $1 lanes, $2 items, $3 now. */
export const MOVE = `
with fence as (${FENCE}),
changed as (
  update messages m set
    channel_id = i.to_channel_id,
    number_id = i.number_id,
    number = i.number,
    encoding = i.encoding,
    segments = i.segments,
    error = null,
    history = m.history || i.step,
    updated_ms = greatest(m.updated_ms, $3::text::bigint)
  from json_to_recordset($2::text::json) as i (
    id text, lane int, channel_id text, attempts int, to_channel_id text, number_id text, number text,
    encoding text, segments int, step jsonb)
  join fence f on f.lane = i.lane
  where m.id = i.id and m.channel_id = i.channel_id and m.unsent
    and m.status = 'queued' and not m.uncertain and m.attempts = i.attempts
  returning m.id
)${ANSWER}`;

/**
 * $1 lanes with their sequences, $2 the rows' events, $3 now, $4 the hour, $5 what is published, then the rows by column.
 * Only unsent rows change: what a delivery report said meanwhile stands above.
 */
export const RECORD = `
with fence as (${FENCE}),
changed as (
  update messages m set
    status = r.status,
    attempts = r.attempts,
    provider_id = coalesce(r.provider_id, m.provider_id),
    uncertain = r.uncertain,
    error = r.error,
    history = m.history || r.step,
    updated_ms = greatest(m.updated_ms, $3::text::bigint)
  from (${unnested(RESULT, FIRST_OF_RESULT)}, ${unjoinedJson("$2")} as event) as r
  join fence f on f.lane = r.lane
  where m.id = r.id and m.channel_id = r.channel_id and m.unsent
    and (r.status not in ('queued', 'sending') or (m.status = 'sending' and m.attempts = r.claimed))
  returning m.id, r.lane, m.status, m.channel_id, m.number, m.segments, r.event
), counted as (
  insert into statistics as s (channel_id, number, hour_ms, shard, sent, failed, segments_out)
  select channel_id, number, $4::text::bigint, 1000 + lane,
    count(*) filter (where status = 'sent'),
    count(*) filter (where status in ('failed', 'expired')),
    coalesce(sum(segments) filter (where status = 'sent'), 0)
  from changed where status in ('sent', 'failed', 'expired')
  group by channel_id, number, lane order by channel_id, number
  on conflict (channel_id, hour_ms, number, shard) do update set
    sent = s.sent + excluded.sent, failed = s.failed + excluded.failed,
    segments_out = s.segments_out + excluded.segments_out
), told as (
  insert into outbox (kind, partition, sequence, payload)
  select 'send', c.lane, b.sequence, ('{"events":[' || string_agg(c.event, ',') || ']}')::json
  from changed c join json_to_recordset($1::text::json) as b (lane int, sequence bigint) on b.lane = c.lane
  where c.event is not null
  group by c.lane, b.sequence
  on conflict (kind, partition, sequence) do nothing
), forgotten as (
  delete from outbox where ctid = any (array(
    ${publishedRows("'send'", "$5")}
    where b.partition in (select lane from fence)))
)${ANSWER}`;

/** $1 ids. */
export const ADD_PROVIDER_IDS = `
update messages m set provider_id = r.provider_id
from json_to_recordset($1::text::json) as r (id text, provider_id text)
where m.id = r.id and m.provider_id is null and m.direction = 'outbound'`;
