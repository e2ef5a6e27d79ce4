/**
 * The machine's clock.
 *
 * @module
 */
import type { Clock } from "../../core/ports/clock.ts";

export const systemClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
