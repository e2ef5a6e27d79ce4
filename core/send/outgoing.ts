/**
 * A queued message as its provider gets it.
 *
 * @module
 */
import type { OutgoingMessage } from "../ports/provider.ts";
import type { QueuedMessage } from "./queued_message.ts";

/** `nowMs`: wall clock; what is left of the validity goes along. */
export function outgoing(message: QueuedMessage, statusUrl: string, nowMs: number): OutgoingMessage {
  return {
    id: message.id,
    from: message.number,
    to: message.contact,
    text: message.text,
    encoding: message.encoding,
    segments: message.segments,
    media: message.media ?? [],
    statusUrl,
    ...(message.expires_ms === null
      ? {}
      : { validitySeconds: Math.max(1, Math.ceil((message.expires_ms - nowMs) / 1000)) }),
  };
}
