/**
 * Reading what the running system wrote, for the API: sessions, messages and statistics.
 *
 * @module
 */
import type { MessageRow, MessageStatus } from "../message.ts";
import type { SessionKind, SessionRow, SessionState } from "../session.ts";
import type { SessionNote } from "../session_notes.ts";

/** Whose eyes a list is made for. */
export type Viewer =
  | { readonly kind: "all" }
  /** What the extension holds or held, and what waits in these queues. */
  | { readonly kind: "extension"; readonly extensionId: string; readonly queueIds: readonly string[] }
  | { readonly kind: "platform"; readonly platformId: string };

/** One page, newest first. */
export interface NewestFirst {
  /** Id of the last item seen. */
  readonly before?: string;
  readonly limit: number;
}

/** Bounds by the time that the id carries: from `fromMs` on, before `toMs`. */
interface Span {
  readonly fromMs?: number;
  readonly toMs?: number;
}

export interface SessionFilter extends Span {
  readonly state?: SessionState;
  /** Any of these. */
  readonly states?: readonly SessionState[];
  readonly kind?: SessionKind;
  readonly extensionId?: string;
  readonly queueId?: string;
  readonly platformId?: string;
  readonly number?: string;
  readonly contact?: string;
}

export interface SessionQueries {
  list(filter: SessionFilter, viewer: Viewer, page: NewestFirst): Promise<SessionRow[]>;
  get(id: string): Promise<SessionRow | undefined>;
  /** Of the call with this id. */
  ofCall(callId: string): Promise<SessionRow | undefined>;
  /** In the order of the conversation. */
  messages(
    session: Pick<SessionRow, "id" | "conversation_id">,
    page: { readonly afterPosition: number; readonly limit: number },
  ): Promise<MessageRow[]>;
  /** Oldest first; `after` is the id of the last one seen. */
  notes(sessionId: string, page: { readonly after?: string; readonly limit: number }): Promise<SessionNote[]>;
  note(id: string): Promise<SessionNote | undefined>;
  /** How many wait in a queue or are offered out of it; counted up to `most`. */
  inLine(queueId: string, most: number): Promise<number>;
}

export interface MessageFilter extends Span {
  readonly channelId?: string;
  readonly number?: string;
  readonly contact?: string;
  readonly status?: MessageStatus;
  readonly direction?: MessageRow["direction"];
  /** Whether nobody can tell if the provider took it. */
  readonly uncertain?: boolean;
}

export interface MessageQueries {
  list(filter: MessageFilter, viewer: Viewer, page: NewestFirst): Promise<MessageRow[]>;
  get(id: string): Promise<MessageRow | undefined>;
  /** Ends a message that nobody has begun to send. Undefined, and nothing changed, when it is no longer queued. */
  cancel(id: string, atMs: number, by: string): Promise<MessageRow | undefined>;
}

/** Counts of one bucket. */
export interface Counts {
  readonly received: number;
  readonly sent: number;
  readonly delivered: number;
  readonly failed: number;
  readonly segmentsIn: number;
  readonly segmentsOut: number;
}

export interface StatisticsQueries {
  /** Sums by bucket, of those buckets that have any; `startMs` is the bucket's beginning, a multiple of `bucketMs`. */
  sums(query: {
    readonly of: { readonly channelId: string } | { readonly number: string };
    readonly fromMs: number;
    readonly toMs: number;
    readonly bucketMs: number;
  }): Promise<(Counts & { readonly startMs: number })[]>;
  /** Whether anything was ever counted for it. */
  hasAny(of: { readonly channelId: string } | { readonly number: string }): Promise<boolean>;
}

/** Counts of the calls that began in one bucket. */
export interface CallCounts {
  readonly calls: number;
  /** Those in which anything was written. */
  readonly textedIn: number;
  readonly received: number;
  /** Taken by the provider. */
  readonly sent: number;
  readonly delivered: number;
  readonly failed: number;
  readonly segmentsIn: number;
  readonly segmentsOut: number;
}

export interface CallStatistics {
  /** As {@link StatisticsQueries.sums}. */
  sums(query: {
    readonly of: { readonly queueId?: string; readonly extensionId?: string };
    readonly fromMs: number;
    readonly toMs: number;
    readonly bucketMs: number;
  }): Promise<(CallCounts & { readonly startMs: number })[]>;
}
