/**
 * Compares the archive's index with the messages and puts it right: messages that came later than the mark, accepted
 * before an outage or replayed, and those that are gone.
 *
 * @module
 */
import {
  type ArchiveSegment,
  ENTRY,
  lockMark,
  messageFloor,
  segmentTable,
  stepEnd,
} from "./archive_index.ts";
import type { Sql, SqlTransaction } from "./database.ts";
import { inTransaction } from "./transaction.ts";

/** Of messages and of entries in one step: some 5 ms of work. */
const STEP_ROWS = 1_000;

/** Where a comparison goes on. */
export interface CheckPlace {
  /** The newest segment that begins before this is compared, ms. */
  readonly beforeMs: number;
  /** From here on, ms; 0: from the segment's beginning. */
  readonly fromMs: number;
}

/** What came of a step. */
export interface CheckedStep {
  /** The segment's beginning, ms. */
  readonly segmentMs: number;
  readonly added: number;
  readonly removed: number;
  /** Where the next step begins, ms; null after the segment's last. */
  readonly nextMs: number | null;
}

/**
 * Compares the next step of a segment. A segment that has no messages any more is forgotten, and its table dropped with
 * the next segment's first step. Undefined when there is no such segment.
 */
export async function checkNext(
  sql: Sql,
  { beforeMs, fromMs }: CheckPlace,
): Promise<CheckedStep | undefined> {
  return await inTransaction(sql, async (tx) => {
    const indexedMs = await lockMark(tx);
    if (fromMs === 0) await dropForgotten(tx);
    const [segment] = await tx<(ArchiveSegment & { next_ms: number | null })[]>`
      select from_ms, rows, (select min(from_ms) from archive_segments n where n.from_ms > s.from_ms) as next_ms
      from archive_segments s where from_ms < ${beforeMs} order by from_ms desc limit 1`;
    if (segment === undefined) return undefined;
    const table = segmentTable(segment.from_ms);
    const limitMs = segment.next_ms ?? indexedMs;
    const stretch = { fromMs: Math.max(fromMs, segment.from_ms), limitMs };
    const nextMs = earlier(
      await stepEnd(tx, "messages", stretch, STEP_ROWS),
      await stepEnd(tx, table, stretch, STEP_ROWS),
    );
    const ids = [messageFloor(stretch.fromMs), messageFloor(nextMs ?? limitMs)];
    const removed = await tx.unsafe(
      `delete from ${table} w where w.id >= $1 and w.id < $2
        and not exists (select from messages m where m.id = w.id)`,
      ids,
    );
    const added = await tx.unsafe(
      `insert into ${table} select ${ENTRY} from messages m where m.id >= $1 and m.id < $2
        and not exists (select from ${table} w where w.id = m.id)`,
      ids,
    );
    const rows = segment.rows + added.count - removed.count;
    if (rows !== segment.rows) {
      await tx`update archive_segments set rows = ${rows} where from_ms = ${segment.from_ms}`;
    }
    if (nextMs === null && rows === 0 && segment.next_ms !== null) {
      await tx`delete from archive_segments where from_ms = ${segment.from_ms}`;
    }
    return { segmentMs: segment.from_ms, added: added.count, removed: removed.count, nextMs };
  });
}

function earlier(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

/** Drops the tables of segments that an earlier check forgot: searches that still knew them have ended since. */
async function dropForgotten(tx: SqlTransaction): Promise<void> {
  const tables = await tx<{ name: string }[]>`
    select relname as name from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace
      and relname ~ '^archive_words_[0-9]+$'
      and not exists (select from archive_segments where relname = 'archive_words_' || from_ms)`;
  for (const { name } of tables) await tx`drop table ${tx(name)}`;
}
