/**
 * Events about what became of an outbound message. The sender and the status writer tell them; the id is made
 * from the message and the type alone, so that whoever is first, and however often, it is the same fact.
 *
 * @module
 */
import { eventAbout, type MessageTold } from "./about_message.ts";
import type { MessageError } from "./errors.ts";
import type { EventType, PatchbayEvent } from "./events.ts";
import { hashChars, ID_PREFIX } from "./ids.ts";
import type { MessageRow, OutboundStatus } from "./message.ts";

/** What an event needs of its message. */
export type EventSubject = MessageTold & Pick<MessageRow, "segments" | "attempts">;

export interface Change {
  readonly status: OutboundStatus;
  readonly atMs: number;
  readonly providerId: string | null;
  readonly error: MessageError | null;
  readonly uncertain: boolean;
}

const TIME_CHARS = 10;
const HASH_CHARS = 16;

/** The type of the event that tells of `status`; null where nobody is told. */
export function eventTypeOf(status: OutboundStatus): EventType | null {
  switch (status) {
    case "sent":
    case "delivered":
    case "blocked":
      return `message.${status}`;
    case "failed":
    case "undelivered":
    case "rejected":
    case "expired":
      return "message.failed";
    case "queued":
    case "sending":
    case "cancelled":
      return null;
  }
}

/** The event that `message` has come to a status; null where nobody is told. */
export function messageEvent(message: EventSubject, change: Change): PatchbayEvent | null {
  const type = eventTypeOf(change.status);
  if (type === null) return null;
  const id = messageEventId(message.id, type);
  return eventAbout(message, { id, type, atMs: change.atMs, direction: "outbound" }, {
    status: change.status,
    segments: message.segments,
    attempts: message.attempts,
    ...(change.providerId === null ? {} : { providerId: change.providerId }),
    ...(change.error === null ? {} : { error: change.error }),
    ...(change.uncertain ? { uncertain: true } : {}),
  });
}

/** Sorts with its message's time, and is the same whenever it is made. */
function messageEventId(messageId: string, type: EventType): string {
  const time = messageId.slice(messageId.indexOf("_") + 1).slice(0, TIME_CHARS);
  return `${ID_PREFIX.event}_${time}${hashChars(`${messageId}|${type}`, HASH_CHARS)}`;
}
