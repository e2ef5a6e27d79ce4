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
import { PRIORITY, type Priority } from "../message.ts";
import type { Provider } from "../ports/provider.ts";
import type { Health } from "./channel_health.ts";
import { claimAheadMs } from "./claim_ahead.ts";
import { FallbackMover } from "./fallback_mover.ts";
import { gate, type GateVerdict } from "./gate.ts";
import type { Settlement } from "./outcome.ts";
import { ProviderLine } from "./provider_line.ts";
import { costOf, type QueuedMessage, retryAtOf } from "./queued_message.ts";
import type { Demand, RateGate } from "./rate_gate.ts";
import { type Admission, Scheduler, type Times } from "./scheduler.ts";
import type { Claimed, GateEnd, Ready, SenderPort } from "./sender_port.ts";

/** Rows claimed ahead at most. */
const CLAIM_AHEAD_MAX = 256;
/**
 * What would wait longer than this after its claim is given back, ms, also where replies overtake it again and again: it
 * was judged when it was claimed, and whoever asks for no more messages meanwhile must not get one much later.
 */
const GIVE_BACK_MS = 1_000;
/** No more is claimed than finds a slot for its call within it, ms. */
const SLOT_AHEAD_MS = 250;
/** Expired messages ended at once. */
const EXPIRE_MAX = 500;
/** How long a conversation waits for an earlier message that is elsewhere, ms. */
const BLOCKED_PAUSE_MS = 1_000;

