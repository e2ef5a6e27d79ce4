import assert from "node:assert/strict";
import { PostgresPartitionStore } from "../../adapters/postgres/partition_store.ts";
import type { CallOutcome } from "../../core/ports/provider_call.ts";
import { sendLaneOf } from "../../core/send/queued_message.ts";
import { takeOver } from "../support/partitions.ts";
import { CHANNEL_ID, channelOf, conversationName, ownNumber } from "../support/send_fixtures.ts";
import { answered, inScenes, messageId, queuedMessage, Settings } from "../support/send_scene.ts";

Deno.test("send lanes that come and go", (t) =>
  inScenes(t, async (step) => {
    await step("a worker that was replaced stops, and its successor settles what it left", async (scene) => {
      const release = Promise.withResolvers<CallOutcome>();
      scene.answer = () => release.promise;
      await scene.insert(queuedMessage(1), queuedMessage(2));
      const former = scene.worker(new Settings({}), { graceMs: 0 });
      await scene.start(former);
      await scene.until("a call is under way", () => scene.calls.length === 1);
      scene.answer = (id) => answered(200, id);
      let found = {};
      const next = scene.worker(new Settings({}), { onRecovered: (counts) => found = counts });
      await scene.start(next);
      assert.deepEqual(found, { requeue: 0, resend: 0, hold: 1 });
      await scene.until("the second is sent", async () => await scene.count("sent") === 1);
      release.resolve(answered(200, messageId(1)));
      await scene.until("the former owner knows", () => scene.fenced.length > 0);
      assert.deepEqual([(await scene.read(1)).status, (await scene.read(1)).uncertain], ["sending", true]);
      assert.equal(scene.calls.length, 2);
      await scene.stop(former);
      await scene.stop(next);
    });

    await step(
      "lanes come and go while the worker runs: what was under way is recorded first, the others go on",
      async (scene) => {
        const settings = new Settings({});
        const other = channelOf({ rateMps: 100_000 }, { id: `ch_${"d".repeat(26)}`, name: "other" });
        settings.add(other, ownNumber({ id: `num_${"m".repeat(26)}`, channelId: other.id }));
        const lane = sendLaneOf(CHANNEL_ID);
        assert.notEqual(lane, sendLaneOf(other.id));
        const release = Promise.withResolvers<void>();
        scene.answer = async (id) => {
          if (id === messageId(0)) await release.promise;
          return answered(200, id);
        };
        const messages = (from: number) =>
          [0, 1, 2].map((n) =>
            queuedMessage(from + n, {
              conversation_id: conversationName(from + n),
              ...(from < 100 ? {} : { channel_id: other.id, number_id: `num_${"m".repeat(26)}` }),
            })
          );
        const worker = scene.worker(settings, { channelConcurrencyMax: 1 });
        await scene.start(worker);
        await scene.insert(...messages(0));
        worker.onNudge(messages(0));
        await scene.until("a call is under way", () => scene.calls.length === 1);
        let lost = false;
        const losing = worker.lose([lane], "released").then(() => lost = true);
        await scene.insert(...messages(100));
        worker.onNudge(messages(100));
        await scene.until("the other channel goes on", async () => await scene.count("sent") === 3);
        assert.deepEqual([lost, worker.owns(CHANNEL_ID), worker.owns(other.id)], [false, false, true]);
        release.resolve();
        await losing;
        assert.equal((await scene.read(0)).status, "sent");
        assert.deepEqual([(await scene.read(1)).status, (await scene.read(1)).attempts], ["queued", 0]);
        worker.onNudge(messages(0));
        await worker.gain(
          await takeOver(new PostgresPartitionStore(scene.database.sql), "send", [lane], "test"),
        );
        await scene.until("so does the first one with the lane", async () => await scene.count("sent") === 6);
        await scene.stop(worker);
        assert.equal(new Set(scene.calls).size, scene.calls.length, "called twice");
        const epochs = await scene.database.sql<{ epoch: number }[]>`
        select distinct epoch from partitions where kind = 'send' order by epoch`;
        assert.deepEqual(epochs.map(({ epoch }) => epoch), [1, 2]);
      },
    );

    await step("no call is made while others may take the process for dead", async (scene) => {
      let isSure = false;
      await scene.insert(queuedMessage(1));
      const worker = scene.worker(new Settings({}), { isSure: () => isSure });
      await scene.start(worker);
      await new Promise((resolve) => setTimeout(resolve, 250));
      assert.equal(await scene.count("queued"), 1, "nothing is claimed either");
      assert.equal(scene.calls.length, 0);
      isSure = true;
      await scene.until("it is sent", async () => await scene.count("sent") === 1);
      await scene.stop(worker);
    });

    await step("stopping waits for what is under way and gives the rest back", async (scene) => {
      const release = Promise.withResolvers<void>();
      let calls = 0;
      scene.answer = async (id) => {
        // As long as calls are not known to be quick, no more is claimed than there are free slots.
        if (++calls > 3) await release.promise;
        return answered(200, id);
      };
      await scene.insert(
        ...Array.from({ length: 30 }, (_, i) => queuedMessage(i, { conversation_id: conversationName(i) })),
      );
      const worker = scene.worker(new Settings({}), { channelConcurrencyMax: 3 });
      await scene.start(worker);
      await scene.until(
        "three are under way and the rest is claimed",
        async () => await scene.count("sending") === 27 && worker.stats.inFlight === 3,
      );
      const stopping = scene.stop(worker);
      release.resolve();
      await stopping;
      assert.deepEqual([await scene.count("sent"), await scene.count("queued")], [6, 24]);
      const row = await scene.read(20);
      assert.deepEqual([row.attempts, row.history.at(-1)!.reason], [0, "given back without a call"]);
    });
  }));
