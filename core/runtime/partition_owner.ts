/**
 * Owns partitions of one kind of log: takes the right to them, settles what a former owner left, reads each
 * log from its cursor and feeds the lanes.
 *
 * @module
 */
import type { OutboxRow } from "../outbox.ts";
import type { Clock } from "../ports/clock.ts";
import type { OpenLog, PartitionLog } from "../ports/partition_log.ts";
import type { OwnedPartition, PartitionKind, PartitionStore } from "../ports/partition_store.ts";
import { type Applier, Lane } from "./lane.ts";

export interface PartitionOwnerOptions {
  readonly kind: PartitionKind;
  readonly partitions: readonly number[];
  /** How many batches may be under way at once; partitions are dealt out among that many lanes. */
  readonly lanes: number;
  readonly owner: string;
  readonly log: PartitionLog;
  readonly store: PartitionStore;
  /** The applier of one lane. `epochOf` gives the fencing token of a partition. */
  readonly createApplier: (lane: number, epochOf: (partition: number) => number) => Applier;
  readonly publish: (row: OutboxRow) => Promise<void>;
  /** Another process took a partition over: this one stops applying all of them. */
  readonly onFenced: () => void;
  readonly onError: (error: Error, tries: number) => void;
  readonly onCommit?: (durationMs: number, messages: number) => void;
  readonly clock: Clock;
}

export class PartitionOwner {
  readonly #options: PartitionOwnerOptions;
  #lanes: Lane[] = [];
  #logs: OpenLog[] = [];
  #owned: readonly OwnedPartition[] = [];
  #state: "new" | "running" | "fenced" | "stopped" = "new";

  constructor(options: PartitionOwnerOptions) {
    this.#options = options;
  }

  get state(): "new" | "running" | "fenced" | "stopped" {
    return this.#state;
  }

  /** Log messages that wait in memory, over all partitions. */
  get waiting(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.waiting, 0);
  }

  get owned(): readonly OwnedPartition[] {
    return this.#owned;
  }

  /** Takes the partitions and starts to read. Rejects when the store or the logs cannot be reached. */
  async start(): Promise<void> {
    const { kind, partitions, owner, store, lanes, log } = this.#options;
    this.#owned = await store.acquire(kind, partitions, owner);
    const epochs = new Map(this.#owned.map(({ partition, epoch }) => [partition, epoch]));
    this.#lanes = Array.from({ length: lanes }, (_, lane) =>
      new Lane({
        kind,
        store,
        applier: this.#options.createApplier(lane, (partition) => epochs.get(partition) ?? -1),
        publish: this.#options.publish,
        onFenced: () => this.#fenced(),
        onError: this.#options.onError,
        onCommit: this.#options.onCommit,
        onRoom: () => this.#logs.forEach((open) => open.pump()),
        clock: this.#options.clock,
      }));
    const left = await store.loadOutbox(kind, partitions);
    for (const [index, lane] of this.#lanes.entries()) {
      lane.recover(left.filter((row) => row.partition % lanes === index));
    }
    this.#logs = await Promise.all(this.#owned.map(async (owned) => {
      const lane = this.#lanes[owned.partition % lanes]!;
      return await log.open({
        partition: owned.partition,
        epoch: owned.epoch,
        afterSequence: await this.#startingPoint(owned),
        onMessage: (message) => lane.push(message),
        hasRoom: () => lane.hasRoom(),
      });
    }));
    if (this.#state === "new") this.#state = "running";
  }

  /** Starts reading anew: for the owner to call when the connection came back. */
  restart(reason: string): void {
    for (const log of this.#logs) log.restart(reason);
  }

  /** Stops reading, finishes the batches under way and gives the partitions back. */
  async stop(): Promise<void> {
    const fenced = this.#state === "fenced";
    this.#state = "stopped";
    for (const log of this.#logs) log.stop();
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
    if (!fenced) await this.#options.store.release(this.#options.kind, this.#owned).catch(() => {});
  }

  /**
   * Where to read on. A log that was made anew, or restored from an older copy, stands before the cursor: what
   * it will get from now on must not be taken for what was applied already.
   */
  async #startingPoint(owned: OwnedPartition): Promise<number> {
    const { kind, log, store } = this.#options;
    const { created, lastSequence } = await log.state(owned.partition);
    const anew = owned.logCreated !== null && owned.logCreated !== created;
    const cursor = anew ? 0 : Math.min(owned.cursor, lastSequence);
    if (cursor !== owned.cursor || owned.logCreated === null) {
      await store.resetCursor(kind, owned.partition, owned.epoch, cursor, created);
    }
    return cursor;
  }

  #fenced(): void {
    if (this.#state !== "running") return;
    this.#state = "fenced";
    for (const log of this.#logs) log.stop();
    this.#options.onFenced();
  }
}
