/**
 * The index of all messages by word. It follows the messages at a distance, so that writing one costs nothing more:
 * everything before a mark is in it.
 *
 * It is made of segments by time, each a table with an index of its own (GIN). Whoever looks for the newest hits asks
 * the newest segment first and seldom needs another, however frequent a word is; one index over all would have to
 * gather all of its hits before it could tell the newest. When the messages of a segment are gone, its table is dropped.
 *
 * @module
 */
import { ID_PREFIX, idBodyFloor, idTime } from "../../core/ids.ts";
import type { Sql, SqlTransaction } from "./database.ts";
import { inTransaction } from "./transaction.ts";

/** A word that stands in every other message is found in 0.1 s in so many messages. */
export const SEGMENT_ROWS = 200_000;
/** Of a portion: some 5 ms of work. A processor that is taken for longer is missed by the messages of that moment. */
const STEP_ROWS = 200;
/** Messages are committed within this time after they were accepted, unless something is wrong. */
const LAG_MS = 2_000;
/**
 * kB of new entries that a search walks through, which are put in order at once: 15 ms of work, where 1,024 kB are 40 and
 * cost as much for each message.
 */
const PENDING_KB = 128;
/** Characters at an id's end that tell it from all others: 65 random bits. */
const TAG_CHARS = 13;

export interface ArchiveSegment {
  readonly from_ms: number;
  readonly rows: number;
}

/** The table of the segment that begins at `fromMs`. */
export function segmentTable(fromMs: number): string {
  if (!Number.isSafeInteger(fromMs) || fromMs < 0) throw new Error(`no time: ${fromMs}`);
  return `archive_words_${fromMs}`;
}

/** The smallest id of messages from `ms` on. */
export function messageFloor(ms: number): string {
  return `${ID_PREFIX.message}_${idBodyFloor(Math.max(0, Math.trunc(ms)))}`;
}

/**
 * What a message is found by besides its words: entries beside them that begin with "=", which no word does.
 */
export const archiveTag = {
  number: (number: string) => `=n${number}`,
  channel: (id: string) => `=c${id.slice(-TAG_CHARS)}`,
  queue: (id: string) => `=q${id.slice(-TAG_CHARS)}`,
  extension: (id: string) => `=e${id.slice(-TAG_CHARS)}`,
  direction: (direction: string) => `=${direction}`,
} as const;

/** Columns of `messages m` as a row of a segment. */
export const ENTRY = `m.id, archive_words(m.text) || array_to_tsvector(array_remove(array[
  '=n' || m.number, '=c' || right(m.channel_id, ${TAG_CHARS}), '=q' || right(m.queue_id, ${TAG_CHARS}),
  '=e' || right(m.extension_id, ${TAG_CHARS}), '=' || m.direction], null))`;

/** Indexes the next messages. Resolves with whether there are more. */
export async function indexNext(sql: Sql, nowMs: number): Promise<boolean> {
  const limitMs = nowMs - LAG_MS;
  // Nothing is written while nothing comes.
  const [state] = await sql<{ indexed_ms: number }[]>`select indexed_ms from archive_state`;
  const [next] = await sql`select id from messages
    where id >= ${messageFloor(state!.indexed_ms)} and id < ${messageFloor(limitMs)} order by id limit 1`;
  if (next === undefined) return false;
  return await inTransaction(sql, async (tx) => {
    const indexedMs = await lockMark(tx);
    if (limitMs <= indexedMs) return false;
    const stretch = { fromMs: indexedMs, limitMs };
    const toMs = await stepEnd(tx, "messages", stretch, STEP_ROWS) ?? limitMs;
    const table = await openSegment(tx, indexedMs);
    const { count } = await tx.unsafe(
      `insert into ${table} select ${ENTRY} from messages m where m.id >= $1 and m.id < $2
        on conflict do nothing`,
      [messageFloor(indexedMs), messageFloor(toMs)],
    );
    await tx`update archive_segments set rows = rows + ${count}
      where from_ms = (select max(from_ms) from archive_segments)`;
    await tx`update archive_state set indexed_ms = ${toMs}`;
    return toMs < limitMs;
  });
}

/**
 * Only one process changes the index at a time. Gives the mark: all messages before it are indexed, ms. Mark and index are
 * committed together, so what a crash takes back is done again: no commit has to wait for the disk.
 */
export async function lockMark(tx: SqlTransaction): Promise<number> {
  await tx`set local synchronous_commit = off`;
  const [state] = await tx<{ indexed_ms: number }[]>`select indexed_ms from archive_state for update`;
  return state!.indexed_ms;
}

/**
 * Where the next `rows` ids of a table end, at a whole millisecond and after at least one of them; null when there are
 * no more than that before `limitMs`.
 */
export async function stepEnd(
  tx: SqlTransaction,
  table: string,
  { fromMs, limitMs }: { readonly fromMs: number; readonly limitMs: number },
  rows: number,
): Promise<number | null> {
  const ids = await tx<{ id: string }[]>`with step as
      (select id from ${tx(table)} where id >= ${messageFloor(fromMs)} and id < ${messageFloor(limitMs)}
        order by id limit ${rows + 1})
    (select id from step order by id limit 1) union all (select id from step order by id offset ${rows})`;
  const [first, last] = ids;
  return first === undefined || last === undefined ? null : Math.max(idTime(last.id), idTime(first.id) + 1);
}

/** The table that takes what comes at the mark; a new one when the former is full. */
async function openSegment(tx: SqlTransaction, markMs: number): Promise<string> {
  const [newest] = await tx<ArchiveSegment[]>`select from_ms, rows from archive_segments
    order by from_ms desc limit 1`;
  if (newest !== undefined && newest.rows < SEGMENT_ROWS) return segmentTable(newest.from_ms);
  const table = segmentTable(markMs);
  await tx.unsafe(`create table ${table} (id text collate "C" primary key, words tsvector not null)`);
  await tx.unsafe(
    `create index on ${table} using gin (words) with (fastupdate = on, gin_pending_list_limit = ${PENDING_KB})`,
  );
  await tx`insert into archive_segments values (${markMs}, 0)`;
  return table;
}
