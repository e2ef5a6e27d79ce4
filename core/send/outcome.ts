/**
 * What a call's outcome means for the message.
 *
 * Two questions decide. May the provider have the message? It may only when the request was written and no
 * answer came; any answer, an error too, says that it was not taken. And can another try help?
 *
 * @module
 */
import type { ChannelSettings } from "../channel.ts";
import { isRetryable, type MessageError } from "../errors.ts";
import type { SendResult } from "../ports/provider.ts";
import { dueSince, type QueuedMessage } from "./queued_message.ts";

/** A call's outcome with the answer read by the provider. */
export type SendOutcome =
  | { readonly kind: "answered"; readonly result: SendResult }
  | { readonly kind: "not-connected"; readonly reason: string }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "lost"; readonly cause: "timeout" | "broken"; readonly reason: string };

export type Settlement =
  | { readonly kind: "sent"; readonly providerId: string | null }
  | {
    readonly kind: "retry";
    readonly error: MessageError;
    readonly retryAtMs: number;
    /** Tries that count so far: a throttling answer is no try. */
    readonly attempts: number;
    /** Whether the provider may have it already. */
    readonly uncertain: boolean;
  }
  /** Stays `sending` and uncertain until a delivery report settles it, or its age does. */
  | { readonly kind: "hold"; readonly error: MessageError }
  | {
    readonly kind: "end";
    readonly status: "failed" | "expired" | "blocked";
    readonly error: MessageError;
    readonly uncertain: boolean;
  }
  /** Claimed, and given back without a call. */
  | { readonly kind: "returned" };

export interface SettleContext {
  /** As it was claimed: `attempts` counts this try. */
  readonly message: QueuedMessage;
  readonly settings: ChannelSettings;
  /** Whether the provider recognises a repeated send. */
  readonly idempotent: boolean;
  /** Whether the call was only to find out if the provider works again: then its failure is no try. */
  readonly probe?: boolean;
  /** Wall clock, ms since 1970. */
  readonly nowMs: number;
  /** From 0 to 1. */
  readonly random: number;
}

/** Pauses differ by up to this much, so that what failed together does not come back together. */
const JITTER = 0.2;

/** The pause before the next try, ms. */
export function retryPauseMs(retry: ChannelSettings["retry"], attempts: number, random: number): number {
  const pauseMs = Math.min(retry.maxMs, retry.initialMs * retry.factor ** Math.min(attempts - 1, 100));
  return Math.round(pauseMs * (1 - JITTER + 2 * JITTER * random));
}

/** Decides what becomes of a message after a call. */
export function settle(outcome: SendOutcome, context: SettleContext): Settlement {
  const { message } = context;
  switch (outcome.kind) {
    case "answered": {
      const { result } = outcome;
      if (result.kind === "accepted") return { kind: "sent", providerId: result.providerId };
      return again(result.error, message.uncertain, context, result.retryAfterMs);
    }
    case "not-connected":
      return again({ class: "connection", reason: outcome.reason }, message.uncertain, context);
    case "refused":
      // The guard's or the address's fault: it is the channel's settings that need a change, not another try.
      return again(
        { class: "bad-request", reason: `the channel's address cannot be called: ${outcome.reason}` },
        message.uncertain,
        context,
      );
    case "lost": {
      const error: MessageError = {
        class: outcome.cause === "timeout" ? "timeout" : "connection",
        reason: outcome.reason,
      };
      if (context.idempotent) return again(error, message.uncertain, context);
      if (context.settings.uncertain === "resend") return again(error, true, context);
      return { kind: "hold", error };
    }
  }
}

/**
 * Another try if it can help and the limits allow it. Throttling counts for nothing but age: the message was
 * not refused, it came too early, and what exceeds a rate waits. So does a probe: it was the channel's.
 */
function again(
  error: MessageError,
  uncertain: boolean,
  { message, settings: { retry }, probe = false, nowMs, random }: SettleContext,
  retryAfterMs = 0,
): Settlement {
  const end = (why: string): Settlement => ({
    kind: "end",
    status: "failed",
    error: why === "" ? error : { ...error, reason: `${error.reason} (${why})` },
    uncertain,
  });
  if (!isRetryable(error.class)) return end("");
  const isTry = error.class !== "throttled" && !probe;
  // Never back to 0, which would mean that it was never called.
  const attempts = isTry ? message.attempts : Math.max(1, message.attempts - 1);
  if (isTry && attempts >= retry.maxTries) return end(`given up after ${attempts} tries`);
  // Between probes the circuit's pauses count.
  const pauseMs = retryPauseMs(retry, probe ? 1 : attempts, random);
  const retryAtMs = nowMs + Math.max(retryAfterMs, pauseMs);
  if (retryAtMs - dueSince(message) > retry.maxAgeSeconds * 1000) {
    return end(`older than ${retry.maxAgeSeconds} s, not tried again`);
  }
  return {
    kind: "retry",
    error: { ...error, retryAt: new Date(retryAtMs).toISOString() },
    retryAtMs,
    attempts,
    uncertain,
  };
}
