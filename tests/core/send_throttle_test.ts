import assert from "node:assert/strict";
import fc from "fast-check";
import {
  effectiveMps,
  FLOOR,
  HOLD_MAX_MS,
  isRecovered,
  RECOVERY_MS,
  slowDown,
  type Throttle,
} from "../../core/send/throttle.ts";

const ceilingMps = 100;
const first = (nowMs: number, retryAfterMs?: number) =>
  slowDown(null, { ceilingMps, retryAfterMs, calledMs: nowMs - 10, nowMs });

Deno.test("a throttling answer halves the rate, which grows back by the same step each second", () => {
  const throttle = first(1_000);
  assert.equal(effectiveMps(throttle, 1_000), 50);
  assert.equal(effectiveMps(throttle, 1_000 + RECOVERY_MS / 4), 75);
  assert.equal(effectiveMps(throttle, 1_000 + RECOVERY_MS / 2), 100);
  assert.equal(isRecovered(throttle, 1_000 + RECOVERY_MS / 2), true);
});

Deno.test("Retry-After holds everything, and the rate grows only after it", () => {
  const throttle = first(1_000, 5_000);
  assert.equal(throttle.holdMs, 6_000);
  assert.equal(effectiveMps(throttle, 6_000), 50);
  assert.equal(isRecovered(throttle, 5_000), false);
  assert.equal(first(0, 10 * HOLD_MAX_MS).holdMs, HOLD_MAX_MS);
});

Deno.test("answers to calls made before a decrease are the same decrease, but their pause counts", () => {
  const once = first(1_000);
  const again = slowDown(once, { ceilingMps, retryAfterMs: 2_000, calledMs: 999, nowMs: 1_050 });
  assert.deepEqual(again, { ...once, holdMs: 3_050 });
  const later = slowDown(again, { ceilingMps, retryAfterMs: undefined, calledMs: 3_060, nowMs: 3_061 });
  assert(later.rateMps < 26 && later.rateMps >= 25);
});

Deno.test("whatever comes, the rate is never above its ceiling nor below its floor, and recovers in bounded time", () => {
  const answers = fc.array(
    fc.record({
      afterMs: fc.integer({ min: 0, max: 30_000 }),
      tookMs: fc.integer({ min: 0, max: 20_000 }),
      retryAfterMs: fc.option(fc.integer({ min: 0, max: 120_000 }), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(fc.property(fc.double({ min: 0.01, max: 49_999, noNaN: true }), answers, (rateMps, list) => {
    let throttle: Throttle | null = null;
    let nowMs = 0;
    for (const { afterMs, tookMs, retryAfterMs } of list) {
      nowMs += afterMs;
      throttle = slowDown(throttle, { ceilingMps: rateMps, retryAfterMs, calledMs: nowMs - tookMs, nowMs });
      for (const at of [nowMs, nowMs + 7_000]) {
        const mps: number = effectiveMps(throttle, at);
        assert(mps <= rateMps && mps >= rateMps * FLOOR, `${mps} of ${rateMps}`);
      }
    }
    const doneMs = Math.max(nowMs, throttle!.holdMs) + RECOVERY_MS;
    assert(isRecovered(throttle!, doneMs), "it has not recovered");
  }));
});

Deno.test("a channel above its provider's limit settles below it and uses most of it", () => {
  const limitMps = 40;
  let throttle: Throttle | null = null;
  let sent = 0;
  let refused = 0;
  // Half a second of sending at the rate of the moment; what exceeds the limit is refused.
  for (let nowMs = 0; nowMs < 600_000; nowMs += 500) {
    const mps: number = throttle === null ? ceilingMps : effectiveMps(throttle, nowMs);
    sent += Math.min(mps, limitMps) / 2;
    if (mps <= limitMps) continue;
    refused++;
    throttle = slowDown(throttle, {
      ceilingMps,
      retryAfterMs: undefined,
      calledMs: nowMs + 1,
      nowMs: nowMs + 2,
    });
  }
  assert(sent > 600 * limitMps * 0.7, `${sent / 600}/s of ${limitMps}`);
  assert(refused < 100, `${refused} refused`);
});
