import assert from "node:assert/strict";
import fc from "fast-check";
import { ChannelSettingsSchema } from "../../core/channel.ts";
import { PRIORITY } from "../../core/message.ts";
import { type Demand, RateGate } from "../../core/send/rate_gate.ts";
import { LOOK_BACK_MS } from "../../core/send/shared_bucket.ts";

const NUMBER = "num_a";

function bulk(cost = 1, number = NUMBER): Demand {
  return { number, cost, priority: PRIORITY.bulk };
}

function reply(cost = 1, number = NUMBER): Demand {
  return { number, cost, priority: PRIORITY.reply };
}

function gateOf(settings: Record<string, unknown>, nowMs = 0, usedToday = 0): RateGate {
  return new RateGate(ChannelSettingsSchema.parse(settings), nowMs, 1_700_000_000_000 + nowMs, usedToday);
}

/** A message goes, and is answered at once. */
function send(gate: RateGate, demand: Demand, nowMs: number, wallMs = 0): void {
  gate.ended(gate.depart(demand, nowMs, wallMs), true, nowMs);
}

/** Sends as fast as the gate lets, waking up to `lateMs()` late; returns the times. */
function run(gate: RateGate, fromMs: number, untilMs: number, lateMs: () => number, cost = 1): number[] {
  const times: number[] = [];
  let nowMs = fromMs;
  while (nowMs < untilMs) {
    const { channelMs, numberMs } = gate.departsAt(bulk(cost), nowMs);
    const dueMs = Math.max(channelMs, numberMs);
    if (dueMs > nowMs) {
      nowMs = dueMs + lateMs();
      continue;
    }
    send(gate, bulk(cost), nowMs, 1_700_000_000_000 + nowMs);
    times.push(nowMs);
  }
  return times;
}

/** The most that left in any second, both ends included. */
function worstSecond(times: readonly number[]): number {
  let worst = 0;
  let from = 0;
  for (const [to, time] of times.entries()) {
    while (times[from]! < time - 1_000) from++;
    worst = Math.max(worst, to - from + 1);
  }
  return worst;
}

Deno.test("no sliding second sees more than rate + burst, however late the timers are", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 3_000, noNaN: true }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 0, max: 80 }),
      fc.integer(),
      (rateMps, burst, latenessMs, seed) => {
        let state = seed;
        const random = () => ((state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff) / 0x7fffffff);
        const times = run(gateOf({ rateMps, burst }), 0, 4_000, () => random() * latenessMs);
        assert(worstSecond(times) <= rateMps + burst, `${worstSecond(times)} at ${rateMps} + ${burst}`);
      },
    ),
    // Found once: units are whole, and the rate need not be.
    { numRuns: 150, examples: [[1.9952908371544518, 1, 20, 4]] },
  );
});

Deno.test("timers that are late by a few milliseconds do not lower the rate", () => {
  for (const rateMps of [10, 100, 500, 2_000]) {
    const times = run(gateOf({ rateMps, burst: 1 }), 0, 20_000, () => 1 + (rateMps % 7) * 0.3);
    assert(times.length >= 20 * rateMps * 0.98, `${times.length / 20} at ${rateMps}`);
    assert(times.length <= 20 * rateMps, `${times.length / 20} at ${rateMps}`);
  }
});

Deno.test("a new owner starts with nothing: a take-over does not exceed the rate", () => {
  const before = run(gateOf({ rateMps: 50, burst: 10 }), 0, 2_000, () => 0);
  const after = run(gateOf({ rateMps: 50, burst: 10 }, 2_000), 2_000, 4_000, () => 0);
  assert(worstSecond([...before, ...after]) <= 60);
  const dear = run(gateOf({ rateMps: 10, costUnit: "segment" }, 0), 0, 1_000, () => 0, 4);
  assert(dear[0]! >= 400, `${dear[0]}`);
});

Deno.test("a change of the rate holds at once, in both directions", () => {
  const gate = gateOf({ rateMps: 1, burst: 1 });
  run(gate, 0, 1_100, () => 0);
  gate.change(ChannelSettingsSchema.parse({ rateMps: 100, burst: 1 }), 1_100);
  const faster = run(gate, 1_100, 2_100, () => 0);
  assert(faster.length >= 97 && faster[0]! < 1_115, `${faster.length}, ${faster[0]}`);
  gate.change(ChannelSettingsSchema.parse({ rateMps: 2, burst: 1 }), 2_100);
  assert(run(gate, 2_100, 4_100, () => 0).length <= 5);
});

