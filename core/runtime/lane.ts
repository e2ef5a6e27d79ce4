/**
 * A lane applies the logs of some partitions: all that waits is decided and committed as one batch, and
 * while that write runs the next batch collects.
 *
 * States: *idle* (nothing waits), *applying* (one batch is under way; there is never a second), *pausing*
 * (the last try failed; the same batch is tried again), *stopped* (told to, or fenced: somebody else owns a
 * partition now, nothing of the last batch was written). A stopped lane never starts again.
 *
 * What a commit has to publish goes out after it, in order, while the next batch is applied; a bound on what
 * is not yet published holds the lane.
 *
 * @module
 */
import type { OutboxRow } from "../outbox.ts";
import type { Clock } from "../ports/clock.ts";
import type { LogMessage } from "../ports/partition_log.ts";
import type { PartitionKind, PartitionStore } from "../ports/partition_store.ts";

export type ApplyResult =
  | { readonly kind: "committed"; readonly outbox: readonly OutboxRow[] }
  | { readonly kind: "fenced" };

/** Decides and commits one batch. */
export interface Applier {
  /**
   * Applies `batch`, whole or not at all; `published` may be forgotten in the same write. Rejects when the
   * store is away: the same batch comes again.
   */
  apply(batch: readonly LogMessage[], published: ReadonlyMap<number, number>): Promise<ApplyResult>;
  /** Drops what it remembers: a write failed, and nobody knows whether it took effect. */
  forget(): void;
}

export interface LaneOptions {
  readonly kind: PartitionKind;
  readonly applier: Applier;
  readonly store: PartitionStore;
  /** Resolves when everything in the rows is published. */
  readonly publish: (row: OutboxRow) => Promise<void>;
  readonly onFenced: () => void;
  /** Called with each failed try of a batch. */
  readonly onError: (error: Error, tries: number) => void;
  /** Called after each commit with what it took, ms, and how many log messages it had. */
  readonly onCommit?: (durationMs: number, messages: number) => void;
  /** Called when there is room again. */
  readonly onRoom: () => void;
  readonly clock: Clock;
}

/** Log messages in one batch; each may pack many entries. */
const MAX_BATCH_MESSAGES = 256;
/** Bytes in one batch: a bound on what one write holds up. */
const MAX_BATCH_BYTES = 1_048_576;
/** Bytes that may wait in memory; the rest waits in the log. */
const MAX_WAITING_BYTES = 8_388_608;
/** Commits that may be ahead of their publication. */
const MAX_UNPUBLISHED = 64;
/**
 * When at least so many wait, batches start this far apart: a batch of three costs nearly as much as one of thirty,
 * and at 2,000 messages a second batches that follow each other at once leave no time for anything else. Fewer than
 * that go at once.
 */
const BUSY_FROM = 3;
const BUSY_SPACING_MS = 10;
const IDLE_CLEAR_MS = 200;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

