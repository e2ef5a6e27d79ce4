import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { checkNext } from "../../adapters/postgres/archive_check.ts";
import { indexNext } from "../../adapters/postgres/archive_index.ts";
import { PostgresArchiveSearch } from "../../adapters/postgres/archive_search.ts";
import { searchTerms } from "../../core/archive/words.ts";
import { derivedId } from "../../core/ids.ts";
import type { MessageRow } from "../../core/message.ts";
import type { ArchiveFilter, ArchiveHit, ArchiveViewer } from "../../core/ports/archive.ts";
import { message, NOW } from "../http_runtime/fixture.ts";
import { insertMessages } from "../support/message_rows.ts";
import { type TestDatabase, type TestPostgres, testPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
Deno.test.beforeAll(async () => {
  postgres = await testPostgres();
});
Deno.test.afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

const ALL = { kind: "all" } as const;
const QUEUE = "mq_00000000000000000000000001";
const OTHER_QUEUE = "mq_00000000000000000000000002";
const AGENT = "ext_00000000000000000000000001";
const OTHER_AGENT = "ext_00000000000000000000000002";

/** The `index`-th message, made at `ms`. */
function at(index: number, ms: number, fields: Partial<MessageRow> = {}): MessageRow {
  return message(index, {
    id: derivedId("message", ms, { partition: 1, sequence: index, entry: 0 }, 1),
    created_ms: ms,
    ...fields,
  });
}

async function found(
  { sql }: TestDatabase,
  filter: ArchiveFilter & { readonly q?: string },
  viewer: ArchiveViewer = ALL,
  portion = 3,
): Promise<string[]> {
  const { q, ...rest } = filter;
  const terms = q === undefined ? {} : { terms: searchTerms(q) };
  const hits: ArchiveHit[] = [];
  for await (
    const some of new PostgresArchiveSearch(sql).search({ ...rest, ...terms }, viewer, { portion })
  ) {
    hits.push(...some);
  }
  return hits.map(({ message }) => message.text);
}

async function indexAll({ sql }: TestDatabase, nowMs: number): Promise<void> {
  while (await indexNext(sql, nowMs));
}

const TEXTS = [
  "¿Está ABIERTO el domingo?",
  "esta tarde no",
  "El camión llegó a las 10:30, calle O'Higgins 5-B",
  "Привет, где мой заказ?",
  "see https://example.com/a-b?c=d and mail me: jo@example.com",
  "the order is late",
  "order the late pizza \u{1F355}",
  "ordering again",
];

Deno.test("AG-5: words are found without regard to capitals, accents and signs, with and without the index", async () => {
  await using database = await postgres.database();
  await insertMessages(database.sql, TEXTS.map((text, index) => at(index, NOW + index, { text })));
  const cases: [string, number[]][] = [
    ["esta", [1, 0]],
    ["ESTÁ", [1, 0]],
    ["camion llego", [2]],
    ["o'higgins", [2]],
    ["10:30", [2]],
    ["привет", [3]],
    ["example.com/a-b", [4]],
    ["jo@example.com", [4]],
    ["late order", [6, 5]],
    ['"order is late"', [5]],
    ['"late order"', []],
    ["order*", [7, 6, 5]],
    ["order -pizza", [5]],
    ['late -"the late"', [5]],
    ["or", []],
  ];
  const check = async (when: string) => {
    for (const [q, expected] of cases) {
      deepEqual(await found(database, { q }), expected.map((index) => TEXTS[index]), `${q} ${when}`);
    }
  };
  await check("before they are indexed");
  await indexAll(database, NOW + 60_000);
  equal((await database.sql`select rows from archive_segments`)[0]!.rows, TEXTS.length);
  await check("in the index");
});

Deno.test("AG-5: what has a word is found with all filters, whatever is indexed by then", async () => {
  await using database = await postgres.database();
  const pick = <T>(...values: T[]) => fc.constantFrom(...values);
  const rows = fc.array(
    fc.record({
      text: fc.array(pick("red", "green", "blue", "white"), { minLength: 1, maxLength: 4 }).map((words) =>
        words.join(" ")
      ),
      number: pick("+15550000001", "+15550000002"),
      contact: pick("+15551110001", "+15551110002"),
      queue_id: pick(null, QUEUE, OTHER_QUEUE),
      extension_id: pick(null, AGENT, OTHER_AGENT),
      direction: pick("inbound" as const, "outbound" as const),
    }),
    { minLength: 10, maxLength: 40 },
  );
  const maybe = <T>(...values: T[]) => pick(undefined, ...values);
  const asked = fc.record({
    word: maybe("red", "blue"),
    from: maybe(3, 11),
    to: maybe(9, 25),
    number: maybe("+15550000001"),
    contact: maybe("+15551110001"),
    queueId: maybe(QUEUE),
    extensionId: maybe(AGENT),
    direction: maybe("inbound" as const),
    viewer: pick<ArchiveViewer>(
      ALL,
      { kind: "extension", extensionId: AGENT, queueIds: [] },
      { kind: "extension", extensionId: AGENT, queueIds: [QUEUE, OTHER_QUEUE] },
    ),
  });
  let base = NOW;
  await fc.assert(
    fc.asyncProperty(
      rows,
      fc.array(asked, { minLength: 6, maxLength: 6 }),
      fc.nat(40),
      async (fields, questions, mark) => {
        base += 3_600_000;
        const made = fields.map((row, index) =>
          at(index, base + index, {
            ...row,
            text: `${row.text} ${index}`,
            conversation_id: `cnv_${row.number}_${row.contact}`,
          })
        );
        await database.sql`truncate messages, conversations`;
        await insertMessages(database.sql, made);
        for (const { conversation_id: id, number, contact } of made) {
          await database
            .sql`insert into conversations (id, partition, number, contact, state, last_activity_ms)
          values (${id}, 0, ${number}, ${contact}, '{}', 0) on conflict do nothing`;
        }
        await indexAll(database, base + mark + 2_000);
        for (const { word, from, to, viewer, ...filter } of questions) {
          const expected = made.filter((row, index) =>
            (word === undefined || row.text.split(" ").includes(word)) &&
            index >= (from ?? 0) && index < (to ?? 1_000) &&
            (filter.number ?? row.number) === row.number &&
            (filter.contact ?? row.contact) === row.contact &&
            (filter.queueId ?? row.queue_id) === row.queue_id &&
            (filter.extensionId ?? row.extension_id) === row.extension_id &&
            (filter.direction ?? row.direction) === row.direction &&
            (viewer.kind === "all" || row.extension_id === viewer.extensionId ||
              viewer.queueIds.includes(row.queue_id ?? ""))
          );
          const defined = Object.fromEntries(
            Object.entries(filter).filter(([, value]) => value !== undefined),
          );
          const answer = await found(database, {
            ...defined,
            ...(word === undefined ? {} : { q: word }),
            fromMs: base + (from ?? 0),
            toMs: base + (to ?? 1_000),
          }, viewer);
          deepEqual(answer, expected.map(({ text }) => text).reverse());
        }
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("AG-5: segments follow each other, late messages come in, and what is gone leaves", async () => {
  await using database = await postgres.database();
  const { sql } = database;
  await insertMessages(sql, [at(1, NOW, { text: "first word" }), at(2, NOW + 10, { text: "second word" })]);
  await indexAll(database, NOW + 10_000);
  // Full, as far as the index can tell.
  await sql`update archive_segments set rows = 1000000`;
  await insertMessages(sql, [at(3, NOW + 20_000, { text: "third word" })]);
  await indexAll(database, NOW + 30_000);
  const segments = await sql`select from_ms from archive_segments order by from_ms`;
  equal(segments.length, 2);
  deepEqual(await found(database, { q: "word" }), ["third word", "second word", "first word"]);

  // Accepted before an outage and applied after it.
  await insertMessages(sql, [at(4, NOW + 5, { text: "late word" })]);
  deepEqual(await found(database, { q: "late" }), []);
  const newest = await checkNext(sql, { beforeMs: Number.MAX_SAFE_INTEGER, fromMs: 0 });
  deepEqual(newest, { segmentMs: segments[1]!.from_ms, added: 0, removed: 0, nextMs: null });
  const oldest = await checkNext(sql, { beforeMs: newest!.segmentMs, fromMs: 0 });
  deepEqual(oldest, { segmentMs: segments[0]!.from_ms, added: 1, removed: 0, nextMs: null });
  equal(await checkNext(sql, { beforeMs: oldest!.segmentMs, fromMs: 0 }), undefined);
  deepEqual(await found(database, { q: "late" }), ["late word"]);

  await sql`update archive_segments set rows = 3 where from_ms = ${oldest!.segmentMs}`;
  await sql`delete from messages where created_ms < ${NOW + 20_000}`;
  deepEqual(await found(database, { q: "word" }), ["third word"]);
  equal((await checkNext(sql, { beforeMs: newest!.segmentMs, fromMs: 0 }))!.removed, 3);
  equal((await sql`select from archive_segments`).length, 1);
  await checkNext(sql, { beforeMs: newest!.segmentMs, fromMs: 0 });
  const tables = await sql`select from pg_class where relname like 'archive\\_words\\_%' and relkind = 'r'`;
  equal(tables.length, 1);
});

Deno.test("AG-5: several in one millisecond are indexed together, and two processes index nothing twice", async () => {
  await using database = await postgres.database();
  const count = 9_000;
  const rows = Array.from({ length: count }, (_, index) => at(index, NOW, { text: `same ${index % 3}` }));
  await insertMessages(database.sql, rows);
  await Promise.all([indexNext(database.sql, NOW + 9_000), indexNext(database.sql, NOW + 9_000)]);
  const [segment] = await database.sql`select rows from archive_segments`;
  equal(segment!.rows, count);
  equal((await found(database, { q: "same 1" }, ALL, 1_000)).length, count / 3);
});

Deno.test("AG-5: the index is compared step by step, over what is missing and what is gone", async () => {
  await using database = await postgres.database();
  const { sql } = database;
  const count = 2_500;
  const rows = Array.from({ length: count }, (_, index) => at(index, NOW + index * 2, { text: "word" }));
  await insertMessages(sql, rows);
  await indexAll(database, NOW + 60_000);
  const late = Array.from({ length: 1_200 }, (_, index) => at(count + index, NOW + 999, { text: "late" }));
  await insertMessages(sql, late);
  await sql`delete from messages where created_ms >= ${NOW + 3_000} and created_ms < ${NOW + 4_800}`;
  const steps = [];
  for (let fromMs: number | null = 0; fromMs !== null; fromMs = steps.at(-1)!.nextMs) {
    steps.push((await checkNext(sql, { beforeMs: Number.MAX_SAFE_INTEGER, fromMs }))!);
  }
  ok(steps.length >= 3, String(steps.length));
  equal(steps.reduce((sum, { added }) => sum + added, 0), 1_200);
  equal(steps.reduce((sum, { removed }) => sum + removed, 0), 900);
  const [segment] = await sql`select rows from archive_segments`;
  equal(segment!.rows, count + 1_200 - 900);
  equal((await found(database, { q: "late" }, ALL, 1_000)).length, 1_200);
  const again = await checkNext(sql, { beforeMs: Number.MAX_SAFE_INTEGER, fromMs: 0 });
  deepEqual([again!.added, again!.removed], [0, 0]);
});

Deno.test("AG-5: what came faster than it was indexed is told, and found all the same where no index is needed", async () => {
  await using database = await postgres.database();
  const { sql } = database;
  const contact = "+15551110001";
  await insertMessages(sql, [at(1, NOW, { text: "first word", contact, conversation_id: "cnv_1" })]);
  await sql`insert into conversations (id, partition, number, contact, state, last_activity_ms)
    values ('cnv_1', 0, '+1', ${contact}, '{}', 0)`;
  const columns = Object.keys(at(1, NOW)).filter((name) => name !== "id" && name !== "conversation_id");
  // Ids of the same millisecond, after the first one.
  await sql.unsafe(`insert into messages (id, conversation_id, ${columns.join(", ")})
    select left(id, -6) || lpad(to_hex(i), 6, '0'), 'cnv_2', ${columns.join(", ")}
    from (select * from messages limit 1) m, generate_series(2, 60001) i`);
  const search = new PostgresArchiveSearch(sql);
  const asked = { terms: searchTerms("word") };
  const unsearched = await search.unsearched(asked, ALL);
  deepEqual(unsearched, { fromMs: 0, toMs: NOW });
  equal(await search.unsearched({ ...asked, contact }, ALL), null);
  equal(await search.unsearched({}, ALL), null);
  deepEqual(await found(database, { q: "first", contact }), ["first word"]);
  await indexAll(database, NOW + 10_000);
  equal(await search.unsearched(asked, ALL), null);
  equal((await found(database, { q: "first" }, ALL, 5_000)).length, 60_001);
});
