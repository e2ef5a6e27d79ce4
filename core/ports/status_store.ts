/**
 * Where delivery reports take effect.
 *
 * @module
 */
import type { ReportEntry } from "../entry.ts";
import type { MessageError } from "../errors.ts";
import type { OutboxRow, Published } from "../outbox.ts";
import type { MessageStatus, StatusStep } from "../message.ts";
import type { ReportCounts, ReportedMessage } from "../status/report.ts";
import type { DeadLetterRow } from "./conversation_store.ts";

/** The messages that reports are about. */
export interface LoadedMessages {
  /** By their own id. */
  readonly byId: ReadonlyMap<string, ReportedMessage>;
  /** By {@link providerKey}. */
  readonly byProviderId: ReadonlyMap<string, ReportedMessage>;
}

/** A provider's ids mean something within one channel only. */
export function providerKey(channelId: string, providerId: string): string {
  return `${channelId} ${providerId}`;
}

export interface StatusUpdate {
  readonly id: string;
  /** What the decision was made from: a message that is not there any more makes the commit stale. */
  readonly expected: MessageStatus;
  readonly status: MessageStatus;
  readonly provider_id: string | null;
  readonly uncertain: boolean;
  readonly error: MessageError | null;
  readonly steps: readonly StatusStep[];
  readonly at_ms: number;
}

/** One row of `pending_reports`. */
export interface PendingReport {
  readonly id: string;
  readonly partition: number;
  readonly at_ms: number;
  readonly entry: ReportEntry;
}

/** Counts to be added to one row of `statistics`. */
export interface StatusCounts extends ReportCounts {
  readonly channel_id: string;
  readonly number: string;
  readonly hour_ms: number;
  readonly shard: number;
}

/** Everything that one batch changes. */
export interface StatusCommit {
  /** Each partition once; `cursor`, and when its entry was stored, null where it does not move. */
  readonly partitions: readonly {
    readonly partition: number;
    readonly epoch: number;
    readonly cursor: number | null;
    readonly stored: string | null;
  }[];
  readonly updates: readonly StatusUpdate[];
  /** Reports of messages that are not known yet. */
  readonly pending: readonly PendingReport[];
  /** Pending reports that are done with. */
  readonly settled: readonly string[];
  readonly statistics: readonly StatusCounts[];
  readonly outbox: readonly OutboxRow[];
  readonly deadLetters: readonly DeadLetterRow[];
  /** Outbox rows that may be forgotten. */
  readonly published: Published;
}

export interface StatusStore {
  /** The outbound messages that the reports name, by our id or by the provider's; the newest if there are several. */
  load(reports: readonly ReportEntry[]): Promise<LoadedMessages>;
  /**
   * Writes all of it in one statement or nothing. `fenced`: a partition's epoch has moved on. `stale`: a message
   * changed since it was loaded; load and decide again.
   */
  commit(commit: StatusCommit): Promise<"committed" | "fenced" | "stale">;
  /** Pending reports that came since `sinceMs` and whose message is known by now, and those from before `expiredMs`; oldest first. */
  loadPending(
    partitions: readonly number[],
    sinceMs: number,
    expiredMs: number,
    max: number,
  ): Promise<PendingReport[]>;
}
