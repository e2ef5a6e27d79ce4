import assert from "node:assert/strict";
import { PostgresPartitionStore } from "../../adapters/postgres/partition_store.ts";
import type { MessageRow } from "../../core/message.ts";
import { type QueuedMessage, sendLaneOf } from "../../core/send/queued_message.ts";
import { takeOver } from "../support/partitions.ts";
import { CHANNEL_ID, channelOf, conversationName, ownNumber } from "../support/send_fixtures.ts";
import { answered, inScenes, queuedMessage, Settings } from "../support/send_scene.ts";

function channelName({ channel_id }: MessageRow): string {
  return channel_id === CHANNEL_ID ? "test" : "spare";
}

Deno.test("a channel whose provider is down", (t) =>
  inScenes(t, async (step) => {
    await step(
      "a channel whose calls fail is left alone, tried now and then, and goes on by itself",
      async (scene) => {
        let isDown = true;
        scene.answer = (id) => isDown ? { kind: "not-connected", reason: "refused" } : answered(200, id);
        const told: (string | undefined)[] = [];
        await scene.insert(
          ...Array.from({ length: 30 }, (_, i) => queuedMessage(i, { conversation_id: conversationName(i) })),
          queuedMessage(30, { conversation_id: conversationName(30), expires_ms: Date.now() + 3_000 }),
        );
        const worker = scene.worker(new Settings({ retry: { initialMs: 10, maxTries: 6 } }), {
          channelConcurrencyMax: 2,
          onHealth: (_, health) => told.push(health?.status),
        });
        await scene.start(worker);
        await scene.until("the circuit is open", () => worker.stats.channels[0]?.isConnected === false);
        assert(scene.calls.length < 10, `${scene.calls.length} calls`);
        await scene.until("its status says so", () => told.includes("degraded"));
        // As a probe the same message is called again and again; that is no try of its own.
        const before = scene.calls.length;
        await scene.until("it was tried twice more", () => scene.calls.length >= before + 2);
        await scene.until("what expired meanwhile has ended", async () => await scene.count("expired") === 1);
        assert.equal(await scene.count("failed"), 0);
        isDown = false;
        await scene.until("all others are sent", async () => await scene.count("sent") === 30);
        await scene.until("its status says that, too", () => told.at(-1) === "connected");
        await scene.stop(worker);
      },
    );

    await step(
      "while a channel is down its fallback sends, in order and once; then it is back by itself",
      async (scene) => {
        let isDown = true;
        scene.answer = (id, _, { name }) =>
          isDown && name === "test" ? { kind: "not-connected", reason: "refused" } : answered(200, id);
        const spare = channelOf({ rateMps: 100_000 }, { id: `ch_${"d".repeat(26)}`, name: "spare" });
        const settings = new Settings({ fallbackChannelId: spare.id, retry: { initialMs: 20 } });
        const number = "+15145550111";
        settings.add(spare, ownNumber({ id: `num_${"m".repeat(26)}`, channelId: spare.id, number }));
        const texts = (from: number, count: number) =>
          Array.from(
            { length: count },
            (_, i) => queuedMessage(from + i, { conversation_id: conversationName(i % 8) }),
          );
        await scene.insert(...texts(0, 80));
        const told: QueuedMessage[] = [];
        const worker = scene.worker(settings, {
          onMoved: (messages) => told.push(...messages),
        });
        await scene.start(worker);
        await scene.until("all but a probe are sent", async () => await scene.count("sent") >= 79);
        const more = texts(100, 20);
        await scene.insert(...more);
        worker.onNudge(more);
        await scene.until("so are later ones", async () => await scene.count("sent") >= 99);
        isDown = false;
        let next = 200;
        await scene.until("a message that comes when a probe is due finds the channel back", async () => {
          const [message] = texts(next++, 1);
          await scene.insert(message!);
          worker.onNudge([message!]);
          return worker.stats.channels.every(({ isConnected }) => isConnected);
        });
        const last = texts(10_000, 8);
        await scene.insert(...last);
        worker.onNudge(last);
        const count = next - 200 + 108;
        await scene.until("everything is sent", async () => await scene.count("sent") === count);
        await scene.stop(worker);
        const rows = await scene.database.sql<MessageRow[]>`select * from messages order by id`;
        const accepted = scene.through.filter((call) =>
          rows.some((row) => call === `${channelName(row)} ${row.id}`)
        );
        assert.equal(new Set(scene.through.filter((call) => call.startsWith("spare"))).size, told.length);
        for (const row of rows) {
          assert.equal(accepted.filter((call) => call.endsWith(row.id)).length >= 1, true, row.id);
          if (row.channel_id !== spare.id) continue;
          assert.deepEqual([row.number, row.number_id], [number, `num_${"m".repeat(26)}`]);
          assert.match(
            row.history.map(({ reason }) => reason).join(),
            /moved from the channel test to its fallback spare/,
          );
          const event = scene.events.find(({ data, type }) =>
            type === "message.sent" && data.messageId === row.id
          );
          assert.deepEqual([event?.channelId, event?.number], [spare.id, number]);
        }
        assert(rows.filter((row) => row.channel_id === spare.id).length >= 90);
        assert(
          rows.slice(-8).every((row) => row.channel_id === CHANNEL_ID),
          "what comes later goes its own way",
        );
        const sentAt = new Map(
          rows.map((row) => [row.id, row.history.find(({ status }) => status === "sent")!.at]),
        );
        for (const list of Map.groupBy(rows, (row) => row.conversation_id).values()) {
          const times = list.map(({ id }) => sentAt.get(id)!);
          assert.deepEqual(times, times.toSorted(), "out of order in its conversation");
        }
      },
    );

    await step(
      "the fallback channel may be another process's, and nudges to it may be lost",
      async (scene) => {
        scene.answer = (id, _, { name }) =>
          name === "test" ? { kind: "not-connected", reason: "refused" } : answered(200, id);
        const spare = channelOf({ rateMps: 100_000 }, { id: `ch_${"d".repeat(26)}`, name: "spare" });
        const lanes = [CHANNEL_ID, spare.id].map(sendLaneOf);
        assert.notEqual(lanes[0], lanes[1]);
        const settings = new Settings({ fallbackChannelId: spare.id, retry: { initialMs: 20 } });
        settings.add(
          spare,
          ownNumber({ id: `num_${"m".repeat(26)}`, channelId: spare.id, number: "+15145550111" }),
        );
        const [former, other] = [scene.worker(settings), scene.worker(settings)];
        const partitions = new PostgresPartitionStore(scene.database.sql);
        for (const [index, worker] of [former, other].entries()) {
          worker.start();
          await worker.gain(await takeOver(partitions, "send", [lanes[index]!], `worker ${index}`));
        }
        const messages = Array.from(
          { length: 40 },
          (_, i) => queuedMessage(i, { conversation_id: conversationName(i % 4) }),
        );
        await scene.insert(...messages);
        former.onNudge(messages);
        await scene.until("all but a probe are sent", async () => await scene.count("sent") >= 39);
        await Promise.all([former, other].map((worker) => scene.stop(worker)));
        const sent = scene.through.filter((call) => call.startsWith("spare"));
        assert.equal(new Set(sent).size, sent.length, "one of them left twice");
        assert.deepEqual(scene.fenced, []);
      },
    );
  }));
