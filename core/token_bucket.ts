/**
 * A token bucket as GCRA: the whole state is one time, the theoretical arrival time of the next token.
 *
 * Pure arithmetic in milliseconds; the caller brings the time. With `rateMps` r and `burst` b, any window of
 * length w seconds sees at most b + r·w units of cost leave.
 *
 * @module
 */

export interface BucketRule {
  /** Units of cost per second. */
  readonly rateMps: number;
  /** Units that may leave at once after a pause; at least 1. */
  readonly burst: number;
}

/** The theoretical arrival time, in ms. */
export type BucketState = number;

/** A bucket with nothing in it: the first unit leaves one interval later. What a new owner starts with. */
export function emptyBucket(rule: BucketRule, nowMs: number): BucketState {
  return nowMs + (rule.burst * 1000) / rule.rateMps;
}

/** A bucket that holds its whole burst. */
export function fullBucket(nowMs: number): BucketState {
  return nowMs;
}

/** When `cost` units may leave, in ms; not later than `nowMs` means at once. A cost above the burst is let through when the bucket is full. */
export function availableAt(rule: BucketRule, state: BucketState, cost: number): number {
  const intervalMs = 1000 / rule.rateMps;
  return state - (Math.max(rule.burst, cost) - cost) * intervalMs;
}

/** The state after `cost` units left at `nowMs`. Call it only when {@link availableAt} has come. */
export function take(rule: BucketRule, state: BucketState, nowMs: number, cost: number): BucketState {
  const intervalMs = 1000 / rule.rateMps;
  return Math.max(state, nowMs) + cost * intervalMs;
}

/** How many units could leave at `nowMs`, not rounded, from 0 to the burst. */
export function tokensAt(rule: BucketRule, state: BucketState, nowMs: number): number {
  const tokens = rule.burst - ((state - nowMs) * rule.rateMps) / 1000;
  return Math.max(0, Math.min(rule.burst, tokens));
}

/** The state as it is under a new rule: the debt in units stays, its time is priced at the new rate. */
export function reprice(from: BucketRule, to: BucketRule, state: BucketState, nowMs: number): BucketState {
  const debtUnits = Math.max(0, ((state - nowMs) * from.rateMps) / 1000);
  return nowMs + (Math.min(debtUnits, to.burst) * 1000) / to.rateMps;
}

/** Nothing leaves before `untilMs`: what a throttling answer does. */
export function holdUntil(state: BucketState, rule: BucketRule, untilMs: number): BucketState {
  return Math.max(state, untilMs + ((rule.burst - 1) * 1000) / rule.rateMps);
}
