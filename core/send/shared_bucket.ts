/**
 * A token bucket that replies and bulk messages share, as the sender uses it: paced for the provider's end, with
 * what is reserved of it, and with a part that bulk leaves to replies.
 *
 * What is promised is about every sliding second at the provider's end: at most rate + burst units. What
 * happens here is not what arrives there, because timers are late and the way takes its time: of two sends a
 * second apart the first may be delayed by more than the second. So the buckets run at {@link PACE} of the
 * rate, which leaves slack in every second: (1/PACE − 1) s, and up to one more interval, since units are whole:
 * the promise is broken only by the first whole number above rate + burst. Half of that slack (50 ms at most) is credit for
 * our own lateness: a timer that fires late by less does not lower the rate. The other half is for the way.
 * Lateness beyond the credit is lost, not caught up. Where the way of single calls takes longer than the slack, what
 * may arrive in one second is counted as well ({@link ArrivalWindow}).
 *
 * | rate | credit | left for the way |
 * |---|---|---|
 * | 10/s | 50 ms | 60 ms |
 * | 100/s | 10 ms | 10 ms |
 * | 500/s | 6 ms | 6 ms |
 * | 5,000/s | 5 ms | 5 ms |
 *
 * The share: while replies come, and for {@link LOOK_BACK_MS} after the last one, bulk goes through a second
 * bucket of rate × (1 − share), so that tokens gather for replies; a reply looks at the whole bucket only. When
 * no replies come, bulk may use everything, and the first reply waits for the one bulk message before it. All
 * that leaves goes through the whole bucket: the share never adds to the rate.
 *
 * Times are ms on the caller's monotonic clock.
 *
 * @module
 */
import { PRIORITY, type Priority } from "../message.ts";
import { ArrivalWindow, type Departure } from "./arrival_window.ts";
import {
  availableAt,
  type BucketRule,
  type BucketState,
  emptyBucket,
  holdUntil,
  reprice,
  take,
} from "../token_bucket.ts";

/** The part of the rate that is used. */
export const PACE = 0.99;
/** Rates from here on are not limited at all, units per second: no machine of ours reaches them. */
export const UNLIMITED_MPS = 50_000;
/** For so long after a reply bulk leaves the replies' share alone, ms. */
export const LOOK_BACK_MS = 5_000;
const CREDIT_MAX_MS = 50;
/** With a share of 1 bulk waits for the end of the look-back; its bucket needs a rate all the same. */
const BULK_PART_MIN = 1e-6;

/** A rate as its owner declared it. */
export interface DeclaredRate {
  readonly rateMps: number;
  readonly burst: number;
}

/** The rule that keeps a declared rate at the provider's end; null for one that is not limited. */
export function pacedRule({ rateMps, burst }: DeclaredRate): BucketRule | null {
  if (rateMps >= UNLIMITED_MPS) return null;
  const paced = rateMps * PACE;
  const tooMany = Math.floor(rateMps + burst) + 1;
  const slackMs = ((tooMany - burst) / paced - 1) * 1000;
  const creditMs = Math.min(CREDIT_MAX_MS, slackMs / 2);
  return { rateMps: paced, burst: burst + (creditMs * paced) / 1000 };
}

/** The rule of bulk beside replies. */
function bulkRule({ rateMps, burst }: BucketRule, replyShare: number): BucketRule {
  const part = Math.max(BULK_PART_MIN, 1 - replyShare);
  return { rateMps: rateMps * part, burst: Math.max(1, burst * part) };
}

export class SharedBucket {
  #rule: BucketRule | null;
  #state: BucketState;
  #startedMs: number;
  #replyShare: number;
  /** Until then bulk goes through its own bucket as well. */
  #sharedUntilMs = -Infinity;
  #bulk: BucketState = 0;
  readonly #arrivals: ArrivalWindow;
  /** By priority: claimed, not yet gone. */
  readonly #reserved: [number, number] = [0, 0];

  /** Starts empty: a former owner may have used it up a moment ago. */
  constructor(rate: DeclaredRate, replyShare: number, nowMs: number) {
    this.#rule = pacedRule(rate);
    this.#startedMs = nowMs;
    this.#replyShare = replyShare;
    this.#arrivals = new ArrivalWindow(rate);
    this.#state = this.#rule === null ? nowMs : emptyBucket(this.#rule, nowMs);
  }

  get reserved(): number {
    return this.#reserved[0] + this.#reserved[1];
  }

