/**
 * A message on its way out, as the sending half sees it: what is needed to send it and to tell of the result.
 *
 * @module
 */
import type { Channel } from "../channel.ts";
import type { MessageRow } from "../message.ts";
import { hash32 } from "../partition.ts";

/** Columns of `messages` that sending needs. A whole row will do as well. */
export const QUEUED_COLUMNS = [
  "id",
  "conversation_id",
  "position",
  "session_id",
  "channel_id",
  "number_id",
  "number",
  "contact",
  "priority",
  "text",
  "encoding",
  "segments",
  "media",
  "extension_id",
  "queue_id",
  "platform_id",
  "attempts",
  "uncertain",
  "error",
  "not_before_ms",
  "expires_ms",
  "created_ms",
] as const;

export type QueuedMessage = Pick<MessageRow, (typeof QUEUED_COLUMNS)[number]>;

/** Send lanes there are. Each channel belongs to one; a lane is owned by one process at a time. Never change. */
export const SEND_LANES = 32;

/** The send lane of a channel. */
export function sendLaneOf(channelId: string): number {
  return hash32(channelId) % SEND_LANES;
}

/** When the next try is due, ms since 1970; 0 for one that waits for nothing. */
export function retryAtOf(message: QueuedMessage): number {
  const retryAt = message.error?.retryAt;
  return retryAt === undefined ? 0 : Date.parse(retryAt);
}

/** Since when it could have been sent, ms since 1970: what its age is counted from. */
export function dueSince(message: Pick<QueuedMessage, "created_ms" | "not_before_ms">): number {
  return Math.max(message.created_ms, message.not_before_ms ?? 0);
}

/** What it takes from the buckets. */
export function costOf(message: Pick<QueuedMessage, "segments">, channel: Channel): number {
  return channel.settings.costUnit === "segment" ? message.segments : 1;
}
