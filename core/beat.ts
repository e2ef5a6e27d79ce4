/**
 * A common beat for lines of group commits: while little comes, each line writes at once; from some load on all of them
 * write together, one beat apart. An fsync, a write to a socket and an acknowledgement cost the same for one entry as
 * for twenty, and with several lines the entries of a moment are spread over all of them: without a beat the lines'
 * groups hardly grow with the load.
 *
 * @module
 */
import type { Clock } from "./ports/clock.ts";

export interface BeatOptions {
  /** Between two beats. */
  readonly beatMs: number;
  /** Entries within one beat from which on lines wait for it. */
  readonly busyFrom: number;
  /** When lines start that need not wait for a beat. */
  readonly soon: (run: () => void) => void;
  readonly clock: Clock;
}

export class Beat {
  readonly #options: BeatOptions;
  #windowMs = -Infinity;
  #count = 0;
  #busy = false;
  #lastMs = -Infinity;
  #waiting: (() => void)[] = [];

  constructor(options: BeatOptions) {
    this.#options = options;
  }

  /** Whether as much comes that lines wait for the beat. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Told of every entry. */
  count(): void {
    const { beatMs, busyFrom, clock } = this.#options;
    this.#count++;
    const now = clock.monotonic();
    const elapsedMs = now - this.#windowMs;
    if (elapsedMs < beatMs) return;
    // After a pause the window is long, and what came in it is few for its length.
    this.#busy = this.#count * beatMs >= busyFrom * elapsedMs;
    this.#windowMs = now;
    this.#count = 0;
  }

  /** Starts a line that was at rest. */
  start(run: () => void): void {
    if (this.#busy) this.#atNext(run);
    else this.#options.soon(run);
  }

  /** What a line waits for before its next write; null: it need not wait. */
  linger(): Promise<void> | null {
    return this.#busy ? new Promise((resolve) => this.#atNext(resolve)) : null;
  }

  #atNext(run: () => void): void {
    const { beatMs, soon, clock } = this.#options;
    this.#waiting.push(run);
    if (this.#waiting.length > 1) return;
    const earlyMs = this.#lastMs + beatMs - clock.monotonic();
    const beat = () => {
      this.#lastMs = clock.monotonic();
      const runs = this.#waiting;
      this.#waiting = [];
      for (const each of runs) each();
    };
    if (earlyMs > 0) clock.after(earlyMs, beat);
    else soon(beat);
  }
}
