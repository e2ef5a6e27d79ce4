/**
 * New sessions and messages as rows.
 *
 * @module
 */
import type { Channel, Destination, OwnNumber } from "../core/channel.ts";
import type { Author, MessageRow } from "../core/message.ts";
import { DEFAULT_PRIORITY, type SessionRow, type SessionState } from "../core/session.ts";
import type { TextPart } from "../core/text_parts.ts";

/** Where a new row stands. */
interface Place {
  readonly id: string;
  readonly conversationId: string;
  readonly channel: Pick<Channel, "id">;
  /** Ours. */
  readonly number: Pick<OwnNumber, "id" | "number">;
  readonly contact: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

const STATES = { extension: "active", queue: "waiting", platform: "platform" } as const;

/** The state of a session that opens with `destination`. */
export function stateWith(destination: Destination | null): SessionState {
  return destination === null ? "waiting" : STATES[destination.kind];
}

/** The columns that name the holder. */
export function holding(
  to: Destination | null,
): Pick<SessionRow, "extension_id" | "queue_id" | "platform_id"> {
  return {
    extension_id: to?.kind === "extension" ? to.id : null,
    queue_id: to?.kind === "queue" ? to.id : null,
    platform_id: to?.kind === "platform" ? to.id : null,
  };
}

/** A chat that opens with `destination`, without its history. */
export function newSession(
  place: Place & { readonly partition: number; readonly idleAtMs: number },
  destination: Destination | null,
): Omit<SessionRow, "history"> {
  const { atMs } = place;
  const state = stateWith(destination);
  return {
    id: place.id,
    conversation_id: place.conversationId,
    partition: place.partition,
    channel_id: place.channel.id,
    number_id: place.number.id,
    number: place.number.number,
    contact: place.contact,
    state,
    ...holding(destination),
    opened_ms: atMs,
    accepted_ms: state === "active" ? atMs : null,
    closed_ms: null,
    close_reason: null,
    last_activity_ms: atMs,
    idle_ms: place.idleAtMs,
    version: 1,
    offered_to: null,
    offer_until_ms: null,
    waiting_since_ms: state === "waiting" ? atMs : null,
    priority: DEFAULT_PRIORITY,
    skills: null,
    language: null,
    sticky_extension_id: null,
    declined_by: [],
    wrap_until_ms: null,
    tags: [],
    kind: "chat",
    call_id: null,
  };
}

/** What is in a message, whosever it is. */
export type MessageContent = Pick<
  MessageRow,
  | "direction"
  | "status"
  | "priority"
  | "text"
  | "encoding"
  | "segments"
  | "media"
  | "author"
  | "provider_id"
  | "note"
  | "not_before_ms"
  | "expires_ms"
>;

/** A text that is to leave, at once and without media. */
export function queued(part: TextPart, author: Author): Omit<MessageContent, "priority"> {
  return {
    direction: "outbound",
    status: "queued",
    text: part.text,
    encoding: part.analysis.encoding,
    segments: part.analysis.segments,
    media: null,
    author,
    provider_id: null,
    note: null,
    not_before_ms: null,
    expires_ms: null,
  };
}

/** A message of `session`, or of none. */
export function newMessage(
  place: Place & { readonly position: number },
  session: SessionRow | null,
  content: MessageContent,
): MessageRow {
  const { atMs } = place;
  return {
    id: place.id,
    conversation_id: place.conversationId,
    position: place.position,
    session_id: session?.id ?? null,
    channel_id: place.channel.id,
    number_id: place.number.id,
    number: place.number.number,
    contact: place.contact,
    ...content,
    extension_id: session?.extension_id ?? null,
    queue_id: session?.queue_id ?? null,
    platform_id: session?.platform_id ?? null,
    attempts: 0,
    uncertain: false,
    error: null,
    history: [{ status: content.status, at: new Date(atMs).toISOString() }],
    created_ms: atMs,
    updated_ms: atMs,
  };
}