Deno.test("a rate of 50,000 and more is not limited; limiting it later starts empty", () => {
  const gate = gateOf({ rateMps: 50_000 });
  for (let i = 0; i < 1_000; i++) send(gate, bulk(), 0);
  assert(gate.departsAt(bulk(), 0).channelMs <= 0);
  gate.change(ChannelSettingsSchema.parse({ rateMps: 10 }), 0);
  assert(gate.departsAt(bulk(), 0).channelMs > 90);
});

Deno.test("a number's own limit closes the number, the channel's closes all", () => {
  const gate = gateOf({ rateMps: 10, burst: 10 });
  gate.setNumber(NUMBER, { rateMps: 1, burst: 1 }, 0);
  const wallMs = 1_700_000_000_000;
  assert.equal(gate.room(bulk(), 5_000, 0, wallMs).kind, "free");
  gate.reserve(bulk());
  assert.equal(gate.room(bulk(), 5_000, 0, wallMs).kind, "number");
  assert.equal(gate.room(bulk(1, "num_b"), 5_000, 0, wallMs).kind, "free");
  for (let i = 0; i < 9; i++) gate.reserve(bulk(1, "num_b"));
  assert.equal(gate.room(bulk(1, "num_b"), 5_000, 0, wallMs).kind, "channel");
  gate.release(bulk(1, "num_b"));
  assert.equal(gate.room(bulk(1, "num_b"), 5_000, 0, wallMs).kind, "free");
});

Deno.test("throttling holds the channel, slows it down, and lets it grow back to its rate", () => {
  const gate = gateOf({ rateMps: 1_000, burst: 100 });
  run(gate, 0, 2_000, () => 0);
  gate.throttle(2_000, 3_000, 2_010);
  assert.equal(gate.effectiveMps(2_010), 500);
  const times = run(gate, 2_010, 5_210, () => 0);
  assert(times[0]! >= 5_010, `${times[0]}`);
  assert(times.filter((time) => time < 5_030).length <= 15, "what was held back does not come as a burst");
  assert(times.length <= 0.2 * 520, `${times.length} in 200 ms at about 500/s`);
  run(gate, 5_210, 36_000, () => 0);
  assert.equal(gate.throttleAt(36_000), null, "it has recovered");
  const after = run(gate, 36_000, 38_000, () => 0);
  assert(after.length > 1_900, `${after.length}`);
});

Deno.test("a channel without limit that is throttled slows down from what it reached, and is unlimited again", () => {
  const gate = gateOf({ rateMps: 100_000, burst: 1_000 });
  for (let i = 0; i < 400; i++) send(gate, bulk(), i);
  gate.throttle(399, undefined, 400);
  assert.equal(gate.effectiveMps(400), 200);
  const slow = run(gate, 400, 1_400, () => 0);
  assert(slow.length > 150 && slow.length < 220, `${slow.length}`);
  assert.equal(gate.throttleAt(61_000), null);
  assert.equal(gate.departsAt(bulk(), 61_000).channelMs, 61_000);
});

/** Two streams: bulk that never ends, and replies at given times; the replies' delays and all departures. */
function mixed(gate: RateGate, replies: readonly number[], untilMs: number, bulkCost = 1) {
  const delays: number[] = [];
  const left: { atMs: number; cost: number; isBulk: boolean }[] = [];
  let waiting = 0;
  for (let nowMs = 0; nowMs < untilMs; nowMs++) {
    while (waiting < replies.length && replies[waiting]! <= nowMs && delays.length < waiting + 1) {
      if (gate.departsAt(reply(), nowMs).channelMs > nowMs) break;
      send(gate, reply(), nowMs);
      left.push({ atMs: nowMs, cost: 1, isBulk: false });
      delays.push(nowMs - replies[waiting]!);
      waiting++;
    }
    // A reply that waits goes before any bulk.
    if (waiting < replies.length && replies[waiting]! <= nowMs) continue;
    while (gate.departsAt(bulk(bulkCost), nowMs).channelMs <= nowMs) {
      send(gate, bulk(bulkCost), nowMs);
      left.push({ atMs: nowMs, cost: bulkCost, isBulk: true });
    }
  }
  return { delays, left };
}

const rates = fc.record({
  rateMps: fc.integer({ min: 2, max: 200 }),
  burst: fc.integer({ min: 1, max: 20 }),
  replyShare: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
});

