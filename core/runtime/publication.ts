/**
 * What a lane committed and has to tell, on its way out: in order, while the next batch is applied. What is told is
 * forgotten in the next commit or, when there is none for a while, in a statement of its own.
 *
 * @module
 */
import { addPublished, type OutboxRow, type Published, type PublishedRows } from "../outbox.ts";
import type { Clock } from "../ports/clock.ts";
import type { PartitionKind, PartitionStore } from "../ports/partition_store.ts";

export interface PublicationOptions {
  readonly kind: PartitionKind;
  readonly store: PartitionStore;
  /** Resolves when everything in the row is published; rejects only when it cannot be any more. */
  readonly publish: (row: OutboxRow, epoch: number) => Promise<void>;
  /** Whether no commit is about to take along what is published. */
  readonly isIdle: () => boolean;
  /** Called when a row is published or given up. */
  readonly onProgress: () => void;
  /** The fencing token of a partition. */
  readonly epochOf: (partition: number) => number;
  readonly clock: Clock;
}

const IDLE_CLEAR_MS = 200;

export class Publication {
  readonly #options: PublicationOptions;
  #behind = 0;
  #events = 0;
  #published = new Map<number, PublishedRows>();
  /** What the commit under way takes along. */
  #taken = new Map<number, PublishedRows>();
  #clearing: Promise<void> = Promise.resolve();
  #publishing: Promise<void> = Promise.resolve();
  #cancelClear: (() => void) | null = null;
  #ended = false;
  #stopped = false;

  constructor(options: PublicationOptions) {
    this.#options = options;
  }

  /** Commits that are not published yet. */
  get behind(): number {
    return this.#behind;
  }

  /** Events of these commits. */
  get eventsBehind(): number {
    return this.#events;
  }

  add(row: OutboxRow): void {
    const events = row.payload.events.length;
    const epoch = this.#options.epochOf(row.partition);
    this.#behind++;
    this.#events += events;
    const before = this.#publishing;
    // A row without events is told at once, while those before it may still wait: the mark says "all up to this".
    this.#publishing = this.#options.publish(row, epoch).then(() => before).then(
      () => this.#mark(row.partition, { first: row.sequence, last: row.sequence, epoch }),
      // Happens only while stopping: the row, and all after it, stay in the outbox for the next owner.
      () => {
        this.#ended = true;
        return before;
      },
    ).finally(() => {
      this.#behind--;
      this.#events -= events;
      this.#options.onProgress();
    });
  }

  /** What may be forgotten: for a commit to take along. */
  takePublished(): Published {
    this.#taken = this.#published;
    this.#published = new Map();
    return this.#taken;
  }

  /** The commit did not take it along. */
  giveBack(published: Published): void {
    for (const [partition, rows] of published) this.#mark(partition, rows);
  }

  /** Forgets what is published in an idle moment. */
  clearSoon(): void {
    if (this.#cancelClear !== null || this.#stopped || this.#published.size === 0) return;
    this.#cancelClear = this.#options.clock.after(IDLE_CLEAR_MS, () => {
      this.#cancelClear = null;
      if (this.#options.isIdle()) this.#clear();
    });
  }

  /**
   * Resolves when everything added so far is published and no mark of these partitions is left or on its way, which
   * could meet rows of a log that takes the place of this one.
   */
  async settle(partitions: readonly number[]): Promise<void> {
    await this.#publishing;
    await this.#clearing;
    for (const partition of partitions) this.#taken.delete(partition);
    const marks = new Map(partitions.flatMap((partition) => {
      const rows = this.#published.get(partition);
      this.#published.delete(partition);
      return rows === undefined ? [] : [[partition, rows]];
    }));
    // What stays is told once more by the next owner, under the same ids.
    if (marks.size > 0) await this.#options.store.clearOutbox(this.#options.kind, marks).catch(() => {});
  }

  /** Resolves when all is published, or cannot be. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelClear?.();
    await this.#publishing;
    await this.#clear();
  }

  #mark(partition: number, rows: PublishedRows): void {
    if (this.#ended) return;
    addPublished(this.#published, partition, rows);
    this.clearSoon();
  }

  #clear(): Promise<void> {
    return this.#clearing = this.#clearing.then(async () => {
      const published = this.#published;
      if (published.size === 0) return;
      this.#published = new Map();
      await this.#options.store.clearOutbox(this.#options.kind, published)
        .catch(() => this.giveBack(published));
    });
  }
}
