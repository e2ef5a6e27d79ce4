import { deepStrictEqual as equal, ok } from "node:assert/strict";
import { systemClock } from "../../adapters/system/clock.ts";
import { setImmediate } from "node:timers";
import type { Clock } from "../../core/ports/clock.ts";
import type { OutboxRow, Published, PublishedRows } from "../../core/outbox.ts";
import type { LogMessage } from "../../core/ports/partition_log.ts";
import type { PartitionStore } from "../../core/ports/partition_store.ts";
import { type ApplyResult, Lane } from "../../core/runtime/lane.ts";

const message = (partition: number, sequence: number): LogMessage => ({
  partition,
  sequence,
  data: new Uint8Array(10),
  stored: `${sequence}`,
});
const row = (partition: number, sequence: number): OutboxRow => ({
  kind: "route",
  partition,
  sequence,
  payload: { events: [] },
});

/** A lane whose applier and publisher do what the test says. */
function scripted(script: {
  apply: (batch: readonly LogMessage[], tries: number) => Promise<ApplyResult>;
  publish?: (row: OutboxRow) => Promise<void>;
  cursors?: () => ReadonlyMap<number, number>;
  outbox?: () => OutboxRow[];
  lost?: () => Promise<number[]>;
}, clock: Clock = systemClock) {
  const seen = {
    batches: [] as number[][],
    cleared: [] as [number, PublishedRows][],
    published: [] as number[],
    fenced: [] as number[],
    errors: 0,
    forgotten: 0,
  };
  const store = {
    cursors: () => Promise.resolve(script.cursors?.() ?? new Map()),
    loadOutbox: () => Promise.resolve(script.outbox?.() ?? []),
    clearOutbox: (_kind: string, published: Published) => {
      seen.cleared.push(...published);
      return Promise.resolve();
    },
  } as unknown as PartitionStore;
  const lane = new Lane({
    kind: "route",
    store,
    applier: {
      apply: (batch, published) => {
        seen.batches.push(batch.map(({ sequence }) => sequence));
        seen.cleared.push(...published);
        return script.apply(batch, seen.batches.length);
      },
      forget: () => void seen.forgotten++,
    },
    publish: async (out) => {
      await script.publish?.(out);
      seen.published.push(out.sequence);
    },
    epochOf: () => 1,
    lostOf: () => script.lost?.() ?? Promise.resolve([]),
    onFenced: (partitions) => void seen.fenced.push(...partitions),
    onError: () => void seen.errors++,
    onRoom: () => {},
    clock,
  });
  for (const partition of [0, 1]) lane.add(partition);
  return { lane, seen };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("it never happened");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
const committed = (...outbox: OutboxRow[]): Promise<ApplyResult> =>
  Promise.resolve({ kind: "committed", outbox });

Deno.test("Lane collects while a batch is under way and never has two", async () => {
  const gate = Promise.withResolvers<void>();
  const { lane, seen } = scripted({
    apply: async (_, tries) => {
      if (tries === 1) await gate.promise;
      return await committed();
    },
  });
  lane.push(message(0, 1));
  await until(() => seen.batches.length === 1);
  lane.push(message(0, 2));
  lane.push(message(0, 3));
  equal(seen.batches, [[1]]);
  gate.resolve();
  await until(() => seen.batches.length === 2);
  equal(seen.batches, [[1], [2, 3]]);
  await lane.stop();
});

Deno.test("Lane publishes in the order of the commits and forgets what is published", async () => {
  const { lane, seen } = scripted({ apply: (batch) => committed(row(0, batch.at(-1)!.sequence)) });
  for (let sequence = 1; sequence <= 5; sequence++) {
    lane.push(message(0, sequence));
    await until(() => seen.published.length === sequence);
  }
  equal(seen.published, [1, 2, 3, 4, 5]);
  await lane.stop();
  const forgotten = seen.cleared.map(([, { first, last }]) => [first, last]);
  equal(
    forgotten.flatMap(([first, last]) => Array.from({ length: last! - first! + 1 }, (_, i) => first! + i)),
    [
      1,
      2,
      3,
      4,
      5,
    ],
  );
});

Deno.test("Lane waits for the publication of many events, however few the commits", async () => {
  const gate = Promise.withResolvers<void>();
  const events = Array<OutboxRow["payload"]["events"][number]>(3_000);
  const { lane, seen } = scripted({
    apply: (batch) => committed({ ...row(0, batch.at(-1)!.sequence), payload: { events } }),
    publish: () => gate.promise,
  });
  lane.push(message(0, 1));
  await until(() => seen.batches.length === 1);
  lane.push(message(0, 2));
  await new Promise((resolve) => setTimeout(resolve, 50));
  equal(seen.batches, [[1]]);
  gate.resolve();
  await until(() => seen.batches.length === 2);
  await lane.stop();
});

Deno.test("Lane tries a failed batch again, whole, and drops what it remembered", async () => {
  const { lane, seen } = scripted({
    apply: (_, tries) => tries < 3 ? Promise.reject(new Error("database away")) : committed(),
  });
  lane.push(message(0, 1));
  lane.push(message(0, 2));
  await until(() => seen.batches.length === 3);
  equal(seen.batches, [[1, 2], [1, 2], [1, 2]]);
  // Once more at the start: the partitions were new.
  equal([seen.errors, seen.forgotten], [2, 3]);
  await lane.stop();
});

Deno.test("Lane finds out that a write whose answer was lost took effect, and publishes it once", async () => {
  let cursor = 0;
  const { lane, seen } = scripted({
    apply: () => {
      cursor = 2;
      return Promise.reject(new Error("connection lost"));
    },
    cursors: () => new Map([[0, cursor]]),
    outbox: () => [row(0, 2)],
  });
  lane.push(message(0, 1));
  lane.push(message(0, 2));
  await until(() => seen.published.length === 1);
  equal(seen.batches, [[1, 2]]);
  equal(seen.published, [2]);
  await lane.stop();
});

Deno.test("Lane forgets what was published meanwhile, when a write turns out to have taken effect", async () => {
  const telling = Promise.withResolvers<void>();
  const { lane, seen } = scripted({
    apply: async (batch, tries) => {
      if (tries === 1) return await committed(row(1, 6));
      // Told only after this commit took along what was published.
      telling.resolve();
      await until(() => seen.published.includes(6));
      throw new Error(`the answer to ${batch.length} was lost`);
    },
    publish: async ({ sequence }) => {
      if (sequence === 6) await telling.promise;
    },
    cursors: () => new Map([[0, 9]]),
    outbox: () => [],
  });
  lane.push(message(1, 1));
  await until(() => seen.batches.length === 1);
  lane.push(message(0, 9));
  await until(() => seen.errors === 1);
  await until(() => seen.cleared.some(([partition, { last }]) => partition === 1 && last === 6));
  await lane.stop();
});

Deno.test("Lane drops a partition that is somebody else's, and applies the rest of the batch", async () => {
  const { lane, seen } = scripted({
    apply: (batch) =>
      batch.some(({ partition }) => partition === 0) ? Promise.resolve({ kind: "fenced" }) : committed(),
    lost: () => Promise.resolve([0]),
  });
  lane.push(message(0, 1));
  lane.push(message(1, 7));
  lane.push(message(0, 2));
  await until(() => seen.batches.length === 2);
  equal(seen.batches, [[1, 7, 2], [7]]);
  equal(seen.fenced, [0]);
  lane.push(message(0, 3));
  lane.push(message(1, 8));
  await until(() => seen.batches.length === 3);
  equal(seen.batches.at(-1), [8]);
  await lane.stop();
});

Deno.test("Lane tries again when it cannot be told which partition was lost", async () => {
  let asked = 0;
  const { lane, seen } = scripted({
    apply: (batch) => batch.length === 2 ? Promise.resolve({ kind: "fenced" }) : committed(),
    lost: () => asked++ === 0 ? Promise.reject(new Error("database away")) : Promise.resolve([1]),
  });
  lane.push(message(0, 1));
  lane.push(message(1, 1));
  await until(() => seen.batches.length === 3);
  equal(seen.batches.map(({ length }) => length), [2, 2, 1]);
  equal(seen.errors, 1);
  await lane.stop();
});

Deno.test("Lane lets go of a partition when the batch under way is done, and takes it on again with nothing remembered", async () => {
  const gate = Promise.withResolvers<void>();
  const { lane, seen } = scripted({
    apply: async (_, tries) => {
      if (tries === 1) await gate.promise;
      return await committed();
    },
  });
  lane.push(message(0, 1));
  await until(() => seen.batches.length === 1);
  lane.push(message(0, 2));
  lane.push(message(1, 1));
  let removed = false;
  const removing = lane.remove([0]).then(() => removed = true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  equal(removed, false);
  gate.resolve();
  await removing;
  await until(() => seen.batches.length === 2);
  equal(seen.batches, [[1], [1]]);
  const forgotten = seen.forgotten;
  lane.add(0);
  lane.push(message(0, 9));
  await until(() => seen.batches.length === 3);
  equal(seen.batches.at(-1), [9]);
  equal(seen.forgotten, forgotten + 1);
  await lane.stop();
});

Deno.test("Lane lets go of a partition whose batch fails again and again", async () => {
  const { lane, seen } = scripted({ apply: () => Promise.reject(new Error("database away")) });
  lane.push(message(0, 1));
  await until(() => seen.batches.length === 3);
  await lane.remove([0]);
  const tries = seen.batches.length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  equal(seen.batches.length, tries);
  ok(!lane.stopped);
  await lane.stop();
});

Deno.test("Lane forgets no row that still waits for its publication, though later ones are done at once", async () => {
  const gate = Promise.withResolvers<void>();
  const { lane, seen } = scripted({
    apply: (batch) => committed(row(0, batch.at(-1)!.sequence)),
    // The second one has nothing to tell but an answer.
    publish: (out) => out.sequence === 1 ? gate.promise : Promise.resolve(),
  });
  for (const sequence of [1, 2, 3]) {
    lane.push(message(0, sequence));
    await until(() => seen.batches.length === sequence);
  }
  await until(() => seen.published.includes(3));
  equal(seen.cleared, []);
  gate.resolve();
  await lane.stop();
  equal(seen.cleared, [[0, { first: 1, last: 3, epoch: 1 }]]);
});

Deno.test("Lane keeps the rows after one that was not published", async () => {
  const { lane, seen } = scripted({
    apply: (batch) => committed(row(0, batch.at(-1)!.sequence)),
    publish: (out) => out.sequence === 2 ? Promise.reject(new Error("stopping")) : Promise.resolve(),
  });
  lane.push(message(0, 1));
  await until(() => seen.published.includes(1));
  lane.push(message(0, 2));
  await until(() => seen.batches.length === 2);
  lane.push(message(0, 3));
  await until(() => seen.published.includes(3));
  await lane.stop();
  ok(seen.cleared.every(([, { last }]) => last < 2));
});

Deno.test("Lane forgets what is published also when that comes due under a batch that publishes nothing", async () => {
  const gate = Promise.withResolvers<void>();
  const { lane, seen } = scripted({
    apply: async (_, tries) => {
      if (tries === 1) return await committed(row(0, 1));
      await gate.promise;
      return await committed();
    },
    // The second batch takes along what is published by then: this comes a moment later.
    publish: () => until(() => seen.batches.length === 2),
  });
  lane.push(message(0, 1));
  await until(() => seen.batches.length === 1);
  lane.push(message(0, 2));
  await until(() => seen.published.length === 1);
  // Longer than the idle time after which it would have been forgotten.
  await new Promise((resolve) => setTimeout(resolve, 300));
  equal(seen.cleared, []);
  gate.resolve();
  await until(() => seen.cleared.length === 1);
  equal(seen.cleared, [[0, { first: 1, last: 1, epoch: 1 }]]);
  await lane.stop();
});

/** A lane on a clock that passes when told, whose batches take `tookMs`. */
function timed(tookMs: number, bytes = 10) {
  let nowMs = 1_000;
  let timers: { atMs: number; run: () => void }[] = [];
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    after: (delayMs, run) => {
      const timer = { atMs: nowMs + delayMs, run };
      timers.push(timer);
      return () => timers = timers.filter((other) => other !== timer);
    },
  };
  const { lane, seen } = scripted({
    apply: async () => {
      await new Promise<void>((resolve) => clock.after(tookMs, resolve));
      return await committed();
    },
  }, clock);
  let sequence = 0;
  const comes = (count: number) => {
    for (let i = 0; i < count; i++) lane.push({ ...message(0, ++sequence), data: new Uint8Array(bytes) });
    return turn();
  };
  const pass = async (ms: number) => {
    for (let i = 0; i < ms; i++) {
      nowMs++;
      const due = timers.filter(({ atMs }) => atMs <= nowMs);
      timers = timers.filter(({ atMs }) => atMs > nowMs);
      for (const { run } of due) run();
      await turn();
    }
  };
  return { lane, seen, comes, pass };
}

Deno.test("Lane applies a message alone at once, however long batches take", async () => {
  const { lane, seen, comes, pass } = timed(40);
  for (let count = 1; count <= 20; count++) {
    await comes(1);
    equal(seen.batches.length, count);
    await pass(40);
  }
  await lane.stop();
});

Deno.test("Lane does not start batches of a message or two at once after each other", async () => {
  const { lane, seen, comes, pass } = timed(1);
  for (let ms = 0; ms < 40; ms++) {
    if (ms % 2 === 0) await comes(1);
    await pass(1);
  }
  ok(seen.batches.length <= 11, `${seen.batches.length} batches in 40 ms, 4 ms apart`);
  const stopped = lane.stop();
  await pass(1);
  await stopped;
});

Deno.test("Lane collects the longer the longer batches take, where much comes", async () => {
  const batchesIn = async (tookMs: number) => {
    const { lane, seen, comes, pass } = timed(tookMs);
    for (let ms = 0; ms < 2_000; ms++) {
      await comes(3);
      await pass(1);
    }
    const stopped = lane.stop();
    await pass(tookMs);
    await stopped;
    return seen.batches.length;
  };
  const [fast, slow, slowest] = [await batchesIn(1), await batchesIn(50), await batchesIn(80)];
  ok(fast >= 480 && fast <= 510, `${fast} batches, 4 ms apart`);
  ok(slow < 2_000 / 50 - 6, `${slow} batches that could have followed each other`);
  ok(slowest >= 2_000 / 150, `${slowest} batches, 150 ms apart at most`);
});

Deno.test("Lane waits no longer once what waits is worth its write", async () => {
  const { lane, seen, comes, pass } = timed(80, 8_192);
  for (let i = 0; i < 10; i++) {
    await comes(1);
    await pass(80);
  }
  await comes(1);
  await pass(80);
  const before = seen.batches.length;
  await comes(4);
  await pass(1);
  equal(seen.batches.length, before, "four are worth waiting");
  await comes(4);
  equal(seen.batches.length, before + 1);
  equal(seen.batches.at(-1)!.length, 8);
  await pass(80);
  await lane.stop();
});

Deno.test("Lane collects the longer the more comes, and no longer than 50 ms", async () => {
  const batchesIn = async (bytesPerMs: number) => {
    const { lane, seen, comes, pass } = timed(1, bytesPerMs / 4);
    for (let ms = 0; ms < 2_000; ms++) {
      await comes(4);
      await pass(1);
    }
    const stopped = lane.stop();
    await pass(1);
    await stopped;
    return seen.batches.length;
  };
  const [some, much, flood] = [await batchesIn(80), await batchesIn(800), await batchesIn(1_200)];
  ok(some >= 480 && some <= 510, `${some} batches, 4 ms apart`);
  ok(much >= 2_000 / 38 && much <= 2_000 / 34 + 8, `${much} batches, 36 ms apart`);
  ok(flood >= 2_000 / 50 && flood <= 2_000 / 50 + 8, `${flood} batches, 50 ms apart`);
});
