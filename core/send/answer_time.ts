/**
 * How long a channel's answers usually take, and so how much later than usual a call may have arrived.
 *
 * Nobody tells when a call arrives. It was under way before its answer came, and of the time until then what answers
 * usually take says nothing: it delays all calls alike. What goes beyond it may have been the way: a call that waited for
 * a connection, for our own event loop or for the provider's. So much later than its departure it may have arrived.
 *
 * The usual time falls faster than it rises, so that it stays near the least. Pure; times are ms on the caller's
 * monotonic clock.
 *
 * @module
 */
export interface AnswerTime {
  /** When the first answer came. */
  readonly firstMs: number;
  /** When the last one came. */
  readonly lastMs: number;
  readonly usualMs: number;
}

/** From the first answer on: until then nothing is known, and the least of it is what is usual afterwards. */
const LEARNING_MS = 1_000;
const FALL_MS = 1_000;
const RISE_MS = 5_000;
/** One answer moves it no further than this time would: after a pause, or at the end of a standstill. */
const STEP_MS_MAX = 50;

/** What is known after one more answer, which came at `nowMs`, `callMs` after its call left. */
export function answeredAfter(known: AnswerTime | null, callMs: number, nowMs: number): AnswerTime {
  if (known === null) return { firstMs: nowMs, lastMs: nowMs, usualMs: callMs };
  const { firstMs, usualMs } = known;
  if (nowMs < firstMs + LEARNING_MS) return { firstMs, lastMs: nowMs, usualMs: Math.min(usualMs, callMs) };
  const passedMs = Math.min(STEP_MS_MAX, Math.max(0, nowMs - known.lastMs));
  const part = 1 - Math.exp(-passedMs / (callMs < usualMs ? FALL_MS : RISE_MS));
  return { firstMs, lastMs: nowMs, usualMs: usualMs + (callMs - usualMs) * part };
}

/** What answers usually take; 0 while that is not known. */
export function usualAnswerMs(known: AnswerTime | null, nowMs: number): number {
  return known === null || nowMs < known.firstMs + LEARNING_MS ? 0 : known.usualMs;
}
