/**
 * What the database keeps of a run.
 *
 * @module
 */
import type { ChannelSettings } from "../../core/channel.ts";
import type { MessageRow } from "../../core/message.ts";
import type { Sql } from "../../adapters/postgres/database.ts";
import {
  AUDITED_COLUMNS,
  type Bucket,
  type Counted,
  type Leftovers,
  type OptOut,
  type PartitionState,
  type Sample,
  type StoredMessage,
  storedMessage,
  type StoredSession,
} from "./run.ts";

const PAGE = 20_000;

/** What is stored, counted and declared. */
export interface Stored {
  readonly messages: readonly StoredMessage[];
  readonly sessions: readonly StoredSession[];
  readonly counted: readonly Counted[];
  readonly buckets: readonly Bucket[];
  readonly optOuts: readonly OptOut[];
}

/** Reads all of it. About 600 bytes of memory a message. */
export async function readStored(sql: Sql): Promise<Stored> {
  const messages: StoredMessage[] = [];
  const columns = AUDITED_COLUMNS.join(", ");
  for await (const rows of sql.unsafe<MessageRow[]>(`select ${columns} from messages`).cursor(PAGE)) {
    for (const row of rows) messages.push(storedMessage(row));
  }
  const sessions = await sql<
    StoredSession[]
  >`select id, conversation_id as conversation, state from sessions`;
  const counted = await sql<Counted[]>`
    select channel_id as "channelId", number, sum(received)::float8 as received,
      sum(segments_in)::float8 as "segmentsIn", sum(sent)::float8 as sent,
      sum(segments_out)::float8 as "segmentsOut", sum(delivered)::float8 as delivered, sum(failed)::float8 as failed
    from statistics group by channel_id, number`;
  return { messages, sessions, counted, buckets: await readBuckets(sql), optOuts: await readOptOuts(sql) };
}

/** A message that was claimed just before may still leave: claims run ahead of the rate by a second at most. */
const CLAIMED_BEFORE_MS = 1_500;

/** From when each wish was committed until it was taken back, by the audit log. */
async function readOptOuts(sql: Sql): Promise<OptOut[]> {
  const changes = await sql<{ contact: string; number: string; action: string; atMs: number }[]>`
    select target as contact, after->>'number' as number, action, extract(epoch from at)::float8 * 1000 as "atMs"
    from audit_log where kind = 'contact' and action in ('opt-out', 'opt-in') order by id`;
  const open = new Map<string, OptOut>();
  const all: OptOut[] = [];
  for (const { contact, number, action, atMs } of changes) {
    const key = `${contact} ${number}`;
    const before = open.get(key);
    if (action === "opt-out" && before === undefined) {
      open.set(key, {
        contact,
        number: number === "*" ? null : number,
        sinceMs: atMs + CLAIMED_BEFORE_MS,
        untilMs: null,
      });
    } else if (action === "opt-in" && before !== undefined) {
      open.delete(key);
      all.push({ ...before, untilMs: atMs });
    }
  }
  return [...all, ...open.values()];
}

/** The rates as they are declared now; one that was changed during the run cannot be judged by them. */
async function readBuckets(sql: Sql): Promise<Bucket[]> {
  const channels = await sql<{ name: string; settings: ChannelSettings; numbers: string[] }[]>`
    select name, settings, to_json(array(select number from numbers n where n.channel_id = c.id)) as numbers
    from channels c`;
  const numbers = await sql<
    { number: string; rateMps: number; burst: number | null; settings: ChannelSettings }[]
  >`
    select n.number, n.rate_mps as "rateMps", n.burst, c.settings
    from numbers n join channels c on c.id = n.channel_id where n.rate_mps is not null`;
  return [
    ...channels.map(({ name, settings: { rateMps, burst, costUnit }, numbers }) => ({
      name: `channel ${name}`,
      numbers,
      rateMps,
      burst,
      costUnit,
    })),
    ...numbers.map(({ number, rateMps, burst, settings }) => ({
      name: `number ${number}`,
      numbers: [number],
      rateMps,
      burst: burst ?? 1,
      costUnit: settings.costUnit,
    })),
  ];
}

/** The partitions' rights and cursors now. */
export async function takeSample(sql: Sql): Promise<Sample> {
  const partitions = await sql<PartitionState[]>`
    select kind, partition, epoch, cursor, stream_created as "logCreated" from partitions order by kind, partition`;
  return { atMs: Date.now(), partitions: [...partitions] };
}

/** What is left to do, beside `logEnds`, which the broker knows. */
export async function readLeftovers(sql: Sql, logEnds: Leftovers["logEnds"]): Promise<Leftovers> {
  const { partitions } = await takeSample(sql);
  const outbox = await sql<{ kind: string; partition: number; sequence: number }[]>`
    select kind, partition, sequence from outbox order by created_at`;
  return { partitions, logEnds, outbox: [...outbox] };
}
