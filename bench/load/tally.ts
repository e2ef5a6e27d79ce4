/**
 * Counts answers and times them.
 *
 * @module
 */
import { Histogram } from "../simulator/histogram.ts";
import type { LoadResult } from "./plan.ts";

export class Tally {
  readonly #latency = new Histogram();
  readonly #statuses: Record<number, number> = {};
  readonly #breaks: Record<string, number> = {};
  #firstRefusal: string | null = null;
  #accepted = 0;
  #refused = 0;
  #broken = 0;
  #lastMeasuredMs: number;
  #lastMs: number;

  /** What is due from `measureFromMs` on and answered by `endMs` counts in rate and latency. */
  constructor(
    private readonly startMs: number,
    private readonly measureFromMs: number,
    private readonly endMs: number,
  ) {
    this.#lastMeasuredMs = measureFromMs;
    this.#lastMs = startMs;
  }

  /** Answered 2xx. */
  get accepted(): number {
    return this.#accepted;
  }

  answered(status: number, bodyOf: () => string, { fromMs, nowMs }: { fromMs: number; nowMs: number }): void {
    this.#lastMs = nowMs;
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    if (status > 299) {
      this.#refused++;
      this.#firstRefusal ??= bodyOf();
      return;
    }
    this.#accepted++;
    if (fromMs < this.measureFromMs || nowMs > this.endMs) return;
    this.#latency.record(nowMs - fromMs);
    this.#lastMeasuredMs = nowMs;
  }

  broke(reason: string): void {
    this.#broken++;
    this.#breaks[reason] = (this.#breaks[reason] ?? 0) + 1;
  }

  result(): LoadResult {
    const measuredSeconds = (this.#lastMeasuredMs - this.measureFromMs) / 1000;
    return {
      accepted: this.#accepted,
      refused: this.#refused,
      broken: this.#broken,
      statuses: this.#statuses,
      firstRefusal: this.#firstRefusal,
      breaks: this.#breaks,
      seconds: (this.#lastMs - this.startMs) / 1000,
      acceptedMps: measuredSeconds > 0 ? this.#latency.count / measuredSeconds : 0,
      latency: this.#latency.summary(),
    };
  }
}
