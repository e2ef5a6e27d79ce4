import assert from "node:assert/strict";
import { readCounts } from "../support/message_rows.ts";
import { conversationName } from "../support/send_fixtures.ts";
import { answered, inScenes, messageId, queuedMessage, Settings, START } from "../support/send_scene.ts";

Deno.test("the send worker sends what it finds, once and in order", (t) =>
  inScenes(t, async (step) => {
    await step(
      "what waits at the start and what comes by nudge is sent once, in order, and told",
      async (scene) => {
        const stored = Array.from(
          { length: 60 },
          (_, i) => queuedMessage(i, { conversation_id: conversationName(i % 7), priority: 1 }),
        );
        await scene.insert(...stored);
        const worker = scene.worker(new Settings({}));
        await scene.start(worker);
        const nudged = Array.from(
          { length: 60 },
          (_, i) => queuedMessage(100 + i, { conversation_id: conversationName(i % 7) }),
        );
        await scene.insert(...nudged);
        worker.onNudge(nudged);
        await scene.until("all are sent", async () => await scene.count("sent") === 120);
        await scene.stop(worker);
        assert.equal(scene.calls.length, 120);
        for (let conversation = 0; conversation < 7; conversation++) {
          const own = scene.calls.filter((id) =>
            Number.parseInt(id.slice(-6), 32) % 100 % 7 === conversation
          );
          const expected = [...stored, ...nudged].map(({ id }) => id).filter((id) => own.includes(id));
          assert.deepEqual(own, expected);
        }
        assert.equal(new Set(scene.events.map(({ id }) => id)).size, 120);
        assert.deepEqual(await readCounts(scene.database.sql), {
          sent: 120,
          delivered: 0,
          failed: 0,
          segments_out: 120,
        });
        assert.equal((await scene.read(5)).provider_id, `p-${messageId(5)}`);
        const [left] = await scene.database.sql`select count(*)::int as count from outbox`;
        assert.equal(left!.count, 0);
      },
    );

    await step("a message that no nudge brought is found by the sweep", async (scene) => {
      const worker = scene.worker(new Settings({}));
      await scene.start(worker);
      await scene.insert(queuedMessage(1));
      await scene.until("it is sent", async () => await scene.count("sent") === 1);
      await scene.stop(worker);
    });

    await step("an earlier message that was missed goes before the one that came", async (scene) => {
      const worker = scene.worker(new Settings({}));
      await scene.start(worker);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const [first, second] = [queuedMessage(1, { priority: 1 }), queuedMessage(2)];
      await scene.insert(first, second);
      worker.onNudge([second]);
      await scene.until("both are sent", async () => await scene.count("sent") === 2);
      await scene.stop(worker);
      assert.deepEqual(scene.calls, [first.id, second.id]);
    });

    await step("failures are retried by class, and a message waits for the one before it", async (scene) => {
      const settings = new Settings({ retry: { initialMs: 50, maxTries: 3 } });
      scene.answer = (id, tries) => {
        if (id === messageId(1)) {
          return tries < 3 ? { kind: "not-connected", reason: "refused" } : answered(200, id);
        }
        if (id === messageId(3)) return answered(400, id);
        if (id === messageId(4)) return { kind: "not-connected", reason: "refused" };
        return answered(200, id);
      };
      await scene.insert(
        queuedMessage(1),
        queuedMessage(2),
        queuedMessage(3, { conversation_id: conversationName(3) }),
        queuedMessage(4, { conversation_id: conversationName(4) }),
      );
      const worker = scene.worker(settings);
      await scene.start(worker);
      await scene.until(
        "all have ended",
        async () => await scene.count("sent") + await scene.count("failed") === 4,
      );
      await scene.stop(worker);
      assert.deepEqual(scene.calls.filter((id) => id === messageId(1) || id === messageId(2)), [
        messageId(1),
        messageId(1),
        messageId(1),
        messageId(2),
      ]);
      const [first, , third, fourth] = await Promise.all([1, 2, 3, 4].map((i) => scene.read(i)));
      assert.deepEqual([first!.status, first!.attempts, first!.error], ["sent", 3, null]);
      assert.deepEqual([third!.status, third!.attempts, third!.error!.class], ["failed", 1, "rejected"]);
      assert.deepEqual([fourth!.status, fourth!.attempts, fourth!.error!.class], ["failed", 3, "connection"]);
    });

    await step("throttling slows the channel down and loses nothing", async (scene) => {
      let refused = 0;
      scene.answer = (id) => refused++ < 5 ? answered(429, id) : answered(200, id);
      await scene.insert(
        ...Array.from({ length: 20 }, (_, i) => queuedMessage(i, { conversation_id: conversationName(i) })),
      );
      const worker = scene.worker(new Settings({ retry: { initialMs: 50, maxTries: 1 } }), {
        channelConcurrencyMax: 2,
      });
      await scene.start(worker);
      await scene.until("all are sent", async () => await scene.count("sent") === 20);
      assert(worker.stats.channels[0]!.effectiveMps < 100_000, "it is still growing back");
      await scene.stop(worker);
    });

    await step(
      "no answer: held by default, sent again where the channel says so, always visible",
      async (scene) => {
        scene.answer = (id, tries) =>
          tries === 1 ? { kind: "lost", cause: "timeout", reason: "no answer" } : answered(200, id);
        await scene.insert(queuedMessage(1), queuedMessage(2));
        const settings = new Settings({ retry: { initialMs: 20 } });
        const worker = scene.worker(settings);
        await scene.start(worker);
        await scene.until("the first is held and the second was tried", () => scene.calls.length === 2);
        await scene.until("both are held", async () => (await scene.read(2)).uncertain);
        assert.deepEqual([(await scene.read(1)).status, (await scene.read(1)).uncertain], ["sending", true]);
        settings.change({ uncertain: "resend", retry: { initialMs: 20 } });
        const third = queuedMessage(3, { conversation_id: conversationName(3) });
        await scene.insert(third);
        worker.onNudge([third]);
        await scene.until("the third is sent", async () => await scene.count("sent") === 1);
        await scene.stop(worker);
        const row = await scene.read(3);
        assert.equal(row.attempts, 2);
        assert.match(
          row.history.find(({ status, reason }) => status === "queued" && reason)!.reason!,
          /uncertain/,
        );
      },
    );

    await step(
      "a disabled channel sends nothing until it is enabled; expired messages end all the same",
      async (scene) => {
        const settings = new Settings({ rateMps: 0.01 });
        await scene.insert(
          queuedMessage(1, { expires_ms: START + 1 }),
          queuedMessage(2, { conversation_id: conversationName(2) }),
        );
        const worker = scene.worker(settings);
        await scene.start(worker);
        await scene.until("the first has ended", async () => await scene.count("expired") === 1);
        assert.equal(scene.calls.length, 0);
        settings.change({ rateMps: 100_000 });
        await scene.until("the second is sent", async () => await scene.count("sent") === 1);
        await scene.stop(worker);
        assert.equal(scene.events.find(({ type }) => type === "message.failed")?.data.status, "expired");
      },
    );
  }));
