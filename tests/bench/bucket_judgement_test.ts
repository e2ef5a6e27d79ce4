/** Whether a bucket was used up and never exceeded. */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { bucketTargets, judgeBucket, useOverTime } from "../../bench/bucket_judgement.ts";

/** A bucket that is always used up: the burst at once, then one message each time that there is one more. */
function perfect(rateMps: number, burst: number, durationMs: number): number[] {
  const times = Array<number>(burst).fill(0);
  for (let i = 1; (i * 1_000) / rateMps <= durationMs; i++) times.push((i * 1_000) / rateMps);
  return times;
}

Deno.test("a bucket that is used up has a share of 100 % and no excess, at every rate and burst", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 500 }),
    fc.integer({ min: 1, max: 50 }),
    fc.integer({ min: 5, max: 20 }),
    (rateMps, burst, seconds) => {
      const use = {
        rateMps,
        burst,
        times: perfect(rateMps, burst, seconds * 1_000),
        durationMs: seconds * 1_000,
      };
      const judged = judgeBucket(use);
      equal(judged.sharePercent, 100);
      ok(judged.worstSecond <= judged.worstAllowed);
      equal(bucketTargets([judged], true)[1]!.met, true);
    },
  ));
});

Deno.test("a gap and an excess are seen", () => {
  const times = perfect(100, 1, 10_000);
  const gap = {
    rateMps: 100,
    burst: 1,
    durationMs: 10_000,
    times: times.filter((at) => at < 3_000 || at >= 5_000),
  };
  const judged = judgeBucket(gap);
  equal(Math.round(judged.longestGapMs), 2_010);
  equal(Math.round(judged.sharePercent), 78);
  deepEqual(bucketTargets([judged], false).map(({ met }) => met), [false, true]);
  const lump = judgeBucket({ ...gap, times: [...times, 5_000, 5_000, 5_000, 5_000].sort((a, b) => a - b) });
  equal(lump.worstSecond, 104);
  equal(lump.worstAllowed, 104);
  const more = judgeBucket({
    ...gap,
    times: [...times, ...Array<number>(5).fill(5_000)].sort((a, b) => a - b),
  });
  equal(bucketTargets([more], false)[1]!.met, false);
});

Deno.test("nothing sent is a share of nothing", () => {
  const judged = judgeBucket({ rateMps: 10, burst: 1, times: [], durationMs: 5_000 });
  deepEqual([judged.sharePercent, judged.worstSecond, judged.longestGapMs], [0, 0, 5_000]);
});

Deno.test("use over time is the share of the rate in the second before", () => {
  const times = perfect(100, 1, 10_000).filter((at) => at < 3_000 || at >= 5_000);
  const points = useOverTime({ rateMps: 100, burst: 1, times, durationMs: 10_000 }, 1_000);
  deepEqual(points.map(([seconds, percent]) => [seconds, Math.round(percent)]), [
    [1, 100],
    [2, 100],
    [3, 100],
    [4, 0],
    [5, 0],
    [6, 100],
    [7, 100],
    [8, 100],
    [9, 100],
    [10, 100],
  ]);
});
