import assert from "node:assert/strict";
import { PostgresPartitionStore } from "../../adapters/postgres/partition_store.ts";
import { PostgresSendStore } from "../../adapters/postgres/send_store.ts";
import { type MessageRow, STATUS_RANK } from "../../core/message.ts";
import type { Published } from "../../core/outbox.ts";
import type { LaneFence, RecordRow } from "../../core/ports/send_store.ts";
import { moveItem, recordRow } from "../../core/send/send_record.ts";
import type { Settlement } from "../../core/send/outcome.ts";
import { sendLaneOf } from "../../core/send/queued_message.ts";
import { insertMessages, readCounts, readMessage } from "../support/message_rows.ts";
import { takeOver } from "../support/partitions.ts";
import { type TestDatabase, testPostgres } from "../support/postgres.ts";
import {
  CHANNEL_ID,
  conversationName,
  messageId,
  OUR_NUMBER,
  queuedMessage,
} from "../support/send_fixtures.ts";

const NOW = 1_700_000_100_000;
const LANE = sendLaneOf(CHANNEL_ID);

const itemOf = ({ id, channel_id, attempts, conversation_id, number, contact }: MessageRow) => ({
  id,
  lane: LANE,
  channel_id,
  attempts,
  conversation_id,
  number,
  contact,
});

class Bench {
  readonly store: PostgresSendStore;
  readonly partitions: PostgresPartitionStore;
  fence: LaneFence = { lane: LANE, epoch: 0 };
  sequence = 0;

  constructor(readonly database: TestDatabase) {
    this.store = new PostgresSendStore(database.sql);
    this.partitions = new PostgresPartitionStore(database.sql);
  }

  get sql() {
    return this.database.sql;
  }

  async own(): Promise<void> {
    const [owned] = await takeOver(this.partitions, "send", [LANE], "test");
    this.fence = { lane: LANE, epoch: owned!.epoch };
  }

  /** Claims with the tries that the messages have; resolves with the ids claimed. */
  async claim(messages: readonly MessageRow[], nowMs = NOW): Promise<string[]> {
    const items = messages.map(itemOf);
    return [...(await this.store.claim([this.fence], items, nowMs)).changed].sort();
  }

  async record(
    rows: readonly RecordRow[],
    sequence = ++this.sequence,
    published: Published = new Map(),
  ): Promise<string[]> {
    const lanes = [{ ...this.fence, sequence }];
    return [...(await this.store.record({ lanes, rows, published, nowMs: NOW })).changed].sort();
  }

