/**
 * Does the work of one kind of log's partitions, as they come and go: settles what a former owner left, reads each
 * log from its cursor and feeds the lanes.
 *
 * A log can be replaced under its reader: deleted and made anew, or restored from an older copy. {@link
 * PartitionOwner.check} finds that out; the partition is then read from where nothing is missed, since what comes
 * twice is recognised by its key and what is missed is lost.
 *
 * @module
 */
import type { LossReason, PartitionHolder } from "../membership/partition_keeper.ts";
import type { OutboxRow } from "../outbox.ts";
import type { Clock } from "../ports/clock.ts";
import { type OpenLog, type PartitionLog, replacement } from "../ports/partition_log.ts";
import type { OwnedPartition, PartitionKind, PartitionStore } from "../ports/partition_store.ts";
import { type Applier, Lane } from "./lane.ts";

/** What an applier needs to know of its lane. */
export interface LaneView {
  /** The fencing token of a partition. */
  readonly epochOf: (partition: number) => number;
  /** The lowest partition of the lane: no other lane has it, in no process. */
  readonly lowest: () => number;
}

export interface PartitionOwnerOptions {
  readonly kind: PartitionKind;
  /** How many partitions there are. */
  readonly partitions: number;
  /** How many batches may be under way at once; partitions are dealt out among that many lanes. */
  readonly lanes: number;
  readonly log: PartitionLog;
  readonly store: PartitionStore;
  readonly createApplier: (lane: LaneView) => Applier;
  readonly publish: (row: OutboxRow) => Promise<void>;
  /** Partitions turned out to be another process's. */
  readonly onFenced: (partitions: readonly number[]) => void;
  readonly onError: (error: Error, tries: number) => void;
  /** A log was made anew or restored from an older copy. */
  readonly onReplaced: (partition: number, reason: string) => void;
  readonly onCommit?: (durationMs: number, messages: number) => void;
  readonly clock: Clock;
}

/** What publications are waited for when a partition is given back; the rest is told by the next owner. */
const SETTLE_MS_MAX = 1_000;
/** A living owner finishes a batch and its publications in less. */
const HAND_OFF_MS_MAX = 3_000;

interface Owned {
  readonly partition: number;
  readonly epoch: number;
  readonly lane: Lane;
  /** Null while it is not read. */
  log: OpenLog | null;
  /** Whether somebody is about to read it. */
  isOpening: boolean;
  /** It is on its way out: whoever is about to read it must not any more. */
  isLost: boolean;
  logCreated: string;
  /** The last sequence handed to the lane. */
  handed: number;
}

export class PartitionOwner implements PartitionHolder {
  readonly kind: PartitionKind;
  readonly partitions: number;
  readonly role = "router";
  readonly handOffMsMax = HAND_OFF_MS_MAX;
  readonly #options: PartitionOwnerOptions;
  readonly #lanes: readonly Lane[];
  readonly #owned = new Map<number, Owned>();

  constructor(options: PartitionOwnerOptions) {
    this.#options = options;
    this.kind = options.kind;
    this.partitions = options.partitions;
    this.#lanes = Array.from({ length: options.lanes }, (_, lane) =>
      new Lane({
        kind: options.kind,
        store: options.store,
        applier: options.createApplier({
          epochOf: (partition) => this.#owned.get(partition)?.epoch ?? -1,
          lowest: () => Math.min(...[...this.#owned.keys()].filter((key) => key % options.lanes === lane)),
        }),
        publish: options.publish,
        lostOf: (partitions) => this.#lostOf(partitions),
        onFenced: options.onFenced,
        onError: options.onError,
        onCommit: options.onCommit,
        onRoom: () => this.#owned.forEach(({ log }) => log?.pump()),
        clock: options.clock,
      }));
  }

  /** Log messages that wait in memory, over all partitions. */
  get waiting(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.waiting, 0);
  }

  /** What is worked on now. */
  get owned(): readonly { readonly partition: number; readonly epoch: number }[] {
    return [...this.#owned.values()].filter(({ log }) => log !== null);
  }

  async gain(taken: readonly OwnedPartition[]): Promise<void> {
    const { kind, store } = this.#options;
    const left = await store.loadOutbox(kind, taken.map(({ partition }) => partition));
    await Promise.all(taken.map(async (row) => {
      const { partition, epoch } = row;
      const lane = this.#lanes[partition % this.#lanes.length]!;
      lane.recover(left.filter((outbox) => outbox.partition === partition));
      const owned: Owned = {
        partition,
        epoch,
        lane,
        log: null,
        isOpening: true,
        isLost: false,
        logCreated: "",
        handed: 0,
      };
      this.#owned.set(partition, owned);
      await this.#open(owned, row, null).finally(() => owned.isOpening = false);
    }));
  }

  async lose(partitions: readonly number[], reason: LossReason): Promise<void> {
    const leaving = partitions.flatMap((partition) => this.#owned.get(partition) ?? []);
    for (const owned of leaving) {
      owned.isLost = true;
      owned.log?.stop();
    }
    await Promise.all(this.#lanes.map(async (lane) => {
      const own = leaving.filter((owned) => owned.lane === lane).map(({ partition }) => partition);
      if (own.length === 0) return;
      await lane.remove(own);
      const settled = lane.settle(own);
      if (reason === "released") await this.#atMost(settled, SETTLE_MS_MAX);
    }));
    for (const { partition } of leaving) this.#owned.delete(partition);
  }

