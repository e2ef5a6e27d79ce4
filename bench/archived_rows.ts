/**
 * An archive written straight into the database: messages of past months by the million, made by PostgreSQL itself.
 *
 * Words come as often as in people's texts: the one of rank r with a probability of 1/r (Zipf). A contact and one of our
 * numbers exchange ten messages at a sitting, which is one closed session, and meet again later.
 *
 * @module
 */
import type { Sql } from "../adapters/postgres/database.ts";

export interface Archive {
  /** A multiple of ten. */
  readonly messages: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly channelId: string;
}

/** Different words; of a living language a few ten thousand are in use. */
export const VOCABULARY = 50_000;
export const OWN_NUMBERS = 1_000;
export const QUEUES = 50;
export const AGENTS = 500;
/** Messages of one session. */
const SITTING = 10;
/** Sittings of one contact. */
const SITTINGS = 3;
/** Words of a message: from so many on, up to so many more. */
const WORDS_MIN = 4;
const WORDS_MORE = 16;
const SITTINGS_AT_ONCE = 10_000;

export const archivedNumber = (index: number) => `+1556${String(index % OWN_NUMBERS).padStart(7, "0")}`;
export const archivedContact = (index: number) => `+1557${String(index).padStart(7, "0")}`;
export const archivedQueue = (index: number) => `mq_${String(index % QUEUES).padStart(26, "0")}`;
/** The word of a rank: from 1, the most frequent first. */
export const archivedWord = (rank: number) => String.fromCharCode(97 + rank % 26) + rank.toString(16);

/** How many contacts such an archive has. */
export const contactsOf = ({ messages }: Archive) => Math.max(1, Math.floor(messages / SITTING / SITTINGS));

/** As `idBodyFloor` of core/ids.ts; an expression, so that PostgreSQL takes it into the statement. */
const TIME_CHARS =
  `create or replace function pg_temp.time_chars(ms bigint) returns text language sql immutable as $$
  select ${
    Array.from(
      { length: 10 },
      (_, k) => `substr('0123456789abcdefghijklmnopqrstuv', 1 + ((ms >> ${5 * (9 - k)}) & 31)::integer, 1)`,
    ).join(" || ")
  } $$`;

/** Writes it; `say` is told how far it is. */
export async function writeArchive(
  sql: Sql,
  archive: Archive,
  say: (share: number) => void,
): Promise<void> {
  const { messages, fromMs, toMs, channelId } = archive;
  const stepMs = (toMs - fromMs) / messages;
  const contacts = contactsOf(archive);
  const connection = await sql.reserve();
  try {
    await connection.unsafe(TIME_CHARS);
    await connection.unsafe(
      `insert into conversations (id, partition, number, contact, state, last_activity_ms)
        select 'cnv_' || lpad(to_hex(c), 26, '0'), 0, '+1556' || lpad((c % ${OWN_NUMBERS})::text, 7, '0'),
          '+1557' || lpad(c::text, 7, '0'), '{}', $1 from generate_series(0, $2 - 1) c`,
      [toMs, contacts],
    );
    const sittings = messages / SITTING;
    for (let from = 0; from < sittings; from += SITTINGS_AT_ONCE) {
      const until = Math.min(sittings, from + SITTINGS_AT_ONCE);
      const values = [from, until, fromMs, stepMs, channelId, contacts];
      await connection.unsafe(SESSIONS, values);
      await connection.unsafe(MESSAGES, values);
      say(until / sittings);
    }
  } finally {
    connection.release();
  }
}

/** The sittings $1 up to $2, with what their sessions and messages share. */
const SITTING_ROWS = `generate_series($1::bigint, $2::bigint - 1) s,
  lateral (select s % $6::bigint as c, ($3::float8 + s * ${SITTING} * $4::float8)::bigint as opened) k,
  lateral (select 'ses_' || pg_temp.time_chars(opened) || lpad(to_hex(s), 16, '0') as session,
    'cnv_' || lpad(to_hex(c), 26, '0') as conversation, '+1556' || lpad((c % ${OWN_NUMBERS})::text, 7, '0') as number,
    'num_' || lpad((c % ${OWN_NUMBERS})::text, 26, '0') as number_id, '+1557' || lpad(c::text, 7, '0') as contact,
    'mq_' || lpad((s % ${QUEUES})::text, 26, '0') as queue, 'ext_' || lpad((s % ${AGENTS})::text, 26, '0') as agent) w`;

const SESSIONS =
  `insert into sessions (id, conversation_id, partition, channel_id, number_id, number, contact, state,
    extension_id, queue_id, opened_ms, closed_ms, close_reason, last_activity_ms, idle_ms, history)
  select session, conversation, 0, $5, number_id, number, contact, 'closed', agent, queue, opened, opened + 60000, 'agent',
    opened, opened, '[]'
  from ${SITTING_ROWS}`;

const MESSAGES =
  `insert into messages (id, conversation_id, position, session_id, channel_id, number_id, number, contact,
    direction, status, priority, text, encoding, segments, extension_id, queue_id, history, created_ms, updated_ms)
  select 'msg_' || pg_temp.time_chars(at) || lpad(to_hex(i), 16, '0'), conversation,
    (s / $6::bigint) * ${SITTING} + j + 1, session, $5, number_id, number, contact,
    case when j % 2 = 0 then 'inbound' else 'outbound' end, case when j % 2 = 0 then 'received' else 'delivered' end, 0,
    (select string_agg(chr(97 + r % 26) || to_hex(r), ' ') from (
      select floor(exp(random() * ln(${VOCABULARY})))::integer + (i * 0)::integer as r
      from generate_series(1, (${WORDS_MIN} + i % ${WORDS_MORE})::integer)) words),
    'gsm7', 1, agent, queue, '[{"status": "received", "at": "2026-01-01T00:00:00.000Z"}]', at, at
  from ${SITTING_ROWS}, generate_series(0, ${SITTING - 1}) j,
    lateral (select s * ${SITTING} + j as i, (opened + j * $4::float8)::bigint as at) t`;