export class Lane {
  readonly #options: LaneOptions;
  #waiting: LogMessage[] = [];
  #waitingBytes = 0;
  #state: "idle" | "applying" | "stopped" = "idle";
  #running: Promise<void> = Promise.resolve();
  #unpublished = 0;
  #published = new Map<number, number>();
  #cancelClear: (() => void) | null = null;
  #publishing: Promise<void> = Promise.resolve();
  #wake: (() => void) | null = null;
  #publicationEnded = false;
  #startedMs = -BUSY_SPACING_MS;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get stopped(): boolean {
    return this.#state === "stopped";
  }

  /** Log messages that wait in memory. */
  get waiting(): number {
    return this.#waiting.length;
  }

  hasRoom(): boolean {
    return this.#waitingBytes < MAX_WAITING_BYTES;
  }

  push(message: LogMessage): void {
    if (this.stopped) return;
    this.#waiting.push(message);
    this.#waitingBytes += message.data.length;
    if (this.#state === "idle") {
      this.#state = "applying";
      this.#running = this.#run();
    }
  }

  /** Publishes what a former owner left, before anything of this one. */
  recover(rows: readonly OutboxRow[]): void {
    for (const row of rows) this.#publish(row);
  }

  /** Ends after the batch under way; resolves when it and its publications are done or given up. */
  async stop(): Promise<void> {
    this.#state = "stopped";
    this.#wake?.();
    this.#cancelClear?.();
    await this.#running;
    await this.#publishing.catch(() => {});
    await this.#clear();
  }

  async #run(): Promise<void> {
    // Lets everything that arrived in this turn share the first batch.
    await Promise.resolve();
    while (!this.stopped && this.#waiting.length > 0) {
      while (this.#unpublished >= MAX_UNPUBLISHED && !this.stopped) await this.#sleep(10_000);
      const { clock } = this.#options;
      const earlyMs = this.#startedMs + BUSY_SPACING_MS - clock.monotonic();
      if (this.#waiting.length >= BUSY_FROM && earlyMs > 0) await this.#rest(earlyMs);
      this.#startedMs = clock.monotonic();
      await this.#applyOne(this.#takeBatch());
    }
    if (this.stopped) return;
    this.#state = "idle";
    // The clean-up may have been due while the last batch was applied.
    if (this.#published.size > 0) this.#clearSoon();
  }

  async #applyOne(batch: LogMessage[]): Promise<void> {
    for (let tries = 1; !this.stopped; tries++) {
      const published = this.#published;
      this.#published = new Map();
      const startedMs = this.#options.clock.monotonic();
      try {
        const result = (tries > 1 ? await this.#resultOfEarlierTry(batch) : null) ??
          await this.#options.applier.apply(batch, published);
        if (result.kind === "fenced") {
          this.#state = "stopped";
          this.#options.onFenced();
          return;
        }
        this.#options.onCommit?.(this.#options.clock.monotonic() - startedMs, batch.length);
        for (const row of result.outbox) this.#publish(row);
        return;
      } catch (error) {
        for (const [partition, sequence] of published) this.#markPublished(partition, sequence);
        this.#options.applier.forget();
        this.#options.onError(error as Error, tries);
        await this.#sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries - 1, 10)));
      }
    }
  }

  /**
   * A write whose answer was lost may have been committed all the same. The cursor tells: then the batch is
   * done, and what it has to publish stands in the outbox.
   */
  async #resultOfEarlierTry(batch: readonly LogMessage[]): Promise<ApplyResult | null> {
    const last = new Map(batch.map(({ partition, sequence }) => [partition, sequence]));
    const partitions = [...last.keys()];
    const cursors = await this.#options.store.cursors(this.#options.kind, partitions);
    if (partitions.some((partition) => (cursors.get(partition) ?? -1) < last.get(partition)!)) return null;
    return {
      kind: "committed",
      outbox: await this.#options.store.loadOutbox(this.#options.kind, partitions),
    };
  }

  #takeBatch(): LogMessage[] {
    let bytes = 0;
    let count = 0;
    for (const message of this.#waiting) {
      if (count === MAX_BATCH_MESSAGES || (count > 0 && bytes + message.data.length > MAX_BATCH_BYTES)) break;
      bytes += message.data.length;
      count++;
    }
    const batch = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    const hadRoom = this.hasRoom();
    this.#waitingBytes -= bytes;
    if (!hadRoom && this.hasRoom()) this.#options.onRoom();
    return batch;
  }

  #publish(row: OutboxRow): void {
    this.#unpublished++;
    const done = this.#options.publish(row).then(
      () => this.#markPublished(row.partition, row.sequence),
      // Happens only while stopping: the row, and all after it, stay in the outbox for the next owner.
      () => {
        this.#publicationEnded = true;
      },
    ).finally(() => {
      this.#unpublished--;
      this.#wake?.();
    });
    this.#publishing = Promise.all([this.#publishing, done]).then(() => {});
  }

  #markPublished(partition: number, sequence: number): void {
    if (this.#publicationEnded) return;
    this.#published.set(partition, Math.max(sequence, this.#published.get(partition) ?? 0));
    this.#clearSoon();
  }

  #clearSoon(): void {
    if (this.#cancelClear !== null || this.stopped) return;
    this.#cancelClear = this.#options.clock.after(IDLE_CLEAR_MS, () => {
      this.#cancelClear = null;
      if (this.#state === "idle") this.#clear();
    });
  }

  async #clear(): Promise<void> {
    if (this.#published.size === 0) return;
    const published = this.#published;
    this.#published = new Map();
    await this.#options.store.clearOutbox(this.#options.kind, published).catch(() => {
      for (const [partition, sequence] of published) this.#markPublished(partition, sequence);
    });
  }

  /** Nothing cuts it short: publications end all the time. */
  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.after(ms, resolve));
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#wake = null;
        resolve();
      };
      const cancel = this.#options.clock.after(ms, done);
      this.#wake = done;
    });
  }
}
