/**
 * The gate in front of the token bucket: whether a message may be sent at all, now.
 *
 * @module
 */
import type { Channel, OwnNumber } from "../channel.ts";
import type { MessageError } from "../errors.ts";
import { dueSince, type QueuedMessage } from "./queued_message.ts";

export type GateVerdict =
  | { readonly kind: "pass" }
  /** The channel is not to send; whoever changes that calls again. */
  | { readonly kind: "wait" }
  | {
    readonly kind: "end";
    readonly status: "expired" | "blocked" | "failed";
    readonly error: MessageError;
  };

const PASS: GateVerdict = { kind: "pass" };
const WAIT: GateVerdict = { kind: "wait" };

/**
 * Judges a message that is due. A channel unknown here may just have been created, so its messages wait. Age
 * ends only what was tried already: a message that waits for its turn is not dropped for it.
 */
export function gate(
  message: QueuedMessage,
  channel: Channel | undefined,
  number: OwnNumber | undefined,
  nowMs: number,
): GateVerdict {
  if (message.expires_ms !== null && nowMs >= message.expires_ms) {
    return end("expired", message, "its validity ended before the provider took it");
  }
  if (channel === undefined || !channel.enabled) return WAIT;
  if (number === undefined || number.channelId !== channel.id) {
    return {
      kind: "end",
      status: "blocked",
      error: {
        class: "invalid-sender",
        reason: `the number ${message.number} is not one of the channel's any more`,
      },
    };
  }
  if (message.attempts > 0 && nowMs - dueSince(message) > channel.settings.retry.maxAgeSeconds * 1000) {
    return end("failed", message, `older than ${channel.settings.retry.maxAgeSeconds} s, not tried again`);
  }
  return PASS;
}

/** Ends it with the class of its last failure, if there was one. */
function end(status: "expired" | "failed", message: QueuedMessage, why: string): GateVerdict {
  const last = message.error;
  if (last === null) return { kind: "end", status, error: { class: "blocked", reason: why } };
  const { retryAt: _, ...error } = last;
  return { kind: "end", status, error: { ...error, reason: `${why}; last: ${last.reason}` } };
}
