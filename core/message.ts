/**
 * Messages and the lattice their status climbs.
 *
 * @module
 */
import type { MessageError } from "./errors.ts";

export const OUTBOUND_STATUSES = [
  "queued",
  "sending",
  "sent",
  "delivered",
  "failed",
  "undelivered",
  "rejected",
  "expired",
  "blocked",
  "cancelled",
] as const;

export type OutboundStatus = (typeof OUTBOUND_STATUSES)[number];
export type MessageStatus = OutboundStatus | "received";

/**
 * How far along a status is. A status may only be replaced by one of a higher rank: reports come late,
 * twice and in any order. `delivered` stands above the failures because a handset's confirmation is the
 * strongest evidence there is; the other ends are equal, so the first of them stays.
 *
 * The same table is written in SQL as `status_rank()` (migration 0001); a test compares the two.
 */
export const STATUS_RANK: Readonly<Record<MessageStatus, number>> = {
  queued: 0,
  sending: 1,
  sent: 2,
  failed: 3,
  undelivered: 3,
  rejected: 3,
  expired: 3,
  blocked: 3,
  cancelled: 3,
  delivered: 4,
  received: 4,
};

/** Whether a message at `from` may move to `to`. */
export function climbs(from: MessageStatus, to: MessageStatus): boolean {
  return STATUS_RANK[to] > STATUS_RANK[from];
}

/** Whether nothing more is to be done for a message with this status. */
export function isEnd(status: MessageStatus): boolean {
  return STATUS_RANK[status] >= 3;
}

/** `pending`: it is being fetched. `ready`: it is kept here until it expires. */
export const MEDIA_STATES = ["pending", "ready", "failed"] as const;
export type MediaState = (typeof MEDIA_STATES)[number];

export interface Media {
  /** Where it comes from; for what was uploaded here, the link that the provider fetches. */
  readonly url: string;
  readonly contentType?: string;
  readonly sizeBytes?: number;
  /** Present for what is kept here; all that follows as well. */
  readonly id?: string;
  readonly state?: MediaState;
  /** When what is ready is deleted, ms since 1970. */
  readonly expiresMs?: number;
  /** Why it failed. */
  readonly reason?: string;
}

export type Encoding = "gsm7" | "ucs2";

/** 0 goes first: a person's reply; 1: bulk. */
export const PRIORITY = { reply: 0, bulk: 1 } as const;
export type Priority = (typeof PRIORITY)[keyof typeof PRIORITY];

/** Who wrote an outbound message or gave a command. */
export interface Author {
  readonly kind: "extension" | "platform" | "key" | "system";
  readonly id: string;
}

/** One step in a message's life, as `GET /v1/messages/{id}` shows it. */
export interface StatusStep {
  readonly status: MessageStatus;
  /** RFC 3339. */
  readonly at: string;
  readonly providerCode?: string;
  readonly reason?: string;
}

/** A message as it is stored: one row of `messages`; field names are the column names. Times are ms since 1970. */
export interface MessageRow {
  readonly id: string;
  readonly conversation_id: string;
  /** Place in its conversation, counted from 1: the order of the log. */
  readonly position: number;
  readonly session_id: string | null;
  readonly channel_id: string;
  readonly number_id: string;
  /** Ours. */
  readonly number: string;
  /** Theirs. */
  readonly contact: string;
  readonly direction: "inbound" | "outbound";
  readonly status: MessageStatus;
  readonly priority: Priority;
  readonly text: string;
  readonly encoding: Encoding;
  readonly segments: number;
  readonly media: readonly Media[] | null;
  readonly author: Author | null;
  /** Whose event stream hears of it: the owner of the session when it was written. */
  readonly extension_id: string | null;
  readonly queue_id: string | null;
  readonly platform_id: string | null;
  /** The provider's id, once known. */
  readonly provider_id: string | null;
  readonly attempts: number;
  /** True while nobody can tell whether the provider took it (a crash between claim and result). */
  readonly uncertain: boolean;
  readonly error: MessageError | null;
  /** What its reader should know of it, e.g. that a part of it never came. */
  readonly note: string | null;
  readonly history: readonly StatusStep[];
  /** Not to be sent before. */
  readonly not_before_ms: number | null;
  /** Not to be sent after. */
  readonly expires_ms: number | null;
  readonly created_ms: number;
  readonly updated_ms: number;
}

const COLUMNS: Readonly<Record<keyof MessageRow, true>> = {
  id: true,
  conversation_id: true,
  position: true,
  session_id: true,
  channel_id: true,
  number_id: true,
  number: true,
  contact: true,
  direction: true,
  status: true,
  priority: true,
  text: true,
  encoding: true,
  segments: true,
  media: true,
  author: true,
  extension_id: true,
  queue_id: true,
  platform_id: true,
  provider_id: true,
  attempts: true,
  uncertain: true,
  error: true,
  note: true,
  history: true,
  not_before_ms: true,
  expires_ms: true,
  created_ms: true,
  updated_ms: true,
};

/** The columns that a writer of whole rows fills. The table has more: those that PostgreSQL works out itself. */
export const MESSAGE_COLUMNS: readonly string[] = Object.keys(COLUMNS);
