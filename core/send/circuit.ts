/**
 * The circuit breaker of one channel: a provider that fails call after call is left alone, and tried with one
 * message at a time, after pauses that grow, until it answers again.
 *
 * States: *closed* (calls are made) → *open* (none are) → *half-open* (one, the probe, is under way) → closed
 * when it is answered, open with a longer pause when it is not.
 *
 * What counts are faults of the line, the account or the configuration. A refusal of the message itself, and
 * throttling too, proves that the provider works.
 *
 * Pure; times are ms on the caller's monotonic clock.
 *
 * @module
 */
import type { ErrorClass, MessageError } from "../errors.ts";
import type { SendOutcome } from "./outcome.ts";

/** Why a channel fails. */
export type Fault = Pick<MessageError, "class" | "reason">;

export type Circuit =
  | {
    readonly kind: "closed";
    /** Calls made before it are of no interest. */
    readonly sinceMs: number;
    /** The last calls as bits, the newest lowest; 1: failed. */
    readonly recent: number;
    /** Of the last call; null when it was answered, or when there was none. */
    readonly fault: Fault | null;
    /** Whether any call was made yet. */
    readonly tried: boolean;
  }
  | {
    readonly kind: "open";
    readonly fault: Fault;
    readonly sinceMs: number;
    /** When the next probe may go. */
    readonly untilMs: number;
    /** Pauses so far. */
    readonly pauses: number;
  }
  | {
    readonly kind: "half-open";
    readonly fault: Fault;
    readonly sinceMs: number;
    readonly pauses: number;
    /** When the probe went. */
    readonly calledMs: number;
  };

/** Calls looked back at, and how many of them must have failed. */
const WINDOW = 20;
const WINDOW_FAILURES = 10;
/** Failures in a row that open it: of the line; of the account or the configuration, which no chance explains. */
export const LINE_FAILURES = 5;
export const ACCOUNT_FAILURES = 3;
/** Pauses between probes, ms, give or take a fifth. */
export const PROBE_PAUSE = { firstMs: 1_000, factor: 2, maxMs: 60_000 } as const;
const JITTER = 0.2;

const LINE: ReadonlySet<ErrorClass> = new Set([
  "timeout",
  "connection",
  "provider-error",
  "bad-response",
]);
const ACCOUNT: ReadonlySet<ErrorClass> = new Set(["auth", "account", "no-credit"]);

/** A circuit of which nothing is known yet. */
export function newCircuit(nowMs: number): Circuit {
  return { kind: "closed", sinceMs: nowMs, recent: 0, fault: null, tried: false };
}

/** What a call says against its channel; null when the provider is there and knows us. */
export function faultOf(outcome: SendOutcome): Fault | null {
  switch (outcome.kind) {
    case "answered": {
      if (outcome.result.kind === "accepted") return null;
      const { class: errorClass, reason } = outcome.result.error;
      return LINE.has(errorClass) || ACCOUNT.has(errorClass) ? { class: errorClass, reason } : null;
    }
    case "not-connected":
      return { class: "connection", reason: outcome.reason };
    case "refused":
      return { class: "bad-request", reason: outcome.reason };
    case "lost":
      return { class: outcome.cause === "timeout" ? "timeout" : "connection", reason: outcome.reason };
  }
}

/** Whether the account or the configuration is at fault, and not the line. */
export function isAccountFault(fault: Fault): boolean {
  return !LINE.has(fault.class);
}

/** Whether a call may be made. */
export function mayCall(circuit: Circuit, nowMs: number): boolean {
  return circuit.kind === "closed" || (circuit.kind === "open" && nowMs >= circuit.untilMs);
}

/** A call is made; only where {@link mayCall} allows it. */
export function called(circuit: Circuit, nowMs: number): Circuit {
  if (circuit.kind !== "open") return circuit;
  const { fault, sinceMs, pauses } = circuit;
  return { kind: "half-open", fault, sinceMs, pauses, calledMs: nowMs };
}

export interface CallResult {
  /** Null: it was answered. */
  readonly fault: Fault | null;
  /** When the call was made. */
  readonly calledMs: number;
  readonly nowMs: number;
  /** From 0 to 1. */
  readonly random: number;
}

/** The circuit after a call's end. Calls from before the last change of state say nothing any more. */
export function answered(circuit: Circuit, result: CallResult): Circuit {
  const { fault, calledMs, nowMs } = result;
  switch (circuit.kind) {
    case "closed": {
      if (calledMs < circuit.sinceMs) return circuit;
      if (fault === null && circuit.recent === 0 && circuit.tried) return circuit;
      const recent = ((circuit.recent << 1) | (fault === null ? 0 : 1)) & ((1 << WINDOW) - 1);
      if (fault === null || !opens(recent, fault)) return { ...circuit, recent, fault, tried: true };
      return open(fault, nowMs, 0, result);
    }
    case "open":
      return circuit;
    case "half-open":
      if (calledMs < circuit.calledMs) return circuit;
      return fault === null
        ? { kind: "closed", sinceMs: nowMs, recent: 0, fault: null, tried: true }
        : open(fault, circuit.sinceMs, circuit.pauses, result);
  }
}

function open(fault: Fault, sinceMs: number, pauses: number, { nowMs, random }: CallResult): Circuit {
  const { firstMs, factor, maxMs } = PROBE_PAUSE;
  const pauseMs = Math.min(maxMs, firstMs * factor ** Math.min(pauses, 30));
  const untilMs = nowMs + pauseMs * (1 - JITTER + 2 * JITTER * random);
  return { kind: "open", fault, sinceMs, untilMs, pauses: pauses + 1 };
}

/** Whether the last calls are reason enough; the newest of them has failed with `fault`. */
function opens(recent: number, fault: Fault): boolean {
  const inRow = (1 << (isAccountFault(fault) ? ACCOUNT_FAILURES : LINE_FAILURES)) - 1;
  return (recent & inRow) === inRow || ones(recent) >= WINDOW_FAILURES;
}

function ones(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count++;
  return count;
}
