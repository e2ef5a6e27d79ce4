/**
 * How long somebody in a line will wait.
 *
 * Estimated from how fast the line moves: a moving average of the time between two sessions that leave it to be
 * served, while there is a line. That one figure has everything in it that matters — how many agents there are, how long
 * they talk, what else they serve — and needs no model of any of it. An average over the last few dozen (weight 1/16)
 * follows a shift change within minutes and does not jump at every single one. While nothing moves for longer than the
 * average, that silence is the estimate.
 *
 * @module
 */
const WEIGHT = 1 / 16;

export interface Drain {
  readonly drain_ms: number | null;
  readonly drain_since_ms: number;
}

/** One left the line at `nowMs` to be served. */
export function drained({ drain_ms, drain_since_ms }: Drain, nowMs: number): Drain {
  const sample = Math.max(0, nowMs - drain_since_ms);
  return {
    drain_ms: drain_ms === null ? sample : drain_ms + (sample - drain_ms) * WEIGHT,
    drain_since_ms: nowMs,
  };
}

/** How long the one at `position` (from 1) will wait from `nowMs` on, ms; null while nobody has left the line yet. */
export function estimatedWaitMs(
  { drain_ms, drain_since_ms }: Drain,
  position: number,
  nowMs: number,
): number | null {
  return drain_ms === null ? null : Math.round(position * Math.max(drain_ms, nowMs - drain_since_ms));
}
