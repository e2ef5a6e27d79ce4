/**
 * What is known of a finished run, as plain data: the auditor's checks look at nothing else, wherever it comes from.
 *
 * @module
 */
import type { MessageRow, MessageStatus } from "../../core/message.ts";
import type { CallRecord } from "../simulator/record.ts";

/** A contact's message as the provider offered it to us. Times are ms since 1970. */
export interface Webhook {
  /** The provider's id. */
  readonly id: string;
  /** The contact's number and ours. */
  readonly from: string;
  readonly to: string;
  /** Unique in a run: it is what stored messages are recognised by. */
  readonly text: string;
  /** `accepted`: answered 2xx. `broken`: no answer came, so nobody knows. */
  readonly fate: "unsent" | "accepted" | "refused" | "broken";
  /** When it was first offered. */
  readonly sentMs: number;
  /** When it was first answered 2xx; null: never. */
  readonly answeredMs: number | null;
}

/** A command that was answered 2xx: the text under the id that the answer gave. */
export interface Promised {
  readonly messageId: string;
  readonly text: string;
}

/** A message as it is stored. */
export interface StoredMessage {
  readonly id: string;
  readonly conversation: string;
  readonly position: number;
  readonly direction: "inbound" | "outbound";
  readonly channelId: string;
  readonly numberId: string;
  /** Ours. */
  readonly number: string;
  readonly contact: string;
  readonly text: string;
  readonly segments: number;
  readonly providerId: string | null;
  readonly status: MessageStatus;
  /** Nobody knows whether the provider has it. */
  readonly uncertain: boolean;
  /** It was uncertain at some time. */
  readonly wasUncertain: boolean;
  /** The statuses it went through, in order. */
  readonly steps: readonly MessageStatus[];
  /** Why it ended as it did. */
  readonly reason: string | null;
  /** Whether its author asked for a later start: then it leaves out of order. */
  readonly isScheduled: boolean;
  readonly authorKind: string | null;
}

/** The columns of `messages` that a {@link StoredMessage} is made of. */
export const AUDITED_COLUMNS = [
  "id",
  "conversation_id",
  "position",
  "direction",
  "channel_id",
  "number_id",
  "number",
  "contact",
  "text",
  "segments",
  "provider_id",
  "status",
  "uncertain",
  "history",
  "error",
  "not_before_ms",
  "created_ms",
  "author",
] as const;

/** A row of `messages` as the checks see it. */
export function storedMessage(row: Pick<MessageRow, (typeof AUDITED_COLUMNS)[number]>): StoredMessage {
  return {
    id: row.id,
    conversation: row.conversation_id,
    position: row.position,
    direction: row.direction,
    channelId: row.channel_id,
    numberId: row.number_id,
    number: row.number,
    contact: row.contact,
    text: row.text,
    segments: row.segments,
    providerId: row.provider_id,
    status: row.status,
    uncertain: row.uncertain,
    wasUncertain: row.uncertain || row.history.some(({ reason }) => reason?.startsWith("uncertain") === true),
    steps: row.history.map(({ status }) => status),
    reason: row.error?.reason ?? null,
    isScheduled: row.not_before_ms !== null && row.not_before_ms > row.created_ms,
    authorKind: row.author?.kind ?? null,
  };
}

export interface StoredSession {
  readonly id: string;
  readonly conversation: string;
  readonly state: string;
}

/** What one channel's number counted over all hours. */
export interface Counted {
  readonly channelId: string;
  readonly number: string;
  readonly received: number;
  readonly segmentsIn: number;
  readonly sent: number;
  readonly segmentsOut: number;
  readonly delivered: number;
  readonly failed: number;
}

/** A declared rate: of a channel, or of one number of it. */
export interface Bucket {
  /** For people. */
  readonly name: string;
  /** Our numbers whose messages take from it. */
  readonly numbers: readonly string[];
  /** Units a second. */
  readonly rateMps: number;
  readonly burst: number;
  /** What a message costs. */
  readonly costUnit: "message" | "segment";
}

/** A contact who is not to be sent to. Times are ms since 1970. */
export interface OptOut {
  readonly contact: string;
  /** Ours that it holds for; null: all. */
  readonly number: string | null;
  readonly sinceMs: number;
  /** When the contact opted in again; null: not yet. */
  readonly untilMs: number | null;
}

/** The right to one partition or send lane, as it stood at a moment. */
export interface PartitionState {
  readonly kind: string;
  readonly partition: number;
  readonly epoch: number;
  readonly cursor: number;
  /** Which log the cursor belongs to. */
  readonly logCreated: string | null;
}

/** A look at all partitions while the run went on. */
export interface Sample {
  readonly atMs: number;
  readonly partitions: readonly PartitionState[];
}

/** An event that subscribers got. */
export interface Told {
  readonly id: string;
  readonly type: string;
  readonly messageId: string;
}

/** What is left to do at the end. */
export interface Leftovers {
  readonly partitions: readonly PartitionState[];
  /** Where the logs end. */
  readonly logEnds: readonly {
    readonly kind: string;
    readonly partition: number;
    readonly sequence: number;
  }[];
  /** What is committed and not published yet. */
  readonly outbox: readonly {
    readonly kind: string;
    readonly partition: number;
    readonly sequence: number;
  }[];
}

/** What may be unfinished at the end: `none`: nothing. `reports`: delivery reports may be missing. `any`: the run was cut. */
export type OpenEnd = "none" | "reports" | "any";

/** Everything that is known of a run; null or absent where it is not known: then what needs it is not checked. */
export interface Run {
  readonly messages: readonly StoredMessage[];
  readonly sessions: readonly StoredSession[];
  readonly counted: readonly Counted[];
  /** What contacts wrote: all of it, also what was not accepted. */
  readonly webhooks: readonly Webhook[] | null;
  /** What the carrier saw, in the order of arrival. */
  readonly calls: readonly CallRecord[] | null;
  readonly promised: readonly Promised[] | null;
  readonly events: readonly Told[] | null;
  readonly buckets: readonly Bucket[] | null;
  readonly optOuts: readonly OptOut[] | null;
  /** In the order in which they were taken. */
  readonly samples: readonly Sample[] | null;
  readonly leftovers: Leftovers | null;
  readonly openEnd: OpenEnd;
}