  /** Starts reading anew: for the owner to call when the connection came back. */
  restart(reason: string): void {
    for (const { log } of this.#owned.values()) log?.restart(reason);
  }

  /**
   * Looks whether logs were replaced under readers that nothing reaches, and reads on where that failed before. Resolves
   * with the partitions that have no log at all. Rejects when the logs or the store are away.
   */
  async check(): Promise<number[]> {
    // Before the logs are asked: what is handed over meanwhile may be newer than the answer.
    const before = [...this.#owned.values()].map((owned) => ({
      owned,
      log: owned.log,
      handed: owned.handed,
    }));
    if (before.length === 0) return [];
    const states = await this.#options.log.states();
    await Promise.all(before.map(async ({ owned, log, handed }) => {
      const state = states.get(owned.partition);
      if (state === undefined || owned.log !== log) return;
      const replaced = log === null ? null : replacement(owned.logCreated, handed, state);
      if (log === null || replaced !== null) await this.#reopen(owned, replaced);
    }));
    return before.map(({ owned }) => owned.partition).filter((partition) => !states.has(partition));
  }

  /** Ends the lanes; what was owned is to be lost before. */
  async stop(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
  }

  /**
   * Reads on; with a reason for which the log is another one, from where nothing of it is missed. When that fails the next
   * check tries again.
   */
  async #reopen(owned: Owned, replaced: string | null): Promise<void> {
    if (owned.isOpening || owned.isLost) return;
    const { kind, store, onFenced } = this.#options;
    const { partition, epoch, lane } = owned;
    owned.isOpening = true;
    owned.log?.stop();
    owned.log = null;
    try {
      await lane.remove([partition]);
      // Marks by the former log's sequences must not meet rows of the new one.
      await lane.settle([partition]);
      const row = (await store.list([kind])).find((one) => one.partition === partition);
      if (row?.epoch !== epoch) onFenced([partition]);
      else await this.#open(owned, row, replaced);
    } finally {
      owned.isOpening = false;
    }
  }

  async #open(owned: Owned, row: OwnedPartition, replaced: string | null): Promise<void> {
    const { log, onError } = this.#options;
    const { partition, epoch, lane } = owned;
    const { created, afterSequence } = await this.#startingPoint(row, replaced);
    owned.logCreated = created;
    owned.handed = afterSequence;
    // Meanwhile, while the log was asked.
    if (owned.isLost) return;
    lane.add(partition);
    const reader = await log.open({
      partition,
      epoch,
      created,
      afterSequence,
      onMessage: (message) => {
        if (owned.isLost) return;
        owned.handed = message.sequence;
        lane.push(message);
      },
      hasRoom: () => lane.hasRoom(),
      onReplaced: (reason) => {
        this.#reopen(owned, reason).catch((error) => onError(error as Error, 1));
      },
    });
    if (owned.isLost) reader.stop();
    else owned.log = reader;
  }

  /**
   * Where to read on. A log that was made anew is read from its beginning. So is one that was restored from an older
   * copy and stands before the cursor: nobody can tell which of its entries came after the restoration, and those that
   * were applied before are recognised by their keys.
   */
  async #startingPoint(
    { partition, epoch, cursor, logCreated }: OwnedPartition,
    replaced: string | null,
  ): Promise<{ created: string; afterSequence: number }> {
    const { kind, log, store, onReplaced } = this.#options;
    const state = await log.state(partition);
    const { created } = state;
    const reason = replaced ?? replacement(logCreated ?? created, cursor, state);
    const afterSequence = reason === null ? cursor : 0;
    if (reason !== null) onReplaced(partition, reason);
    if (afterSequence !== cursor || logCreated !== created) {
      await store.resetCursor(kind, partition, epoch, afterSequence, created);
    }
    return { created, afterSequence };
  }

  #atMost(done: Promise<void>, ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.after(ms, resolve);
      done.then(resolve, reject).finally(cancel);
    });
  }

  async #lostOf(partitions: readonly number[]): Promise<readonly number[]> {
    const { kind, store } = this.#options;
    const epochs = new Map((await store.list([kind])).map(({ partition, epoch }) => [partition, epoch]));
    return partitions.filter((partition) => epochs.get(partition) !== this.#owned.get(partition)?.epoch);
  }
}
