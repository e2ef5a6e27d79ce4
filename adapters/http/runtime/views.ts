/**
 * Sessions and messages as the API shows them.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { SkillsSchema } from "../../../core/dispatch/entry.ts";
import type { MediaLinks } from "../../../core/media/media_links.ts";
import { type MessageRow, OUTBOUND_STATUSES, PRIORITY } from "../../../core/message.ts";
import { CLOSE_REASONS, SESSION_KINDS, SESSION_STATES, type SessionRow } from "../../../core/session.ts";
import { MediaView, mediaView } from "./media_view.ts";

const Time = z.string().openapi({ format: "date-time" });

export const SessionView = z.object({
  id: z.string(),
  conversationId: z.string(),
  channelId: z.string(),
  numberId: z.string(),
  number: z.string().openapi({ description: "Ours" }),
  contact: z.string().openapi({ description: "Theirs" }),
  state: z.enum(SESSION_STATES),
  kind: z.enum(SESSION_KINDS),
  callId: z.string().nullable().openapi({
    description: "The phone system's id of the call that it belongs to",
  }),
  extensionId: z.string().nullable(),
  queueId: z.string().nullable(),
  platformId: z.string().nullable(),
  openedAt: Time,
  acceptedAt: Time.nullable(),
  closedAt: Time.nullable(),
  closeReason: z.enum(CLOSE_REASONS).nullable(),
  lastActivityAt: Time,
  idleAt: Time.openapi({ description: "When it closes by itself unless something is written before" }),
  waitingSince: Time.nullable().openapi({
    description: "Since when it waits in its queue, or did before it was taken",
  }),
  offeredTo: z.string().nullable().openapi({ description: "Extension that it is offered to alone" }),
  offerUntil: Time.nullable(),
  wrapUpUntil: Time.nullable(),
  priority: z.number().int().openapi({ description: "0 is first in line, 9 last" }),
  skills: SkillsSchema.nullable().openapi({
    description: "Asked of whoever takes it; null: what its queue asks",
  }),
  language: z.string().nullable(),
  tags: z.array(z.string()),
}).openapi("Session");

export const SessionDetail = SessionView.extend({
  history: z.array(z.object({
    state: z.enum(SESSION_STATES),
    at: Time,
    by: z.string(),
    note: z.string().optional(),
    decidedBy: z.union([
      z.object({ kind: z.literal("rule"), id: z.string(), name: z.string() }),
      z.object({ kind: z.literal("number") }),
    ]).optional().openapi({
      description: "Of the first step: the routing rule that decided, or the number's own destination",
    }),
  })),
}).openapi("SessionDetail");

export const MESSAGE_STATUSES = [...OUTBOUND_STATUSES, "received"] as const;
export const PRIORITIES = ["reply", "bulk"] as const;

export const MessageView = z.object({
  id: z.string(),
  conversationId: z.string(),
  position: z.number().int().openapi({ description: "Place in its conversation, from 1" }),
  sessionId: z.string().nullable(),
  channelId: z.string(),
  numberId: z.string(),
  number: z.string(),
  contact: z.string(),
  direction: z.enum(["inbound", "outbound"]),
  status: z.enum(MESSAGE_STATUSES),
  priority: z.enum(PRIORITIES),
  text: z.string(),
  encoding: z.enum(["gsm7", "ucs2"]),
  segments: z.number().int(),
  media: z.array(MediaView),
  author: z.object({ kind: z.string(), id: z.string() }).nullable(),
  extensionId: z.string().nullable(),
  queueId: z.string().nullable(),
  platformId: z.string().nullable(),
  providerId: z.string().nullable(),
  attempts: z.number().int(),
  uncertain: z.boolean().openapi({ description: "True while nobody can tell whether the provider took it" }),
  error: z.object({
    class: z.string(),
    providerCode: z.string().optional(),
    reason: z.string(),
    retryAt: z.string().optional(),
  }).nullable(),
  note: z.string().nullable().openapi({ description: "Such as: a part of it never came" }),
  sendAt: Time.nullable(),
  expiresAt: Time.nullable(),
  createdAt: Time,
  updatedAt: Time,
}).openapi("Message");

export const MessageDetail = MessageView.extend({
  history: z.array(z.object({
    status: z.enum(MESSAGE_STATUSES),
    at: Time,
    providerCode: z.string().optional(),
    reason: z.string().optional(),
  })),
}).openapi("MessageDetail");

const time = (ms: number) => new Date(ms).toISOString();
const timeOrNull = (ms: number | null) => ms === null ? null : time(ms);

export function sessionView(row: SessionRow): z.output<typeof SessionView> {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    channelId: row.channel_id,
    numberId: row.number_id,
    number: row.number,
    contact: row.contact,
    state: row.state,
    kind: row.kind,
    callId: row.call_id,
    extensionId: row.extension_id,
    queueId: row.queue_id,
    platformId: row.platform_id,
    openedAt: time(row.opened_ms),
    acceptedAt: timeOrNull(row.accepted_ms),
    closedAt: timeOrNull(row.closed_ms),
    closeReason: row.close_reason,
    lastActivityAt: time(row.last_activity_ms),
    idleAt: time(row.idle_ms),
    waitingSince: timeOrNull(row.waiting_since_ms),
    offeredTo: row.offered_to,
    offerUntil: timeOrNull(row.offer_until_ms),
    wrapUpUntil: timeOrNull(row.wrap_until_ms),
    priority: row.priority,
    skills: row.skills,
    language: row.language,
    tags: [...row.tags],
  };
}

export function sessionDetail(row: SessionRow): z.output<typeof SessionDetail> {
  return { ...sessionView(row), history: [...row.history] };
}

/** What messages are shown with: links to their files, good from `nowMs` on. */
export interface ViewContext {
  readonly links: MediaLinks;
  readonly nowMs: number;
}

export function messageView(row: MessageRow, { links, nowMs }: ViewContext): z.output<typeof MessageView> {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    position: row.position,
    sessionId: row.session_id,
    channelId: row.channel_id,
    numberId: row.number_id,
    number: row.number,
    contact: row.contact,
    direction: row.direction,
    status: row.status,
    priority: row.priority === PRIORITY.reply ? "reply" : "bulk",
    text: row.text,
    encoding: row.encoding,
    segments: row.segments,
    media: (row.media ?? []).map((media) => mediaView(media, links, nowMs)),
    author: row.author,
    extensionId: row.extension_id,
    queueId: row.queue_id,
    platformId: row.platform_id,
    providerId: row.provider_id,
    attempts: row.attempts,
    uncertain: row.uncertain,
    error: row.error,
    note: row.note,
    sendAt: timeOrNull(row.not_before_ms),
    expiresAt: timeOrNull(row.expires_ms),
    createdAt: time(row.created_ms),
    updatedAt: time(row.updated_ms),
  };
}

export function messageDetail(row: MessageRow, context: ViewContext): z.output<typeof MessageDetail> {
  return { ...messageView(row, context), history: [...row.history] };
}