  async settle(message: MessageRow, settlement: Settlement, attempts = 1): Promise<string[]> {
    return await this.record([recordRow({ ...message, attempts }, LANE, settlement, NOW)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database[Symbol.asyncDispose]();
  }
}

Deno.test("the send queue in PostgreSQL", async (t) => {
  await using postgres = await testPostgres();
  const step = (name: string, run: (bench: Bench) => Promise<void>) =>
    t.step(name, async () => {
      await using bench = new Bench(await postgres.database());
      await bench.own();
      await run(bench);
    });

  await step("status_rank() is the lattice of core/message.ts", async ({ sql }) => {
    for (const [status, rank] of Object.entries(STATUS_RANK)) {
      const [row] = await sql`select status_rank(${status}) as rank`;
      assert.equal(row!.rank, rank, status);
    }
  });

  await step("a claim takes queued messages once, counts the try and can be repeated", async (bench) => {
    const message = queuedMessage(1);
    await insertMessages(bench.sql, [message]);
    assert.deepEqual(await bench.claim([message]), [message.id]);
    assert.deepEqual(
      await bench.claim([message]),
      [message.id],
      "an answer that was lost is asked for again",
    );
    const row = await readMessage(bench.sql, message.id);
    assert.deepEqual([row.status, row.attempts, row.history.map((one) => one.status)], [
      "sending",
      1,
      ["queued", "sending"],
    ]);
    assert.deepEqual(await bench.claim([{ ...message, attempts: 1 }]), [], "it is sending, not queued");
  });

  await step("only the first unfinished message of a conversation is claimed", async (bench) => {
    const [first, second, other] = [
      queuedMessage(1),
      queuedMessage(2),
      queuedMessage(3, { conversation_id: conversationName(9) }),
    ];
    await insertMessages(bench.sql, [first, second, other]);
    assert.deepEqual(await bench.claim([second, other]), [other.id]);
    assert.deepEqual(await bench.claim([first]), [first.id]);
    assert.deepEqual(await bench.claim([second]), []);
    await bench.settle(first, { kind: "sent", providerId: "p1" });
    assert.deepEqual(await bench.claim([second]), [second.id]);
  });

  await step("a held message and one before its start hold up nobody", async (bench) => {
    const [held, scheduled, next] = [
      queuedMessage(1),
      queuedMessage(2, { not_before_ms: NOW + 1 }),
      queuedMessage(3),
    ];
    await insertMessages(bench.sql, [held, scheduled, next]);
    await bench.claim([held]);
    await bench.settle(held, { kind: "hold", error: { class: "timeout", reason: "no answer" } });
    const row = await readMessage(bench.sql, held.id);
    assert.deepEqual([row.status, row.uncertain], ["sending", true]);
    assert.deepEqual(await bench.claim([scheduled, next]), [next.id]);
    await bench.settle(next, { kind: "sent", providerId: null });
    assert.deepEqual(await bench.claim([scheduled], NOW + 1), [scheduled.id]);
  });

  await step(
    "IN-6: nothing is claimed for a contact that opted out, but for the confirmation",
    async (bench) => {
      const [offer, other, confirmation] = [
        queuedMessage(1),
        queuedMessage(2, { contact: "+12025559999", conversation_id: "cnv_other" }),
        queuedMessage(3, { conversation_id: "cnv_third", author: { kind: "system", id: "opt-out" } }),
      ];
      await insertMessages(bench.sql, [offer, other, confirmation]);
      const wish = async (number: string, active: boolean) => {
        await bench.sql`insert into opt_outs (contact, number, active, at_ms, source, by)
        values (${offer.contact}, ${number}, ${active}, ${NOW}, 'keyword', 'contact')
        on conflict (contact, number) do update set active = excluded.active`;
      };
      const claim = async (message: MessageRow) => {
        const answer = await bench.store.claim([bench.fence], [itemOf(message)], NOW);
        return [answer.changed.has(message.id), answer.optedOut.has(message.id)];
      };
      await wish(offer.number, true);
      assert.deepEqual(await claim(offer), [false, true]);
      assert.deepEqual(await claim(other), [true, false]);
      assert.deepEqual(await claim(confirmation), [true, false]);
      await wish(offer.number, false);
      await wish("*", true);
      assert.deepEqual(await claim(offer), [false, true]);
      await wish("*", false);
      assert.deepEqual(await claim(offer), [true, false]);
    },
  );

  await step("a former owner neither claims nor records", async (bench) => {
    const message = queuedMessage(1);
    await insertMessages(bench.sql, [message]);
    await bench.claim([message]);
    await takeOver(bench.partitions, "send", [LANE], "another");
    const claim = await bench.store.claim([bench.fence], [itemOf(message)], NOW);
    assert.deepEqual([claim.held.size, claim.changed.size], [0, 0]);
    assert.deepEqual(await bench.settle(message, { kind: "sent", providerId: "p1" }), []);
    assert.equal((await readMessage(bench.sql, message.id)).status, "sending");
    assert.deepEqual(await bench.partitions.loadOutbox("send", [LANE]), []);
  });

  await step("a result is stored with its statistics and one outbox row, once", async (bench) => {
    const messages = [1, 2, 3].map((i) =>
      queuedMessage(i, { conversation_id: conversationName(i), segments: 2, extension_id: "ext_1" })
    );
    await insertMessages(bench.sql, messages);
    await bench.claim(messages);
    const settlements: Settlement[] = [
      { kind: "sent", providerId: "p1" },
      { kind: "end", status: "failed", error: { class: "rejected", reason: "no" }, uncertain: false },
      {
        kind: "end",
        status: "blocked",
        error: { class: "invalid-sender", reason: "gone" },
        uncertain: false,
      },
    ];
    const rows = messages.map((message, i) =>
      recordRow({ ...message, attempts: 1 }, LANE, settlements[i]!, NOW)
    );
    assert.deepEqual(await bench.record(rows, 7), messages.map(({ id }) => id));
    assert.deepEqual(await bench.record(rows, 7), [], "a repeat changes nothing");
    assert.deepEqual(await readCounts(bench.sql), { sent: 1, delivered: 0, failed: 1, segments_out: 2 });
    const outbox = await bench.partitions.loadOutbox("send", [LANE]);
    assert.deepEqual(outbox.map(({ partition, sequence }) => [partition, sequence]), [[LANE, 7]]);
    assert.deepEqual(
      new Set(outbox[0]!.payload.events.map(({ type }) => type)),
      new Set(["message.sent", "message.failed", "message.blocked"]),
    );
    assert.deepEqual(outbox[0]!.payload.events.find(({ type }) => type === "message.sent"), rows[0]!.event);
    await bench.record([], 8, new Map([[LANE, { first: 8, last: 9 }]]));
    assert.equal((await bench.partitions.loadOutbox("send", [LANE])).length, 1, "not the one before");
    await bench.record([], 9, new Map([[LANE, { first: 6, last: 7 }]]));
    assert.deepEqual(await bench.partitions.loadOutbox("send", [LANE]), []);
    const [sent] = await bench.sql`select number, shard from statistics`;
    assert.deepEqual([sent!.number, sent!.shard], [OUR_NUMBER, 1_000 + LANE]);
    assert.equal((await readMessage(bench.sql, messages[0]!.id)).provider_id, "p1");
  });

  await step("a retry goes back to the queue and stays out of reach until it is due", async (bench) => {
    const message = queuedMessage(1);
    await insertMessages(bench.sql, [message]);
    await bench.claim([message]);
    const retryAtMs = NOW + 60_000;
    const error = {
      class: "timeout",
      reason: "no answer",
      retryAt: new Date(retryAtMs).toISOString(),
    } as const;
    await bench.settle(message, { kind: "retry", error, retryAtMs, attempts: 1, uncertain: true });
    const request = [{ channelId: CHANNEL_ID, priority: 0 as const, max: 10 }];
    assert.deepEqual(await bench.store.loadQueued(request, [], retryAtMs - 1), []);
    const [loaded] = await bench.store.loadQueued(request, [], retryAtMs);
    assert.deepEqual([loaded!.attempts, loaded!.uncertain, loaded!.error], [1, true, error]);
    assert.deepEqual(
      await bench.claim([{ ...message, attempts: 0 }]),
      [],
      "what is remembered must be up to date",
    );
    assert.deepEqual(await bench.claim([{ ...message, attempts: 1 }]), [message.id]);
    assert.deepEqual(
      await bench.settle(message, { kind: "retry", error, retryAtMs, attempts: 1, uncertain: true }),
      [],
    );
  });

  await step(
    "a result after the delivery report keeps the status and adds the provider's id",
    async (bench) => {
      const message = queuedMessage(1);
      await insertMessages(bench.sql, [message]);
      await bench.claim([message]);
      await bench.sql`update messages set status = 'delivered' where id = ${message.id}`;
      assert.deepEqual(await bench.settle(message, { kind: "sent", providerId: "p1" }), []);
      await bench.store.addProviderIds([{ id: message.id, provider_id: "p1" }]);
      const row = await readMessage(bench.sql, message.id);
      assert.deepEqual([row.status, row.provider_id], ["delivered", "p1"]);
      assert.equal((await readCounts(bench.sql)).sent, 0);
    },
  );

  await step("pages come by channel, priority and age, without what is known or not due", async (bench) => {
    const rows = [
      ...[1, 2, 3, 4].map((i) => queuedMessage(i, { priority: 1 })),
      queuedMessage(5, { status: "sent" }),
      queuedMessage(6, { not_before_ms: NOW + 5_000 }),
      queuedMessage(7, { channel_id: "ch_other" }),
      queuedMessage(8),
    ];
    await insertMessages(bench.sql, rows);
    const load = async (known: string[], dueByMs: number) =>
      (await bench.store.loadQueued(
        [{ channelId: CHANNEL_ID, priority: 0, max: 5 }, { channelId: CHANNEL_ID, priority: 1, max: 2 }],
        known,
        dueByMs,
      )).map(({ id }) => id);
    assert.deepEqual(await load([messageId(2)], NOW), [8, 1, 3].map((i) => messageId(i)));
    assert.deepEqual(await load([], NOW + 5_000), [6, 8, 1, 2].map((i) => messageId(i)));
    const conversation = await bench.store.loadConversations([conversationName(0)], 3, NOW);
    assert.deepEqual(conversation.map(({ position }) => position), [1, 2, 3]);
  });

  await step("a take-over settles what was under way by the channel's policy", async (bench) => {
    const policies = ["requeue", "resend", "hold"] as const;
    const rows = policies.map((policy, i) =>
      queuedMessage(i, { channel_id: `ch_${policy}`, status: "sending", attempts: 1 })
    );
    await insertMessages(bench.sql, rows);
    const wanted = policies.map((policy) => ({ channelId: `ch_${policy}`, lane: LANE, policy }));
    const settled = await bench.store.recover([bench.fence], wanted, NOW);
    assert.deepEqual(settled, { requeue: 1, resend: 1, hold: 1 });
    const after = await Promise.all(rows.map(({ id }) => readMessage(bench.sql, id)));
    assert.deepEqual(after.map(({ status, uncertain, attempts }) => [status, uncertain, attempts]), [
      ["queued", false, 1],
      ["queued", true, 1],
      ["sending", true, 1],
    ]);
    assert.match(after[2]!.history.at(-1)!.reason!, /uncertain/);
    assert.deepEqual(await bench.store.recover([bench.fence], wanted, NOW), {
      requeue: 0,
      resend: 0,
      hold: 0,
    });
    const held = await bench.store.loadHeld([{ channelId: "ch_hold", dueBeforeMs: NOW }], 10);
    assert.deepEqual(held.map(({ id }) => id), [rows[2]!.id]);
    assert.deepEqual(
      await bench.store.loadHeld([{ channelId: "ch_hold", dueBeforeMs: rows[2]!.created_ms }], 10),
      [],
    );
  });

  await step(
    "only what no provider can have moves to another channel, and its former one lets go of it",
    async (bench) => {
      const rows = [1, 2, 3, 4].map((i) => queuedMessage(i, { conversation_id: conversationName(i) }));
      const [waiting, failed, uncertain, sending] = rows as [MessageRow, MessageRow, MessageRow, MessageRow];
      await insertMessages(bench.sql, rows);
      await bench.claim([failed, uncertain, sending]);
      const retry = { kind: "retry", retryAtMs: NOW + 60_000, attempts: 1 } as const;
      const error = {
        class: "connection",
        reason: "refused",
        retryAt: new Date(NOW + 60_000).toISOString(),
      } as const;
      await bench.settle(failed, { ...retry, error, uncertain: false });
      await bench.settle(uncertain, { ...retry, error, uncertain: true });
      const place = {
        channelId: "ch_other",
        numberId: "num_other",
        number: "+15145550111",
        encoding: "ucs2",
        segments: 2,
      } as const;
      const items = [
        moveItem(waiting, place, "moved", NOW),
        moveItem({ ...failed, attempts: 1 }, place, "moved", NOW),
        moveItem({ ...uncertain, attempts: 1 }, place, "moved", NOW),
        moveItem({ ...sending, attempts: 1 }, place, "moved", NOW),
      ];
      const stranger = await bench.store.move([{ ...bench.fence, epoch: bench.fence.epoch + 1 }], items, NOW);
      assert.deepEqual([stranger.held.size, stranger.changed.size], [0, 0], "only the lane's owner moves");
      const { changed } = await bench.store.move([bench.fence], items, NOW);
      assert.deepEqual([...changed].sort(), [waiting.id, failed.id]);
      assert.equal(
        (await bench.store.move([bench.fence], items, NOW)).changed.size,
        0,
        "a repeat changes nothing",
      );
      const row = await readMessage(bench.sql, failed.id);
      assert.deepEqual(
        [
          row.channel_id,
          row.number_id,
          row.number,
          row.encoding,
          row.segments,
          row.error,
          row.status,
          row.attempts,
        ],
        ["ch_other", "num_other", "+15145550111", "ucs2", 2, null, "queued", 1],
      );
      assert.equal(row.history.at(-1)!.reason, "moved; from +15145550111 instead of +15145550100");
      // Whoever still holds the former row in memory, or a nudge that comes late, changes nothing.
      assert.deepEqual(await bench.claim([waiting]), []);
      const expired = {
        kind: "end",
        status: "expired",
        error: { class: "blocked", reason: "late" },
      } as const;
      assert.deepEqual(await bench.settle(waiting, { ...expired, uncertain: false }, 0), []);
      const here = { ...waiting, channel_id: "ch_other" };
      assert.deepEqual(await bench.claim([here]), [waiting.id], "the other channel sends it");
      assert.deepEqual(await bench.settle(here, { kind: "sent", providerId: "p1" }), [waiting.id]);
      const [counted] = await bench.sql`select channel_id, number, sent::int from statistics where sent > 0`;
      assert.deepEqual({ ...counted }, { channel_id: "ch_other", number: "+15145550111", sent: 1 });
    },
  );

  await step("a conversation keeps its order over two channels", async (bench) => {
    const [first, second] = [queuedMessage(1, { channel_id: "ch_other" }), queuedMessage(2)];
    await insertMessages(bench.sql, [first, second]);
    assert.deepEqual(await bench.claim([second]), []);
    assert.deepEqual(await bench.claim([first]), [first.id]);
    assert.deepEqual(await bench.claim([second]), []);
    await bench.settle(first, { kind: "sent", providerId: "p1" });
    assert.deepEqual(await bench.claim([second]), [second.id]);
  });

  await step(
    "the oldest message that could have been sent is found, whatever waits for a later start",
    async (bench) => {
      const at = NOW - 60_000;
      await insertMessages(bench.sql, [
        queuedMessage(1, { not_before_ms: NOW + 60_000, created_ms: at - 60_000 }),
        queuedMessage(2, { status: "sent", created_ms: at - 30_000 }),
        queuedMessage(3, { created_ms: at, priority: 1 }),
        queuedMessage(4, { created_ms: at + 1_000 }),
        queuedMessage(5, { created_ms: at - 20_000, channel_id: "ch_other" }),
        queuedMessage(6, { created_ms: at - 90_000, not_before_ms: at + 500, channel_id: "ch_late" }),
      ]);
      assert.equal(await bench.store.oldestDueMs([CHANNEL_ID], NOW), at);
      assert.equal(await bench.store.oldestDueMs([CHANNEL_ID, "ch_other"], NOW), at - 20_000);
      assert.equal(await bench.store.oldestDueMs(["ch_late"], NOW), at + 500);
      assert.equal(await bench.store.oldestDueMs(["ch_none"], NOW), null);
    },
  );

  await step("what was sent since midnight is counted for the daily cap", async (bench) => {
    const message = queuedMessage(1, { segments: 3 });
    await insertMessages(bench.sql, [message]);
    await bench.claim([message]);
    await bench.settle(message, { kind: "sent", providerId: "p1" });
    const usage = await bench.store.loadUsage([CHANNEL_ID, "ch_other"], NOW - NOW % 86_400_000);
    assert.deepEqual([...usage], [[CHANNEL_ID, { messages: 1, segments: 3 }]]);
    assert.equal((await bench.store.loadUsage([CHANNEL_ID], NOW + 3_600_000)).size, 0);
  });
});