Deno.test("a reply leaves a channel full of bulk within the time of its share, whenever it comes", () => {
  fc.assert(
    fc.property(
      rates,
      fc.integer({ min: 1_000, max: 20_000 }),
      fc.integer({ min: 1, max: 4 }),
      (settings, firstMs, cost) => {
        const { rateMps, replyShare } = settings;
        // Replies as often as their share lasts for.
        const everyMs = Math.ceil(1_000 / (rateMps * replyShare * 0.99)) + 1;
        const replies = Array.from({ length: 8 }, (_, i) => firstMs + i * everyMs);
        const { delays } = mixed(gateOf(settings), replies, firstMs + 9 * everyMs + 4_000, cost);
        assert.equal(delays.length, replies.length);
        // The one bulk message that went just before, and its own.
        const worstMs = ((cost + 1) * 1_000) / (rateMps * 0.99) + 2;
        for (const delay of delays) assert(delay <= worstMs, `${delay} ms, not ${worstMs}: ${delays}`);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("a group of replies finds tokens that bulk has left, once replies come", () => {
  const gate = gateOf({ rateMps: 10, burst: 10, replyShare: 0.4 });
  // One opens the look-back; three seconds later 12 units have gathered, of which the burst holds 10.
  const { delays } = mixed(gate, [5_000, ...Array(8).fill(8_500)], 10_000);
  assert.deepEqual(delays.slice(1).filter((delay) => delay > 2), [], String(delays));
});

Deno.test("while replies come bulk leaves their share alone; without them it uses everything; never more than the rate", () => {
  fc.assert(
    fc.property(rates, (settings) => {
      const { rateMps, burst, replyShare } = settings;
      const replies = [0, 1, 2, 3, 4].map((i) => 10_000 + i * (LOOK_BACK_MS - 100));
      const untilMs = 40_000;
      const { left } = mixed(gateOf(settings), replies, untilMs);
      const spent = (fromMs: number, toMs: number, onlyBulk: boolean) =>
        left.filter(({ atMs, isBulk }) => atMs >= fromMs && atMs < toMs && (isBulk || !onlyBulk))
          .reduce((sum, { cost }) => sum + cost, 0);
      const alone = spent(2_000, 10_000, true);
      assert(alone >= 8 * rateMps * 0.97 - 2, `alone only ${alone / 8} of ${rateMps}`);
      const lastMs = replies.at(-1)! + LOOK_BACK_MS;
      const seconds = (lastMs - 10_000) / 1_000;
      const shared = spent(10_001, lastMs, true);
      assert(
        shared <= (rateMps * seconds + burst) * (1 - replyShare) + 1,
        `bulk took ${shared / seconds} of ${rateMps}`,
      );
      const again = spent(lastMs + 1_000, untilMs, true) / ((untilMs - lastMs - 1_000) / 1_000);
      assert(again >= rateMps * 0.96 - 1, `afterwards only ${again} of ${rateMps}`);
      const times = left.flatMap(({ atMs, cost }) => Array<number>(cost).fill(atMs));
      assert(
        worstSecond(times) <= rateMps + burst,
        `${worstSecond(times)} in a second at ${rateMps} + ${burst}`,
      );
    }),
    { numRuns: 30 },
  );
});

Deno.test("a share of everything stops bulk until the replies end; a share of nothing changes nothing", () => {
  const all = mixed(gateOf({ rateMps: 10, replyShare: 1 }), [2_000], 12_000);
  const bulkTimes = all.left.filter(({ isBulk }) => isBulk).map(({ atMs }) => atMs);
  assert.deepEqual(bulkTimes.filter((at) => at > 2_000 && at < 2_000 + LOOK_BACK_MS), []);
  assert(bulkTimes.filter((at) => at >= 2_000 + LOOK_BACK_MS).length > 40);
  const none = mixed(gateOf({ rateMps: 10, replyShare: 0 }), [2_000], 12_000);
  assert(none.left.length >= 117, `${none.left.length}`);
});

Deno.test("a reply does not wait for bulk that is claimed already", () => {
  const gate = gateOf({ rateMps: 1 });
  gate.reserve(bulk());
  assert.equal(gate.room(reply(), 1_100, 20, 0).kind, "free");
  assert.equal(gate.room(bulk(), 1_100, 20, 0).kind, "channel");
});

Deno.test("the daily cap counts what was sent before and opens at midnight UTC", () => {
  const gate = gateOf({ rateMps: 1_000, burst: 100, dailyCap: 10 }, 0, 9);
  const wallMs = 1_700_000_000_000;
  assert.equal(gate.room(bulk(), 1_000, 0, wallMs).kind, "free");
  gate.reserve(bulk());
  const room = gate.room(bulk(), 1_000, 0, wallMs);
  assert.equal(room.kind, "channel");
  send(gate, bulk(), 1_000, wallMs);
  const untilMidnightMs = 86_400_000 - wallMs % 86_400_000;
  assert.equal(gate.room(bulk(), 1_000 + untilMidnightMs, 0, wallMs + untilMidnightMs).kind, "free");
});
