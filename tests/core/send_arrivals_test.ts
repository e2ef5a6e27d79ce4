import assert from "node:assert/strict";
import fc from "fast-check";
import { slidingWindowMax } from "../../bench/simulator/audit.ts";
import { ChannelSettingsSchema } from "../../core/channel.ts";
import { PRIORITY } from "../../core/message.ts";
import { ArrivalWindow, type Departure, LATE_MAX_MS } from "../../core/send/arrival_window.ts";
import { type CallUnderWay, type Demand, RateGate } from "../../core/send/rate_gate.ts";

const SECOND_MS = 1_000;
/** What leaves a second apart is a little less apart in floating point. */
const WINDOW_MS = SECOND_MS - 1e-6;
const DEMAND: Demand = { number: "num_a", cost: 1, priority: PRIORITY.bulk };
/** Of a send worker, calls for one channel. */
const CONCURRENCY = 64;

/** Takes its values one after the other, over and over. */
function cycle<T>(values: readonly T[]): () => T {
  let at = 0;
  return () => values[at++ % values.length]!;
}

Deno.test("what arrives anywhere between its departure and the latest moment stays within the second's limit", () => {
  const call = fc.record({
    cost: fc.integer({ min: 1, max: 3 }),
    gapMs: fc.double({ min: 0, max: 60, noNaN: true }),
    lateMs: fc.double({ min: 0, max: LATE_MAX_MS, noNaN: true }),
    arrivesAfter: fc.double({ min: 0, max: 1, noNaN: true }),
    isAnswered: fc.boolean(),
  });
  const arbitrary = fc.record({
    rateMps: fc.integer({ min: 1, max: 60 }),
    burst: fc.integer({ min: 1, max: 20 }),
    calls: fc.array(call, { minLength: 1, maxLength: 150 }),
  });
  fc.assert(
    fc.property(arbitrary, ({ rateMps, burst, calls }) => {
      const window = new ArrivalWindow({ rateMps, burst });
      const open: { departure: Departure; lateMs: number; answeredMs: number }[] = [];
      const arrivals: { atMs: number; cost: number }[] = [];
      let nowMs = 0;
      const pass = (untilMs: number) => {
        nowMs = Math.max(nowMs, untilMs);
        for (let i = open.length - 1; i >= 0; i--) {
          const { departure, lateMs, answeredMs } = open[i]!;
          if (answeredMs > nowMs) continue;
          window.answered(departure, lateMs);
          open.splice(i, 1);
        }
      };
      for (const { cost, gapMs, lateMs, arrivesAfter, isAnswered } of calls) {
        pass(nowMs + gapMs);
        for (
          let freeMs = window.freeAt(cost, 0, nowMs);
          freeMs > nowMs;
          freeMs = window.freeAt(cost, 0, nowMs)
        ) {
          pass(freeMs);
        }
        const departure = window.leave(cost, nowMs, false);
        arrivals.push({ atMs: nowMs + lateMs * arrivesAfter, cost });
        if (isAnswered) open.push({ departure, lateMs, answeredMs: nowMs + lateMs });
      }
      arrivals.sort((a, b) => a.atMs - b.atMs);
      const worst = slidingWindowMax(
        arrivals.map(({ atMs }) => atMs),
        WINDOW_MS,
        arrivals.map(({ cost }) => cost),
      );
      const most = rateMps + Math.max(burst, ...calls.map(({ cost }) => cost));
      assert(worst <= most, `${worst} in a second at ${rateMps} + ${burst}`);
    }),
    { numRuns: 300 },
  );
});

/** Nobody handles anything from `fromMs` to `toMs`. */
interface Standstill {
  readonly fromMs: number;
  readonly toMs: number;
}

interface World {
  readonly rateMps: number;
  readonly burst: number;
  readonly seconds: number;
  /** From our call to the provider, by its departure, and from there back, ms. */
  readonly thereMs: (leftMs: number) => number;
  readonly backMs: () => number;
  readonly sender: readonly Standstill[];
  readonly carrier: readonly Standstill[];
}

/** When something that comes at `atMs` is handled. */
function handledAt(standstills: readonly Standstill[], atMs: number): number {
  return standstills.find(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs)?.toMs ?? atMs;
}

/** A channel whose messages wait all the time; when they were handled at the carrier. */
function arrivalsOf({ rateMps, burst, seconds, thereMs, backMs, sender, carrier }: World): number[] {
  const gate = new RateGate(ChannelSettingsSchema.parse({ rateMps, burst }), 0, 0);
  const arrivals: number[] = [];
  let underWay: { call: CallUnderWay; answeredMs: number }[] = [];
  for (let nowMs = 0; nowMs < seconds * SECOND_MS;) {
    for (const { call } of underWay.filter(({ answeredMs }) => answeredMs <= nowMs)) {
      gate.ended(call, true, nowMs);
    }
    underWay = underWay.filter(({ answeredMs }) => answeredMs > nowMs);
    let dueMs = gate.departsAt(DEMAND, nowMs).channelMs;
    while (dueMs <= nowMs && underWay.length < CONCURRENCY) {
      const call = gate.depart(DEMAND, nowMs, nowMs);
      const arrivedMs = handledAt(carrier, nowMs + thereMs(nowMs));
      arrivals.push(arrivedMs);
      underWay.push({ call, answeredMs: arrivedMs + backMs() });
      dueMs = gate.departsAt(DEMAND, nowMs).channelMs;
    }
    // A timer is late, and cannot be set for less than a ms.
    const timerMs = underWay.length < CONCURRENCY ? Math.max(dueMs, nowMs + 1) : Infinity;
    nowMs = handledAt(sender, Math.min(timerMs, ...underWay.map(({ answeredMs }) => answeredMs)));
  }
  return arrivals.sort((a, b) => a - b);
}

