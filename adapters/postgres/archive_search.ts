/**
 * Looking for past messages: by the index, and in the newest ones without it.
 *
 * @module
 */
import type { SearchTerm } from "../../core/archive/words.ts";
import type { MessageRow } from "../../core/message.ts";
import type {
  ArchiveFilter,
  ArchiveHit,
  ArchiveSearch,
  ArchiveViewer,
  UnsearchedSpan,
} from "../../core/ports/archive.ts";
import { idTime } from "../../core/ids.ts";
import type { SessionRow } from "../../core/session.ts";
import { archiveTag, messageFloor, segmentTable } from "./archive_index.ts";
import type { Sql } from "./database.ts";

/** Messages that are looked through without an index: half a second of work. */
const UNINDEXED_MAX = 50_000;
/** Segments that one query asks at most; the first asks one, the next two, then four. */
const SEGMENTS_AT_ONCE = 16;
/** Conversations of one contact that are looked at: one for each of our numbers that it met. */
const CONVERSATIONS_MAX = 10_000;
/** Above all ids of messages. */
const LAST_ID = "msg_~";

/** A search made ready: conditions of the messages themselves, and the same for the index. */
interface Prepared {
  readonly filter: ArchiveFilter;
  /** The words as a tsquery; null: any. */
  readonly words: string | null;
  /** Words and tags as a tsquery; null: any message fits. */
  readonly entries: string | null;
  /** On `messages m`; parameters from $5 on. */
  readonly conditions: string;
  readonly values: readonly (string | readonly string[])[];
  readonly fromId: string;
  /** Ids below this one. */
  readonly toId: string;
}

export class PostgresArchiveSearch implements ArchiveSearch {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async *search(
    filter: ArchiveFilter,
    viewer: ArchiveViewer,
    { before, portion }: { readonly before?: string; readonly portion: number },
  ): AsyncGenerator<readonly ArchiveHit[]> {
    const prepared = await this.#prepare(filter, viewer, before);
    if (prepared.fromId >= prepared.toId) return;
    const ids = filter.contact !== undefined
      ? this.#ofContact(prepared, filter.contact, portion)
      : prepared.entries === null
      ? this.#byTime(prepared, prepared.fromId, portion)
      : this.#byIndex(prepared, prepared.entries, portion);
    for await (const some of ids) {
      if (some.length > 0) yield await this.#hits(some, filter);
    }
  }

  async unsearched(filter: ArchiveFilter, viewer: ArchiveViewer): Promise<UnsearchedSpan | null> {
    // These are found without the index.
    if (filter.contact !== undefined) return null;
    if (filter.terms === undefined && conditionsOf(filter, viewer).tags.length === 0) return null;
    const { indexedMs, oldestSearched, isWhole } = await this.#unindexed();
    return isWhole || oldestSearched === null ? null : { fromMs: indexedMs, toMs: idTime(oldestSearched) };
  }

