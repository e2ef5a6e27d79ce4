/**
 * Group commit: while one write is in flight, what arrives is collected; when it returns, all of it goes out
 * as the next write. At low load everything goes at once, at high load the groups grow. It is what
 * makes an fsync before every answer affordable.
 *
 * @module
 */
export interface GroupCommitOptions<T> {
  /** Writes one group. All of it is durable when the promise resolves; when it rejects, none may be relied on. */
  readonly write: (items: readonly T[]) => Promise<void>;
  /** Largest group, in items. */
  readonly maxItems: number;
  /** Largest group, in units of `sizeOf`. */
  readonly maxSize: number;
  readonly sizeOf: (item: T) => number;
  /**
   * When a line that was at rest writes its first group. Lines that share a destination may start together, so that
   * their writes share a trip. @default {queueMicrotask}
   */
  readonly start?: (run: () => void) => void;
  /**
   * Goes on collecting before the next write, when that many items wait, until what it returns resolves; null: not at
   * all. For writes with a high fixed price. @default none
   */
  readonly linger?: (waiting: number) => Promise<void> | null;
}

interface Group<T> {
  readonly items: T[];
  size: number;
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One line of groups, written one after the other. */
export class GroupCommit<T> {
  readonly #options: GroupCommitOptions<T>;
  readonly #groups: Group<T>[] = [];
  #running = false;
  #items = 0;

  constructor(options: GroupCommitOptions<T>) {
    this.#options = options;
  }

  /** Items that wait or are being written. */
  get pending(): number {
    return this.#items;
  }

  /** Resolves when `item` is durable; items are written in the order of the calls. */
  add(item: T): Promise<void> {
    const size = this.#options.sizeOf(item);
    let group = this.#groups.at(-1);
    if (
      group === undefined || group.items.length >= this.#options.maxItems ||
      group.size + size > this.#options.maxSize
    ) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      // Whoever added an item awaits the promise; the group itself must not count as an unhandled rejection.
      promise.catch(() => {});
      group = { items: [], size: 0, promise, resolve, reject };
      this.#groups.push(group);
    }
    group.items.push(item);
    group.size += size;
    this.#items++;
    if (!this.#running) {
      this.#running = true;
      // One turn of the microtask queue lets a burst of calls share the first group.
      (this.#options.start ?? queueMicrotask)(() => this.#run());
    }
    return group.promise;
  }

  async #run(): Promise<void> {
    while (this.#groups.length > 0) {
      const lingering = this.#options.linger?.(this.#groups[0]!.items.length) ?? null;
      if (lingering !== null) await lingering;
      const group = this.#groups.shift()!;
      try {
        await this.#options.write(group.items);
        group.resolve();
      } catch (error) {
        group.reject(error);
      }
      this.#items -= group.items.length;
    }
    this.#running = false;
  }
}
