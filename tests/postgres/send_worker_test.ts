import assert from "node:assert/strict";
import { PostgresPartitionStore } from "../../adapters/postgres/partition_store.ts";
import { PostgresSendStore } from "../../adapters/postgres/send_store.ts";
import { systemClock } from "../../adapters/system/clock.ts";
import { type Directory, EMPTY_DIRECTORY } from "../../core/directory.ts";
import type { PatchbayEvent } from "../../core/events.ts";
import type { Channel, OwnNumber } from "../../core/channel.ts";
import type { MessageRow } from "../../core/message.ts";
import type { DirectorySource } from "../../core/ports/directory.ts";
import type { Provider } from "../../core/ports/provider.ts";
import type { CallOutcome } from "../../core/ports/provider_call.ts";
import { type QueuedMessage, SEND_LANES, sendLaneOf } from "../../core/send/queued_message.ts";
import { SendWorker, type SendWorkerOptions } from "../../core/send/send_worker.ts";
import { fakeProvider } from "../support/fake_provider.ts";
import { insertMessages, readCounts, readMessage } from "../support/message_rows.ts";
import { takeOver } from "../support/partitions.ts";
import { type TestDatabase, testPostgres } from "../support/postgres.ts";
import {
  CHANNEL_ID,
  channelOf,
  conversationName,
  messageId as messageIdAt,
  NUMBER_ID,
  ownNumber,
  queuedMessage as queuedMessageAt,
} from "../support/send_fixtures.ts";

/** Messages of now: old ones would not be tried again. */
const START = Date.now();
const messageId = (index: number) => messageIdAt(index, START);
const queuedMessage = (index: number, changes: Partial<MessageRow> = {}) =>
  queuedMessageAt(index, { created_ms: START, ...changes });

/** Takes everything; what a call carried can be read from its body. */
const provider: Provider = {
  ...fakeProvider,
  kind: "test",
  buildSend: (message) => ({ method: "POST", url: "http://127.0.0.1/", headers: {}, body: message.id }),
  readSend: ({ status, body }) =>
    status === 200 ? { kind: "accepted", providerId: `p-${body}` } : {
      kind: "failed",
      error: { class: status === 429 ? "throttled" : "rejected", reason: `answered ${status}` },
    },
};

function answered(status: number, body: string): CallOutcome {
  return { kind: "answered", answer: { status, headers: {}, body } };
}

const ALL_LANES = Array.from({ length: SEND_LANES }, (_, lane) => lane);

class Settings implements DirectorySource {
  #directory: Directory;
  readonly #listeners = new Set<(directory: Directory) => void>();

  constructor(settings: Record<string, unknown>) {
    this.#directory = Settings.#of(settings);
  }

  current() {
    return this.#directory;
  }

  onChange(listener: (directory: Directory) => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Another channel, with its own number. */
  add(channel: Channel, number: OwnNumber): void {
    const { channels, numbers } = this.#directory;
    this.#directory = {
      ...this.#directory,
      channels: new Map([...channels, [channel.id, channel]]),
      numbers: new Map([...numbers, [number.id, number]]),
    };
  }

  change(settings: Record<string, unknown>): void {
    this.#directory = Settings.#of(settings);
    for (const listener of this.#listeners) listener(this.#directory);
  }

  static #of(settings: Record<string, unknown>): Directory {
    return {
      ...EMPTY_DIRECTORY,
      channels: new Map([[CHANNEL_ID, channelOf({ rateMps: 100_000, ...settings })]]),
      numbers: new Map([[NUMBER_ID, ownNumber()]]),
    };
  }
}

function channelName({ channel_id }: MessageRow): string {
  return channel_id === CHANNEL_ID ? "test" : "spare";
}

class Scene {
  readonly calls: string[] = [];
  /** Channels' names and messages' ids. */
  readonly through: string[] = [];
  readonly events: PatchbayEvent[] = [];
  readonly fenced: number[] = [];
  readonly errors: string[] = [];
  answer: (id: string, tries: number, channel: Channel) => CallOutcome | Promise<CallOutcome> = (id) =>
    answered(200, id);

  constructor(readonly database: TestDatabase) {}

  worker(settings: Settings, changes: Partial<SendWorkerOptions> = {}): SendWorker {
    return new SendWorker({
      isSure: () => true,
      store: new PostgresSendStore(this.database.sql),
      partitions: new PostgresPartitionStore(this.database.sql),
      directory: settings,
      providers: new Map([["test", provider]]),
      call: async (channel, { body }) => {
        this.calls.push(body!);
        this.through.push(`${channel.name} ${body}`);
        return await this.answer(body!, this.calls.filter((id) => id === body).length, channel);
      },
      statusUrl: () => "http://127.0.0.1/status",
      publish: (row) => {
        this.events.push(...row.payload.events);
        return Promise.resolve();
      },
      clock: systemClock,
      random: () => 0.5,
      onFenced: (lanes) => this.fenced.push(...lanes),
      onError: (error, what) => this.errors.push(`${what}: ${error.message}`),
      ...changes,
    });
  }

  /** Starts it and gives it all lanes, whoever has them. */
  async start(worker: SendWorker): Promise<void> {
    worker.start();
    const partitions = new PostgresPartitionStore(this.database.sql);
    await worker.gain(await takeOver(partitions, "send", ALL_LANES, "test"));
  }

  /** As in a stop in good order. */
  async stop(worker: SendWorker): Promise<void> {
    await worker.lose(ALL_LANES, "released");
    await worker.stop();
  }

  async until(what: string, reached: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 15_000;
    while (!await reached()) {
      if (performance.now() > deadline) throw new Error(`never: ${what}; ${this.errors.join("; ")}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async count(status: string): Promise<number> {
    const [row] = await this.database.sql<[{ count: number }]>`
      select count(*)::int as count from messages where status = ${status}`;
    return row.count;
  }

  read(index: number): Promise<MessageRow> {
    return readMessage(this.database.sql, messageId(index));
  }

  insert(...rows: MessageRow[]): Promise<void> {
    return insertMessages(this.database.sql, rows);
  }
}

Deno.test("the send worker on a real database", async (t) => {
  await using postgres = await testPostgres();
  const step = (name: string, run: (scene: Scene) => Promise<void>) =>
    t.step(name, async () => {
      await using database = await postgres.database();
      await run(new Scene(database));
    });

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
        const own = scene.calls.filter((id) => Number.parseInt(id.slice(-6), 32) % 100 % 7 === conversation);
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

  await step("the fallback channel may be another process's, and nudges to it may be lost", async (scene) => {
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
    scene.answer = async (id) => {
      await release.promise;
      return answered(200, id);
    };
    await scene.insert(
      ...Array.from({ length: 30 }, (_, i) => queuedMessage(i, { conversation_id: conversationName(i) })),
    );
    const worker = scene.worker(new Settings({}), { channelConcurrencyMax: 3 });
    await scene.start(worker);
    await scene.until(
      "three are under way and the rest is claimed",
      async () => await scene.count("sending") === 30 && worker.stats.inFlight === 3,
    );
    const stopping = scene.stop(worker);
    release.resolve();
    await stopping;
    assert.deepEqual([await scene.count("sent"), await scene.count("queued")], [3, 27]);
    const row = await scene.read(20);
    assert.deepEqual([row.attempts, row.history.at(-1)!.reason], [0, "given back without a call"]);
  });

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
});
