/**
 * Sends one channel's messages.
 *
 * A message goes through: *waiting* (in the scheduler) → *claimed* (its row is `sending`; ready to leave) →
 * *in flight* (the provider is called) → *recording*. Claiming takes a round trip, so it runs a little ahead
 * of the rate; tokens are taken only when the call is really made, or the claim's varying time would bunch
 * what the bucket spaced out. What was claimed and cannot go soon is given back.
 *
 * @module
 */
import type { Channel, OwnNumber } from "../channel.ts";
import { PRIORITY } from "../message.ts";
import type { Clock } from "../ports/clock.ts";
import type { HttpCall, Provider } from "../ports/provider.ts";
import type { CallOutcome } from "../ports/provider_call.ts";
import { gate } from "./gate.ts";
import { type SendOutcome, settle, type Settlement } from "./outcome.ts";
import { outgoing } from "./outgoing.ts";
import { costOf, type QueuedMessage, retryAtOf } from "./queued_message.ts";
import type { RateGate } from "./rate_gate.ts";
import { type Admission, Scheduler, type Times } from "./scheduler.ts";

/** What came of wanting to claim a message. */
export type Claimed =
  | { readonly kind: "claimed" }
  /** It is not queued any more. */
  | { readonly kind: "gone" }
  /** It is queued, but another one of its conversation goes first; `queued` are the first ones, by position. */
  | { readonly kind: "blocked"; readonly queued: readonly QueuedMessage[] }
  /** The lane is not ours any more. */
  | { readonly kind: "failed" };

/** What a channel's sender needs of the worker around it. */
export interface SenderPort {
  readonly clock: Clock;
  readonly random: () => number;
  readonly concurrencyMax: number;
  numberOf(id: string): OwnNumber | undefined;
  statusUrl(channel: Channel, messageId: string): string;
  /** Whether one more call may be made, seen over all channels. */
  mayCall(inFlight: number): boolean;
  call(channel: Channel, call: HttpCall): Promise<CallOutcome>;
  claim(message: QueuedMessage): Promise<Claimed>;
  /** Stores a settlement; resolves with the message as it is now. Rejects when that is not to be any more. */
  record(message: QueuedMessage, settlement: Settlement): Promise<QueuedMessage>;
  /** Asks for more from the database. */
  refill(): void;
  /** Called with each settlement, and how long the call took, ms; null without a call. */
  onSettled(channel: Channel, settlement: Settlement, callMs: number | null): void;
}

/**
 * How far ahead of the rate rows are claimed, ms: a few round trips to the database. Claiming starts when less
 * than the low mark is left and goes on to the high one, so that one statement takes several.
 */
const CLAIM_AHEAD_MS = { low: 20, high: 40 } as const;
/** Rows claimed ahead at most. */
const CLAIM_AHEAD_MAX = 256;
/** What would wait longer than this after its claim is given back, ms. */
const GIVE_BACK_MS = 1_000;
/** How long a conversation waits for an earlier message that is elsewhere, ms. */
const BLOCKED_PAUSE_MS = 1_000;

export class ChannelSender {
  readonly scheduler: Scheduler;
  readonly #port: SenderPort;
  readonly #provider: Provider;
  readonly #rate: RateGate;
  #channel: Channel;
  #claimed: QueuedMessage[] = [];
  #claiming = 0;
  #inFlight = 0;
  #closedUntilMs = 0;
  #stopped = false;
  #disarm: (() => void) | null = null;
  #armedMs = Infinity;

  constructor(
    port: SenderPort,
    channel: Channel,
    provider: Provider,
    rate: RateGate,
    scheduler: Scheduler = new Scheduler(),
  ) {
    this.#port = port;
    this.#channel = channel;
    this.#provider = provider;
    this.#rate = rate;
    this.scheduler = scheduler;
  }

