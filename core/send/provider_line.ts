/**
 * The calls of one channel to its provider, and what their ends say of it: the circuit breaker, the slowing down,
 * and what becomes of each message.
 *
 * @module
 */
import type { Channel } from "../channel.ts";
import type { HttpCall, Provider } from "../ports/provider.ts";
import type { CallOutcome } from "../ports/provider_call.ts";
import { type Health, healthOf } from "./channel_health.ts";
import { answered, called, type Circuit, faultOf, mayCall, newCircuit } from "./circuit.ts";
import { type SendOutcome, settle, type Settlement } from "./outcome.ts";
import { outgoing } from "./outgoing.ts";
import type { QueuedMessage } from "./queued_message.ts";
import type { CallUnderWay, RateGate } from "./rate_gate.ts";
import type { GateEnd, Ready, SenderPort } from "./sender_port.ts";

export interface ProviderLineOptions {
  readonly port: SenderPort;
  readonly provider: Provider;
  readonly rate: RateGate;
  /** A call has ended, after `callMs`. */
  readonly onSettled: (message: QueuedMessage, settlement: Settlement, callMs: number) => void;
}

/** A call as it was made. */
interface Made {
  readonly channel: Channel;
  readonly calledMs: number;
  readonly underWay: CallUnderWay;
  readonly probe: boolean;
}

/** What a call's duration counts in the mean. */
const WEIGHT = 1 / 8;

export class ProviderLine {
  readonly #options: ProviderLineOptions;
  #circuit: Circuit;
  #inFlight = 0;
  /** What calls take, ms; null before the first has ended. */
  #callMs: number | null = null;

  constructor(options: ProviderLineOptions) {
    this.#options = options;
    this.#circuit = newCircuit(options.port.clock.monotonic());
  }

  get circuit(): Circuit {
    return this.#circuit;
  }

  /** Calls under way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** What the calls so far say of the channel; null before the first one. */
  get health(): Health | null {
    const { port: { clock }, rate } = this.#options;
    const nowMs = clock.monotonic();
    return healthOf(this.#circuit, rate.throttleAt(nowMs), nowMs, clock.now());
  }

  /** Whether there is room for one more call. */
  hasSlot(): boolean {
    const { port } = this.#options;
    return this.#inFlight < port.concurrencyMax && port.mayCall(this.#inFlight);
  }

  /** Calls that can begin within `ms` while calls take as long as they did: in free slots and in those that become free. */
  slotsWithin(ms: number): number {
    const { concurrencyMax } = this.#options.port;
    const free = Math.max(0, concurrencyMax - this.#inFlight);
    return this.#callMs === null ? free : free + Math.ceil((concurrencyMax * ms) / this.#callMs);
  }

  /** Whether the circuit lets a call through. */
  mayCall(nowMs: number): boolean {
    return mayCall(this.#circuit, nowMs);
  }

  /** Forgets what the calls said: the settings are others now. */
  reset(): void {
    this.#circuit = newCircuit(this.#options.port.clock.monotonic());
  }

  /** Makes the call and takes its tokens. Gives null, or how the message ends where the settings allow no call. */
  send({ message, demand }: Ready, channel: Channel, nowMs: number): GateEnd | null {
    const { port, provider, rate } = this.#options;
    const wallMs = port.clock.now();
    let call: HttpCall;
    try {
      call = provider.buildSend(outgoing(message, port.statusUrl(channel, message.id), wallMs), channel);
    } catch (error) {
      rate.release(demand);
      const reason = `the channel's settings do not allow a call: ${(error as Error).message}`;
      return { kind: "end", status: "failed", error: { class: "bad-request", reason } };
    }
    const underWay = rate.depart(demand, nowMs, wallMs);
    this.#circuit = called(this.#circuit, nowMs);
    this.#inFlight++;
    const made: Made = { channel, calledMs: nowMs, underWay, probe: this.#circuit.kind === "half-open" };
    port.call(channel, call).then(
      (outcome) => this.#answered(message, made, outcome),
      (error) =>
        this.#answered(message, made, { kind: "lost", cause: "broken", reason: (error as Error).message }),
    );
    return null;
  }

  #answered(
    message: QueuedMessage,
    { channel, calledMs, underWay, probe }: Made,
    outcome: CallOutcome,
  ): void {
    const { port, provider, rate, onSettled } = this.#options;
    this.#inFlight--;
    const nowMs = port.clock.monotonic();
    const callMs = nowMs - calledMs;
    this.#callMs = this.#callMs === null ? callMs : this.#callMs + (callMs - this.#callMs) * WEIGHT;
    rate.ended(underWay, outcome.kind === "answered", nowMs);
    const read: SendOutcome = outcome.kind === "answered"
      ? { kind: "answered", result: provider.readSend(outcome.answer, channel) }
      : outcome;
    const settlement = settle(read, {
      message,
      settings: channel.settings,
      idempotent: provider.supports.idempotency,
      probe,
      nowMs: port.clock.now(),
      random: port.random(),
    });
    if (
      read.kind === "answered" && read.result.kind === "failed" && read.result.error.class === "throttled"
    ) {
      rate.throttle(calledMs, read.result.retryAfterMs, nowMs);
    }
    this.#judge(read, calledMs, nowMs);
    onSettled(message, settlement, callMs);
  }

  #judge(read: SendOutcome, calledMs: number, nowMs: number): void {
    const { port } = this.#options;
    const { kind } = this.#circuit;
    const result = { fault: faultOf(read), calledMs, nowMs, random: port.random() };
    this.#circuit = answered(this.#circuit, result);
    if (this.#circuit.kind !== kind) port.onCircuit();
  }
}
