/**
 * The auditor: after any run, whatever was killed, it compares what the simulator's contacts and carriers saw
 * with what the system kept. Every function gives the faults it finds, in words; none means that all is well.
 *
 * @module
 */
import type { Generator } from "../../bench/simulator/generator.ts";
import type { CallRecord } from "../../bench/simulator/record.ts";
import { acceptedMoreThanOnce } from "../../bench/simulator/audit.ts";
import type { Sql } from "../../adapters/postgres/database.ts";
import { STATUS_PARTITIONS } from "../../adapters/nats/topology.ts";
import { MESSAGE_ID_PATTERN, readEvents } from "./event_log.ts";
import type { Inside } from "./inside.ts";
import { until } from "./until.ts";

/** Faults shown of each kind; the count tells of the rest. */
const SHOWN_MAX = 5;

/** The faults as one error; throws nothing when there are none. */
export function assertSound(faults: readonly string[]): void {
  if (faults.length > 0) {
    throw new Error(`The audit found ${faults.length} faults:\n  ${faults.join("\n  ")}`);
  }
}

/** Whether everything that was accepted in the logs is applied and told: cursors at the logs' ends, outbox empty. */
export async function atRest({ sql, jsm, names }: Inside, partitions = 32): Promise<string[]> {
  const faults: string[] = [];
  const rows = await sql<{ kind: string; partition: number; cursor: number }[]>`
    select kind, partition, cursor from partitions where kind in ('route', 'status')`;
  const cursors = new Map(rows.map(({ kind, partition, cursor }) => [`${kind} ${partition}`, cursor]));
  const kinds = [["route", partitions], ["status", STATUS_PARTITIONS]] as const;
  for (const [kind, count] of kinds) {
    await Promise.all(Array.from({ length: count }, async (_, partition) => {
      const { state } = await jsm.streams.info(names.logStream(kind, partition));
      const cursor = cursors.get(`${kind} ${partition}`) ?? 0;
      if (cursor !== state.last_seq) {
        faults.push(`${kind} partition ${partition} is applied up to ${cursor} of ${state.last_seq}`);
      }
    }));
  }
  const outbox = await sql<{ kind: string; partition: number; sequence: number }[]>`
    select kind, partition, sequence from outbox order by created_at limit ${SHOWN_MAX + 1}`;
  for (const { kind, partition, sequence } of outbox.slice(0, SHOWN_MAX)) {
    faults.push(`left in the outbox: ${kind} ${partition}, sequence ${sequence}`);
  }
  return faults;
}

/** Waits until the system is at rest; throws with what is not when it does not come to it. */
export async function untilAtRest(inside: Inside, msMax?: number): Promise<void> {
  let faults: string[] = [];
  await until("the system comes to rest", async () => {
    // Its parts may have been away a moment ago.
    faults = await atRest(inside).catch((error) => [`it cannot be looked at: ${error}`]);
    return faults.length === 0;
  }, msMax).catch((error) => {
    throw new Error(`${(error as Error).message}: ${faults.join("; ")}`);
  });
}

/**
 * Received: each message that was answered 2xx is stored exactly once with its text, none twice, none that nobody
 * sent, and in each conversation in the order in which they were written.
 */
export async function auditReceived(sql: Sql, generator: Generator): Promise<string[]> {
  const rows = await sql<
    { id: string; conversation: string; number: string; contact: string; text: string; provider_id: string }[]
  >`
    select id, conversation_id as conversation, number, contact, text, provider_id from messages
    where direction = 'inbound' and text like ${`#% ${generator.runHex} %`}
    order by conversation_id, position`;
  const sent = new Map([...generator.messages()].map((message) => [message.text, message]));
  const found = new Faults();
  const times = new Map<string, number>();
  const last = new Map<string, number>();
  for (const row of rows) {
    const message = sent.get(row.text);
    if (message === undefined) {
      found.add("stored, but nobody wrote it", row.id);
      continue;
    }
    times.set(row.text, (times.get(row.text) ?? 0) + 1);
    if (row.contact !== message.from || row.number !== message.to || row.provider_id !== message.id) {
      found.add("stored in another's place", `#${message.sequence}`);
    }
    if (message.sequence <= (last.get(row.conversation) ?? 0)) {
      found.add("out of order in its conversation", `#${message.sequence}`);
    }
    last.set(row.conversation, message.sequence);
  }
  for (const { text, sequence, fate } of sent.values()) {
    const stored = times.get(text) ?? 0;
    if (fate === "accepted" && stored === 0) found.add("accepted and lost", `#${sequence}`);
    if (stored > 1) found.add("stored more than once", `#${sequence} (${stored} times)`);
  }
  return found.list;
}

/** Positions count from 1 without gaps in every conversation, and no id is there twice. */
export async function auditConversations(sql: Sql): Promise<string[]> {
  const found = new Faults();
  const gaps = await sql<{ conversation_id: string }[]>`
    select conversation_id from messages group by conversation_id
    having min(position) <> 1 or max(position) <> count(*) or count(distinct position) <> count(*)`;
  for (const row of gaps) found.add("positions with gaps or repeats", row.conversation_id);
  const open = await sql<{ conversation_id: string }[]>`
    select conversation_id from sessions where state <> 'closed' group by conversation_id having count(*) > 1`;
  for (const row of open) found.add("more than one open session", row.conversation_id);
  return found.list;
}

