/**
 * Whose turn it is and when: lines that are free take turns, first the one that has been free for longest, as fast as it
 * goes or at a rate. The rate is kept by the clock, not by the answers: who falls behind catches up, so a target that
 * stalls is not spared what it would have got.
 *
 * Pure but for its memory; times are in ms of any one clock.
 *
 * @module
 */

/** A turn may begin so much before it is due: shorter waits are not worth waking for. */
const SLACK_MS = 0.5;

export interface Turn {
  readonly line: number;
  /** From when latency counts: from when the turn was due if no line was free then, else from when it is taken. */
  readonly fromMs: number;
}

export class Turns {
  /** Free lines in a ring. */
  readonly #free: Int32Array;
  #first = 0;
  #count = 0;
  /** Since when some line has been free. */
  #freeSinceMs = Infinity;
  readonly #intervalMs: number;
  #dueMs: number;

  /** `rateMps` null: every turn is due at once. */
  constructor(lines: number, rateMps: number | null, startMs: number) {
    this.#free = new Int32Array(lines);
    this.#intervalMs = rateMps === null ? 0 : 1000 / rateMps;
    this.#dueMs = startMs;
  }

  free(line: number, nowMs: number): void {
    if (this.#count === 0) this.#freeSinceMs = nowMs;
    this.#free[(this.#first + this.#count++) % this.#free.length] = line;
  }

  /** The next turn; null when none is due or no line is free. */
  take(nowMs: number): Turn | null {
    if (this.#count === 0) return null;
    let fromMs = nowMs;
    if (this.#intervalMs > 0) {
      if (this.#dueMs - nowMs > SLACK_MS) return null;
      if (this.#dueMs < this.#freeSinceMs) fromMs = this.#dueMs;
      this.#dueMs += this.#intervalMs;
    }
    const line = this.#free[this.#first]!;
    this.#first = (this.#first + 1) % this.#free.length;
    this.#count--;
    return { line, fromMs };
  }

  /** How long no turn can be taken unless a line becomes free. */
  waitMs(nowMs: number): number {
    return this.#count === 0 ? Infinity : Math.max(0, this.#dueMs - nowMs);
  }
}