/** Of what the rate allows, from the second second on. */
function shareOf(arrivals: readonly number[], rateMps: number, seconds: number): number {
  return arrivals.filter((atMs) => atMs >= SECOND_MS && atMs < seconds * SECOND_MS).length /
    (rateMps * (seconds - 1));
}

const standstills = fc.array(
  fc.record({ gapMs: fc.integer({ min: 2_000, max: 4_000 }), lengthMs: fc.integer({ min: 5, max: 450 }) }),
  { maxLength: 4 },
).map((list) => {
  let atMs = 0;
  return list.map(({ gapMs, lengthMs }): Standstill => {
    const fromMs = atMs + gapMs;
    atMs = fromMs + lengthMs;
    return { fromMs, toMs: atMs };
  });
});

Deno.test("no second at the carrier sees more than rate + burst + 3 %, whoever stands still in between", () => {
  const jitter = fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 1, maxLength: 50 });
  const arbitrary = fc.record({
    rateMps: fc.constantFrom(10, 50, 100, 500, 1_000),
    burstPart: fc.constantFrom(0, 0.02, 0.1, 0.5),
    wayMs: fc.integer({ min: 0, max: 150 }),
    coldMs: fc.integer({ min: 0, max: 100 }),
    there: jitter,
    back: jitter,
    sender: standstills,
    carrier: standstills,
  });
  fc.assert(
    fc.property(arbitrary, ({ rateMps, burstPart, wayMs, coldMs, there, back, sender, carrier }) => {
      const burst = Math.max(1, rateMps * burstPart);
      const jitterThere = cycle(there);
      const jitterBack = cycle(back);
      const arrivals = arrivalsOf({
        rateMps,
        burst,
        seconds: 8,
        // A new process's first calls open connections, in code that has not run before.
        thereMs: (leftMs) => wayMs + jitterThere() + (leftMs < 200 ? coldMs : 0),
        backMs: () => wayMs + jitterBack(),
        sender,
        carrier,
      });
      const worst = slidingWindowMax(arrivals, WINDOW_MS);
      const most = Math.max(rateMps + burst, Math.ceil(rateMps * 1.03 + burst));
      assert(worst <= most, `${worst} in a second at ${rateMps} + ${burst}`);
    }),
    { numRuns: 200 },
  );
});

Deno.test("a rate is used up where nothing stands still, however far away the provider is", () => {
  for (const rateMps of [1, 10, 100, 500]) {
    for (const backMs of [0, 100, 600, 3_000]) {
      // With calls that take so long a channel's calls at the same time are the limit, not its rate.
      if (rateMps * backMs > CONCURRENCY * 900) continue;
      const jitterMs = cycle([4, 0, 9, 2, 15, 7, 1, 12]);
      const seconds = 30;
      const thereMs = () => 2 + jitterMs();
      const arrivals = arrivalsOf({
        rateMps,
        burst: 1,
        seconds,
        thereMs,
        backMs: () => backMs,
        sender: [],
        carrier: [],
      });
      // The first seconds show what answers usually take.
      const learnedMs = 3 * SECOND_MS + 2 * backMs;
      const late = arrivals.filter((atMs) => atMs >= learnedMs && atMs < seconds * SECOND_MS).length;
      const share = late / ((rateMps * (seconds * SECOND_MS - learnedMs)) / SECOND_MS);
      assert(share >= 0.98 - 1 / late, `${share} of ${rateMps}/s with answers after ${backMs} ms`);
      assert(shareOf(arrivals, rateMps, seconds) <= 1);
    }
  }
});

Deno.test("calls that are never answered hold a channel up no longer than the longest lateness", () => {
  const window = new ArrivalWindow({ rateMps: 2, burst: 1 });
  for (const nowMs of [0, 10, 20]) window.leave(1, nowMs, false);
  assert.equal(window.freeAt(1, 0, 30), SECOND_MS + LATE_MAX_MS);
  assert.equal(window.freeAt(1, 1, 30), SECOND_MS + LATE_MAX_MS + 500);
  assert.equal(window.freeAt(1, 0, SECOND_MS + LATE_MAX_MS), SECOND_MS + LATE_MAX_MS);
});

Deno.test("an answer tells when its call had arrived; one that comes too late tells nothing", () => {
  const window = new ArrivalWindow({ rateMps: 1, burst: 1 });
  const [first, second] = [window.leave(1, 0, false), window.leave(1, 100, false)];
  window.answered(second, 30);
  assert.equal(window.freeAt(1, 0, 200), 1_130);
  window.answered(first, 200);
  assert.equal(window.freeAt(1, 0, 300), 1_130);
  assert.equal(window.freeAt(1, 0, 1_130), 1_130);
  assert.equal(window.freeAt(1, 1, 1_130), 2_200);
  assert.equal(window.freeAt(1, 1, 1_200), 1_200);
  window.answered(first, 200);
  assert.equal(window.freeAt(2, 0, 1_200), 1_200);
});

Deno.test("what costs more than the limit goes when nothing else counts", () => {
  const window = new ArrivalWindow({ rateMps: 1, burst: 1 });
  window.answered(window.leave(9, 0, false), 0);
  assert.equal(window.freeAt(9, 0, 100), SECOND_MS);
  assert.equal(window.freeAt(9, 0, SECOND_MS), SECOND_MS);
});
