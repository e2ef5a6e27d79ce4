/**
 * Where conversations, sessions, messages and the partitions' cursors are kept.
 *
 * @module
 */
import type { CommandReply } from "../entry.ts";
import type { MessageRow } from "../message.ts";
import type { NewMediaRow } from "./media_queue.ts";
import type { OptOutChange } from "../opt_out/opt_out.ts";
import type { OutboxRow, Published } from "../outbox.ts";
import type { SessionRow } from "../session.ts";
import type { SessionNote } from "../session_notes.ts";

/** One row of `conversations`. */
export interface ConversationRow {
  readonly id: string;
  readonly partition: number;
  readonly number: string;
  readonly contact: string;
  /** The actor's own; null leaves the one that is stored: only what stands beside it has changed. */
  readonly state: unknown;
  /** Of the newest message. */
  readonly position: number;
  /** The open session. */
  readonly session_id: string | null;
  readonly last_activity_ms: number;
  /** When the open session closes by itself unless something is written before. */
  readonly idle_ms: number | null;
  /** When the next unfinished message is delivered as it is, unless its missing parts come before. */
  readonly due_ms: number | null;
  /** When the platform that has the open session loses it. */
  readonly held_until_ms: number | null;
}

/** What is stored of a conversation: its state, and what messages changed since that was written. */
export interface StoredConversation {
  readonly state: unknown;
  readonly position: number;
  readonly lastActivityMs: number;
  readonly idleMs: number | null;
}

/** An input that was applied: a repeat of it is recognised by the key; `result` is what its caller was told. */
export interface SeenRow {
  readonly key: string;
  readonly at_ms: number;
  readonly result: CommandReply | null;
}

/** One row of `statistics`: counts to be added to an hour's. */
export interface StatisticsRow {
  readonly channel_id: string;
  readonly number: string;
  readonly hour_ms: number;
  readonly shard: number;
  readonly received: number;
  readonly segments_in: number;
}

export interface DeadLetterRow {
  readonly id: string;
  readonly at_ms: number;
  /** `undecodable`: cannot be read; `unappliable`: read, but can never take effect; `poisoned`: its application failed. */
  readonly kind: "undecodable" | "unappliable" | "poisoned" | "unsigned";
  readonly stream: string;
  readonly partition: number;
  readonly sequence: number;
  readonly reason: string;
  readonly payload: string;
}

/** Everything that one batch changes. */
export interface ConversationCommit {
  /** Each partition once, with its fencing token, the last log sequence that the batch applied and when that was stored. */
  readonly partitions: readonly {
    readonly partition: number;
    readonly epoch: number;
    readonly cursor: number;
    readonly stored: string;
  }[];
  readonly conversations: readonly ConversationRow[];
  readonly sessions: readonly SessionRow[];
  readonly messages: readonly MessageRow[];
  /** In order. */
  readonly optOuts: readonly OptOutChange[];
  readonly media: readonly NewMediaRow[];
  readonly notes: readonly SessionNote[];
  readonly seen: readonly SeenRow[];
  readonly outbox: readonly OutboxRow[];
  readonly statistics: readonly StatisticsRow[];
  readonly deadLetters: readonly DeadLetterRow[];
  /** Outbox rows that may be forgotten. */
  readonly published: Published;
}

/** Thrown when the content of a commit cannot be stored, whenever it is tried. */
export class UnstorableError extends Error {
  override readonly name = "UnstorableError";
}

export interface ConversationStore {
  /** Those of the conversations that exist, and the results of those keys that were seen. */
  load(conversations: readonly string[], keys: readonly string[]): Promise<{
    readonly conversations: ReadonlyMap<string, StoredConversation>;
    readonly seen: ReadonlyMap<string, CommandReply | null>;
  }>;
  /**
   * Writes all of it in one statement, if every partition still has the given epoch; else nothing, and "fenced".
   * Rejects with {@link UnstorableError} when the content is at fault.
   */
  commit(commit: ConversationCommit): Promise<"committed" | "fenced">;
  /** Whether `commit` could be stored, found out by writing it and taking it back. */
  rehearse(commit: ConversationCommit): Promise<boolean>;
}
