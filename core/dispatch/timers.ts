/**
 * What is due when: one time for each thing that waits for one.
 *
 * @module
 */
import { Heap } from "../send/heap.ts";

interface Timer<T> {
  readonly dueMs: number;
  readonly key: string;
  readonly target: T;
}

export class Timers<T> {
  readonly #heap = new Heap<Timer<T>>((a, b) => a.dueMs === b.dueMs ? a.key < b.key : a.dueMs < b.dueMs);
  readonly #timers = new Map<string, Timer<T>>();

  get nextMs(): number | null {
    return this.#heap.peek()?.dueMs ?? null;
  }

  /** Sets the time for `key` in place of the one it had; null: none. */
  set(key: string, target: T, dueMs: number | null): void {
    const former = this.#timers.get(key);
    if (former !== undefined) {
      if (former.dueMs === dueMs) return;
      this.#heap.remove(former);
      this.#timers.delete(key);
    }
    if (dueMs === null) return;
    const timer = { dueMs, key, target };
    this.#timers.set(key, timer);
    this.#heap.push(timer);
  }

  /** Takes out what is due at `nowMs`, the earliest first. */
  *due(nowMs: number): Iterable<T> {
    for (
      let timer = this.#heap.peek();
      timer !== undefined && timer.dueMs <= nowMs;
      timer = this.#heap.peek()
    ) {
      this.#heap.pop();
      this.#timers.delete(timer.key);
      yield timer.target;
    }
  }
}
