/**
 * Delivering one event to a platform's endpoint: one try after the other until it is taken or given up.
 *
 * @module
 */
import type { Platform } from "../../core/directory.ts";
import type { OutgoingHttp, OutgoingResult } from "../../core/ports/outgoing_http.ts";
import type { Fault } from "../../core/send/circuit.ts";
import type { EndpointGate } from "./endpoint_gate.ts";
import { signatureHeaders } from "./signature.ts";

export interface AttemptOptions {
  readonly http: OutgoingHttp;
  /** The platform as it is configured now; undefined when it is gone or disabled. */
  readonly platform: () => Platform | undefined;
  readonly now: () => number;
  /** Resolves with the way to give back a place among the calls under way. */
  readonly place: () => Promise<() => void>;
  /** Before its endpoint. */
  readonly gate: Pick<EndpointGate, "enter" | "isOpen">;
  /** Rejects when `signal` is aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
}

export type Delivery =
  | { readonly kind: "delivered"; readonly tries: number }
  | { readonly kind: "given-up"; readonly tries: number; readonly reason: string };

export const TRIES_MAX = 15;
export const CALL_TIMEOUT_MS = 15_000;
const PAUSE_FIRST_MS = 1_000;
const PAUSE_MS_MAX = 300_000;

/**
 * Tries until the endpoint takes `body`, refuses it for good, or {@link TRIES_MAX} is reached. Rejects when aborted.
 * What finds nobody there while the circuit is open is not the event's fault, and not counted: it waits.
 */
export async function deliver(body: string, options: AttemptOptions): Promise<Delivery> {
  for (let tries = 1;;) {
    const outcome = await attempt(body, options);
    options.signal.throwIfAborted();
    if (outcome.kind === "taken") return { kind: "delivered", tries };
    const isWaiting = outcome.kind === "again" && options.gate.isOpen;
    if (isWaiting && outcome.isAway) continue;
    if (outcome.kind === "refused" || tries >= TRIES_MAX) {
      return { kind: "given-up", tries, reason: outcome.reason };
    }
    // While it is open, the gate sees to the pauses.
    if (!isWaiting) await options.pause(Math.max(pauseMs(tries), outcome.afterMs ?? 0), options.signal);
    tries++;
  }
}

/** The pause after the `tries`-th try: 1 s, doubled each time, 5 min at most. */
export function pauseMs(tries: number): number {
  return Math.min(PAUSE_FIRST_MS * 2 ** (tries - 1), PAUSE_MS_MAX);
}

type Outcome =
  | { readonly kind: "taken" }
  | { readonly kind: "refused"; readonly reason: string }
  /** `isAway`: nothing is said about the event; nobody was there to take it. */
  | {
    readonly kind: "again";
    readonly reason: string;
    readonly isAway: boolean;
    readonly afterMs?: number;
  };

async function attempt(body: string, options: AttemptOptions): Promise<Outcome> {
  // Before the place: those who wait for the endpoint take none from each other.
  const note = await options.gate.enter(options.signal);
  let fault: Fault | null = { class: "connection", reason: "the call was broken off" };
  try {
    const result = await call(body, options);
    const outcome: Outcome = result === null
      ? { kind: "again", reason: "the platform has no endpoint", isAway: true }
      : outcomeOf(result);
    fault = isFault(result, outcome) ? { class: faultClass(result), reason: outcome.reason } : null;
    return outcome;
  } finally {
    note(fault);
  }
}

/** Whoever throttles works. */
function isFault(result: OutgoingResult | null, outcome: Outcome): outcome is Outcome & { kind: "again" } {
  return outcome.kind === "again" && !(result?.kind === "answer" && result.answer.status === 429);
}

function faultClass(result: OutgoingResult | null): Fault["class"] {
  if (result?.kind === "answer") return "provider-error";
  return result?.kind === "timeout" ? "timeout" : "connection";
}

/** Null when there is nowhere to call: then the feed is being stopped. */
async function call(body: string, options: AttemptOptions): Promise<OutgoingResult | null> {
  const giveBack = await options.place();
  try {
    options.signal.throwIfAborted();
    const platform = options.platform();
    if (platform === undefined || platform.endpoint === null) return null;
    return await options.http.call({
      method: "POST",
      url: platform.endpoint,
      headers: {
        "content-type": "application/cloudevents+json",
        ...(platform.secret === null ? {} : signatureHeaders(platform.secret, body, options.now())),
      },
      body,
    }, { timeoutMs: CALL_TIMEOUT_MS, maxBodyBytes: 1_024, signal: options.signal });
  } finally {
    giveBack();
  }
}

/** What an answer means: 2xx is taken; 408, 425, 429 and 5xx may pass; everything else will not. */
export function outcomeOf(result: OutgoingResult): Outcome {
  switch (result.kind) {
    case "no-connection":
      if (result.refused) return { kind: "refused", reason: result.reason };
      return { kind: "again", reason: result.reason, isAway: true };
    case "timeout":
    case "broken":
      return { kind: "again", reason: result.reason, isAway: true };
    case "answer": {
      const { status, headers } = result.answer;
      if (status >= 200 && status < 300) return { kind: "taken" };
      const reason = `the endpoint answered ${status}`;
      if (status !== 408 && status !== 425 && status !== 429 && status < 500) {
        return { kind: "refused", reason };
      }
      const seconds = Number(headers["retry-after"]);
      // Bad gateway, unavailable, gateway timeout: what stands before it says that it is not there (RFC 9110, 15.6).
      const isAway = status >= 502 && status <= 504;
      if (!(seconds > 0)) return { kind: "again", reason, isAway };
      return { kind: "again", reason, isAway, afterMs: Math.min(seconds * 1_000, PAUSE_MS_MAX) };
    }
  }
}
