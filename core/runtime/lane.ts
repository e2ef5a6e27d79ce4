/**
 * A lane applies the logs of some partitions: all that waits is decided and committed as one batch, and
 * while that write runs the next batch collects.
 *
 * States: *idle* (nothing waits), *applying* (one batch is under way; there is never a second), *pausing*
 * (the last try failed; the same batch is tried again), *stopped* (told to; it never starts again).
 *
 * Partitions come and go while the lane works. A batch that meets a partition which is somebody else's by now
 * is not written at all: what belongs to that partition is dropped, and the rest is tried again.
 *
 * What a commit has to publish goes out after it, in order, while the next batch is applied; a bound on what
 * is not yet published holds the lane.
 *
 * @module
 */
import type { OutboxRow, Published } from "../outbox.ts";
import type { Clock } from "../ports/clock.ts";
import type { LogMessage } from "../ports/partition_log.ts";
import type { PartitionKind, PartitionStore } from "../ports/partition_store.ts";
import { Inflow } from "../inflow.ts";
import { Pace } from "../pace.ts";
import { Publication } from "./publication.ts";

export type ApplyResult =
  | { readonly kind: "committed"; readonly outbox: readonly OutboxRow[] }
  | { readonly kind: "fenced" };

/** Decides and commits one batch. */
export interface Applier {
  /**
   * Applies `batch`, whole or not at all; `published` may be forgotten in the same write. Rejects when the
   * store is away: the same batch comes again.
   */
  apply(batch: readonly LogMessage[], published: Published): Promise<ApplyResult>;
  /** Drops what it remembers: a write failed, and nobody knows whether it took effect. */
  forget(): void;
}

