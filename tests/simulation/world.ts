/**
 * A world of its own: virtual time, chance from one seed, processes that crash and pause, and calls between them that
 * are late, lost, or carried out with the answer lost. What happens is a function of the seed alone.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { seededRandom } from "../../bench/simulator/clock.ts";
import { Heap } from "../../core/send/heap.ts";
import type { Clock } from "../../core/ports/clock.ts";

/** When the virtual time begins, ms since 1970. */
const START_MS = 1_750_000_000_000;
const TRACE_MAX = 4_000;

interface Due {
  readonly atMs: number;
  /** In the order of their making where times are equal. */
  readonly order: number;
  readonly run: () => void;
}

/** How the ways between processes go wrong, as shares of the calls. */
export interface Weather {
  /** The request never arrives. */
  readonly lost: number;
  /** The request is carried out, and its answer never arrives. */
  readonly unanswered: number;
  /** The request arrives late: after a second or several. */
  readonly late: number;
  /** A process dies instead of hearing an answer or a timer. */
  readonly crash: number;
}

export const FAIR: Weather = { lost: 0, unanswered: 0, late: 0, crash: 0 };

/** A call that failed: nobody knows whether it was carried out. */
export class LineError extends Error {
  override readonly name = "LineError";
}

export class World {
  readonly random: () => number;
  weather: Weather = FAIR;
  /** Calls to the places named here fail at once. */
  readonly away = new Set<string>();
  readonly #due = new Heap<Due>((a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order));
  readonly #trace: string[] = [];
  #nowMs = START_MS;
  #order = 0;
  #steps = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** Ms since 1970. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** What has happened so far, counted. */
  get steps(): number {
    return this.#steps;
  }

  chance(share: number): boolean {
    return share > 0 && this.random() < share;
  }

  /** Evenly from `least` up to below `most`. */
  between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)]!;
  }

  after(delayMs: number, run: () => void): () => void {
    const due: Due = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#due.push(due);
    return () => {
      if (this.#due.has(due)) this.#due.remove(due);
    };
  }

  /** Resolves with whether `isOver` came true before the time or the work ran out. It is asked every 100 ms. */
  async run(isOver: () => boolean, msMax: number): Promise<boolean> {
    const endMs = this.#nowMs + msMax;
    let askMs = this.#nowMs;
    for (;;) {
      const next = this.#due.peek();
      if (next === undefined || next.atMs > endMs) return isOver();
      if (next.atMs >= askMs) {
        if (isOver()) return true;
        askMs = next.atMs + 100;
      }
      this.#due.pop();
      this.#nowMs = next.atMs;
      this.#steps++;
      next.run();
      // Everything that follows without waiting happens now.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  note(who: string, what: string): void {
    this.#trace.push(`${((this.#nowMs - START_MS) / 1000).toFixed(4)} ${who} ${what}`);
    if (this.#trace.length > 2 * TRACE_MAX) this.#trace.splice(0, TRACE_MAX);
  }

  /** The last things that happened. */
  lastTrace(lines: number): string[] {
    return this.#trace.slice(-lines);
  }

  /**
   * A call from `from` to somewhere that does not crash: `carryOut` is done at one moment there, whether or not the
   * caller lives to hear of it. `place` can be away.
   */
  call<T>(from: Process, place: string, what: string, carryOut: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    // Whoever called may be dead by then.
    promise.catch(() => {});
    const { lost, unanswered, late } = this.weather;
    const wayMs = this.chance(late) ? this.between(500, 4_000) : this.between(0.2, 3);
    const fails = (delayMs: number, why: string) =>
      this.after(delayMs, () => {
        from.note(`${what}: ${why}`);
        from.hear(() => reject(new LineError(`${what}: ${why}`)));
      });
    if (this.chance(lost)) {
      fails(this.between(1, 500), "lost");
      return promise;
    }
    const isUnanswered = this.chance(unanswered);
    const arrive = () => {
      if (this.away.has(place)) return fails(1, `${place} is away`);
      let answer: () => void;
      try {
        const result = carryOut();
        answer = () => resolve(result);
      } catch (error) {
        answer = () => reject(error);
      }
      if (isUnanswered) fails(this.between(1, 500), "done, and the answer lost");
      else this.after(this.between(0.2, 3), () => from.hear(answer));
    };
    this.after(wayMs, () => {
      // What a process had on the way when it died or stopped may lie in some buffer until others have its work.
      if (from.state !== "running" && this.chance(15 * late)) this.after(this.between(500, 6_000), arrive);
      else arrive();
    });
    return promise;
  }
}

/** A process: when it is dead nothing of it goes on; while it is paused nothing does, and all of it afterwards. */
export class Process {
  readonly name: string;
  readonly clock: Clock;
  readonly #world: World;
  readonly #isMortal: boolean;
  #state: "running" | "paused" | "dead" = "running";
  #held: (() => void)[] = [];
  /** Called once when it dies. */
  onDeath: () => void = () => {};

  /** One that is not mortal dies only when it is killed. */
  constructor(world: World, name: string, isMortal: boolean) {
    this.#world = world;
    this.name = name;
    this.#isMortal = isMortal;
    this.clock = {
      now: () => Math.floor(world.nowMs),
      monotonic: () => world.nowMs - START_MS,
      after: (delayMs, run) => {
        let isOff = false;
        // Timers are a little late, and one that is due in a pause can still be cancelled after it.
        const cancel = world.after(delayMs + world.between(0, 2), () => this.hear(() => isOff || run()));
        return () => {
          isOff = true;
          cancel();
        };
      },
    };
  }

  get state(): "running" | "paused" | "dead" {
    return this.#state;
  }

  /** Something reaches the process. */
  hear(run: () => void): void {
    if (this.#state === "dead") return;
    if (this.#state === "paused") return void this.#held.push(run);
    if (this.#isMortal && this.#world.chance(this.#world.weather.crash)) return this.kill();
    run();
  }

  kill(): void {
    if (this.#state === "dead") return;
    this.note("dies");
    this.#state = "dead";
    this.#held = [];
    this.onDeath();
  }

  pause(): void {
    if (this.#state !== "running") return;
    this.note("pauses");
    this.#state = "paused";
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.note("goes on");
    this.#state = "running";
    for (const run of this.#held.splice(0)) this.#world.after(0, () => this.hear(run));
  }

  note(what: string): void {
    this.#world.note(this.name, what);
  }
}
