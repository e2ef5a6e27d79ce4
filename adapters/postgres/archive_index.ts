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
/** Of a portion: some 0.1 s of work. */
const STEP_ROWS = 4_000;
/** Messages are committed within this time after they were accepted, unless something is wrong. */
const LAG_MS = 2_000;
/** kB of new entries that a search walks through, which are put in order at once. */
const PENDING_KB = 1_024;
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
const ENTRY = `m.id, archive_words(m.text) || array_to_tsvector(array_remove(array[
  '=n' || m.number, '=c' || right(m.channel_id, ${TAG_CHARS}), '=q' || right(m.queue_id, ${TAG_CHARS}),
  '=e' || right(m.extension_id, ${TAG_CHARS}), '=' || m.direction], null))`;

/** Indexes the next messages. Resolves with how many there were; with none, all is done for now. */
export async function indexNext(sql: Sql, nowMs: number): Promise<number> {
  const limitMs = nowMs - LAG_MS;
  // Nothing is written while nothing comes.
  const [state] = await sql<{ indexed_ms: number }[]>`select indexed_ms from archive_state`;
  const [next] = await sql`select id from messages
    where id >= ${messageFloor(state!.indexed_ms)} and id < ${messageFloor(limitMs)} order by id limit 1`;
  if (next === undefined) return 0;
  return await inTransaction(sql, async (tx) => {
    const indexedMs = await lockMark(tx);
    if (limitMs <= indexedMs) return 0;
    const toMs = await portionEnd(tx, indexedMs, limitMs);
    const table = await openSegment(tx, indexedMs);
    const { count } = await tx.unsafe(
      `insert into ${table} select ${ENTRY} from messages m where m.id >= $1 and m.id < $2
        on conflict do nothing`,
      [messageFloor(indexedMs), messageFloor(toMs)],
    );
    await tx`update archive_segments set rows = rows + ${count}
      where from_ms = (select max(from_ms) from archive_segments)`;
    await tx`update archive_state set indexed_ms = ${toMs}`;
    return count;
  });
}

/**
 * Only one process changes the index at a time. Gives the mark: all messages before it are indexed, ms. Mark and index are
 * committed together, so what a crash takes back is done again: no commit has to wait for the disk.
 */
async function lockMark(tx: SqlTransaction): Promise<number> {
  await tx`set local synchronous_commit = off`;
  const [state] = await tx<{ indexed_ms: number }[]>`select indexed_ms from archive_state for update`;
  return state!.indexed_ms;
}

/** Where a portion ends that begins at `fromMs`: after so many messages and at least one, at a whole millisecond. */
async function portionEnd(tx: SqlTransaction, fromMs: number, limitMs: number): Promise<number> {
  const ids = await tx<{ id: string }[]>`select id from messages
    where id >= ${messageFloor(fromMs)} and id < ${messageFloor(limitMs)} order by id limit ${STEP_ROWS + 1}`;
  const [first] = ids;
  const last = ids[STEP_ROWS];
  if (first === undefined || last === undefined) return limitMs;
  return Math.max(idTime(last.id), idTime(first.id) + 1);
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

/** What came of comparing a segment with its messages. */
export interface CheckedSegment {
  /** Its beginning, ms. */
  readonly fromMs: number;
  /** Messages that came later than the mark: accepted before an outage, or replayed. */
  readonly added: number;
  /** Whose messages are gone. */
  readonly removed: number;
}

/**
 * Compares the newest segment that begins before `beforeMs` with its messages and puts it right; a segment that has none
 * any more is forgotten, and its table dropped with the next check. Undefined when there is no such segment.
 */
export async function checkSegment(sql: Sql, beforeMs: number): Promise<CheckedSegment | undefined> {
  return await inTransaction(sql, async (tx) => {
    const indexedMs = await lockMark(tx);
    await dropForgotten(tx);
    const [segment] = await tx<{ from_ms: number; next_ms: number | null }[]>`
      select from_ms, (select min(from_ms) from archive_segments n where n.from_ms > s.from_ms) as next_ms
      from archive_segments s where from_ms < ${beforeMs} order by from_ms desc limit 1`;
    if (segment === undefined) return undefined;
    const { from_ms: fromMs, next_ms: nextMs } = segment;
    const table = segmentTable(fromMs);
    const removed = await tx.unsafe(
      `delete from ${table} w where not exists (select from messages m where m.id = w.id)`,
    );
    const added = await tx.unsafe(
      `insert into ${table} select ${ENTRY} from messages m where m.id >= $1 and m.id < $2
        and not exists (select from ${table} w where w.id = m.id)`,
      [messageFloor(fromMs), messageFloor(nextMs ?? indexedMs)],
    );
    const [{ rows }] = await tx.unsafe<[{ rows: number }]>(
      `update archive_segments set rows = rows + $1::bigint where from_ms = $2 returning rows`,
      [added.count - removed.count, fromMs],
    );
    if (rows === 0 && nextMs !== null) {
      await tx`delete from archive_segments where from_ms = ${fromMs}`;
    }
    return { fromMs, added: added.count, removed: removed.count };
  });
}

/** Drops the tables of segments that an earlier check forgot: searches that still knew them have ended since. */
async function dropForgotten(tx: SqlTransaction): Promise<void> {
  const tables = await tx<{ name: string }[]>`
    select relname as name from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace
      and relname ~ '^archive_words_[0-9]+$'
      and not exists (select from archive_segments where relname = 'archive_words_' || from_ms)`;
  for (const { name } of tables) await tx`drop table ${tx(name)}`;
}
