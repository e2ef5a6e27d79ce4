/**
 * Whether a bucket was used up and never exceeded, from when its messages arrived. Pure.
 *
 * @module
 */
import { slidingWindowMax } from "./simulator/audit.ts";
import { atLeast, atMost, promised, type Target, within } from "./targets.ts";

export interface BucketUse {
  readonly rateMps: number;
  readonly burst: number;
  /** When messages arrived at the carrier, ms, in order. */
  readonly times: readonly number[];
  /** Of the whole measurement, ms: messages waited all the time. */
  readonly durationMs: number;
}

export interface BucketJudgement {
  /** Of what the rate allows from the second second on, when a burst that was saved up is gone, %. */
  readonly sharePercent: number;
  /** Most in any sliding second. */
  readonly worstSecond: number;
  readonly worstAllowed: number;
  /** The longest time without a message, ms. */
  readonly longestGapMs: number;
}

const SECOND_MS = 1_000;
/** Of the rate: what the clocks of two processes and the way between them may add to a second. */
const JITTER = 0.03;

/** From the first message on. */
export function judgeBucket({ rateMps, burst, times, durationMs }: BucketUse): BucketJudgement {
  const [first = 0] = times;
  const seen = times.filter((atMs) => atMs < first + durationMs);
  let longestGapMs = seen.length === 0 ? durationMs : first + durationMs - seen.at(-1)!;
  for (let i = 1; i < seen.length; i++) longestGapMs = Math.max(longestGapMs, seen[i]! - seen[i - 1]!);
  return {
    sharePercent: (seen.filter((atMs) => atMs >= first + SECOND_MS).length /
      (rateMps * (durationMs / SECOND_MS - 1))) * 100,
    worstSecond: slidingWindowMax(times, SECOND_MS),
    worstAllowed: Math.max(rateMps + burst, Math.ceil(rateMps * (1 + JITTER) + burst)),
    longestGapMs,
  };
}

/** While all of its owners live: 98 to 100 %. After half of them were killed: 95 %. Never an excess. */
export function bucketTargets(judgements: readonly BucketJudgement[], killed: boolean): Target[] {
  const shares = judgements.map(({ sharePercent }) => sharePercent);
  const least = { what: "", value: Math.min(...shares), unit: " % of the rate" };
  const excess = Math.max(...judgements.map(({ worstSecond, worstAllowed }) => worstSecond - worstAllowed));
  const over = { what: "worst second above rate + burst + 3 %", value: Math.max(0, excess) };
  return [
    killed ? atLeast(95, least) : within(98, 100, least),
    promised(atMost(0, over)),
  ];
}

/** How much of the rate was used in the second before each moment: points of seconds and %. */
export function useOverTime(
  { rateMps, times, durationMs }: BucketUse,
  stepMs = 250,
): [seconds: number, percent: number][] {
  const [first = 0] = times;
  const points: [number, number][] = [];
  let from = 0;
  let to = 0;
  for (let atMs = SECOND_MS; atMs <= durationMs; atMs += stepMs) {
    while (to < times.length && times[to]! - first < atMs) to++;
    while (from < to && times[from]! - first < atMs - SECOND_MS) from++;
    points.push([atMs / 1_000, ((to - from) / rateMps) * 100]);
  }
  return points;
}