  get channel(): Channel {
    return this.#channel;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Rows that this sender has as `sending`. */
  get unsettled(): number {
    return this.#claiming + this.#claimed.length + this.#inFlight;
  }

  /** New settings; they hold at once. */
  change(channel: Channel): void {
    this.#channel = channel;
    this.#rate.change(channel.settings, this.#port.clock.monotonic());
    this.#closedUntilMs = 0;
    this.scheduler.reopen();
    this.pump();
  }

  /** A number's own limit, or none. */
  changeNumber(number: OwnNumber): void {
    const rate = number.rateMps === null ? null : { rateMps: number.rateMps, burst: number.burst ?? 1 };
    this.#rate.setNumber(number.id, rate, this.#port.clock.monotonic());
  }

  /** Takes messages in; what finds no room is found in the database later. `needed`: others wait for them. */
  offer(messages: readonly QueuedMessage[], needed = false): number {
    const nowMs = this.#port.clock.monotonic();
    let added = 0;
    for (const message of messages) {
      if (this.scheduler.offer(message, this.#times(message, nowMs), nowMs, needed) === "added") added++;
    }
    return added;
  }

  /** Moves whatever can move. Cheap when nothing can. */
  pump(): void {
    if (this.#stopped) return;
    this.#depart();
    this.#claimMore();
    this.#arm();
  }

  /** Makes no more calls and gives back what is claimed; what is in flight goes on. */
  stop(): void {
    this.#stopped = true;
    this.#disarm?.();
    this.#disarm = null;
    for (const message of this.#claimed.splice(0)) this.#giveBack(message);
  }

  #times(message: QueuedMessage, nowMs: number): Times {
    const wallMs = this.#port.clock.now();
    const here = (at: number) => at <= wallMs ? 0 : nowMs + at - wallMs;
    return { startMs: here(message.not_before_ms ?? 0), retryMs: here(retryAtOf(message)) };
  }

  #claimMore(): void {
    const { clock, concurrencyMax } = this.#port;
    const nowMs = clock.monotonic();
    if (!this.#channel.enabled) return;
    let aheadMs: number = CLAIM_AHEAD_MS.low;
    while (
      this.#claiming + this.#claimed.length < CLAIM_AHEAD_MAX &&
      this.unsettled < concurrencyMax + CLAIM_AHEAD_MAX
    ) {
      let ending: Settlement | null = null;
      const message = this.scheduler.take(nowMs, (candidate) => {
        const verdict = gate(candidate, this.#channel, this.#port.numberOf(candidate.number_id), clock.now());
        ending = verdict.kind === "end" ? { ...verdict, uncertain: candidate.uncertain } : null;
        return ending === null ? this.#admit(candidate, nowMs, aheadMs) : { kind: "go" };
      });
      if (message === null) break;
      aheadMs = CLAIM_AHEAD_MS.high;
      if (ending === null) this.#claim(message);
      else this.#settle(message, ending, null);
    }
  }

  #admit(message: QueuedMessage, nowMs: number, aheadMs: number): Admission {
    const cost = costOf(message, this.#channel);
    const room = this.#rate.room(message.number_id, cost, nowMs, aheadMs, this.#port.clock.now());
    if (room.kind === "free") {
      this.#rate.reserve(message.number_id, cost);
      return { kind: "go" };
    }
    // Looked at again when the low mark is reached.
    const untilMs = room.untilMs + aheadMs - CLAIM_AHEAD_MS.low;
    if (room.kind === "number") return { kind: "number", untilMs };
    this.#closedUntilMs = untilMs;
    return { kind: "channel" };
  }

  async #claim(message: QueuedMessage): Promise<void> {
    this.#claiming++;
    const result = await this.#port.claim(message).catch((): Claimed => ({ kind: "failed" }));
    this.#claiming--;
    if (result.kind === "claimed") {
      const claimed = { ...message, attempts: message.attempts + 1 };
      if (this.#stopped) return this.#giveBack(claimed);
      // Replies first, otherwise in the order of the claims.
      const bulk = this.#claimed.findIndex((other) => other.priority > claimed.priority);
      this.#claimed.splice(bulk < 0 ? this.#claimed.length : bulk, 0, claimed);
    } else {
      this.#rate.release(message.number_id, costOf(message, this.#channel));
      this.#notClaimed(message, result);
    }
    this.pump();
  }

  #notClaimed(message: QueuedMessage, result: Exclude<Claimed, { kind: "claimed" }>): void {
    const nowMs = this.#port.clock.monotonic();
    if (result.kind === "gone") this.scheduler.done(message.id, nowMs);
    if (result.kind !== "blocked") return;
    const stored = result.queued.find((row) => row.id === message.id);
    // What is remembered of it was out of date.
    if (stored !== undefined && stored.attempts !== message.attempts) {
      this.scheduler.retry(stored, this.#times(stored, nowMs).retryMs, nowMs);
    } else this.scheduler.pause(message.id, nowMs + BLOCKED_PAUSE_MS, nowMs);
    this.offer(result.queued.filter((row) => row.channel_id === this.#channel.id), true);
  }

  #depart(): void {
    const nowMs = this.#port.clock.monotonic();
    const candidates = this.#claimed;
    const left: QueuedMessage[] = [];
    for (const [index, message] of candidates.entries()) {
      const cost = costOf(message, this.#channel);
      const { channelMs, numberMs } = this.#rate.departsAt(message.number_id, cost, nowMs);
      const waitMs = Math.max(channelMs, numberMs) - nowMs;
      if (!this.#channel.enabled || waitMs > GIVE_BACK_MS) this.#giveBack(message);
      else if (channelMs > nowMs || !this.#hasSlot()) {
        // Holds for all that follow as well.
        left.push(...candidates.slice(index));
        break;
      } else if (numberMs > nowMs) left.push(message);
      else this.#send(message, cost, nowMs);
    }
    this.#claimed = left;
  }

  #hasSlot(): boolean {
    return this.#inFlight < this.#port.concurrencyMax && this.#port.mayCall(this.#inFlight);
  }

  #send(message: QueuedMessage, cost: number, nowMs: number): void {
    const wallMs = this.#port.clock.now();
    const channel = this.#channel;
    let call: HttpCall;
    try {
      const statusUrl = this.#port.statusUrl(channel, message.id);
      call = this.#provider.buildSend(outgoing(message, statusUrl, wallMs), channel);
    } catch (error) {
      this.#rate.release(message.number_id, cost);
      const reason = `the channel's settings do not allow a call: ${(error as Error).message}`;
      const settlement = { kind: "end", status: "failed", error: { class: "bad-request", reason } } as const;
      this.#settle(message, { ...settlement, uncertain: message.uncertain }, null);
      return;
    }
    this.#rate.depart(message.number_id, cost, nowMs, wallMs);
    this.#inFlight++;
    this.#port.call(channel, call).then(
      (outcome) => this.#answered(message, channel, outcome, nowMs),
      (error) =>
        this.#answered(
          message,
          channel,
          { kind: "lost", cause: "broken", reason: (error as Error).message },
          nowMs,
        ),
    );
  }

  #answered(message: QueuedMessage, channel: Channel, outcome: CallOutcome, sentMs: number): void {
    this.#inFlight--;
    const nowMs = this.#port.clock.monotonic();
    const read: SendOutcome = outcome.kind === "answered"
      ? { kind: "answered", result: this.#provider.readSend(outcome.answer, channel) }
      : outcome;
    const settlement = settle(read, {
      message,
      settings: channel.settings,
      idempotent: this.#provider.supports.idempotency,
      nowMs: this.#port.clock.now(),
      random: this.#port.random(),
    });
    if (settlement.kind === "sent") this.#rate.accepted();
    else if (
      read.kind === "answered" && read.result.kind === "failed" && read.result.error.class === "throttled"
    ) {
      this.#rate.throttle(nowMs, read.result.retryAfterMs);
    }
    this.#settle(message, settlement, nowMs - sentMs);
    this.pump();
  }

  #giveBack(message: QueuedMessage): void {
    this.#rate.release(message.number_id, costOf(message, this.#channel));
    this.#settle(message, { kind: "returned" }, null);
  }

  async #settle(message: QueuedMessage, settlement: Settlement, callMs: number | null): Promise<void> {
    this.#port.onSettled(this.#channel, settlement, callMs);
    let now: QueuedMessage;
    try {
      now = await this.#port.record(message, settlement);
    } catch {
      // The lane is lost or the worker has stopped: the next owner settles it.
      return;
    }
    const nowMs = this.#port.clock.monotonic();
    if (settlement.kind === "retry" || settlement.kind === "returned") {
      this.scheduler.retry(now, this.#times(now, nowMs).retryMs, nowMs);
    } else this.scheduler.done(message.id, nowMs);
    if (this.#runsLow()) this.#port.refill();
    this.pump();
  }

  #runsLow(): boolean {
    return [PRIORITY.reply, PRIORITY.bulk].some((priority) =>
      this.scheduler.overflowed(priority) && this.scheduler.room(priority) > this.scheduler.count(priority)
    );
  }

  /** Sets the timer for the moment at which something may move by itself. */
  #arm(): void {
    const nowMs = this.#port.clock.monotonic();
    const dueMs = this.#nextMoveMs(nowMs);
    if (dueMs === this.#armedMs && this.#disarm !== null) return;
    this.#disarm?.();
    this.#disarm = null;
    this.#armedMs = dueMs;
    if (dueMs === Infinity) return;
    this.#disarm = this.#port.clock.after(Math.max(0, Math.ceil(dueMs - nowMs)), () => {
      this.#disarm = null;
      this.pump();
    });
  }

  #nextMoveMs(nowMs: number): number {
    let dueMs = this.scheduler.nextDueMs();
    if (this.#closedUntilMs > nowMs) dueMs = Math.min(dueMs, this.#closedUntilMs);
    for (const message of this.#claimed) {
      const at = this.#rate.departsAt(message.number_id, costOf(message, this.#channel), nowMs);
      if (at.channelMs > nowMs) return Math.min(dueMs, at.channelMs);
      // One that is free to go waits for a slot, and so do all after it: whoever frees a slot pumps.
      if (at.numberMs <= nowMs) return dueMs;
      dueMs = Math.min(dueMs, at.numberMs);
    }
    return dueMs;
  }
}
