/**
 * A session: who holds a conversation now. Its states and the moves between them are this one table.
 *
 * `new` exists only inside a decision: a stored session is waiting with a queue, held by a platform,
 * active with an extension, or closed.
 *
 * @module
 */
export const SESSION_STATES = ["waiting", "active", "platform", "closed"] as const;
export type SessionState = (typeof SESSION_STATES)[number];

export const CLOSE_REASONS = ["agent", "platform", "idle", "api"] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

export type SessionMove = "accept" | "transfer-extension" | "transfer-queue" | "transfer-platform" | "close";

/** What each move does in each state; a missing entry is an impossible move, refused without change. */
export const SESSION_TRANSITIONS: Readonly<
  Record<SessionState, Readonly<Partial<Record<SessionMove, SessionState>>>>
> = {
  waiting: {
    accept: "active",
    "transfer-extension": "active",
    "transfer-queue": "waiting",
    "transfer-platform": "platform",
    close: "closed",
  },
  active: {
    "transfer-extension": "active",
    "transfer-queue": "waiting",
    "transfer-platform": "platform",
    close: "closed",
  },
  platform: {
    "transfer-extension": "active",
    "transfer-queue": "waiting",
    "transfer-platform": "platform",
    close: "closed",
  },
  closed: {},
};

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
  readonly close_reason: CloseReason | null;
  readonly last_activity_ms: number;
  /** When it closes by itself unless something is written before. */
  readonly idle_ms: number;
  readonly history: readonly SessionStep[];
}
