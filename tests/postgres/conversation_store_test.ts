/** What a conversation's batches leave in the database is what its next owner reads. */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { PostgresConversationStore } from "../../adapters/postgres/conversation_store.ts";
import { PostgresPartitionStore } from "../../adapters/postgres/partition_store.ts";
import { NEW_CONVERSATION } from "../../routing/conversation.ts";
import { withTouches } from "../../routing/touch.ts";
import { batches, PARTITION, WrittenConversation } from "../support/conversation_batches.ts";
import { takeOver } from "../support/partitions.ts";
import { testPostgres } from "../support/postgres.ts";

const RUNS = 25;
/** JSON leaves out what is undefined. */
const asJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

Deno.test("states and what is still to be told are read as they were written", async () => {
  await using postgres = await testPostgres();
  await using database = await postgres.database();
  const { sql } = database;
  const store = new PostgresConversationStore(sql);
  const partitions = new PostgresPartitionStore(sql);
  const startMs = Date.now();
  let told = 0;
  await fc.assert(
    fc.asyncProperty(batches, async (life) => {
      await sql`truncate conversations, sessions, messages, media, session_notes, seen, outbox, opt_outs, audit_log,
        statistics cascade`;
      const [owned] = await takeOver(partitions, "route", [PARTITION], "test");
      const conversation = new WrittenConversation(startMs, owned!.epoch);
      const outbox = [];
      for (const batch of life) {
        const commit = conversation.write(batch);
        equal(await store.commit(commit), "committed");
        outbox.push(...commit.outbox);
        const { conversations } = await store.load([conversation.id], []);
        const stored = conversations.get(conversation.id);
        deepEqual(stored === undefined ? NEW_CONVERSATION : withTouches(stored), asJson(conversation.state));
      }
      // What becomes of messages afterwards changes nothing of what is told of their beginning.
      await sql`update messages set status = 'delivered', provider_id = 'SM1', attempts = 1
        where direction = 'outbound'`;
      deepEqual(await partitions.loadOutbox("route", [PARTITION]), asJson(outbox));
      told += outbox.flatMap(({ payload }) => payload.events).length;
    }),
    { numRuns: RUNS },
  );
  equal(told > RUNS, true);
});

Deno.test("a message that is gone is told of no more, all else is", async () => {
  await using postgres = await testPostgres();
  await using database = await postgres.database();
  const partitions = new PostgresPartitionStore(database.sql);
  const [owned] = await takeOver(partitions, "route", [PARTITION], "test");
  const conversation = new WrittenConversation(Date.now(), owned!.epoch);
  const commit = conversation.write([() => ({ kind: "inbound", text: "hello" })]);
  await new PostgresConversationStore(database.sql).commit(commit);
  await database.sql`delete from messages`;
  const [row] = await partitions.loadOutbox("route", [PARTITION]);
  deepEqual(
    row!.payload.events.map(({ type }) => type),
    commit.outbox[0]!.payload.events.map(({ type }) => type).filter((type) => type !== "message.received"),
  );
});
