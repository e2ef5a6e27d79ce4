/**
 * The rate of one channel: its own bucket, the buckets of its numbers and its daily cap.
 *
 * What is promised is about every sliding second at the provider's end: at most rate + burst units. What
 * happens here is not what arrives there, because timers are late and the way takes its time: of two sends a
 * second apart the first may be delayed by more than the second. So the buckets run at {@link PACE} of the
 * rate, which leaves slack in every second: (1/PACE − 1) s, and up to one more interval, since units are whole:
 * the promise is broken only by the first whole number above rate + burst. Half of that slack (20 ms at most) is credit for
 * our own lateness: a timer that fires late by less does not lower the rate. The other half is for the way.
 * Lateness beyond the credit is lost, not caught up.
 *
 * | rate | credit | left for the way |
 * |---|---|---|
 * | 10/s | 20 ms | 90 ms |
 * | 100/s | 10 ms | 10 ms |
 * | 500/s | 6 ms | 6 ms |
 * | 5,000/s | 5 ms | 5 ms |
 *
 * Times are ms on the caller's monotonic clock; the daily cap alone looks at the wall clock.
 *
 * @module
 */
import type { ChannelSettings } from "../channel.ts";
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
const CREDIT_MAX_MS = 20;
const DAY_MS = 86_400_000;

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

/** One bucket with what is reserved of it: claimed, not yet gone. */
class Bucket {
  #rule: BucketRule | null;
  #state: BucketState;
  #startedMs: number;
  reserved = 0;

  /** Starts empty: a former owner may have used it up a moment ago. */
  constructor(rate: DeclaredRate, nowMs: number) {
    this.#rule = pacedRule(rate);
    this.#startedMs = nowMs;
    this.#state = this.#rule === null ? nowMs : emptyBucket(this.#rule, nowMs);
  }