  /** What goes before a new message of that priority: replies overtake bulk that is claimed already. */
  reservedBefore(priority: Priority): number {
    return priority === PRIORITY.reply ? this.#reserved[PRIORITY.reply] : this.reserved;
  }

  reserve(cost: number, priority: Priority): void {
    this.#reserved[priority] += cost;
  }

  release(cost: number, priority: Priority): void {
    this.#reserved[priority] = Math.max(0, this.#reserved[priority] - cost);
  }

  /** A new rate holds from now on; the debt stays. */
  change(rate: DeclaredRate, nowMs: number): void {
    const rule = pacedRule(rate);
    const former = this.#rule;
    if (rule !== null && former !== null) {
      this.#state = reprice(former, rule, this.#state, nowMs);
      const share = this.#replyShare;
      this.#bulk = reprice(bulkRule(former, share), bulkRule(rule, share), this.#bulk, nowMs);
    } else if (rule !== null) {
      this.#state = emptyBucket(rule, nowMs);
      this.#bulk = this.#state;
      this.#startedMs = nowMs;
    }
    this.#rule = rule;
    this.#arrivals.change(rate);
  }

  /** The part that bulk leaves to replies, from 0 to 1. */
  share(replyShare: number): void {
    this.#replyShare = replyShare;
    // Its debt was in the former part's time.
    this.#sharedUntilMs = -Infinity;
  }

  /** When `cost` units may go, once `ahead` units have gone; up to `nowMs`: at once. A reply's question is noted. */
  freeAt(cost: number, priority: Priority, ahead: number, nowMs: number): number {
    const rule = this.#rule;
    if (rule === null) return nowMs;
    if (priority === PRIORITY.reply) this.#noteReply(rule, nowMs);
    const intervalMs = 1000 / rule.rateMps;
    // A message that costs more than the burst must not find an empty bucket full after one interval.
    const wholeMs = Math.max(
      after(rule, this.#state, ahead, cost, nowMs),
      this.#startedMs + cost * intervalMs,
      this.#arrivals.freeAt(cost, ahead, nowMs),
    );
    if (priority === PRIORITY.reply || nowMs >= this.#sharedUntilMs || this.#replyShare === 0) return wholeMs;
    const bulkMs = after(
      bulkRule(rule, this.#replyShare),
      this.#bulk,
      this.#reservedOfBulk(ahead),
      cost,
      nowMs,
    );
    // When no more replies come it may use everything.
    return Math.max(wholeMs, Math.min(bulkMs, this.#sharedUntilMs));
  }

  /**
   * Units go. Gives what is to be told of the answer with {@link answered}; null where nothing is limited. `isSlow`:
   * answers usually take a second or more.
   */
  take(cost: number, priority: Priority, nowMs: number, isSlow: boolean): Departure | null {
    const rule = this.#rule;
    if (rule === null) return null;
    this.#state = take(rule, this.#state, nowMs, cost);
    if (priority === PRIORITY.reply) this.#noteReply(rule, nowMs);
    else if (nowMs < this.#sharedUntilMs) {
      this.#bulk = take(bulkRule(rule, this.#replyShare), this.#bulk, nowMs, cost);
    }
    return this.#arrivals.leave(cost, nowMs, isSlow);
  }

  /** The call has ended, so much later than usual. */
  answered(departure: Departure, beyondUsualMs: number): void {
    this.#arrivals.answered(departure, beyondUsualMs);
  }

  /** Nothing goes before; then one unit, and no burst. */
  hold(untilMs: number): void {
    if (this.#rule !== null) this.#state = holdUntil(this.#state, this.#rule, untilMs);
  }

  /** Bulk's own bucket begins empty: what bulk used before was its right. */
  #noteReply(rule: BucketRule, nowMs: number): void {
    if (nowMs >= this.#sharedUntilMs) this.#bulk = emptyBucket(bulkRule(rule, this.#replyShare), nowMs);
    this.#sharedUntilMs = nowMs + LOOK_BACK_MS;
  }

  #reservedOfBulk(ahead: number): number {
    return ahead === 0 ? 0 : this.#reserved[PRIORITY.bulk];
  }
}

/** When `cost` units may go after `ahead` others. */
function after(rule: BucketRule, state: BucketState, ahead: number, cost: number, nowMs: number): number {
  const ready = ahead === 0 ? state : Math.max(state, nowMs) + (ahead * 1000) / rule.rateMps;
  return availableAt(rule, ready, cost);
}
