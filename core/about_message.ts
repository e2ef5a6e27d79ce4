/**
 * What all events about a message have in common.
 *
 * @module
 */
import type { PatchbayEvent } from "./events.ts";
import type { MessageRow } from "./message.ts";

/** What every event needs of its message. */
export type MessageTold = Pick<
  MessageRow,
  | "id"
  | "conversation_id"
  | "session_id"
  | "channel_id"
  | "number"
  | "contact"
  | "extension_id"
  | "queue_id"
  | "platform_id"
>;

/** The event about `message`, told to whom it concerned when it was written. `more` is what it tells besides. */
export function eventAbout(
  message: MessageTold,
  { id, type, atMs, direction }: Pick<PatchbayEvent, "id" | "type" | "atMs"> & Pick<MessageRow, "direction">,
  more: Readonly<Record<string, unknown>>,
): PatchbayEvent {
  return {
    id,
    type,
    atMs,
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
      direction,
      ...more,
    },
  };
}
