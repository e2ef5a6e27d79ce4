/**
 * How long messages take from leaving until their event is there, for whoever listens to events.
 *
 * @module
 */
import { preciseNowMs } from "./simulator/clock.ts";
import { Histogram } from "./simulator/histogram.ts";

/** When the message with this text left, ms since 1970; null: it does not count. */
export type LeftMs = (text: string) => number | null;

export class Lag {
  #leftMs: LeftMs = () => null;
  #histogram = new Histogram();

  get histogram(): Histogram {
    return this.#histogram;
  }

  /** Forgets what was noted, and counts from now on what `leftMs` knows. */
  measure(leftMs: LeftMs): void {
    this.#histogram = new Histogram();
    this.#leftMs = leftMs;
  }

  /** The event of the message with this text came. */
  came(text: string): void {
    const leftMs = this.#leftMs(text);
    if (leftMs !== null) this.#histogram.record(preciseNowMs() - leftMs);
  }
}
