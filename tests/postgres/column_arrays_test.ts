import assert from "node:assert/strict";
import fc from "fast-check";
import {
  columnArrays,
  type ColumnTypes,
  joinedJson,
  unjoinedJson,
  unnested,
} from "../../adapters/postgres/column_arrays.ts";
import { type TestPostgres, testPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
Deno.test.beforeAll(async () => void (postgres = await testPostgres()));
Deno.test.afterAll(() => postgres[Symbol.asyncDispose]());

interface Row {
  readonly name: string;
  readonly note: string | null;
  readonly count: number | null;
  readonly done: boolean;
  readonly data: unknown;
}

const TYPES: ColumnTypes<Row> = {
  name: "text",
  note: "text",
  count: "bigint",
  done: "boolean",
  data: "jsonb",
};

/** What PostgreSQL stores: neither NUL nor half a character. */
const text = fc.oneof(
  fc.string({ unit: "binary" }).map((value) => value.replaceAll("\0", "").toWellFormed()),
  fc.constantFrom(
    "",
    "null",
    "NULL",
    "{}",
    '{"a",b}',
    "\\",
    '\\"',
    "a\nb\tc",
    "\\n",
    "\u0001",
    "\u2028",
    "مرحبا 👋",
  ),
);
/** What a document of JSON can be, but for null, which stands for no document. */
const data = fc.oneof(
  text,
  fc.boolean(),
  fc.integer(),
  fc.array(fc.dictionary(fc.constantFrom("a", "b"), text, { noNullPrototype: true }), { maxLength: 3 }),
);
const row: fc.Arbitrary<Row> = fc.record({
  name: text,
  note: fc.option(text),
  count: fc.option(fc.maxSafeInteger()),
  done: fc.boolean(),
  data: fc.option(data),
}, { noNullPrototype: true });

Deno.test("columnArrays() brings rows as they are, whatever their texts hold", async () => {
  await using database = await postgres.database({ empty: true });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 6 }), async (rows) => {
      const found = await database.sql.unsafe(unnested(TYPES, 1), columnArrays(rows, TYPES));
      assert.deepEqual(found.map((each) => ({ ...each })), rows);
    }),
    { numRuns: 200 },
  );
});

Deno.test("columnArrays() fills up columns that are null in every row", async () => {
  await using database = await postgres.database({ empty: true });
  const rows: Row[] = ["a", "b"].map((name) => ({ name, note: null, count: null, done: true, data: null }));
  assert.deepEqual(columnArrays(rows, TYPES), ['{"a","b"}', "{}", "{}", "{true,true}", ""]);
  const found = await database.sql.unsafe(unnested(TYPES, 1), columnArrays(rows, TYPES));
  assert.deepEqual(found.map((each) => ({ ...each })), rows);
});

Deno.test("joinedJson() keeps values apart, and tells none from null", async () => {
  await using database = await postgres.database({ empty: true });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(data), { maxLength: 6 }), async (values) => {
      const found = await database.sql.unsafe<{ value: unknown }[]>(
        `select value::jsonb as value from (select ${unjoinedJson("$1")} as value) as v`,
        [joinedJson(values)],
      );
      assert.deepEqual(found.map(({ value }) => value), values);
    }),
    { numRuns: 100 },
  );
});
