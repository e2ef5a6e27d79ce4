/**
 * What events tell of a session and of a message.
 *
 * @module
 */
import type { Media, MessageRow } from "../core/message.ts";
import type { SessionRow } from "../core/session.ts";

export function sessionData(session: SessionRow): Record<string, unknown> {
  return {
    sessionId: session.id,
    conversationId: session.conversation_id,
    channelId: session.channel_id,
    number: session.number,
    contact: session.contact,
    state: session.state,
    extensionId: session.extension_id,
    queueId: session.queue_id,
    platformId: session.platform_id,
    ...(session.offered_to === null ? {} : { offeredTo: session.offered_to }),
    ...(session.call_id === null ? {} : { callId: session.call_id }),
  };
}

export function messageData(message: MessageRow): Record<string, unknown> {
  return {
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
  };
}

/** What is kept here is told of without its address: the provider's asks for credentials, ours comes when it is ready. */
function told(media: Media): Partial<Media> {
  if (media.id === undefined) return media;
  const { url: _, ...rest } = media;
  return rest;
}
