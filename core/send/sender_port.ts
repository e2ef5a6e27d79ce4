/**
 * What a channel's sender needs of the worker around it.
 *
 * @module
 */
import type { Channel, OwnNumber } from "../channel.ts";
import type { Clock } from "../ports/clock.ts";
import type { HttpCall } from "../ports/provider.ts";
import type { CallOutcome } from "../ports/provider_call.ts";
import type { Fallback } from "./fallback.ts";
import type { Move } from "./fallback_mover.ts";
import type { GateVerdict } from "./gate.ts";
import type { Settlement } from "./outcome.ts";
import type { QueuedMessage } from "./queued_message.ts";
import type { Demand } from "./rate_gate.ts";

/** What came of wanting to claim a message. */
export type Claimed =
  | { readonly kind: "claimed" }
  /** It is not queued any more. */
  | { readonly kind: "gone" }
  /** It is queued, but another one of its conversation goes first; `queued` are the first ones, by position. */
  | { readonly kind: "blocked"; readonly queued: readonly QueuedMessage[] }
  /** Its contact wants no more messages. */
  | { readonly kind: "opted-out" }
  /** The lane is not ours any more. */
  | { readonly kind: "failed" };

/** What a channel's sender needs of the worker around it. */
export interface SenderPort {
  readonly clock: Clock;
  readonly random: () => number;
  readonly concurrencyMax: number;
  numberOf(id: string): OwnNumber | undefined;
  statusUrl(channel: Channel, messageId: string): string;
  /** Whether nobody can have taken the channel's lane for ownerless; when not, it pumps again before long. */
  isSure(): boolean;
  /** Whether one more call may be made, seen over all channels. */
  mayCall(inFlight: number): boolean;
  call(channel: Channel, call: HttpCall): Promise<CallOutcome>;
  claim(message: QueuedMessage): Promise<Claimed>;
  /** Stores a settlement; resolves with the message as it is now. Rejects when that is not to be any more. */
  record(message: QueuedMessage, settlement: Settlement): Promise<QueuedMessage>;
  /** The channel that stands in for this one; null: none can. */
  fallback(): Fallback | null;
  /** Gives messages to the fallback channel; resolves with the ids of those that moved. Rejects like `record`. */
  move(moves: readonly Move[], reason: string): Promise<ReadonlySet<string>>;
  /** Asks for more from the database. */
  refill(): void;
  /** Called with each settlement, and how long the call took, ms; null without a call. */
  onSettled(message: QueuedMessage, channel: Channel, settlement: Settlement, callMs: number | null): void;
  /** The circuit breaker has opened or closed. */
  onCircuit(): void;
}

/** A message whose row is `sending`, with what it is to take from the buckets. */
export interface Ready {
  readonly message: QueuedMessage;
  readonly demand: Demand;
  /** When it was claimed, ms of the monotonic clock. */
  readonly claimedMs: number;
}

/** What ends a message without a call. */
export type GateEnd = Extract<GateVerdict, { kind: "end" }>;
