/**
 * Publishes what the send lanes committed, in order. What is published is forgotten in the next commit, or,
 * when there is none for a while, in a statement of its own.
 *
 * Rows come from the commits directly. When too many wait, or when nobody knows whether a commit took effect,
 * they are read from the outbox instead: it holds whatever is not published.
 *
 * @module
 */
import { addPublished, type OutboxRow, type Published, type PublishedRows } from "../outbox.ts";
import type { PartitionStore } from "../ports/partition_store.ts";

export interface SendPublisherOptions {
  readonly store: PartitionStore;
  readonly lanes: () => readonly number[];
  /** Resolves when all of the row is published; rejects only when it cannot be any more. */
  readonly publish: (row: OutboxRow) => Promise<void>;
  readonly onError: (error: Error) => void;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Commits that may wait in memory for their publication. */
const WAITING_MAX = 256;
const PAUSE_MS = 500;
const IDLE_CLEAR_MS = 200;

export class SendPublisher {
  readonly #options: SendPublisherOptions;
  #waiting: OutboxRow[] = [];
  #reread = false;
  #running: Promise<void> | null = null;
  #stopped = false;
  #published = new Map<number, PublishedRows>();
  #clearing: Promise<void> | null = null;

  constructor(options: SendPublisherOptions) {
    this.#options = options;
  }

  add(rows: readonly OutboxRow[]): void {
    if (this.#waiting.length + rows.length > WAITING_MAX) this.#reread = true;
    else this.#waiting.push(...rows);
    this.#wake();
  }

  /** Reads the outbox: something may stand there that {@link add} was not told of. */
  reread(): void {
    this.#reread = true;
    this.#wake();
  }

  /** What may be forgotten of these lanes: for a commit that holds them to take along. */
  takePublished(lanes: Iterable<number>): Published {
    const taken = new Map<number, PublishedRows>();
    for (const lane of lanes) {
      const rows = this.#published.get(lane);
      if (rows === undefined) continue;
      taken.set(lane, rows);
      this.#published.delete(lane);
    }
    return taken;
  }

  /** These outbox rows are published, and still there. */
  markPublished(published: Published): void {
    for (const [lane, rows] of published) addPublished(this.#published, lane, rows);
    if (!this.#stopped) this.#clearing ??= this.#clearWhenIdle();
  }

  /** Resolves when all that could be published is; what could not stays in the outbox. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await this.#clearing;
    await this.#clear();
  }

  async #clearWhenIdle(): Promise<void> {
    await this.#options.sleep(IDLE_CLEAR_MS);
    await this.#clear();
    this.#clearing = null;
    // Something was published meanwhile, or the clean-up failed.
    if (this.#published.size > 0 && !this.#stopped) this.#clearing = this.#clearWhenIdle();
  }

  async #clear(): Promise<void> {
    const published = this.takePublished([...this.#published.keys()]);
    if (published.size === 0) return;
    await this.#options.store.clearOutbox("send", published).catch((error) => {
      this.markPublished(published);
      this.#options.onError(error);
    });
  }

  #wake(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      if (!this.#stopped && (this.#reread || this.#waiting.length > 0)) this.#wake();
    });
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#reread || this.#waiting.length > 0) {
      try {
        await this.#publishAll();
      } catch (error) {
        this.#reread = true;
        this.#options.onError(error as Error);
        if (this.#stopped) return;
        await this.#options.sleep(PAUSE_MS);
      }
    }
  }

  async #publishAll(): Promise<void> {
    // The outbox has everything that waits here too.
    const fromStore = this.#reread;
    this.#reread = false;
    const direct = this.#waiting;
    this.#waiting = [];
    const rows = fromStore ? await this.#options.store.loadOutbox("send", this.#options.lanes()) : direct;
    await Promise.all(rows.map((row) => this.#options.publish(row)));
    for (const { partition, sequence } of rows) {
      this.markPublished(new Map([[partition, { first: sequence, last: sequence }]]));
    }
  }
}
