import assert from "node:assert/strict";
import { PostgresPartitionStore } from "../../adapters/postgres/partition_store.ts";
import { PostgresStatusStore } from "../../adapters/postgres/status_store.ts";
import { packEntries, type ReportEntry } from "../../core/entry.ts";
import type { OutboxRow } from "../../core/outbox.ts";
import type { LogMessage } from "../../core/ports/partition_log.ts";
import type { OwnedPartition } from "../../core/ports/partition_store.ts";
import type { StatusCommit } from "../../core/ports/status_store.ts";
import { PendingMatcher } from "../../core/status/pending_matcher.ts";
import { StatusApplier } from "../../core/status/status_applier.ts";
import { insertMessages, readCounts, readMessage } from "../support/message_rows.ts";
import { takeOver } from "../support/partitions.ts";
import { type TestDatabase, testPostgres } from "../support/postgres.ts";
import { CHANNEL_ID, messageId, queuedMessage } from "../support/send_fixtures.ts";

const AT = 1_700_000_100_000;
const DAY_MS = 86_400_000;

class Bench {
  readonly store: PostgresStatusStore;
  readonly partitions: PostgresPartitionStore;
  owned: OwnedPartition[] = [];
  now = AT;

  constructor(readonly database: TestDatabase) {
    this.store = new PostgresStatusStore(database.sql);
    this.partitions = new PostgresPartitionStore(database.sql);
  }

  get sql() {
    return this.database.sql;
  }

  async own(): Promise<void> {
    this.owned = await takeOver(this.partitions, "status", [0, 1], "test");
  }

  applier(store = this.store): StatusApplier {
    return new StatusApplier({
      store,
      epochOf: (partition) => this.owned[partition]!.epoch,
      streamOf: (partition) => `STATUS_${partition}`,
      now: () => this.now,
    });
  }

