/**
 * How much comes to a line of group writes, by what its last writes had and how far apart they started. A standstill with
 * much to write after it is no flood: what counts is how much came in how long.
 *
 * @module
 */

/** What a new write counts in the means. */
const WEIGHT = 1 / 8;

export class Inflow {
  #amount = 0;
  #intervalMs = 0;
  #startedMs = -Infinity;

  /** A write of so much starts. */
  started(nowMs: number, amount: number): void {
    const intervalMs = nowMs - this.#startedMs;
    this.#startedMs = nowMs;
    // The first one tells nothing of the time it collected in.
    if (intervalMs === Infinity) return;
    this.#amount += (amount - this.#amount) * WEIGHT;
    this.#intervalMs += (intervalMs - this.#intervalMs) * WEIGHT;
  }

  /** In one ms; 0 as long as nothing is known. */
  get perMs(): number {
    return this.#intervalMs === 0 ? 0 : this.#amount / this.#intervalMs;
  }
}
