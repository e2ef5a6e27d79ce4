/**
 * The event that tells of a new message, whoever wrote it.
 *
 * @module
 */
import { eventAbout, type MessageTold } from "./about_message.ts";
import type { PatchbayEvent } from "./events.ts";
import type { Media, MessageRow } from "./message.ts";

/** What the event needs of its message. */
export type NewMessage =
  & MessageTold
  & Pick<
    MessageRow,
    | "direction"
    | "status"
    | "text"
    | "segments"
    | "media"
    | "author"
    | "provider_id"
    | "note"
    | "created_ms"
  >;

/** The event `id` that `message` was received or is to be sent. */
export function newMessageEvent(id: string, message: NewMessage): PatchbayEvent {
  const { direction, created_ms: atMs } = message;
  const type = direction === "inbound" ? "message.received" : "message.queued";
  return eventAbout(message, { id, type, atMs, direction }, {
    status: message.status,
    text: message.text,
    segments: message.segments,
    ...(message.media === null ? {} : { media: message.media.map(told) }),
    ...(message.author === null ? {} : { author: message.author }),
    ...(message.provider_id === null ? {} : { providerId: message.provider_id }),
    ...(message.note === null ? {} : { note: message.note }),
  });
}

/** What is kept here is told of without its address: the provider's asks for credentials, ours comes when it is ready. */
function told(media: Media): Partial<Media> {
  if (media.id === undefined) return media;
  const { url: _, ...rest } = media;
  return rest;
}
