/**
 * What a provider's "too many requests" does to a channel: its effective rate is halved at once, grows back
 * by the same step every second, and is the configured one again {@link RECOVERY_MS} after the last pause at
 * the latest. With `Retry-After` nothing goes before that time.
 *
 * Pure; times are ms on the caller's monotonic clock, rates are units of cost per second.
 *
 * @module
 */

/** A channel that is slowed down. */
export interface Throttle {
  /** The rate right after the last decrease. */
  readonly rateMps: number;
  /** What it grows back to. */
  readonly ceilingMps: number;
  /** When the last decrease was. */
  readonly atMs: number;
  /** Nothing goes before. */
  readonly holdMs: number;
}

export interface ThrottlingAnswer {
  /** What the channel's rate is without throttling; of an unlimited channel, what it really reached. */
  readonly ceilingMps: number;
  /** The pause that the provider asks for, if it does. */
  readonly retryAfterMs: number | undefined;
  /** When the call that was answered so was made. */
  readonly calledMs: number;
  readonly nowMs: number;
}

/** What one throttling answer leaves of the rate. */
const DECREASE = 0.5;
/** No rate goes below this part of its ceiling: at least that often it is tried whether more is allowed again. */
export const FLOOR = 0.01;
/** From the floor to the ceiling, ms. */
export const RECOVERY_MS = 60_000;
/** A longer pause is cut: the provider is asked again after an hour, whatever it says. */
export const HOLD_MAX_MS = 3_600_000;

/**
 * The state after a throttling answer. Answers to calls that were made before the last decrease say nothing
 * about the rate since, so they only lengthen the pause: a burst of refused calls is one decrease.
 */
export function slowDown(throttle: Throttle | null, answer: ThrottlingAnswer): Throttle {
  const { nowMs, calledMs } = answer;
  const askedMs = nowMs + Math.min(HOLD_MAX_MS, answer.retryAfterMs ?? 0);
  if (throttle !== null && calledMs <= throttle.atMs) {
    return { ...throttle, holdMs: Math.max(throttle.holdMs, askedMs) };
  }
  const ceilingMps = throttle?.ceilingMps ?? answer.ceilingMps;
  const formerMps = throttle === null ? ceilingMps : effectiveMps(throttle, nowMs);
  const rateMps = Math.max(ceilingMps * FLOOR, formerMps * DECREASE);
  return { rateMps, ceilingMps, atMs: nowMs, holdMs: Math.max(throttle?.holdMs ?? 0, askedMs) };
}

/** The rate that holds now, from {@link FLOOR} of the ceiling to the ceiling. */
export function effectiveMps({ rateMps, ceilingMps, atMs, holdMs }: Throttle, nowMs: number): number {
  const growingMs = Math.max(0, nowMs - Math.max(atMs, holdMs));
  return Math.min(ceilingMps, rateMps + (ceilingMps * growingMs) / RECOVERY_MS);
}

/** Whether nothing is left of it. */
export function isRecovered(throttle: Throttle, nowMs: number): boolean {
  return effectiveMps(throttle, nowMs) >= throttle.ceilingMps && nowMs >= throttle.holdMs;
}
