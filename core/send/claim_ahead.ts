/**
 * How far ahead of the rate messages are claimed: a few round trips to the database, and as little as will do, since
 * what is claimed when a process dies is uncertain. At slow rates it is counted in units: a round trip that takes
 * longer than expected must not cost one of the few.
 *
 * @module
 */

/** Claiming starts when less than the low mark is left and goes on to the high one, so that one statement takes several. */
const MARKS = {
  low: { ms: 20, units: 2 },
  high: { ms: 40, units: 5 },
} as const;
/** No further ahead of slow rates than this, ms. */
const AHEAD_MS_MAX = 250;

/** The mark's distance in time at `rateMps` units per second, ms. */
export function claimAheadMs(mark: keyof typeof MARKS, rateMps: number): number {
  const { ms, units } = MARKS[mark];
  return Math.max(ms, Math.min(AHEAD_MS_MAX, (units * 1_000) / rateMps));
}
