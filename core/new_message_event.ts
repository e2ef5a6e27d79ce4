/**
 * The event that tells of a new message, whoever wrote it.
 *
 * @module
 */
import type { PatchbayEvent } from "./events.ts";
import type { Media, MessageRow } from "./message.ts";

/** What the event needs of its message. */
export type NewMessage = Pick<
  MessageRow,
  | "id"
  | "conversation_id"
  | "session_id"
  | "channel_id"
  | "number"
  | "contact"
  | "direction"
  | "status"
  | "text"
  | "segments"
  | "media"
  | "author"
  | "provider_id"
  | "note"
  | "extension_id"
  | "queue_id"
  | "platform_id"
  | "created_ms"
>;

/** The event `id` that `message` was received or is to be sent. */
export function newMessageEvent(id: string, message: NewMessage): PatchbayEvent {
  return {
    id,
    type: message.direction === "inbound" ? "message.received" : "message.queued",
    atMs: message.created_ms,
    channelId: message.channel_id,
    number: message.number,
    audience: {
      extensionId: message.extension_id,
      queueId: message.queue_id,
      platformId: message.platform_id,
    },
    data: {
      messageId: message.id,
      conversationId: message.conversation_id,
      sessionId: message.session_id,
      channelId: message.channel_id,
      number: message.number,
      contact: message.contact,
      direction: message.direction,
      status: message.status,
      text: message.text,
      segments: message.segments,
      ...(message.media === null ? {} : { media: message.media.map(told) }),
      ...(message.author === null ? {} : { author: message.author }),
      ...(message.provider_id === null ? {} : { providerId: message.provider_id }),
      ...(message.note === null ? {} : { note: message.note }),
    },
  };
}

/** What is kept here is told of without its address: the provider's asks for credentials, ours comes when it is ready. */
function told(media: Media): Partial<Media> {
  if (media.id === undefined) return media;
  const { url: _, ...rest } = media;
  return rest;
}