/** Events: each stored message was told at least once as received or queued, and always under the same id. */
export async function auditEvents(inside: Inside): Promise<string[]> {
  const found = new Faults();
  const ids = new Map<string, Set<string>>();
  for (const { type, id, data } of await readEvents(inside)) {
    if (type !== "message.received" && type !== "message.queued") continue;
    const messageId = String(data.messageId);
    if (!MESSAGE_ID_PATTERN.test(messageId)) found.add("an event without its message", id);
    const known = ids.get(messageId);
    if (known === undefined) ids.set(messageId, new Set([id]));
    else known.add(id);
  }
  const stored = await inside.sql<{ id: string }[]>`select id from messages`;
  const messages = new Set(stored.map(({ id }) => id));
  for (const id of messages) if (!ids.has(id)) found.add("stored and never told", id);
  for (const [id, events] of ids) {
    if (events.size > 1) found.add("told under different ids", `${id} (${events.size})`);
    if (!messages.has(id)) found.add("told and not stored", id);
  }
  return found.list;
}

/** A command that was answered 2xx: the text under the id that the answer gave. */
export interface Promised {
  readonly messageId: string;
  readonly text: string;
}

/** Sending: what was promised is stored once, and what the carrier took fits what the database says of it. */
export async function auditSends(
  sql: Sql,
  record: readonly CallRecord[],
  promised: readonly Promised[],
): Promise<string[]> {
  const found = new Faults();
  const rows = await sql<
    { id: string; text: string; status: string; uncertain: boolean; was_uncertain: boolean }[]
  >`
    select id, text, status, uncertain,
      exists (select from jsonb_array_elements(history) step where step->>'reason' like 'uncertain%') as was_uncertain
    from messages where direction = 'outbound'`;
  const messages = new Map(rows.map((row) => [row.id, row]));
  for (const { messageId, text } of promised) {
    if (messages.get(messageId)?.text !== text) found.add("promised and not stored", messageId);
  }
  const texts = Map.groupBy(rows, ({ text }) => text);
  for (const { text } of promised) {
    if ((texts.get(text)?.length ?? 0) > 1) found.add("stored more than once", text);
  }
  for (const [id, times] of acceptedMoreThanOnce(record)) {
    const message = messages.get(id);
    if (!message?.uncertain && !message?.was_uncertain) {
      found.add("sent more than once", `${id} (${times} times)`);
    }
  }
  const taken = new Set(
    record.flatMap(({ accepted, messageId }) => accepted && messageId ? [messageId] : []),
  );
  for (const id of taken) if (!messages.has(id)) found.add("sent and not stored", id);
  for (const { id, status, uncertain } of rows) {
    const isTaken = taken.has(id);
    if (["sent", "delivered", "undelivered"].includes(status) && !isTaken) {
      found.add(`${status}, but never sent`, id);
    }
    if (["queued", "failed", "expired", "blocked", "cancelled"].includes(status) && isTaken) {
      found.add(`sent, but kept as ${status}`, id);
    }
    if (status === "queued" || (status === "sending" && !uncertain)) found.add(`left ${status}`, id);
  }
  return found.list;
}

/** What leaves in each conversation leaves in the order in which it was written; uncertain ones may be missing. */
export async function auditSendOrder(sql: Sql, record: readonly CallRecord[]): Promise<string[]> {
  const found = new Faults();
  const rows = await sql<{ id: string; conversation: string; position: number }[]>`
    select id, conversation_id as conversation, position from messages
    where direction = 'outbound' and not exists (
      select from jsonb_array_elements(history) step where step->>'reason' like 'uncertain%')`;
  const places = new Map(rows.map((row) => [row.id, row]));
  const last = new Map<string, number>();
  for (const { accepted, messageId } of record) {
    const place = accepted && messageId !== null ? places.get(messageId) : undefined;
    if (place === undefined) continue;
    if (place.position < (last.get(place.conversation) ?? 0)) found.add("left after a later one", place.id);
    last.set(place.conversation, place.position);
  }
  return found.list;
}

/** The counters equal what the messages' own histories say. */
export async function auditStatistics(sql: Sql): Promise<string[]> {
  const [counted] = await sql<Record<string, number>[]>`
    select coalesce(sum(received), 0)::int as received, coalesce(sum(segments_in), 0)::int as segments_in,
      coalesce(sum(sent), 0)::int as sent, coalesce(sum(segments_out), 0)::int as segments_out,
      coalesce(sum(delivered), 0)::int as delivered, coalesce(sum(failed), 0)::int as failed
    from statistics`;
  const [actual] = await sql<Record<string, number>[]>`
    with m as (
      select direction, status, segments, array(select s->>'status' from jsonb_array_elements(history) s) as steps
      from messages
    )
    select count(*) filter (where direction = 'inbound')::int as received,
      coalesce(sum(segments) filter (where direction = 'inbound'), 0)::int as segments_in,
      count(*) filter (where 'sent' = any(steps))::int as sent,
      coalesce(sum(segments) filter (where 'sent' = any(steps)), 0)::int as segments_out,
      count(*) filter (where status = 'delivered')::int as delivered,
      count(*) filter (where steps && array['failed', 'undelivered', 'rejected', 'expired'])::int as failed
    from m`;
  return Object.keys(actual!).filter((name) => actual![name] !== counted![name])
    .map((name) => `statistics count ${counted![name]} ${name}, the messages say ${actual![name]}`);
}

/** Faults by kind, so that a thousand of one kind do not hide one of another. */
class Faults {
  readonly #kinds = new Map<string, string[]>();

  add(kind: string, what: string): void {
    const list = this.#kinds.get(kind);
    if (list === undefined) this.#kinds.set(kind, [what]);
    else list.push(what);
  }

  get list(): string[] {
    return [...this.#kinds].map(([kind, list]) =>
      `${list.length} ${kind}: ${list.slice(0, SHOWN_MAX).join(", ")}${list.length > SHOWN_MAX ? ", …" : ""}`
    );
  }
}
