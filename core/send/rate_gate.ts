/**
 * The rate of one channel: its own bucket, the buckets of its numbers, its daily cap, and what throttling
 * answers leave of it (see throttle.ts).
 *
 * Times are ms on the caller's monotonic clock; the daily cap alone looks at the wall clock.
 *
 * @module
 */
import type { ChannelSettings } from "../channel.ts";
import type { Priority } from "../message.ts";
import { answeredAfter, type AnswerTime, usualAnswerMs } from "./answer_time.ts";
import type { Departure } from "./arrival_window.ts";
import { type DeclaredRate, SharedBucket, UNLIMITED_MPS } from "./shared_bucket.ts";
import { effectiveMps, isRecovered, slowDown, type Throttle } from "./throttle.ts";

const DAY_MS = 86_400_000;
const SECOND_MS = 1_000;
/** A rate that grows back is followed in steps of this, ms. */
const FOLLOW_MS = 100;
/** Least rate that a channel without limit is slowed down from: its first second tells little, units per second. */
const UNLIMITED_CEILING_MPS = 100;

/** Whether a message may be claimed now; `number`: only others of that number must wait too. */
export type Room =
  | { readonly kind: "free" }
  | { readonly kind: "number"; readonly untilMs: number }
  | { readonly kind: "channel"; readonly untilMs: number };

/** Whose message it is that wants to go: what bulk may use depends on the replies. */
export interface Demand {
  /** Our number's id. */
  readonly number: string;
  /** Units. */
  readonly cost: number;
  readonly priority: Priority;
}

/** A call that is under way, as its buckets know it. */
export interface CallUnderWay {
  readonly leftMs: number;
  readonly counted: readonly { readonly bucket: SharedBucket; readonly departure: Departure }[];
}

export class RateGate {
  #settings: ChannelSettings;
  readonly #channel: SharedBucket;
  readonly #numbers = new Map<string, { rate: DeclaredRate; bucket: SharedBucket }>();
  #answerTime: AnswerTime | null = null;
  #throttle: Throttle | null = null;
  #followedMs = 0;
  #day: number;
  #usedToday: number;
  /** Units that left in this second and in the one before, of a channel without limit. */
  #meter = { second: 0, units: 0, before: 0 };

  /** `usedToday`: units that were sent since midnight UTC, for the daily cap. */
  constructor(settings: ChannelSettings, nowMs: number, wallMs: number, usedToday = 0) {
    this.#settings = settings;
    this.#channel = new SharedBucket(settings, settings.replyShare, nowMs);
    this.#day = Math.floor(wallMs / DAY_MS);
    this.#usedToday = usedToday;
  }

  /** What throttling answers left of the rate; null when nothing holds it back. */
  throttleAt(nowMs: number): Throttle | null {
    this.#follow(nowMs);
    return this.#throttle;
  }

  /** Units per second that may leave now; the configured rate unless the provider asked for less. */
  effectiveMps(nowMs: number): number {
    const throttle = this.throttleAt(nowMs);
    return throttle === null ? this.#settings.rateMps : effectiveMps(throttle, nowMs);
  }

