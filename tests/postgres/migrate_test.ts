import assert from "node:assert/strict";
import { ensureMessagePartitions } from "../../adapters/postgres/message_partitions.ts";
import { migrateDatabase, PartitionsMismatchError } from "../../adapters/postgres/migrate.ts";
import { type IdKind, newId } from "../../core/ids.ts";
import * as sessionLife from "../../migrations/0011_session_life.ts";
import { STATUS_RANK } from "../../core/message.ts";
import { type TestPostgres, testPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
Deno.test.beforeAll(async () => void (postgres = await testPostgres()));
Deno.test.afterAll(() => postgres[Symbol.asyncDispose]());

const NOVEMBER = Date.UTC(2026, 10, 20);
/** Every file there is: one that is not named in the program would never run. */
const MIGRATIONS = [...Deno.readDirSync(new URL("../../migrations", import.meta.url))]
  .map(({ name }) => name.replace(/\.ts$/, "")).sort();

Deno.test("migrateDatabase() makes an empty database ready, and does nothing the second time", async () => {
  await using database = await postgres.database({ empty: true });
  assert.deepEqual(await migrateDatabase(database.sql, { partitions: 4, nowMs: NOVEMBER }), MIGRATIONS);
  assert.deepEqual(await migrateDatabase(database.sql, { partitions: 4, nowMs: NOVEMBER }), []);
  const kinds = await database
    .sql`select kind, count(*)::int as n from partitions group by kind order by kind`;
  assert.deepEqual(kinds.map(({ kind, n }) => [kind, n]), [["dispatch", 1], ["route", 4], ["send", 32], [
    "singleton",
    1,
  ], [
    "status",
    8,
  ]]);
});

Deno.test("migrateDatabase() lets processes that start at the same time wait for each other", async () => {
  for (let round = 1; round <= 5; round++) {
    await using database = await postgres.database({ empty: true, max: 12 });
    const migrate = () => migrateDatabase(database.sql, { partitions: 4, nowMs: NOVEMBER });
    const applied = await Promise.all([migrate(), migrate(), migrate()]);
    assert.deepEqual(applied.flat(), MIGRATIONS);
    const held = await database.sql`select 1 from pg_locks
      where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`;
    assert.equal(held.length, 0, "a lock outlived the migration");
  }
});

Deno.test("migrateDatabase() refuses another count of partitions than the installation's", async () => {
  await using database = await postgres.database({ empty: true });
  await migrateDatabase(database.sql, { partitions: 4, nowMs: NOVEMBER });
  await assert.rejects(
    migrateDatabase(database.sql, { partitions: 8, nowMs: NOVEMBER }),
    (error) => error instanceof PartitionsMismatchError && /PATCHBAY_PARTITIONS=4/.test(error.message),
  );
});

Deno.test("ensureMessagePartitions() leaves no gap, whenever it is called next", async () => {
  await using database = await postgres.database({ empty: true });
  await migrateDatabase(database.sql, { partitions: 4, nowMs: NOVEMBER });
  assert.deepEqual(await ensureMessagePartitions(database.db, NOVEMBER), []);
  assert.deepEqual(await ensureMessagePartitions(database.db, Date.UTC(2027, 2, 1)), [
    "messages_202702",
    "messages_202703",
    "messages_202704",
    "messages_202705",
  ]);
  const placed = async (atMs: number) => {
    const id = newId("message" as IdKind, atMs, (bytes) => crypto.getRandomValues(bytes));
    const [row] = await database.sql`insert into messages
      (id, conversation_id, position, channel_id, number_id, number, contact, direction, status, priority, text,
       encoding, segments, history, created_ms, updated_ms)
      values (${id}, 'cnv', 1, 'ch', 'num', '1', '2', 'inbound', 'received', 0, '', 'gsm7', 1, '[]', ${atMs}, ${atMs})
      returning tableoid::regclass::text as partition`;
    return row!.partition;
  };
  assert.equal(await placed(Date.UTC(2001, 0, 1)), "messages_202610");
  assert.equal(await placed(Date.UTC(2026, 10, 1) - 1), "messages_202610");
  assert.equal(await placed(Date.UTC(2026, 10, 1)), "messages_202611");
  assert.equal(await placed(Date.UTC(2027, 0, 31)), "messages_202701");
  assert.equal(await placed(Date.UTC(2027, 4, 31)), "messages_202705");
});

Deno.test("status_rank() in SQL is the lattice of core/message.ts", async () => {
  await using database = await postgres.database();
  for (const [status, rank] of Object.entries(STATUS_RANK)) {
    const [row] = await database.sql`select status_rank(${status}) as rank`;
    assert.equal(row!.rank, rank, status);
  }
});

Deno.test("connectDatabase() reads int8 as numbers and limits statements", async () => {
  await using database = await postgres.database({ max: 1 });
  const [row] = await database
    .sql`select 1790000000000::bigint as ms, current_setting('statement_timeout') as timeout,
    current_setting('idle_in_transaction_session_timeout') as idle`;
  assert.deepEqual({ ...row }, { ms: 1_790_000_000_000, timeout: "30s", idle: "5s" });
});

Deno.test("0011 gives open sessions, and their conversations, the fields that they lack", async () => {
  await using database = await postgres.database();
  const { sql } = database;
  await sql`alter table sessions drop column version, drop column offered_to, drop column offer_until_ms,
    drop column waiting_since_ms, drop column priority, drop column skills, drop column language,
    drop column sticky_extension_id, drop column declined_by, drop column wrap_until_ms, drop column tags`;
  await sql`drop table session_notes`;
  await sql`alter table numbers drop column allowed_queues`;
  const open = { position: 1, session: { id: "ses_1", state: "waiting", opened_ms: 1_700_000_000_000 } };
  await sql`insert into conversations (id, partition, number, contact, state, session_id, last_activity_ms)
    values ('cnv_1', 0, '1', '2', ${sql.json(open)}, 'ses_1', 1),
      ('cnv_2', 0, '1', '3', ${sql.json({ position: 4, session: null })}, null, 1)`;
  await sql`insert into sessions (id, conversation_id, partition, channel_id, number_id, number, contact, state,
      opened_ms, last_activity_ms, idle_ms, history)
    values ('ses_1', 'cnv_1', 0, 'ch', 'num', '1', '2', 'waiting', 1700000000000, 1, 1, '[]')`;
  await sessionLife.up(database.db as never);
  const states = await sql`select state from conversations order by id`;
  const added = {
    version: 1,
    offered_to: null,
    offer_until_ms: null,
    waiting_since_ms: 1_700_000_000_000,
    priority: 5,
    skills: null,
    language: null,
    sticky_extension_id: null,
    declined_by: [],
    wrap_until_ms: null,
    tags: [],
  };
  assert.deepEqual(states.map(({ state }) => state), [
    { position: 1, session: { ...open.session, ...added } },
    { position: 4, session: null },
  ]);
  const { skills: _, ...row } = added;
  const [session] = await database.db.selectFrom("sessions").selectAll().execute();
  assert.deepEqual({ ...session, ...row }, session);
});
