/**
 * Turns at a rate, for many who wait, on one timer. The pace is kept by the clock, not by the answers: who
 * falls behind catches up, so a target that stalls is not spared what it would have got.
 *
 * @module
 */

/** Shorter waits than this are not worth a timer. */
const SLACK_MS = 0.5;

interface Waiter {
  readonly dueMs: number;
  readonly go: (fromMs: number) => void;
}

export class Pace {
  #intervalMs = 0;
  #dueMs = 0;
  #waiters: Waiter[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  #ended = false;

  /** `rateMps` null: every turn is at once. Times are by `performance.now()`. */
  constructor(rateMps: number | null, private readonly endMs: number) {
    this.setRate(rateMps);
  }

  /** Counts from now on; whoever waits already keeps the turn it has. */
  setRate(rateMps: number | null): void {
    this.#intervalMs = rateMps === null ? 0 : 1000 / rateMps;
    this.#dueMs = performance.now();
  }

  /**
   * The next turn; gives the time from which latency is to count: when it was due if that is past already, else
   * when the timer woke, whose own lateness is not the other side's. Ends early when the end comes first.
   */
  turn(): number | Promise<number> {
    const nowMs = performance.now();
    if (this.#intervalMs === 0 || this.#ended) return nowMs;
    const dueMs = this.#dueMs;
    this.#dueMs += this.#intervalMs;
    if (dueMs - nowMs <= SLACK_MS) return Math.min(dueMs, nowMs);
    return new Promise((go) => {
      this.#waiters.push({ dueMs: Math.min(dueMs, this.endMs), go });
      this.#arm(nowMs);
    });
  }

  /** Lets everybody go at once, now and from now on. */
  end(): void {
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.go(performance.now());
  }

  #arm(nowMs: number): void {
    const first = this.#waiters[0];
    if (first === undefined || this.#timer !== null) return;
    this.#timer = setTimeout(() => this.#wake(), Math.max(0, first.dueMs - nowMs));
  }

  #wake(): void {
    this.#timer = null;
    const nowMs = performance.now();
    let due = 0;
    while (due < this.#waiters.length && this.#waiters[due]!.dueMs - nowMs <= SLACK_MS) due++;
    for (const waiter of this.#waiters.splice(0, due)) waiter.go(nowMs);
    this.#arm(nowMs);
  }
}
