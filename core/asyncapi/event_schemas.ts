/**
 * What events carry, as schemas: the AsyncAPI document is made from them, and tests hold real events against them.
 * Further fields may come with any version; whoever reads events lets them be.
 *
 * @module
 */
import { z } from "zod";
import { CHANNEL_ID, CONTACT, OWN_NUMBER } from "./fields.ts";
import type { EventType } from "../events.ts";
import { OPT_OUT_SOURCES } from "../opt_out/opt_out.ts";
import { CLOSE_REASONS, SESSION_STATES } from "../session.ts";

const Holder = z.object({ kind: z.enum(["extension", "queue", "platform"]), id: z.string().nullable() });

const MessageDataSchema = z.looseObject({
  messageId: z.string(),
  conversationId: z.string(),
  sessionId: z.string().nullable(),
  channelId: CHANNEL_ID,
  number: OWN_NUMBER,
  contact: CONTACT,
  direction: z.enum(["inbound", "outbound"]),
  status: z.string().optional(),
  text: z.string().optional(),
  segments: z.number().int().optional(),
  attempts: z.number().int().optional(),
  media: z.unknown().optional().describe("Of message.media: the file; else a list of them"),
  author: z.object({ kind: z.string(), id: z.string() }).optional(),
  providerId: z.string().optional(),
  note: z.string().optional(),
  error: z.looseObject({ class: z.string(), reason: z.string() }).optional(),
  uncertain: z.boolean().optional(),
});

const SessionDataSchema = z.looseObject({
  sessionId: z.string(),
  conversationId: z.string(),
  channelId: CHANNEL_ID,
  number: OWN_NUMBER,
  contact: CONTACT,
  state: z.enum(SESSION_STATES).optional().describe(
    "Left out, like who has it, of what is told after its end",
  ),
  extensionId: z.string().nullable().optional(),
  queueId: z.string().nullable().optional(),
  platformId: z.string().nullable().optional(),
  by: z.string().describe("Who caused it, e.g. extension:ext_…, contact, system"),
  from: Holder.nullable().optional().describe("Who had it before"),
  note: z.string().optional(),
  reason: z.string().optional().describe(
    `Of session.closed one of ${
      CLOSE_REASONS.join(", ")
    }; of session.transferred by itself platform-deadline, ` +
      "platform-hold-over, platform-off, gone or ignored",
  ),
  offeredTo: z.string().optional(),
  offerUntil: z.iso.datetime().optional(),
  decidedBy: z.looseObject({ kind: z.enum(["rule", "number"]) }).optional(),
});

const ContactDataSchema = z.looseObject({
  number: z.string().describe("Ours; * for all of them"),
  contact: CONTACT,
  source: z.enum(OPT_OUT_SOURCES),
  by: z.string(),
});

/** What the `data` of events of this type is like. */
export function dataSchema(type: EventType): z.ZodType {
  if (type.startsWith("message.")) return MessageDataSchema;
  if (type.startsWith("session.")) return SessionDataSchema;
  if (type.startsWith("contact.")) return ContactDataSchema;
  return z.looseObject({});
}

/** A whole event of this type, as it stands in the stream. */
export function eventSchema(type: EventType): z.ZodObject {
  return z.looseObject({
    specversion: z.literal("1.0"),
    id: z.string().describe("The same whenever the same fact is told"),
    source: z.string(),
    type: z.literal(type),
    time: z.iso.datetime(),
    datacontenttype: z.literal("application/json"),
    subject: z.string(),
    extensionid: z.string().optional(),
    queueid: z.string().optional(),
    platformid: z.string().optional(),
    data: dataSchema(type),
  });
}
