/**
 * How far apart the group writes of a line start under load: never less than `leastMs`, and further the longer writes
 * take. A write that takes long tells that its store or broker is busy, mostly with others' writes. With four processes
 * each line has a quarter of the entries, and without this would make as many writes of a quarter of the size, each of
 * which costs nearly as much. A line that is alone on a fast store does not rest longer.
 *
 * @module
 */
export interface PaceOptions {
  /** From the start of one write to the start of the next, however fast they are. */
  readonly leastMs: number;
  /** What a write takes while nobody else keeps the store busy; what it takes beyond that counts. */
  readonly freeMs: number;
  /** Counts so many times. */
  readonly times: number;
  /** However slow they are. */
  readonly mostMs: number;
}

/** What a new write's duration counts in the mean at least: one slow fsync is no load. */
const LEAST_WEIGHT = 1 / 8;
/** A write so long after the one before counts alone: with few writes a second the end of a load would not be noticed. */
const MEMORY_MS = 200;

export class Pace {
  readonly #options: PaceOptions;
  #startedMs = -Infinity;
  #weight = LEAST_WEIGHT;
  #tookMs = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** From the start of one write to the start of the next. */
  get everyMs(): number {
    const { leastMs, freeMs, times, mostMs } = this.#options;
    return Math.min(mostMs, leastMs + times * Math.max(0, this.#tookMs - freeMs));
  }

  /** A write starts. */
  started(nowMs: number): void {
    this.#weight = Math.min(1, Math.max(LEAST_WEIGHT, (nowMs - this.#startedMs) / MEMORY_MS));
    this.#startedMs = nowMs;
  }

  /** A write took so long. */
  took(ms: number): void {
    this.#tookMs += (ms - this.#tookMs) * this.#weight;
  }

  /** Until the next write is due, so long after the start of the last one; 0 or less: it is. */
  earlyMs(nowMs: number, everyMs = this.everyMs): number {
    return this.#startedMs + everyMs - nowMs;
  }
}
