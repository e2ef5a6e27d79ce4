/**
 * A common beat for lines of group commits: while little comes, each line writes at once; from some load on all of them
 * write together, one beat apart. An fsync, a write to a socket and an acknowledgement cost the same for one entry as
 * for twenty, and with several lines the entries of a moment are spread over all of them: without a beat the lines'
 * groups hardly grow with the load.
 *
 * @module
 */
import { Pace, type PaceOptions } from "./pace.ts";
import type { Clock } from "./ports/clock.ts";

export interface BeatOptions {
  /** Between two beats, by what writes take. */
  readonly pace: PaceOptions;
  /** Entries within one beat from which on lines wait for it. */
  readonly busyFrom: number;
  /** Entries for which no beat need be longer than the least: their writes are worth their price. */
  readonly enough: number;
  /** When lines start that need not wait for a beat. */
  readonly soon: (run: () => void) => void;
  readonly clock: Clock;
}

export class Beat {
  readonly #options: BeatOptions;
  readonly #pace: Pace;
  #beatMs: number;
  #windowMs = -Infinity;
  #count = 0;
  #busy = false;
  #waiting: (() => void)[] = [];
  /** Whether the lines of this beat are being started: they write with it. */
  #isStarting = false;

  constructor(options: BeatOptions) {
    this.#options = options;
    this.#pace = new Pace(options.pace);
    this.#beatMs = options.pace.leastMs;
  }

  /** Whether as much comes that lines wait for the beat. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Told of every entry. */
  count(): void {
    const { pace, busyFrom, enough, clock } = this.#options;
    this.#count++;
    const now = clock.monotonic();
    const elapsedMs = now - this.#windowMs;
    if (elapsedMs < pace.leastMs) return;
    const everyMs = this.#pace.everyMs;
    // After a pause the window is long, and what came in it is few for its length.
    this.#busy = this.#count * everyMs >= busyFrom * elapsedMs;
    this.#beatMs = Math.max(pace.leastMs, Math.min(everyMs, enough * elapsedMs / this.#count));
    this.#windowMs = now;
    this.#count = 0;
  }

  /** Told what each write took. */
  took(ms: number): void {
    this.#pace.took(ms);
  }

  /** Starts a line that was at rest. */
  start(run: () => void): void {
    if (this.#busy) this.#atNext(run);
    else this.#options.soon(run);
  }

  /** What a line waits for before its next write; null: it need not wait. */
  linger(): Promise<void> | null {
    return this.#busy && !this.#isStarting ? new Promise((resolve) => this.#atNext(resolve)) : null;
  }

  #atNext(run: () => void): void {
    const { soon, clock } = this.#options;
    this.#waiting.push(run);
    if (this.#waiting.length > 1) return;
    const earlyMs = this.#pace.earlyMs(clock.monotonic(), this.#beatMs);
    const beat = () => {
      this.#pace.started(clock.monotonic());
      const runs = this.#waiting;
      this.#waiting = [];
      this.#isStarting = true;
      for (const each of runs) each();
      this.#isStarting = false;
    };
    if (earlyMs > 0) clock.after(earlyMs, beat);
    else soon(beat);
  }
}