export class ChannelSender {
  readonly scheduler: Scheduler;
  readonly #port: SenderPort;
  readonly #line: ProviderLine;
  readonly #rate: RateGate;
  readonly #mover: FallbackMover;
  #channel: Channel;
  readonly #claimed: Ready[] = [];
  #claiming = 0;
  #closedUntilMs = 0;
  #stopped = false;
  #isPumpDue = false;
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
    this.#rate = rate;
    this.scheduler = scheduler;
    this.#line = new ProviderLine({
      port,
      provider,
      rate,
      onSettled: (message, settlement, callMs) => {
        this.#settle(message, settlement, callMs);
        this.pump();
      },
    });
    this.#mover = new FallbackMover({
      scheduler,
      now: () => port.clock.monotonic(),
      idempotent: provider.supports.idempotency,
      admit: (message) => this.#verdictOn(message).kind === "pass",
      move: (moves, fallback) => port.move(moves, this.#whyMoved(fallback)),
      onMoved: () => this.#wentOn(),
    });
  }

  get channel(): Channel {
    return this.#channel;
  }

  get inFlight(): number {
    return this.#line.inFlight;
  }

  /** What the calls so far say of the channel; null before the first one. */
  get health(): Health | null {
    return this.#line.health;
  }

  /** Whether calls are made as they come, and not only to find out if the provider is back. */
  get isConnected(): boolean {
    return this.#line.circuit.kind === "closed";
  }

  /** Units per second that it may send now, whatever is configured. */
  get effectiveMps(): number {
    return this.#rate.effectiveMps(this.#port.clock.monotonic());
  }

  /** Rows that this sender has as `sending`. */
  get unsettled(): number {
    return this.#claiming + this.#claimed.length + this.#line.inFlight;
  }

  /** New settings; they hold at once. */
  change(channel: Channel): void {
    const isSame = fingerprint(channel) === fingerprint(this.#channel);
    this.#channel = channel;
    if (isSame) return;
    const nowMs = this.#port.clock.monotonic();
    this.#rate.change(channel.settings, nowMs);
    // Whoever mends the settings does not wait for the next probe.
    this.#line.reset();
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
    // One moment for all: what is judged not to be free yet must still lie ahead when the timer is set.
    const nowMs = this.#port.clock.monotonic();
    this.#depart(nowMs);
    this.#claimMore(nowMs);
    this.#moveAway();
    this.#arm(nowMs);
  }

  /** Ends what has expired while it waited, wherever it stands; the next of its conversation is looked at later. */
  expire(): void {
    const wallMs = this.#port.clock.now();
    const isExpired = ({ expires_ms }: QueuedMessage) => expires_ms !== null && wallMs >= expires_ms;
    for (let n = 0; n < EXPIRE_MAX; n++) {
      const message = this.scheduler.takeWhere(isExpired);
      if (message === null) return;
      const verdict = this.#verdictOn(message);
      if (verdict.kind === "end") this.#end(message, verdict);
    }
  }

  /** Makes no more calls and gives back what is claimed; what is in flight goes on. */
  stop(): void {
    this.#stopped = true;
    this.#disarm?.();
    this.#disarm = null;
    for (const ready of this.#claimed.splice(0)) this.#giveBack(ready);
  }

  #times(message: QueuedMessage, nowMs: number): Times {
    const wallMs = this.#port.clock.now();
    const here = (at: number) => at <= wallMs ? 0 : nowMs + at - wallMs;
    return { startMs: here(message.not_before_ms ?? 0), retryMs: here(retryAtOf(message)) };
  }

  #claimMore(nowMs: number): void {
    const rateMps = this.#rate.effectiveMps(nowMs);
    const lowMs = claimAheadMs("low", rateMps);
    let aheadMs = lowMs;
    while (this.#mayClaim(nowMs) && this.#hasRoom()) {
      let ending: GateEnd | null = null;
      let demand: Demand | null = null;
      const message = this.scheduler.take(nowMs, (candidate, priority) => {
        const verdict = this.#verdictOn(candidate);
        ending = verdict.kind === "end" ? verdict : null;
        if (ending !== null) return { kind: "go" };
        demand = this.#demandOf(candidate, priority);
        return this.#admit(demand, nowMs, aheadMs, lowMs);
      });
      if (message === null) break;
      aheadMs = claimAheadMs("high", rateMps);
      if (ending !== null) this.#end(message, ending);
      else this.#claim(message, demand!);
    }
  }

  /** While the circuit is open one message is claimed, when a probe is due. */
  #mayClaim(nowMs: number): boolean {
    if (!this.#channel.enabled || !this.#port.isSure()) return false;
    if (this.#line.circuit.kind === "closed") return true;
    return this.#line.mayCall(nowMs) && this.#claiming + this.#claimed.length === 0;
  }

  /** Whether more may be claimed ahead; when not, whoever leaves or comes back makes room, and pumps. */
  #hasRoom(): boolean {
    const ahead = this.#claiming + this.#claimed.length;
    return ahead < CLAIM_AHEAD_MAX && ahead < this.#line.slotsWithin(SLOT_AHEAD_MS) &&
      this.unsettled < this.#port.concurrencyMax + CLAIM_AHEAD_MAX;
  }

  #verdictOn(message: QueuedMessage): GateVerdict {
    return gate(message, this.#channel, this.#port.numberOf(message.number_id), this.#port.clock.now());
  }

  /** While the circuit is open, what no probe needs leaves through the fallback channel. */
  #moveAway(): void {
    if (this.#line.circuit.kind === "closed" || !this.#channel.enabled) return;
    const fallback = this.#port.fallback();
    if (fallback !== null) this.#mover.pump(fallback);
  }

  #whyMoved(fallback: Channel): string {
    const why = this.#line.circuit.kind === "closed" ? "it was down" : this.#line.circuit.fault.reason;
    return `moved from the channel ${this.#channel.name} to its fallback ${fallback.name}: ${why}`;
  }

  #demandOf(message: QueuedMessage, priority: Priority): Demand {
    return { number: message.number_id, cost: costOf(message, this.#channel), priority };
  }

  #admit(demand: Demand, nowMs: number, aheadMs: number, lowMs: number): Admission {
    const room = this.#rate.room(demand, nowMs, aheadMs, this.#port.clock.now());
    if (room.kind === "free") {
      this.#rate.reserve(demand);
      return { kind: "go" };
    }
    // Looked at again when the low mark is reached.
    const untilMs = room.untilMs + aheadMs - lowMs;
    if (room.kind === "number") return { kind: "number", untilMs };
    this.#closedUntilMs = untilMs;
    return { kind: "channel" };
  }

  async #claim(message: QueuedMessage, demand: Demand): Promise<void> {
    this.#claiming++;
    let result: Claimed;
    try {
      result = await this.#port.claim(message);
    } catch {
      result = { kind: "failed" };
    }
    this.#claiming--;
    if (result.kind === "claimed") {
      const claimedMs = this.#port.clock.monotonic();
      const ready = { message: { ...message, attempts: message.attempts + 1 }, demand, claimedMs };
      if (this.#stopped) return this.#giveBack(ready);
      // Replies first, otherwise in the order of the claims.
      const bulk = this.#claimed.findIndex((other) => other.demand.priority > demand.priority);
      this.#claimed.splice(bulk < 0 ? this.#claimed.length : bulk, 0, ready);
    } else {
      this.#rate.release(demand);
      this.#notClaimed(message, result);
    }
    this.#pumpSoon();
  }

  #notClaimed(message: QueuedMessage, result: Exclude<Claimed, { kind: "claimed" }>): void {
    const nowMs = this.#port.clock.monotonic();
    if (result.kind === "gone") this.scheduler.done(message.id, nowMs);
    if (result.kind === "opted-out") this.#end(message, OPTED_OUT);
    if (result.kind !== "blocked") return;
    const stored = result.queued.find((row) => row.id === message.id);
    // What is remembered of it was out of date.
    if (stored !== undefined && stored.attempts !== message.attempts) {
      this.scheduler.retry(stored, this.#times(stored, nowMs).retryMs, nowMs);
    } else this.scheduler.pause(message.id, nowMs + BLOCKED_PAUSE_MS, nowMs);
    this.offer(result.queued.filter((row) => row.channel_id === this.#channel.id), true);
  }

  #depart(nowMs: number): void {
    const left: Ready[] = [];
    let seen = 0;
    let isHeldUp = false;
    // What was claimed before others could take the lane needs the fence's word again.
    const mayLeave = this.#channel.enabled && this.#port.isSure();
    for (const ready of this.#claimed) {
      const { channelMs, numberMs } = this.#rate.departsAt(ready.demand, nowMs);
      const isTooLate = Math.max(channelMs, numberMs, nowMs) - ready.claimedMs > GIVE_BACK_MS;
      isHeldUp = channelMs > nowMs;
      if (!mayLeave || isTooLate || !this.#line.mayCall(nowMs)) {
        this.#giveBack(ready);
      } else if (isHeldUp || !this.#line.hasSlot()) break; // Holds for all that follow as well.
      else if (numberMs > nowMs) left.push(ready);
      else this.#send(ready, nowMs);
      seen++;
    }
    if (seen > left.length) this.#claimed.splice(0, seen, ...left);
    if (isHeldUp) this.#giveBackOld(nowMs);
  }

  /** What stands behind others was not looked at, however often they came before it. */
  #giveBackOld(nowMs: number): void {
    const isOld = ({ claimedMs }: Ready) => nowMs - claimedMs > GIVE_BACK_MS;
    if (!this.#claimed.some(isOld)) return;
    for (const ready of this.#claimed.splice(0)) {
      if (isOld(ready)) this.#giveBack(ready);
      else this.#claimed.push(ready);
    }
  }

  #send(ready: Ready, nowMs: number): void {
    const ending = this.#line.send(ready, this.#channel, nowMs);
    if (ending !== null) this.#end(ready.message, ending);
  }

  #giveBack({ message, demand }: Ready): void {
    this.#rate.release(demand);
    this.#settle(message, { kind: "returned" }, null);
  }

  #end(message: QueuedMessage, verdict: GateEnd): void {
    this.#settle(message, { ...verdict, uncertain: message.uncertain }, null);
  }

  async #settle(message: QueuedMessage, settlement: Settlement, callMs: number | null): Promise<void> {
    this.#port.onSettled(message, this.#channel, settlement, callMs);
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
    this.#wentOn();
  }

  #wentOn(): void {
    if (this.#runsLow(PRIORITY.reply) || this.#runsLow(PRIORITY.bulk)) this.#port.refill();
    this.#pumpSoon();
  }

  /** Claims and results come back in groups: once for all of a group. */
  #pumpSoon(): void {
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    queueMicrotask(() => {
      this.#isPumpDue = false;
      this.pump();
    });
  }

  #runsLow(priority: Priority): boolean {
    return this.scheduler.overflowed(priority) &&
      this.scheduler.room(priority) > this.scheduler.count(priority);
  }

  /** Sets the timer for the moment at which something may move by itself. */
  #arm(nowMs: number): void {
    const dueMs = this.#nextMoveMs(nowMs);
    if (dueMs === this.#armedMs && this.#disarm !== null) return;
    this.#disarm?.();
    this.#disarm = null;
    this.#armedMs = dueMs;
    if (dueMs === Infinity) return;
    const delayMs = Math.ceil(dueMs - this.#port.clock.monotonic());
    this.#disarm = this.#port.clock.after(Math.max(0, delayMs), () => {
      this.#disarm = null;
      this.pump();
    });
  }

  #nextMoveMs(nowMs: number): number {
    if (!this.#mayClaim(nowMs)) {
      // A probe under way pumps at its end; a channel that is switched off is pumped by the change.
      if (!this.#channel.enabled || this.#line.circuit.kind === "closed") return Infinity;
      if (this.#line.circuit.kind === "half-open") return this.#moveMs();
      const probeMs = this.#line.circuit.untilMs > nowMs
        ? this.#line.circuit.untilMs
        : this.#nextDepartureMs(nowMs);
      return Math.min(probeMs, this.#moveMs());
    }
    const waitingMs = this.#hasRoom() ? this.scheduler.nextDueMs() : Infinity;
    const dueMs = Math.min(waitingMs, this.#nextDepartureMs(nowMs));
    return this.#closedUntilMs > nowMs ? Math.min(dueMs, this.#closedUntilMs) : dueMs;
  }

  #moveMs(): number {
    return this.#port.fallback() === null ? Infinity : this.#mover.dueMs;
  }

  /** When the first of what is claimed may leave; Infinity where that takes more than time. */
  #nextDepartureMs(nowMs: number): number {
    let dueMs = Infinity;
    for (const { demand } of this.#claimed) {
      const at = this.#rate.departsAt(demand, nowMs);
      if (at.channelMs > nowMs) return Math.min(dueMs, at.channelMs);
      // One that is free to go waits for a slot, and so do all after it: whoever frees a slot pumps.
      if (at.numberMs <= nowMs) return dueMs;
      dueMs = Math.min(dueMs, at.numberMs);
    }
    return dueMs;
  }
}

const OPTED_OUT: GateEnd = {
  kind: "end",
  status: "blocked",
  error: { class: "opted-out", reason: "the contact asked for no more messages" },
};

/** What decides how calls are made. */
function fingerprint({ enabled, settings, credentials }: Channel): string {
  return JSON.stringify([enabled, settings, credentials]);
}