  /** A new rate holds from now on; the debt stays. */
  change(rate: DeclaredRate, nowMs: number): void {
    const rule = pacedRule(rate);
    if (rule !== null && this.#rule !== null) this.#state = reprice(this.#rule, rule, this.#state, nowMs);
    else if (rule !== null) {
      this.#state = emptyBucket(rule, nowMs);
      this.#startedMs = nowMs;
    }
    this.#rule = rule;
  }

  /** When `cost` units may go, once `ahead` units have gone; up to `nowMs`: at once. */
  freeAt(cost: number, ahead: number, nowMs: number): number {
    const rule = this.#rule;
    if (rule === null) return nowMs;
    const intervalMs = 1000 / rule.rateMps;
    const state = ahead === 0 ? this.#state : Math.max(this.#state, nowMs) + ahead * intervalMs;
    // A message that costs more than the burst must not find an empty bucket full after one interval.
    return Math.max(availableAt(rule, state, cost), this.#startedMs + cost * intervalMs);
  }

  take(cost: number, nowMs: number): void {
    if (this.#rule !== null) this.#state = take(this.#rule, this.#state, nowMs, cost);
  }

  hold(untilMs: number): void {
    if (this.#rule !== null) this.#state = holdUntil(this.#state, this.#rule, untilMs);
  }
}

/** Whether a message may be claimed now; `number`: only others of that number must wait too. */
export type Room =
  | { readonly kind: "free" }
  | { readonly kind: "number"; readonly untilMs: number }
  | { readonly kind: "channel"; readonly untilMs: number };

export class RateGate {
  #settings: ChannelSettings;
  readonly #channel: Bucket;
  readonly #numbers = new Map<string, { rate: DeclaredRate; bucket: Bucket }>();
  #holdMs = 0;
  #throttles = 0;
  #day: number;
  #usedToday: number;

  /** `usedToday`: units that were sent since midnight UTC, for the daily cap. */
  constructor(settings: ChannelSettings, nowMs: number, wallMs: number, usedToday = 0) {
    this.#settings = settings;
    this.#channel = new Bucket(settings, nowMs);
    this.#day = Math.floor(wallMs / DAY_MS);
    this.#usedToday = usedToday;
  }

  /** Takes new settings over; they hold at once. */
  change(settings: ChannelSettings, nowMs: number): void {
    const { rateMps, burst } = this.#settings;
    this.#settings = settings;
    if (settings.rateMps !== rateMps || settings.burst !== burst) this.#channel.change(settings, nowMs);
  }

  /** A number's own limit; null: none. */
  setNumber(number: string, rate: DeclaredRate | null, nowMs: number): void {
    const known = this.#numbers.get(number);
    if (rate === null) this.#numbers.delete(number);
    else if (known === undefined) this.#numbers.set(number, { rate, bucket: new Bucket(rate, nowMs) });
    else if (known.rate.rateMps !== rate.rateMps || known.rate.burst !== rate.burst) {
      known.rate = rate;
      known.bucket.change(rate, nowMs);
    }
  }

  /** Whether `cost` units more will be free to go within `aheadMs`, after all that is reserved. */
  room(number: string, cost: number, nowMs: number, aheadMs: number, wallMs: number): Room {
    const limitMs = nowMs + aheadMs;
    const capMs = this.#capFreeAt(cost + this.#channel.reserved, nowMs, wallMs);
    const channelMs = Math.max(
      this.#channel.freeAt(cost, this.#channel.reserved, nowMs),
      this.#holdMs,
      capMs,
    );
    if (channelMs > limitMs) return { kind: "channel", untilMs: channelMs - aheadMs };
    const bucket = this.#numbers.get(number)?.bucket;
    const numberMs = bucket?.freeAt(cost, bucket.reserved, nowMs) ?? nowMs;
    return numberMs > limitMs ? { kind: "number", untilMs: numberMs - aheadMs } : { kind: "free" };
  }

  reserve(number: string, cost: number): void {
    this.#channel.reserved += cost;
    const bucket = this.#numbers.get(number)?.bucket;
    if (bucket !== undefined) bucket.reserved += cost;
  }

  /** Gives a reservation back: the message did not go. */
  release(number: string, cost: number): void {
    this.#channel.reserved = Math.max(0, this.#channel.reserved - cost);
    const bucket = this.#numbers.get(number)?.bucket;
    if (bucket !== undefined) bucket.reserved = Math.max(0, bucket.reserved - cost);
  }

  /** When a message that is reserved may go; up to `nowMs`: now. */
  departsAt(number: string, cost: number, nowMs: number): { channelMs: number; numberMs: number } {
    return {
      channelMs: Math.max(this.#channel.freeAt(cost, 0, nowMs), this.#holdMs),
      numberMs: this.#numbers.get(number)?.bucket.freeAt(cost, 0, nowMs) ?? nowMs,
    };
  }

  /** The message goes: takes its tokens and its reservation. */
  depart(number: string, cost: number, nowMs: number, wallMs: number): void {
    this.release(number, cost);
    this.#channel.take(cost, nowMs);
    this.#numbers.get(number)?.bucket.take(cost, nowMs);
    this.#turnDay(wallMs);
    this.#usedToday += cost;
  }

  /**
   * The provider says that it is too much: nothing goes before the returned time. Without a time of its own the
   * pauses grow like a message's; answers to calls that were under way already do not lengthen them.
   */
  throttle(nowMs: number, retryAfterMs: number | undefined): number {
    const { initialMs, factor, maxMs } = this.#settings.retry;
    if (retryAfterMs === undefined && nowMs < this.#holdMs) return this.#holdMs;
    const pauseMs = Math.min(maxMs, initialMs * factor ** Math.min(this.#throttles++, 100));
    this.#holdMs = Math.max(this.#holdMs, nowMs + (retryAfterMs ?? pauseMs));
    this.#channel.hold(this.#holdMs);
    return this.#holdMs;
  }

  /** The provider takes messages again: the next throttling answer starts with the shortest pause. */
  accepted(): void {
    this.#throttles = 0;
  }

  #capFreeAt(cost: number, nowMs: number, wallMs: number): number {
    const cap = this.#settings.dailyCap;
    if (cap === undefined) return nowMs;
    this.#turnDay(wallMs);
    return this.#usedToday + cost <= cap ? nowMs : nowMs + (this.#day + 1) * DAY_MS - wallMs;
  }

  #turnDay(wallMs: number): void {
    const day = Math.floor(wallMs / DAY_MS);
    if (day > this.#day) {
      this.#day = day;
      this.#usedToday = 0;
    }
  }
}
