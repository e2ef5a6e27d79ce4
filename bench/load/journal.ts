/**
 * What the load's thread writes while it runs and others read: how many were accepted, and when each request left.
 *
 * @module
 */

const ACCEPTED = 0;
const MEASURE_FROM = 1;
const LEFT = 2;

export class Journal {
  readonly #values: Float64Array<SharedArrayBuffer>;

  /** The same memory in every thread. */
  constructor(readonly memory: SharedArrayBuffer) {
    this.#values = new Float64Array(memory);
  }

  /** For so many requests; of those beyond, no time is kept. */
  static for(requests: number): Journal {
    return new Journal(new SharedArrayBuffer((LEFT + requests) * Float64Array.BYTES_PER_ELEMENT));
  }

  /** Answered 2xx so far. */
  get accepted(): number {
    return this.#values[ACCEPTED]!;
  }

  set accepted(count: number) {
    this.#values[ACCEPTED] = count;
  }

  /** From when requests are measured, ms since 1970. */
  set measureFromMs(atMs: number) {
    this.#values[MEASURE_FROM] = atMs;
  }

  /** Notes that request `index` left. */
  left(index: number, atMs: number): void {
    if (LEFT + index < this.#values.length) this.#values[LEFT + index] = atMs;
  }

  /** When request `index` left, ms since 1970; null: not yet, during the warm-up, or not kept. */
  leftMs(index: number): number | null {
    const atMs = this.#values[LEFT + index] ?? 0;
    return atMs === 0 || atMs < this.#values[MEASURE_FROM]! ? null : atMs;
  }
}