  async #prepare(
    filter: ArchiveFilter,
    viewer: ArchiveViewer,
    before: string | undefined,
  ): Promise<Prepared> {
    const words = filter.terms === undefined ? null : await this.#wordsOf(filter.terms);
    const { conditions, values, tags } = conditionsOf(filter, viewer);
    const entries = [...(words === null ? [] : [`(${words})`]), ...tags].join(" & ");
    const toId = filter.toMs === undefined ? LAST_ID : messageFloor(filter.toMs);
    return {
      filter,
      words,
      entries: entries === "" ? null : entries,
      conditions,
      values,
      fromId: messageFloor(filter.fromMs ?? 0),
      toId: before === undefined || before > toId ? toId : before,
    };
  }

  /** The terms as PostgreSQL writes a tsquery. */
  async #wordsOf(terms: readonly SearchTerm[]): Promise<string> {
    const parts = terms.map(({ isBeginning, isExcluded }, index) => {
      const folded = `archive_fold($${index + 1})`;
      const part = isBeginning
        ? `to_tsquery('simple', regexp_replace(trim(${folded}), '\\s+', ' <-> ', 'g') || ':*')`
        : `phraseto_tsquery('simple', ${folded})`;
      return isExcluded ? `(!! ${part})` : part;
    });
    const [row] = await this.#sql.unsafe<{ words: string }[]>(
      `select (${parts.join(" && ")})::text as words`,
      terms.map(({ text }) => text),
    );
    return row!.words;
  }

  /** Newest first, by the messages' own primary key. */
  async *#byTime(prepared: Prepared, fromId: string, portion: number): AsyncGenerator<string[]> {
    yield* inPortions(prepared.toId, portion, (before) =>
      this.#ids(
        `select m.id from messages m where m.id >= $1 and m.id < $2 and ${wordsIn("m.text")}
          and ${prepared.conditions} order by m.id desc limit $3`,
        prepared,
        { fromId, before, portion },
      ));
  }

  async *#ofContact(prepared: Prepared, contact: string, portion: number): AsyncGenerator<string[]> {
    const found = await this.#sql<{ id: string }[]>`select id from conversations
      where contact = ${contact} limit ${CONVERSATIONS_MAX}`;
    if (found.length === 0) return;
    const own = {
      ...prepared,
      values: [...prepared.values, found.map(({ id }) => id)],
      conditions: `${prepared.conditions} and m.conversation_id = any($${
        5 + prepared.values.length
      }::text[])`,
    };
    yield* inPortions(prepared.toId, portion, (before) =>
      this.#ids(
        // Gathered first: asked for in the order of the ids, the planner would walk through everybody's messages.
        `with found as materialized (select m.id from messages m where m.id >= $1 and m.id < $2
          and ${wordsIn("m.text")} and ${own.conditions}) select id from found order by id desc limit $3`,
        own,
        { fromId: prepared.fromId, before, portion },
      ));
  }

  async *#byIndex(prepared: Prepared, entries: string, portion: number): AsyncGenerator<string[]> {
    const { indexedMs, oldestSearched } = await this.#unindexed();
    if (oldestSearched !== null && oldestSearched < prepared.toId) {
      const fromId = oldestSearched > prepared.fromId ? oldestSearched : prepared.fromId;
      yield* this.#byTime(prepared, fromId, portion);
    }
    const floor = messageFloor(indexedMs);
    const toId = floor < prepared.toId ? floor : prepared.toId;
    const segments = await this.#segments(prepared.fromId, toId);
    for (let start = 0, count = 1; start < segments.length; start += count, count = grown(count)) {
      const union = segments.slice(start, start + count).map((fromMs) =>
        // The limit's own level sorts; below it, `offset 0` keeps the planner from walking back along the ids.
        `(select id from (select id from ${segmentTable(fromMs)} where id >= $1 and id < $2
          and words @@ $4::tsquery offset 0) s order by id desc limit $3)`
      ).join(" union all ");
      const statement = `select id from (${union}) u order by id desc limit $3`;
      yield* inPortions(
        toId,
        portion,
        async (before) =>
          (await this.#sql.unsafe<{ id: string }[]>(statement, [prepared.fromId, before, portion, entries]))
            .map(({ id }) => id),
      );
    }
  }

  /** Beginnings of the segments that have ids from `fromId` up to `toId`, newest first. */
  async #segments(fromId: string, toId: string): Promise<number[]> {
    const rows = await this.#sql<{ from_ms: number }[]>`select from_ms from archive_segments
      order by from_ms desc`;
    const oldest = rows.findIndex(({ from_ms }) => messageFloor(from_ms) <= fromId);
    return rows.slice(0, oldest === -1 ? rows.length : oldest + 1).map(({ from_ms }) => from_ms)
      .filter((fromMs) => messageFloor(fromMs) < toId);
  }

  /** The mark, and the oldest message of those after it that a search looks through, if there is any. */
  async #unindexed() {
    const [state] = await this.#sql<{ indexed_ms: number }[]>`select indexed_ms from archive_state`;
    const indexedMs = state!.indexed_ms;
    const [row] = await this.#sql<{ id: string | null; count: number }[]>`
      select min(id) as id, count(*)::integer as count from (select id from messages
        where id >= ${messageFloor(indexedMs)} order by id desc limit ${UNINDEXED_MAX}) n`;
    return { indexedMs, oldestSearched: row!.id, isWhole: row!.count < UNINDEXED_MAX };
  }

  async #ids(
    statement: string,
    { words, values }: Prepared,
    { fromId, before, portion }: {
      readonly fromId: string;
      readonly before: string;
      readonly portion: number;
    },
  ): Promise<string[]> {
    const rows = await this.#sql.unsafe<{ id: string }[]>(
      statement,
      [fromId, before, portion, words, ...values.map((value) => Array.isArray(value) ? [...value] : value)],
    );
    return rows.map(({ id }) => id);
  }

  async #hits(ids: readonly string[], { state }: ArchiveFilter): Promise<ArchiveHit[]> {
    const messages = await this.#sql<(MessageRow & Record<string, unknown>)[]>`
      select * from messages where id = any(${[...ids]}::text[]) order by id desc`;
    const sessionIds = [...new Set(messages.flatMap(({ session_id: id }) => id === null ? [] : [id]))];
    const sessions = await this.#sql<(SessionRow & Record<string, unknown>)[]>`
      select * from sessions where id = any(${sessionIds}::text[])`;
    const byId = new Map(sessions.map((session) => [session.id, session]));
    return messages
      .map((message) => ({ message, session: byId.get(message.session_id ?? "") ?? null }))
      .filter(({ session }) => state === undefined || session?.state === state);
  }
}

/** Portions of what `next` gives below an id, until one is not full. */
async function* inPortions(
  toId: string,
  portion: number,
  next: (before: string) => Promise<string[]>,
): AsyncGenerator<string[]> {
  for (let before = toId;;) {
    const ids = await next(before);
    yield ids;
    if (ids.length < portion) return;
    before = ids.at(-1)!;
  }
}

function grown(count: number): number {
  return Math.min(2 * count, SEGMENTS_AT_ONCE);
}

/** $4 is the tsquery, or null. */
function wordsIn(column: string): string {
  return `($4::tsquery is null or archive_words(${column}) @@ $4::tsquery)`;
}

/** What the filter and the viewer ask of a message, as SQL and as tags of the index. */
function conditionsOf(filter: ArchiveFilter, viewer: ArchiveViewer) {
  const conditions = ["true"];
  const values: (string | readonly string[])[] = [];
  const tags: string[] = [];
  const parameter = (value: string | readonly string[]) => `$${4 + values.push(value)}`;
  const also = (column: string, value: string | undefined, tag: (value: string) => string) => {
    if (value === undefined) return;
    conditions.push(`m.${column} = ${parameter(value)}::text`);
    tags.push(quoted(tag(value)));
  };
  also("number", filter.number, archiveTag.number);
  also("channel_id", filter.channelId, archiveTag.channel);
  also("queue_id", filter.queueId, archiveTag.queue);
  also("extension_id", filter.extensionId, archiveTag.extension);
  also("direction", filter.direction, archiveTag.direction);
  if (viewer.kind === "extension") {
    const { extensionId, queueIds } = viewer;
    conditions.push(
      `(m.extension_id = ${parameter(extensionId)}::text or m.queue_id = any(${
        parameter(queueIds)
      }::text[]))`,
    );
    const any = [archiveTag.extension(extensionId), ...queueIds.map(archiveTag.queue)];
    tags.push(`(${any.map(quoted).join(" | ")})`);
  }
  return { conditions: conditions.join(" and "), values, tags };
}

/** As one entry of a tsquery. */
function quoted(tag: string): string {
  return `'${tag.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}