export interface LaneOptions {
  readonly kind: PartitionKind;
  readonly applier: Applier;
  readonly store: PartitionStore;
  /** Resolves when everything in the rows is published. */
  readonly publish: (row: OutboxRow, epoch: number) => Promise<void>;
  /** The fencing token of a partition. */
  readonly epochOf: (partition: number) => number;
  /** Which of these partitions are not ours any more. Rejects when the store is away. */
  readonly lostOf: (partitions: readonly number[]) => Promise<readonly number[]>;
  /** Partitions turned out to be somebody else's, and are dropped. */
  readonly onFenced: (partitions: readonly number[]) => void;
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
/** Outbox rows, one for each partition of a commit, that may be ahead of their publication. */
const MAX_UNPUBLISHED = 256;
/** Their events: a log that is drained at full speed makes large commits, and each event waits as JSON in memory. */
const MAX_UNPUBLISHED_EVENTS = 2_048;
/**
 * Batches start so far apart: one of a single message costs nearly as much as one of thirty, and where they follow each
 * other at once, whatever makes them faster only makes more of them.
 */
const LEAST_MS = 4;
/**
 * When at least so many wait, also the further the longer batches take. A batch of a store that is not busy takes less
 * than 30 ms.
 */
const BUSY_FROM = 3;
const BUSY_PACE = { leastMs: LEAST_MS, freeMs: 30, times: 4, mostMs: 150 };
/**
 * The more comes, the longer a batch collects: so many ms for each kB that comes in a ms, some three entries. From 350
 * entries a second in a lane on that is longer than the least, from 3,500 a second on it is 50 ms: then a message takes
 * 15 ms longer, and a twentieth less CPU.
 */
const COLLECT = { msOfKbPerMs: 45, mostMs: 50 };
/** Bytes that are worth a write, and wait for no more: some 200 entries. */
const ENOUGH_BYTES = 65_536;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

export class Lane {
  readonly #options: LaneOptions;
  readonly #publication: Publication;
  readonly #partitions = new Set<number>();
  #waiting: LogMessage[] = [];
  #waitingBytes = 0;
  #batch: readonly LogMessage[] = [];
  /** Settles when the batch under way does. */
  #applying: Promise<void> = Promise.resolve();
  #forgetFirst = false;
  #state: "idle" | "applying" | "stopped" = "idle";
  #running: Promise<void> = Promise.resolve();
  #wake: (() => void) | null = null;
  readonly #pace = new Pace(BUSY_PACE);
  /** Bytes. */
  readonly #inflow = new Inflow();
  /** Ends the rest before the next batch. */
  #rested: (() => void) | null = null;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#publication = new Publication({
      ...options,
      isIdle: () => this.#state === "idle",
      onProgress: () => this.#wake?.(),
    });
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

  /** Takes a partition on: its messages are applied from now on. */
  add(partition: number): void {
    this.#partitions.add(partition);
    // What is remembered of its conversations may be older than its last owner's work.
    this.#forgetFirst = true;
  }

  /** Lets go of partitions and drops what waits of them. Resolves when no batch has anything of them any more. */
  async remove(partitions: readonly number[]): Promise<void> {
    this.#drop(partitions);
    while (this.#batch.some(({ partition }) => partitions.includes(partition))) {
      // A batch that is tried again and again goes on without them.
      this.#wake?.();
      await this.#applying;
    }
  }

  /** Resolves when all that these partitions committed is told and forgotten; never, if it cannot be told. */
  settle(partitions: readonly number[]): Promise<void> {
    return this.#publication.settle(partitions);
  }

  push(message: LogMessage): void {
    if (this.stopped || !this.#partitions.has(message.partition)) return;
    this.#waiting.push(message);
    this.#waitingBytes += message.data.length;
    if (this.#hasEnough()) this.#rested?.();
    if (this.#state === "idle") {
      this.#state = "applying";
      this.#running = this.#run();
    }
  }

  /** Publishes what a former owner left, before anything of this one. */
  recover(rows: readonly OutboxRow[]): void {
    for (const row of rows) this.#publication.add(row);
  }

  /** Ends after the batch under way; resolves when it and its publications are done or given up. */
  async stop(): Promise<void> {
    this.#state = "stopped";
    this.#wake?.();
    this.#rested?.();
    await this.#running;
    await this.#publication.stop();
  }

  #isTooFarAhead(): boolean {
    return this.#publication.behind >= MAX_UNPUBLISHED ||
      this.#publication.eventsBehind >= MAX_UNPUBLISHED_EVENTS;
  }

  async #run(): Promise<void> {
    // Lets everything that arrived in this turn share the first batch.
    await Promise.resolve();
    while (!this.stopped && this.#waiting.length > 0) {
      while (this.#isTooFarAhead() && !this.stopped) await this.#sleep(10_000);
      await this.#rest();
      this.#batch = this.#takeBatch();
      this.#applying = this.#applyBatch();
      await this.#applying;
    }
    if (this.stopped) return;
    this.#state = "idle";
    // The clean-up may have been due while the last batch was applied.
    this.#publication.clearSoon();
  }

  /** Tries until the batch is committed or has nothing left that is ours. */
  async #applyBatch(): Promise<void> {
    if (this.#forgetFirst) this.#options.applier.forget();
    this.#forgetFirst = false;
    for (let tries = 1; !this.stopped && this.#batch.length > 0; tries++) {
      const published = this.#publication.takePublished();
      const started = this.#options.clock.monotonic();
      try {
        const earlier = tries > 1 ? await this.#resultOfEarlierTry(this.#batch) : null;
        // That one did not take along what was published since.
        if (earlier !== null) this.#publication.giveBack(published);
        const result = earlier ?? await this.#options.applier.apply(this.#batch, published);
        if (result.kind === "committed") {
          const tookMs = this.#options.clock.monotonic() - started;
          this.#pace.took(tookMs);
          this.#options.onCommit?.(tookMs, this.#batch.length);
          for (const row of result.outbox) this.#publication.add(row);
          break;
        }
        this.#publication.giveBack(published);
        await this.#dropLost();
      } catch (error) {
        this.#publication.giveBack(published);
        this.#options.applier.forget();
        this.#options.onError(error as Error, tries);
        if (this.#isWanted()) {
          await this.#sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries - 1, 10)));
        }
      }
      this.#batch = this.#batch.filter(({ partition }) => this.#partitions.has(partition));
    }
    this.#batch = [];
  }

  /** Whether all of the batch under way is still ours. */
  #isWanted(): boolean {
    return this.#batch.every(({ partition }) => this.#partitions.has(partition));
  }

  async #dropLost(): Promise<void> {
    const partitions = [...new Set(this.#batch.map(({ partition }) => partition))];
    const lost = await this.#options.lostOf(partitions);
    const dropped = lost.filter((partition) => this.#partitions.has(partition));
    // Given up already, by someone who knew before.
    if (dropped.length === 0 && this.#isWanted()) {
      throw new Error("the store refused the batch, but all its partitions are ours");
    }
    this.#drop(dropped);
    if (dropped.length > 0) this.#options.onFenced(dropped);
  }

  #drop(partitions: readonly number[]): void {
    for (const partition of partitions) this.#partitions.delete(partition);
    const hadRoom = this.hasRoom();
    this.#waiting = this.#waiting.filter(({ partition }) => this.#partitions.has(partition));
    this.#waitingBytes = this.#waiting.reduce((sum, { data }) => sum + data.length, 0);
    if (!hadRoom && this.hasRoom()) this.#options.onRoom();
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

  /** What is to be applied now, and the start of its write. */
  #takeBatch(): LogMessage[] {
    let bytes = 0;
    let count = 0;
    for (const message of this.#waiting) {
      if (count === MAX_BATCH_MESSAGES || (count > 0 && bytes + message.data.length > MAX_BATCH_BYTES)) break;
      bytes += message.data.length;
      count++;
    }
    const nowMs = this.#options.clock.monotonic();
    this.#pace.started(nowMs);
    this.#inflow.started(nowMs, bytes);
    const batch = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    const hadRoom = this.hasRoom();
    this.#waitingBytes -= bytes;
    if (!hadRoom && this.hasRoom()) this.#options.onRoom();
    return batch;
  }

  /** Whether what waits is worth a write, or all that a batch takes. */
  #hasEnough(): boolean {
    return this.#waitingBytes >= ENOUGH_BYTES || this.#waiting.length >= MAX_BATCH_MESSAGES;
  }

  /** Until the next batch is due, or has enough. */
  async #rest(): Promise<void> {
    const collectMs = Math.min(COLLECT.mostMs, COLLECT.msOfKbPerMs * this.#inflow.perMs / 1_000);
    const everyMs = this.#waiting.length < BUSY_FROM ? LEAST_MS : Math.max(this.#pace.everyMs, collectMs);
    const earlyMs = this.#pace.earlyMs(this.#options.clock.monotonic(), everyMs);
    if (this.#hasEnough() || earlyMs <= 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(earlyMs, resolve);
      this.#rested = () => {
        cancel();
        resolve();
      };
    });
    this.#rested = null;
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
