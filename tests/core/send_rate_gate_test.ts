import assert from "node:assert/strict";
import fc from "fast-check";
import { ChannelSettingsSchema } from "../../core/channel.ts";
import { RateGate } from "../../core/send/rate_gate.ts";

const NUMBER = "num_a";

function gateOf(settings: Record<string, unknown>, nowMs = 0, usedToday = 0): RateGate {
  return new RateGate(ChannelSettingsSchema.parse(settings), nowMs, 1_700_000_000_000 + nowMs, usedToday);
}

/** Sends as fast as the gate lets, waking up to `lateMs()` late; returns the times. */
function run(gate: RateGate, fromMs: number, untilMs: number, lateMs: () => number, cost = 1): number[] {
  const times: number[] = [];
  let nowMs = fromMs;
  while (nowMs < untilMs) {
    const { channelMs, numberMs } = gate.departsAt(NUMBER, cost, nowMs);
    const dueMs = Math.max(channelMs, numberMs);
    if (dueMs > nowMs) {
      nowMs = dueMs + lateMs();
      continue;
    }
    gate.depart(NUMBER, cost, nowMs, 1_700_000_000_000 + nowMs);
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
  for (let i = 0; i < 1_000; i++) gate.depart(NUMBER, 1, 0, 0);
  assert(gate.departsAt(NUMBER, 1, 0).channelMs <= 0);
  gate.change(ChannelSettingsSchema.parse({ rateMps: 10 }), 0);
  assert(gate.departsAt(NUMBER, 1, 0).channelMs > 90);
});

Deno.test("a number's own limit closes the number, the channel's closes all", () => {
  const gate = gateOf({ rateMps: 10, burst: 10 });
  gate.setNumber(NUMBER, { rateMps: 1, burst: 1 }, 0);
  const wallMs = 1_700_000_000_000;
  assert.equal(gate.room(NUMBER, 1, 5_000, 0, wallMs).kind, "free");
  gate.reserve(NUMBER, 1);
  assert.equal(gate.room(NUMBER, 1, 5_000, 0, wallMs).kind, "number");
  assert.equal(gate.room("num_b", 1, 5_000, 0, wallMs).kind, "free");
  for (let i = 0; i < 9; i++) gate.reserve("num_b", 1);
  assert.equal(gate.room("num_b", 1, 5_000, 0, wallMs).kind, "channel");
  gate.release("num_b", 1);
  assert.equal(gate.room("num_b", 1, 5_000, 0, wallMs).kind, "free");
});

Deno.test("throttling holds the channel, longer each time, until the provider takes something", () => {
  const gate = gateOf({ rateMps: 1_000, burst: 100, retry: { initialMs: 100, factor: 2, maxMs: 1_000 } });
  assert.equal(gate.throttle(1_000, undefined), 1_100);
  assert.equal(gate.throttle(1_050, undefined), 1_100, "an answer to a call under way does not lengthen it");
  assert(gate.departsAt(NUMBER, 1, 1_050).channelMs >= 1_100);
  assert.equal(gate.throttle(1_100, undefined), 1_300);
  gate.accepted();
  assert.equal(gate.throttle(2_000, undefined), 2_100);
  assert.equal(gate.throttle(2_200, 30_000), 32_200);
  const times = run(gate, 2_200, 32_400, () => 0);
  assert(times[0]! >= 32_200);
  assert(times.filter((time) => time < 32_210).length <= 20, "what was held back does not come as a burst");
});

Deno.test("the daily cap counts what was sent before and opens at midnight UTC", () => {
  const gate = gateOf({ rateMps: 1_000, burst: 100, dailyCap: 10 }, 0, 9);
  const wallMs = 1_700_000_000_000;
  assert.equal(gate.room(NUMBER, 1, 1_000, 0, wallMs).kind, "free");
  gate.reserve(NUMBER, 1);
  const room = gate.room(NUMBER, 1, 1_000, 0, wallMs);
  assert.equal(room.kind, "channel");
  gate.depart(NUMBER, 1, 1_000, wallMs);
  const untilMidnightMs = 86_400_000 - wallMs % 86_400_000;
  assert.equal(gate.room(NUMBER, 1, 1_000 + untilMidnightMs, 0, wallMs + untilMidnightMs).kind, "free");
});
