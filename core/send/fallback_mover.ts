/**
 * Moves what waits in one channel to its fallback channel, in the order of the scheduler, no faster than the
 * fallback channel may send: what it cannot take soon stays, and goes out through its own channel if that is
 * back before.
 *
 * @module
 */
import type { Channel } from "../channel.ts";
import { availableAt, type BucketRule, type BucketState, fullBucket, take } from "../token_bucket.ts";
import { type Fallback, type Place, placeAt } from "./fallback.ts";
import { costOf, type QueuedMessage } from "./queued_message.ts";
import type { Admission, Scheduler } from "./scheduler.ts";

export interface Move {
  readonly message: QueuedMessage;
  readonly place: Place;
}

export interface FallbackMoverOptions {
  readonly scheduler: Scheduler;
  /** Monotonic, ms. */
  readonly now: () => number;
  /** Whether the channel's own provider recognises repeats. */
  readonly idempotent: boolean;
  /** Whether a message may be sent at all; one that may not is left to its own channel. */
  readonly admit: (message: QueuedMessage) => boolean;
  /** Writes the moves; resolves with the ids of those that moved. Rejects when the lane is lost. */
  readonly move: (moves: readonly Move[], fallback: Channel) => Promise<ReadonlySet<string>>;
  /** Something may move again. */
  readonly onMoved: () => void;
}

/** Messages in one statement. */
const MOVE_MAX = 200;
/** What may move at once after a pause: this many messages, or this many seconds of the fallback's rate. */
const BURST_MIN = 10;
const BURST_SECONDS = 2;
/** What cannot move is looked at again after this, ms. */
const STAY_MS = 1_000;

/** How fast messages move to one channel. */
interface Pace {
  readonly channelId: string;
  readonly rule: BucketRule;
  state: BucketState;
}

export class FallbackMover {
  readonly #options: FallbackMoverOptions;
  #bucket: Pace | null = null;
  #isBusy = false;
  #dueMs = Infinity;

  constructor(options: FallbackMoverOptions) {
    this.#options = options;
  }

  /** When {@link pump} may move something that it did not move now; Infinity: not by waiting. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Moves what may move now. Call it only while the channel's own circuit is open. */
  pump(fallback: Fallback): void {
    if (this.#isBusy) return;
    const nowMs = this.#options.now();
    const bucket = this.#bucketOf(fallback.channel, nowMs);
    const moves: Move[] = [];
    this.#dueMs = Infinity;
    while (moves.length < MOVE_MAX) {
      let place: Place | null = null;
      const message = this.#options.scheduler.take(nowMs, (candidate): Admission => {
        place = this.#options.admit(candidate)
          ? placeAt(candidate, fallback, this.#options.idempotent)
          : null;
        if (place === null) return { kind: "go" };
        const freeMs = availableAt(bucket.rule, bucket.state, costOf(place, fallback.channel));
        if (freeMs <= nowMs) return { kind: "go" };
        this.#dueMs = freeMs;
        return { kind: "channel" };
      });
      if (message === null) break;
      if (place === null) {
        this.#options.scheduler.pause(message.id, nowMs + STAY_MS, nowMs);
        continue;
      }
      bucket.state = take(bucket.rule, bucket.state, nowMs, costOf(place, fallback.channel));
      moves.push({ message, place });
    }
    if (moves.length > 0) this.#move(moves, fallback.channel);
    else if (this.#dueMs === Infinity) this.#dueMs = this.#options.scheduler.nextDueMs();
  }

  async #move(moves: readonly Move[], fallback: Channel): Promise<void> {
    this.#isBusy = true;
    try {
      await this.#options.move(moves, fallback);
    } catch {
      // The lane is another process's, or the worker has stopped.
      return;
    }
    this.#isBusy = false;
    const nowMs = this.#options.now();
    // What did not move is not ours to send either: cancelled, or changed since it was read. The sweep knows.
    for (const { message } of moves) this.#options.scheduler.done(message.id, nowMs);
    this.#options.onMoved();
  }

  #bucketOf({ id, settings }: Channel, nowMs: number): Pace {
    const { rateMps } = settings;
    if (this.#bucket?.channelId !== id || this.#bucket.rule.rateMps !== rateMps) {
      const rule = { rateMps, burst: Math.max(BURST_MIN, rateMps * BURST_SECONDS) };
      this.#bucket = { channelId: id, rule, state: fullBucket(nowMs) };
    }
    return this.#bucket;
  }
}