  matcher(published: OutboxRow[]): PendingMatcher {
    return new PendingMatcher({
      store: this.store,
      partitions: this.partitions,
      owned: () => this.owned,
      publish: (row) => {
        published.push(row);
        return Promise.resolve();
      },
      streamOf: (partition) => `STATUS_${partition}`,
      now: () => this.now,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database[Symbol.asyncDispose]();
  }
}

function report(status: ReportEntry["status"], changes: Partial<ReportEntry> = {}): ReportEntry {
  return { kind: "report", at: AT, channelId: CHANNEL_ID, status, ...changes };
}

function logMessage(partition: number, sequence: number, entries: readonly unknown[]): LogMessage {
  const data = new TextEncoder().encode(packEntries(entries.map((entry) => JSON.stringify(entry))));
  return { partition, sequence, data, stored: `${sequence}00` };
}

Deno.test("delivery reports in PostgreSQL", async (t) => {
  await using postgres = await testPostgres();
  const step = (name: string, run: (bench: Bench) => Promise<void>) =>
    t.step(name, async () => {
      await using bench = new Bench(await postgres.database());
      await bench.own();
      await run(bench);
    });

  await step("a batch moves messages, counts, outbox and cursors in one write", async (bench) => {
    await insertMessages(bench.sql, [
      queuedMessage(1, { status: "sent", attempts: 1, provider_id: "p1" }),
      queuedMessage(2, { status: "sending", attempts: 1, segments: 3 }),
    ]);
    const result = await bench.applier().apply([
      logMessage(0, 5, [report("sent", { providerId: "p1" }), report("delivered", { providerId: "p1" })]),
      logMessage(1, 9, [report("undelivered", { messageId: messageId(2), providerId: "p2" })]),
    ], new Map());
    assert(result.kind === "committed");
    assert.deepEqual(
      result.outbox.map(({ partition, sequence, payload }) => [
        partition,
        sequence,
        payload.events.map(({ type }) => type),
      ]),
      [[0, 5, ["message.delivered"]], [1, 9, ["message.sent", "message.failed"]]],
    );
    assert.deepEqual(await bench.partitions.loadOutbox("status", [0, 1]), result.outbox);
    const [first, second] = await Promise.all([1, 2].map((i) => readMessage(bench.sql, messageId(i))));
    assert.deepEqual([first!.status, second!.status, second!.provider_id], [
      "delivered",
      "undelivered",
      "p2",
    ]);
    assert.deepEqual(second!.history.map(({ status }) => status), ["queued", "sent", "undelivered"]);
    assert.deepEqual(await readCounts(bench.sql), { sent: 1, delivered: 1, failed: 1, segments_out: 3 });
    assert.deepEqual([...await bench.partitions.cursors("status", [0, 1])], [[0, 5], [1, 9]]);
    assert.deepEqual(
      (await bench.partitions.list(["status"])).slice(0, 2).map(({ cursorStored }) => cursorStored),
      ["500", "900"],
    );
    await bench.applier().apply([logMessage(0, 6, [])], new Map([[0, { first: 5, last: 5 }]]));
    assert.deepEqual((await bench.partitions.loadOutbox("status", [0, 1])).map((row) => row.partition), [1]);
  });

  await step("a former owner writes nothing", async (bench) => {
    await insertMessages(bench.sql, [queuedMessage(1, { status: "sent", attempts: 1, provider_id: "p1" })]);
    await takeOver(bench.partitions, "status", [1], "another");
    const batch = [logMessage(0, 5, [report("delivered", { providerId: "p1" })]), logMessage(1, 5, [])];
    assert.deepEqual(await bench.applier().apply(batch, new Map()), { kind: "fenced" });
    assert.equal((await readMessage(bench.sql, messageId(1))).status, "sent");
    assert.equal((await bench.partitions.cursors("status", [0])).get(0), 0);
  });

  await step(
    "reports of unknown messages are kept apart when a restored log has another one in the same place",
    async (bench) => {
      const first = logMessage(0, 4, [report("sent", { providerId: "first" })]);
      const other = { ...logMessage(0, 4, [report("sent", { providerId: "other" })]), stored: "401" };
      for (const message of [first, first, other]) await bench.applier().apply([message], new Map());
      const rows = await bench.sql<{ id: string }[]>`
      select entry->>'providerId' as id from pending_reports order by id`;
      assert.deepEqual(rows.map(({ id }) => id).sort(), ["first", "other"]);
    },
  );

  await step("a message that moves between load and commit is decided again", async (bench) => {
    await insertMessages(bench.sql, [queuedMessage(1, { status: "sending", attempts: 1 })]);
    let moved = false;
    const racing = Object.assign(Object.create(bench.store) as PostgresStatusStore, {
      load: (reports: readonly ReportEntry[]) => bench.store.load(reports),
      commit: async (commit: StatusCommit) => {
        if (!moved) await bench.sql`update messages set status = 'sent' where id = ${messageId(1)}`;
        moved = true;
        return await bench.store.commit(commit);
      },
    });
    const batch = [logMessage(0, 1, [report("delivered", { messageId: messageId(1) })])];
    const result = await bench.applier(racing).apply(batch, new Map());
    assert(result.kind === "committed");
    assert.deepEqual(result.outbox[0]!.payload.events.map(({ type }) => type), ["message.delivered"]);
    assert.deepEqual(await readCounts(bench.sql), { sent: 0, delivered: 1, failed: 0, segments_out: 0 });
  });

  await step("what cannot be read or applied goes to the dead letters, and stops nobody", async (bench) => {
    await insertMessages(bench.sql, [queuedMessage(1, { status: "sent", attempts: 1, provider_id: "p1" })]);
    await bench.applier().apply([
      logMessage(0, 1, [
        { kind: "nonsense", text: "a\0b" },
        report("delivered"),
        report("delivered", { providerId: "p\0", at: 1.5 }),
        report("delivered", { providerId: "p\x001" }),
      ]),
    ], new Map());
    const rows = await bench
      .sql`select kind, stream, partition, sequence, reason from dead_letters order by id`;
    assert.deepEqual(rows.map(({ kind, sequence }) => [kind, sequence]), [
      ["undecodable", 1],
      ["unappliable", 1],
      ["unappliable", 1],
    ]);
    assert.equal((await readMessage(bench.sql, messageId(1))).status, "delivered");
  });

  await step("a report of another channel's message does not touch it", async (bench) => {
    await insertMessages(bench.sql, [queuedMessage(1, { status: "sent", attempts: 1, provider_id: "p1" })]);
    const foreign = report("delivered", { channelId: "ch_other", messageId: messageId(1), providerId: "p1" });
    await bench.applier().apply([logMessage(0, 1, [foreign])], new Map());
    assert.equal((await readMessage(bench.sql, messageId(1))).status, "sent");
  });

  await step("a report that comes before its message's id is matched later", async (bench) => {
    await insertMessages(bench.sql, [queuedMessage(1, { status: "sending", attempts: 1 })]);
    const early = [
      logMessage(0, 1, [report("sent", { providerId: "p1" }), report("delivered", { providerId: "p1" })]),
    ];
    await bench.applier().apply(early, new Map());
    const published: OutboxRow[] = [];
    const matcher = bench.matcher(published);
    assert.equal(await matcher.run(), 0);
    await bench.sql`update messages set status = 'sent', provider_id = 'p1' where id = ${messageId(1)}`;
    assert.equal(await matcher.run(), 2);
    assert.equal((await readMessage(bench.sql, messageId(1))).status, "delivered");
    assert.deepEqual(published.flatMap((row) => row.payload.events.map(({ type }) => type)), [
      "message.delivered",
    ]);
    assert.equal(await matcher.run(), 0);
    const [left] = await bench.sql`select (select count(*) from pending_reports)::int as pending,
      (select count(*) from outbox)::int as outbox`;
    assert.deepEqual({ ...left }, { pending: 0, outbox: 0 });
    assert.equal((await bench.partitions.cursors("status", [0])).get(0), 1);
  });

  await step("a report that finds no message in three days becomes a dead letter", async (bench) => {
    await bench.applier().apply(
      [logMessage(0, 1, [report("delivered", { providerId: "nobody" })])],
      new Map(),
    );
    const matcher = bench.matcher([]);
    bench.now = AT + 3 * DAY_MS;
    assert.equal(await matcher.run(), 0);
    bench.now++;
    assert.equal(await matcher.run(), 1);
    const [row] = await bench.sql`select kind, partition, sequence, reason from dead_letters`;
    assert.deepEqual([row!.kind, row!.partition, row!.sequence], ["unappliable", 0, 1]);
    const [{ count }] = await bench.sql<
      [{ count: number }]
    >`select count(*)::int as count from pending_reports`;
    assert.equal(count, 0);
  });
});
