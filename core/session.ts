/**
 * A session: who holds a conversation now. Its states and the moves between them are this one table.
 *
 * `new` exists only inside a decision. A stored session is waiting with a queue, offered to one extension out of it,
 * active with an extension, held by a platform, in wrap-up with the extension that ended it, or closed.
 *
 * @module
 */
import type { Skills } from "./dispatch/entry.ts";

export const SESSION_STATES = ["waiting", "offered", "active", "platform", "wrap-up", "closed"] as const;
export type SessionState = (typeof SESSION_STATES)[number];

/** `call`: it belongs to a phone call, begins with it and ends with it. */
export const SESSION_KINDS = ["chat", "call"] as const;
export type SessionKind = (typeof SESSION_KINDS)[number];

export const CLOSE_REASONS = [
  "agent",
  "platform",
  "idle",
  "api",
  "agent-gone",
  "queue-full",
  "call-ended",
  "call-replaced",
] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

export const SESSION_MOVES = [
  "accept",
  "offer",
  "decline",
  "offer-expired",
  "take-back",
  "transfer-extension",
  "transfer-queue",
  "transfer-platform",
  "wrap-up",
  "wrap-up-over",
  "reopen",
  "close",
] as const;
export type SessionMove = (typeof SESSION_MOVES)[number];

const TRANSFERS = {
  "transfer-extension": "active",
  "transfer-queue": "waiting",
  "transfer-platform": "platform",
} as const;

/** What each move does in each state; a missing entry is an impossible move, refused without change. */
export const SESSION_TRANSITIONS: Readonly<
  Record<SessionState, Readonly<Partial<Record<SessionMove, SessionState>>>>
> = {
  waiting: { accept: "active", offer: "offered", ...TRANSFERS, close: "closed" },
  offered: {
    accept: "active",
    decline: "waiting",
    "offer-expired": "waiting",
    "take-back": "waiting",
    ...TRANSFERS,
    close: "closed",
  },
  active: { "take-back": "waiting", ...TRANSFERS, "wrap-up": "wrap-up", close: "closed" },
  platform: { ...TRANSFERS, close: "closed" },
  "wrap-up": { "wrap-up-over": "closed", reopen: "active", close: "closed" },
  closed: {},
};

/** First (0) to last (9) in line; what nobody gave another one has the middle. */
export const DEFAULT_PRIORITY = 5;

/** What decided where a contact's session went at first: a routing rule, or else its number's own destination. */
export type DecidedBy =
  | { readonly kind: "rule"; readonly id: string; readonly name: string }
  | { readonly kind: "number" };

/** One step of a session's life, kept with it. */
export interface SessionStep {
  readonly state: SessionState;
  readonly at: string;
  /** Who caused it, e.g. `extension:ext_…`, `contact`, `system`. */
  readonly by: string;
  readonly note?: string;
  /** Of the first step, where a contact's message caused it. */
  readonly decidedBy?: DecidedBy;
}

/**
 * A session as it is stored: one row of `sessions`; field names are the column names. Times are ms since 1970.
 * The row is written when the session changes hands or state; what every message moves — `last_activity_ms` and
 * `idle_ms` of an open session — is current in its conversation only.
 */
export interface SessionRow {
  readonly id: string;
  readonly conversation_id: string;
  readonly partition: number;
  readonly channel_id: string;
  readonly number_id: string;
  /** Ours. */
  readonly number: string;
  /** Theirs. */
  readonly contact: string;
  readonly state: SessionState;
  readonly extension_id: string | null;
  readonly queue_id: string | null;
  readonly platform_id: string | null;
  readonly opened_ms: number;
  readonly accepted_ms: number | null;
  readonly closed_ms: number | null;
  /** Why it was closed, or what its wrap-up will have been closed for. */
  readonly close_reason: CloseReason | null;
  readonly last_activity_ms: number;
  /** When it closes by itself unless something is written before. */
  readonly idle_ms: number;
  readonly history: readonly SessionStep[];
  /** Grows with every move. */
  readonly version: number;
  readonly offered_to: string | null;
  readonly offer_until_ms: number | null;
  /** Since when it waits in its queue, or did before it was taken: what comes back keeps its place. */
  readonly waiting_since_ms: number | null;
  /** 0 (first) to 9. */
  readonly priority: number;
  /** What is asked of whoever takes it; null: what its queue asks. */
  readonly skills: Skills | null;
  /** Of the contact, where a rule or a call told it. */
  readonly language: string | null;
  /** Who is to have it again, if free. */
  readonly sticky_extension_id: string | null;
  /** Who had it offered since it came to its queue and did not take it. */
  readonly declined_by: readonly string[];
  /** When its wrap-up is over. */
  readonly wrap_until_ms: number | null;
  readonly tags: readonly string[];
  readonly kind: SessionKind;
  /** The phone system's id of the call. */
  readonly call_id: string | null;
}
