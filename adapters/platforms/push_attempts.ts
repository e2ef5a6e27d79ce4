/**
 * Delivering one event to a platform's endpoint: one try after the other until it is taken or given up.
 *
 * @module
 */
import type { Platform } from "../../core/directory.ts";
import type { OutgoingHttp, OutgoingResult } from "../../core/ports/outgoing_http.ts";
import { signatureHeaders } from "./signature.ts";

export interface AttemptOptions {
  readonly http: OutgoingHttp;
  /** The platform as it is configured now; undefined when it is gone or disabled. */
  readonly platform: () => Platform | undefined;
  readonly now: () => number;
  /** Resolves with the way to give back a place among the calls under way. */
  readonly place: () => Promise<() => void>;
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

/** Tries until the endpoint takes `body`, refuses it for good, or {@link TRIES_MAX} is reached. Rejects when aborted. */
export async function deliver(body: string, options: AttemptOptions): Promise<Delivery> {
  for (let tries = 1;; tries++) {
    const outcome = await attempt(body, options);
    options.signal.throwIfAborted();
    if (outcome.kind === "taken") return { kind: "delivered", tries };
    if (outcome.kind === "refused" || tries >= TRIES_MAX) {
      return { kind: "given-up", tries, reason: outcome.reason };
    }
    await options.pause(Math.max(pauseMs(tries), outcome.afterMs ?? 0), options.signal);
  }
}

/** The pause after the `tries`-th try: 1 s, doubled each time, 5 min at most. */
export function pauseMs(tries: number): number {
  return Math.min(PAUSE_FIRST_MS * 2 ** (tries - 1), PAUSE_MS_MAX);
}

type Outcome =
  | { readonly kind: "taken" }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "again"; readonly reason: string; readonly afterMs?: number };

async function attempt(body: string, options: AttemptOptions): Promise<Outcome> {
  const giveBack = await options.place();
  try {
    options.signal.throwIfAborted();
    const platform = options.platform();
    // The feed is being stopped, which aborts the pause.
    if (platform === undefined || platform.endpoint === null) {
      return { kind: "again", reason: "the platform has no endpoint" };
    }
    const result = await options.http.call({
      method: "POST",
      url: platform.endpoint,
      headers: {
        "content-type": "application/cloudevents+json",
        ...(platform.secret === null ? {} : signatureHeaders(platform.secret, body, options.now())),
      },
      body,
    }, { timeoutMs: CALL_TIMEOUT_MS, maxBodyBytes: 1_024, signal: options.signal });
    return outcomeOf(result);
  } finally {
    giveBack();
  }
}

/** What an answer means: 2xx is taken; 408, 425, 429 and 5xx may pass; everything else will not. */
export function outcomeOf(result: OutgoingResult): Outcome {
  switch (result.kind) {
    case "no-connection":
      return { kind: result.refused ? "refused" : "again", reason: result.reason };
    case "timeout":
    case "broken":
      return { kind: "again", reason: result.reason };
    case "answer": {
      const { status, headers } = result.answer;
      if (status >= 200 && status < 300) return { kind: "taken" };
      const reason = `the endpoint answered ${status}`;
      if (status !== 408 && status !== 425 && status !== 429 && status < 500) {
        return { kind: "refused", reason };
      }
      const seconds = Number(headers["retry-after"]);
      if (!(seconds > 0)) return { kind: "again", reason };
      return { kind: "again", reason, afterMs: Math.min(seconds * 1_000, PAUSE_MS_MAX) };
    }
  }
}
