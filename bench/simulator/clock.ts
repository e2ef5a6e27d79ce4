/**
 * Time and chance as the simulator sees them.
 *
 * @module
 */

/** Wall-clock time in ms since 1970 with a fraction: what calls are stamped with, never going back. */
export function preciseNowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Numbers from 0 to below 1 that repeat for the same seed (mulberry32), so that a faulty run can be had again. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A span in ms: fixed, or drawn evenly from `[least, most]`. */
export type Span = number | readonly [least: number, most: number];

/** One length of `span`, in ms. */
export function drawSpan(span: Span, random: () => number): number {
  if (typeof span === "number") return span;
  return span[0] + (span[1] - span[0]) * random();
}

/** Resolves after `ms`, or at once when `signal` fires. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal?.addEventListener("abort", finish, { once: true });
  });
}
