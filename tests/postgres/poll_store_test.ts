import assert from "node:assert/strict";
import { PostgresPollStore } from "../../adapters/postgres/poll_store.ts";
import { insertMessages } from "../support/message_rows.ts";
import { type TestPostgres, testPostgres } from "../support/postgres.ts";
import { CHANNEL_ID, messageId, queuedMessage } from "../support/send_fixtures.ts";

let postgres: TestPostgres;
Deno.test.beforeAll(async () => void (postgres = await testPostgres()));
Deno.test.afterAll(() => postgres[Symbol.asyncDispose]());

async function prepared() {
  const database = await postgres.database();
  await database.sql`insert into channels (id, name, provider, settings, credentials, status)
    values (${CHANNEL_ID}, 'Gateway', 'dinstarweb', '{}', '', 'connected')`;
  return { database, store: new PostgresPollStore(database.sql) };
}

const step = (over: Record<string, unknown>) => ({
  channelId: CHANNEL_ID,
  poll: "inbox",
  before: null,
  after: null,
  asked: [],
  news: [],
  atMs: 100,
  ...over,
});
const all = { max: 10, noted: false, askedBeforeMs: 1_000 };

Deno.test("a mark moves only from where the poll began", async () => {
  const { database, store } = await prepared();
  await using _ = database;
  assert.equal(await store.mark(CHANNEL_ID, "inbox"), null);
  await store.keep(step({ after: "1" }));
  await store.keep(step({ before: "1", after: "2" }));
  await store.keep(step({ before: "1", after: "9" }));
  await store.keep(step({ before: null, after: "9" }));
  assert.equal(await store.mark(CHANNEL_ID, "inbox"), "2");
  assert.equal(await store.mark(CHANNEL_ID, "other"), null);
  await store.keep(step({ before: "2", after: null }));
  assert.equal(await store.mark(CHANNEL_ID, "inbox"), null);
});

Deno.test("numbers count up by channel, and begin anew after the largest of 32 bits", async () => {
  const { database, store } = await prepared();
  await using _ = database;
  const next = (index: number) =>
    store.next({ channelId: CHANNEL_ID, messageId: messageId(index), to: "+14155550100", nowMs: 10 });
  assert.deepEqual([await next(1), await next(2)], [1, 2]);
  const many = await Promise.all(Array.from({ length: 20 }, (_, index) => next(index + 3)));
  assert.deepEqual(many.sort((a, b) => a - b), Array.from({ length: 20 }, (_, index) => index + 3));
  await database.sql`update send_numbers set last = 2147483647`;
  assert.equal(await next(50), 1);
  const [first] = await store.openSends(CHANNEL_ID, { ...all, max: 1 });
  assert.deepEqual([first?.number, first?.messageId], [1, messageId(50)]);
});

Deno.test("sends are asked about in turn until they have ended", async () => {
  const { database, store } = await prepared();
  await using _ = database;
  for (const index of [1, 2, 3]) {
    await store.next({
      channelId: CHANNEL_ID,
      messageId: messageId(index),
      to: "+1415555010" + index,
      nowMs: 10,
    });
  }
  const open = async (over = {}) =>
    (await store.openSends(CHANNEL_ID, { ...all, ...over })).map((send) => `${send.number} ${send.note}`);
  assert.deepEqual(await open({ max: 2 }), ["1 null", "2 null"]);
  await store.keep(step({
    asked: [1, 2],
    news: [{ number: 1, note: "sent 7", ended: false }, { number: 2, note: "", ended: true }],
  }));
  assert.deepEqual(await open(), ["3 null", "1 sent 7"]);
  assert.deepEqual(await open({ noted: true }), ["1 sent 7"]);
  assert.deepEqual(await open({ askedBeforeMs: 100 }), ["3 null"]);
  await store.keep(step({ asked: [1, 3], atMs: 200 }));
  assert.deepEqual(await open(), ["1 sent 7", "3 null"], "no news takes no note away");
});

Deno.test("sends are forgotten when their message has ended, waits for another try, or is old", async () => {
  const { database, store } = await prepared();
  await using _ = database;
  const statuses = ["sending", "sent", "queued", "delivered", "failed"] as const;
  await insertMessages(
    database.sql,
    statuses.map((status, index) => queuedMessage(index + 1, { status, created_ms: Date.now() })),
  );
  const rows = await database.sql<{ id: string }[]>`select id from messages order by id`;
  for (const [index, { id }] of rows.entries()) {
    await store.next({ channelId: CHANNEL_ID, messageId: id, to: "+14155550100", nowMs: 50 + index });
  }
  await store.forgetSends(CHANNEL_ID, 0);
  assert.deepEqual((await store.openSends(CHANNEL_ID, all)).map(({ number }) => number), [1, 2]);
  await store.forgetSends(CHANNEL_ID, 51);
  assert.deepEqual((await store.openSends(CHANNEL_ID, all)).map(({ number }) => number), [2]);
});
