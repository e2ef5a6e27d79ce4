/**
 * Many small waits on one timer: reports come due by the thousand a second, and a timer each would cost more
 * than the report.
 *
 * @module
 */

const TICK_MS = 5;

export class Schedule {
  readonly #due = new Map<number, (() => void)[]>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #count = 0;

  /** How many wait. */
  get count(): number {
    return this.#count;
  }

  /** Runs `action` after `ms`, rounded up to 5 ms. Actions that are due together run in the order they came. */
  in(ms: number, action: () => void): void {
    const tick = Math.ceil((performance.now() + ms) / TICK_MS);
    const actions = this.#due.get(tick);
    if (actions === undefined) this.#due.set(tick, [action]);
    else actions.push(action);
    this.#count++;
    this.#timer ??= setTimeout(() => this.#run(), TICK_MS);
  }

  /** Drops all that waits. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#due.clear();
    this.#count = 0;
  }

  #run(): void {
    this.#timer = null;
    const now = performance.now() / TICK_MS;
    const ready = [...this.#due.keys()].filter((tick) => tick <= now).sort((a, b) => a - b);
    for (const tick of ready) {
      const actions = this.#due.get(tick)!;
      this.#due.delete(tick);
      this.#count -= actions.length;
      for (const action of actions) action();
    }
    if (this.#due.size > 0) this.#timer ??= setTimeout(() => this.#run(), TICK_MS);
  }
}
