/**
 * The dispatcher's work around its partition: the time is told to it when something is due, settings that change are
 * looked at at once, and what its log lost is told again.
 *
 * @module
 */
import { DispatchApplier } from "../../core/dispatch/dispatch_applier.ts";
import type { Dispatcher } from "../../core/dispatch/dispatcher.ts";
import type { DeadLetterRow } from "../../core/ports/conversation_store.ts";
import type { DirectorySource } from "../../core/ports/directory.ts";
import type { DispatchLog } from "../../core/ports/dispatch_log.ts";
import type { LaneView, PartitionOwner } from "../../core/runtime/partition_owner.ts";
import type { EventPublisher } from "../nats/event_publisher.ts";
import { PostgresDispatchStore } from "../postgres/dispatch_store.ts";
import { systemClock } from "../system/clock.ts";
import type { Log } from "../system/log.ts";
import type { Metrics, QueueFigures } from "./metrics.ts";
import type { Parts } from "./parts.ts";
import { periodically } from "./periodically.ts";
import { ThresholdWatch } from "./threshold_watch.ts";

export interface DispatchWorkOptions {
  readonly parts: Parts;
  readonly directory: DirectorySource;
  readonly entries: DispatchLog;
  readonly publisher: EventPublisher;
  readonly onDeadLetter: (letter: DeadLetterRow) => void;
  readonly metrics: () => Metrics;
  readonly log: Log;
  readonly now: () => number;
}

/** A process that took the dispatcher over notices within this. */
const WATCH_MS = 1_000;
/** What is missed for so long may as well be found by then; a look costs one pass over the open sessions. */
const COMPARE_EVERY_MS = 30_000;
const COMPARE_BATCH = 1_000;
/** Figures of an hour do not change faster in a way that matters. */
const THRESHOLDS_MS = 5_000;
/** Nothing is waited for longer: timers of the platform end at 2^31 ms. */
const TICK_MS_MAX = 3_600_000;
/** After an append that failed. */
const RETRY_MS = 1_000;

export class DispatchWork {
  readonly #options: DispatchWorkOptions;
  readonly #store: PostgresDispatchStore;
  readonly #thresholds: ThresholdWatch;
  #dispatcher: Dispatcher | null = null;
  #owner: PartitionOwner | null = null;
  #cancelTick: () => void = () => {};
  /** The ownership that the sessions were compared in last, and when. */
  #compared = { epoch: -1, atMs: 0 };

  constructor(options: DispatchWorkOptions) {
    this.#options = options;
    this.#store = new PostgresDispatchStore(options.parts.hotSql);
    const { parts, directory, publisher, now } = options;
    this.#thresholds = new ThresholdWatch({
      sql: parts.sql,
      directory,
      publish: (events) => publisher.publish({ events }),
      now,
    });
  }

  createApplier({ epochOf }: LaneView): DispatchApplier {
    const { parts, directory, onDeadLetter, metrics, now } = this.#options;
    return new DispatchApplier({
      store: this.#store,
      directory,
      epochOf,
      streamOf: (partition) => parts.names.logStream("dispatch", partition),
      onDeadLetter,
      onDue: (dueMs) => this.#tickAt(dueMs),
      onDecided: (dispatcher, { offers, claims, served }) => {
        this.#dispatcher = dispatcher;
        metrics().dispatched.inc({ what: "offer" }, offers);
        metrics().dispatched.inc({ what: "claim" }, claims);
        metrics().dispatched.inc({ what: "assignment" }, served);
      },
      now,
    });
  }

  /** Begins to watch over `owner`'s partition; returns the way to stop. */
  start(owner: PartitionOwner): () => Promise<void> {
    this.#owner = owner;
    const { directory, log } = this.#options;
    const unsubscribe = directory.onChange(() => this.#tick());
    const onError = (name: string, error: Error) =>
      log.warn("periodic-work-failed", { name, reason: error.message });
    const stopWatching = periodically({
      name: "watch queues' thresholds",
      intervalMs: THRESHOLDS_MS,
      run: () => this.#epoch === null ? Promise.resolve(this.#thresholds.begin()) : this.#thresholds.look(),
      onError,
    });
    const stop = periodically({
      name: "compare the dispatcher with the sessions",
      intervalMs: WATCH_MS,
      run: () => this.#compare(),
      onError,
    });
    return async () => {
      this.#cancelTick();
      unsubscribe();
      await Promise.all([stop(), stopWatching()]);
    };
  }

  /** How the queues stand; empty where another process has the dispatcher. */
  queues(): readonly QueueFigures[] {
    if (this.#dispatcher === null || this.#epoch === null) return [];
    const nowMs = this.#options.now();
    return [...this.#dispatcher.lines.values()].map(({ id, waiting, first }) => ({
      queueId: id,
      waiting,
      oldestMs: first === undefined ? 0 : Math.max(0, nowMs - first.row.waiting_since_ms),
    }));
  }

  /** Of the ownership; null: another process's. */
  get #epoch(): number | null {
    return this.#owner?.owned[0]?.epoch ?? null;
  }

  #tickAt(dueMs: number | null): void {
    this.#cancelTick();
    if (dueMs === null) return;
    const delayMs = Math.min(TICK_MS_MAX, Math.max(0, dueMs - this.#options.now()));
    this.#cancelTick = systemClock.after(delayMs, () => this.#tick());
  }

  #tick(): void {
    const { entries, now } = this.#options;
    if (this.#epoch === null) return;
    entries.tell([{ kind: "tick", at: now() }]).catch(() => this.#tickAt(now() + RETRY_MS));
  }

  /**
   * The sessions are the truth. What the dispatcher knows otherwise was lost with its log, or stands in it and is still to
   * be applied; telling it twice does no harm.
   */
  async #compare(): Promise<void> {
    const { entries, now } = this.#options;
    const epoch = this.#epoch;
    if (epoch === null) {
      this.#dispatcher = null;
      return;
    }
    const isNew = epoch !== this.#compared.epoch;
    if (!isNew && now() - this.#compared.atMs < COMPARE_EVERY_MS) return;
    const missed = await this.#store.findMissed(now(), COMPARE_BATCH);
    // The timers of a new owner begin with its first entry.
    if (missed.length > 0 || isNew) await entries.tell([...missed, { kind: "tick", at: now() }]);
    // Where there are more, the next look goes on.
    if (missed.length < COMPARE_BATCH) this.#compared = { epoch, atMs: now() };
  }
}
