/**
 * Does the work of one kind of log's partitions, as they come and go: settles what a former owner left, reads each
 * log from its cursor and feeds the lanes.
 *
 * A log can be replaced: deleted and made anew, or restored from an older copy, under its reader or while nobody reads
 * it. What was applied of it is known by the cursor and by when the log stored the entry there. Each time that a log was
 * reached anew it is compared before anything is read; one that is another is read from its beginning, since what comes
 * twice is recognised by its key and what is missed is lost.
 *
 * @module
 */
import type { LossReason, PartitionHolder } from "../membership/partition_keeper.ts";
import type { OutboxRow } from "../outbox.ts";
import type { Clock } from "../ports/clock.ts";
import {
  type LogMark,
  type LogState,
  type OpenLog,
  type PartitionLog,
  replacement,
} from "../ports/partition_log.ts";
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
  /** Resolves when everything in the row, committed under `epoch` or before, is published. */
  readonly publish: (row: OutboxRow, epoch: number) => Promise<void>;
  /** Partitions turned out to be another process's. */
  readonly onFenced: (partitions: readonly number[]) => void;
  readonly onError: (error: Error, tries: number) => void;
  /** A log was made anew or restored from an older copy, and is read on from where nothing of it is missed. */
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
  /** The last message handed to the lane. One object for each time that the log is opened. */
  handed: { -readonly [Field in keyof LogMark]: LogMark[Field] };
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
    const epochOf = (partition: number) => this.#owned.get(partition)?.epoch ?? -1;
    this.#lanes = Array.from({ length: options.lanes }, (_, lane) =>
      new Lane({
        kind: options.kind,
        store: options.store,
        applier: options.createApplier({
          epochOf,
          lowest: () => Math.min(...[...this.#owned.keys()].filter((key) => key % options.lanes === lane)),
        }),
        publish: options.publish,
        epochOf,
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
      const owned: Owned = {
        partition,
        epoch,
        lane,
        log: null,
        isOpening: true,
        isLost: false,
        handed: { created: "", sequence: 0, stored: null },
      };
      this.#owned.set(partition, owned);
      lane.recover(left.filter((outbox) => outbox.partition === partition));
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
   *
   * One listing tells what was made anew and what ends too early. Entries are not compared here: a copy that has grown
   * past what was handed over reaches a reader through {@link PartitionOwner.#mayRead} alone, which compares them.
   */
  async check(): Promise<number[]> {
    // Before the logs are asked: what is handed over meanwhile may be newer than the answer.
    const before = [...this.#owned.values()].map((owned) => ({
      owned,
      log: owned.log,
      mark: { ...owned.handed },
    }));
    if (before.length === 0) return [];
    const states = await this.#options.log.states();
    await Promise.all(before.map(async ({ owned, log, mark }) => {
      const state = states.get(owned.partition);
      if (state === undefined || owned.log !== log) return;
      const replaced = log === null ? null : replacement(mark, state, mark.stored);
      if (log === null || replaced !== null) await this.#reopen(owned, replaced);
    }));
    return before.map(({ owned }) => owned.partition).filter((partition) => !states.has(partition));
  }

  /** Ends the lanes; what was owned is to be lost before. */
  async stop(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
  }

  /**
   * Reads on from the cursor, or from the beginning if the log does not have that place any more; `noticed` is why it is
   * looked at. When it fails the next check tries again.
   */
  async #reopen(owned: Owned, noticed: string | null): Promise<void> {
    if (owned.isOpening || owned.isLost) return;
    const { kind, store, onFenced } = this.#options;
    const { partition, epoch, lane } = owned;
    owned.isOpening = true;
    owned.log?.stop();
    owned.log = null;
    try {
      // What was handed over and is not applied is read again, or belongs to a log that is no more.
      await lane.remove([partition]);
      const row = (await store.list([kind])).find((one) => one.partition === partition);
      if (row?.epoch !== epoch) onFenced([partition]);
      else await this.#open(owned, row, noticed);
    } finally {
      owned.isOpening = false;
    }
  }

  async #open(owned: Owned, row: OwnedPartition, noticed: string | null): Promise<void> {
    const { partition, epoch, lane } = owned;
    const handed = { ...await this.#startingPoint(owned, row, noticed) };
    owned.handed = handed;
    // Meanwhile, while the log was asked.
    if (owned.isLost) return;
    lane.add(partition);
    let isOther = false;
    const reader = await this.#options.log.open({
      partition,
      epoch,
      afterSequence: handed.sequence,
      onMessage: (message) => {
        if (owned.isLost) return;
        handed.sequence = message.sequence;
        handed.stored = message.stored;
        lane.push(message);
      },
      hasRoom: () => lane.hasRoom(),
      mayRead: async () => {
        isOther = !await this.#mayRead(owned, handed);
        return !isOther;
      },
    });
    if (owned.isLost || isOther) reader.stop();
    else owned.log = reader;
  }

  /** Whether the log still has what was `handed` over of it; if not, it is opened anew. */
  async #mayRead(owned: Owned, handed: LogMark): Promise<boolean> {
    const { partition } = owned;
    const { reason } = await this.#compare(partition, handed);
    // Another reader has taken its place meanwhile.
    if (owned.isLost || owned.handed !== handed) return false;
    if (reason === null) return true;
    // For the next check, if it is still being opened.
    owned.log = null;
    this.#reopen(owned, reason).catch((error) => this.#options.onError(error as Error, 1));
    return false;
  }

  /**
   * Where to read on: from the cursor if the log has that place, and else from its beginning. Nobody can tell which
   * entries of a restored copy came after the restoration; those that were applied before are recognised by their keys.
   */
  async #startingPoint(owned: Owned, row: OwnedPartition, noticed: string | null): Promise<LogMark> {
    const { kind, store, onReplaced } = this.#options;
    const { partition, epoch, cursor, cursorStored, logCreated } = row;
    const known = { created: logCreated, sequence: cursor, stored: cursorStored };
    const { state, stored, reason } = await this.#compare(partition, known);
    const { created, firstSequence } = state;
    if ((reason ?? noticed) !== null) onReplaced(partition, (reason ?? noticed)!);
    if (reason !== null) await this.#tellAll(owned);
    const mark = reason === null
      ? { created, sequence: cursor, stored: cursorStored ?? stored }
      : { created, sequence: Math.max(0, firstSequence - 1), stored: null };
    if (reason !== null || mark.stored !== cursorStored || created !== logCreated) {
      await store.resetCursor(kind, partition, epoch, mark);
    }
    return mark;
  }

  /** Looks at the log: why it is not the one of `known`, and what it is. */
  async #compare(
    partition: number,
    known: Omit<LogMark, "created"> & { readonly created: string | null },
  ): Promise<{ state: LogState; stored: string | null; reason: string | null }> {
    const { log } = this.#options;
    // The entry first: if it expires in between, the state says so.
    const stored = known.sequence === 0 ? null : await log.storedAt(partition, known.sequence);
    const state = await log.state(partition);
    const mark = { ...known, created: known.created ?? state.created };
    return { state, stored, reason: replacement(mark, state, stored) };
  }

  /**
   * What the former log's entries had to tell is told before the new log is read: its outbox rows have sequences that
   * come again, and marks by them must not meet rows of the new log.
   */
  async #tellAll(owned: Owned): Promise<void> {
    const { kind, store } = this.#options;
    const { partition, lane } = owned;
    for (;;) {
      const isTold = await this.#atMost(lane.settle([partition]).then(() => true), SETTLE_MS_MAX);
      if (isTold !== true || owned.isLost) throw new Error("what the former log caused is not told yet");
      const left = await store.loadOutbox(kind, [partition]);
      if (left.length === 0) return;
      lane.recover(left);
    }
  }

  /** Undefined when it takes longer. */
  #atMost<T>(done: Promise<T>, ms: number): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.after(ms, () => resolve(undefined));
      done.then(resolve, reject).finally(cancel);
    });
  }

  async #lostOf(partitions: readonly number[]): Promise<readonly number[]> {
    const { kind, store } = this.#options;
    const epochs = new Map((await store.list([kind])).map(({ partition, epoch }) => [partition, epoch]));
    return partitions.filter((partition) => epochs.get(partition) !== this.#owned.get(partition)?.epoch);
  }
}