  /** Takes new settings over; they hold at once. A new rate ends a slowdown: the provider will say if it must. */
  change(settings: ChannelSettings, nowMs: number): void {
    const { rateMps, burst, replyShare } = this.#settings;
    this.#settings = settings;
    if (settings.rateMps !== rateMps || settings.burst !== burst) {
      this.#throttle = null;
      this.#channel.change(settings, nowMs);
    }
    if (settings.replyShare === replyShare) return;
    this.#channel.share(settings.replyShare);
    for (const { bucket } of this.#numbers.values()) bucket.share(settings.replyShare);
  }

  /** A number's own limit; null: none. */
  setNumber(number: string, rate: DeclaredRate | null, nowMs: number): void {
    const known = this.#numbers.get(number);
    if (rate === null) this.#numbers.delete(number);
    else if (known === undefined) {
      const bucket = new SharedBucket(rate, this.#settings.replyShare, nowMs);
      this.#numbers.set(number, { rate, bucket });
    } else if (known.rate.rateMps !== rate.rateMps || known.rate.burst !== rate.burst) {
      known.rate = rate;
      known.bucket.change(rate, nowMs);
    }
  }

  /** Whether it will be free to go within `aheadMs`, after all that is reserved and goes before it. */
  room({ number, cost, priority }: Demand, nowMs: number, aheadMs: number, wallMs: number): Room {
    this.#follow(nowMs);
    const limitMs = nowMs + aheadMs;
    const capMs = this.#capFreeAt(cost + this.#channel.reserved, nowMs, wallMs);
    const channelMs = Math.max(
      this.#channel.freeAt(cost, priority, this.#channel.reservedBefore(priority), nowMs),
      this.#holdMs,
      capMs,
    );
    if (channelMs > limitMs) return { kind: "channel", untilMs: channelMs - aheadMs };
    const bucket = this.#numbers.get(number)?.bucket;
    const numberMs = bucket?.freeAt(cost, priority, bucket.reservedBefore(priority), nowMs) ?? nowMs;
    return numberMs > limitMs ? { kind: "number", untilMs: numberMs - aheadMs } : { kind: "free" };
  }

  reserve({ number, cost, priority }: Demand): void {
    this.#channel.reserve(cost, priority);
    this.#numbers.get(number)?.bucket.reserve(cost, priority);
  }

  /** Gives a reservation back: the message did not go. */
  release({ number, cost, priority }: Demand): void {
    this.#channel.release(cost, priority);
    this.#numbers.get(number)?.bucket.release(cost, priority);
  }

  /** When a message that is reserved may go; up to `nowMs`: now. */
  departsAt({ number, cost, priority }: Demand, nowMs: number): { channelMs: number; numberMs: number } {
    this.#follow(nowMs);
    return {
      channelMs: Math.max(this.#channel.freeAt(cost, priority, 0, nowMs), this.#holdMs),
      numberMs: this.#numbers.get(number)?.bucket.freeAt(cost, priority, 0, nowMs) ?? nowMs,
    };
  }

  /** The message goes: takes its tokens and its reservation. Its end is told with {@link ended}. */
  depart(demand: Demand, nowMs: number, wallMs: number): CallUnderWay {
    const { number, cost, priority } = demand;
    this.release(demand);
    const isSlow = usualAnswerMs(this.#answerTime, nowMs) >= SECOND_MS;
    const counted: { bucket: SharedBucket; departure: Departure }[] = [];
    for (const bucket of [this.#channel, this.#numbers.get(number)?.bucket]) {
      const departure = bucket?.take(cost, priority, nowMs, isSlow) ?? null;
      if (departure !== null) counted.push({ bucket: bucket!, departure });
    }
    this.#turnDay(wallMs);
    this.#usedToday += cost;
    if (this.#settings.rateMps >= UNLIMITED_MPS) this.#measure(cost, nowMs);
    return { leftMs: nowMs, counted };
  }

  /** A call has ended, with or without an answer. */
  ended({ leftMs, counted }: CallUnderWay, isAnswered: boolean, nowMs: number): void {
    const callMs = nowMs - leftMs;
    const beyondUsualMs = callMs - usualAnswerMs(this.#answerTime, nowMs);
    for (const { bucket, departure } of counted) bucket.answered(departure, beyondUsualMs);
    if (isAnswered) this.#answerTime = answeredAfter(this.#answerTime, callMs, nowMs);
  }

  /** The provider says that a call made at `calledMs` was too much. */
  throttle(calledMs: number, retryAfterMs: number | undefined, nowMs: number): void {
    this.#throttle = slowDown(this.#throttle, {
      ceilingMps: this.#ceilingMps(),
      retryAfterMs,
      calledMs,
      nowMs,
    });
    this.#channel.change(this.#slowRate(this.#throttle, nowMs), nowMs);
    this.#channel.hold(Math.max(nowMs, this.#throttle.holdMs));
    this.#followedMs = nowMs;
  }

  get #holdMs(): number {
    return this.#throttle?.holdMs ?? 0;
  }

  /** Lets the bucket's rule grow with the rate that throttling left. */
  #follow(nowMs: number): void {
    const throttle = this.#throttle;
    if (throttle === null || nowMs < this.#followedMs + FOLLOW_MS) return;
    this.#followedMs = nowMs;
    if (isRecovered(throttle, nowMs)) {
      this.#throttle = null;
      this.#channel.change(this.#settings, nowMs);
    } else if (nowMs > throttle.holdMs) this.#channel.change(this.#slowRate(throttle, nowMs), nowMs);
  }

  /** The burst shrinks with the rate. */
  #slowRate(throttle: Throttle, nowMs: number): DeclaredRate {
    const rateMps = effectiveMps(throttle, nowMs);
    return { rateMps, burst: Math.max(1, (this.#settings.burst * rateMps) / throttle.ceilingMps) };
  }

  #ceilingMps(): number {
    const { rateMps } = this.#settings;
    if (rateMps < UNLIMITED_MPS) return rateMps;
    return Math.max(UNLIMITED_CEILING_MPS, this.#meter.units, this.#meter.before);
  }

  #measure(cost: number, nowMs: number): void {
    const second = Math.floor(nowMs / SECOND_MS);
    const { units } = this.#meter;
    if (second === this.#meter.second) this.#meter.units += cost;
    else this.#meter = { second, units: cost, before: second === this.#meter.second + 1 ? units : 0 };
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
