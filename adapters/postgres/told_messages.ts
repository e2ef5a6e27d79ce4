/**
 * Events of new messages as the outbox keeps them: by the message alone, whose row has what they tell. A whole event took
 * PostgreSQL half as long as the message itself, and it is read back only after a crash.
 *
 * @module
 */
import type { PatchbayEvent } from "../../core/events.ts";
import type { MessageRow } from "../../core/message.ts";
import { type NewMessage, newMessageEvent } from "../../core/new_message_event.ts";
import type { OutboxPayload } from "../../core/outbox.ts";
import type { Sql } from "./database.ts";

/** An event whose message's row tells the rest. */
interface ToldByMessage {
  readonly id: string;
  readonly ofMessage: string;
}

/** An outbox row's payload as it stands in the database. */
export interface StoredPayload extends Omit<OutboxPayload, "events"> {
  readonly events: readonly (PatchbayEvent | ToldByMessage)[];
}

/** `payload` for a commit that writes `messages`. */
export function storedPayload(
  payload: OutboxPayload,
  messages: ReadonlyMap<string, MessageRow>,
): StoredPayload {
  return { ...payload, events: payload.events.map((event) => stored(event, messages)) };
}

function stored(
  event: PatchbayEvent,
  messages: ReadonlyMap<string, MessageRow>,
): PatchbayEvent | ToldByMessage {
  if (event.type !== "message.received" && event.type !== "message.queued") return event;
  const message = messages.get(event.data.messageId as string);
  // Media and notes change afterwards.
  const isToldByRow = message !== undefined && message.media === null && message.note === null;
  return isToldByRow ? { id: event.id, ofMessage: message.id } : event;
}

/** The payloads as they were. Nothing is told of messages that are gone. */
export async function wholePayloads(sql: Sql, payloads: readonly StoredPayload[]): Promise<OutboxPayload[]> {
  const ids = payloads.flatMap(({ events }) =>
    events.flatMap((event) => "ofMessage" in event ? event.ofMessage : [])
  );
  const messages = new Map(ids.length === 0 ? [] : (await messagesOf(sql, ids)).map((row) => [row.id, row]));
  return payloads.map((payload) => ({
    ...payload,
    events: payload.events.flatMap((event) => {
      if (!("ofMessage" in event)) return event;
      const message = messages.get(event.ofMessage);
      return message === undefined ? [] : newMessageEvent(event.id, asWritten(message));
    }),
  }));
}

type ReadMessage = Omit<NewMessage, "status" | "media" | "note">;

/** As it was before anything became of it. */
function asWritten(message: ReadMessage): NewMessage {
  const isInbound = message.direction === "inbound";
  return {
    ...message,
    status: isInbound ? "received" : "queued",
    provider_id: isInbound ? message.provider_id : null,
    media: null,
    note: null,
  };
}

function messagesOf(sql: Sql, ids: readonly string[]): Promise<ReadMessage[]> {
  return sql<ReadMessage[]>`
    select id, conversation_id, session_id, channel_id, number, contact, direction, text, segments, author,
      provider_id, extension_id, queue_id, platform_id, created_ms
    from messages where id = any(${[...ids]}::text[])`;
}
