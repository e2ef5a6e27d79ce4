/**
 * Applies batches of delivery reports: loads the messages with one query, decides in memory, writes with one
 * statement. A report whose message is not known is kept for {@link PendingMatcher}.
 *
 * @module
 */
import { type ReportEntry, ReportEntrySchema, type Undecodable, unpackEntries } from "../entry.ts";
import { derivedId, type LogPosition } from "../ids.ts";
import type { Published } from "../outbox.ts";
import type { DeadLetterRow } from "../ports/conversation_store.ts";
import type { LogMessage } from "../ports/partition_log.ts";
import type { PendingReport, StatusCommit, StatusStore } from "../ports/status_store.ts";
import type { Applier, ApplyResult } from "../runtime/lane.ts";
import { storableText } from "../storable_text.ts";
import { StatusDraft } from "./status_draft.ts";

export interface StatusApplierOptions {
  readonly store: StatusStore;
  readonly epochOf: (partition: number) => number;
  /** Stream's name by partition, for the dead letters. */
  readonly streamOf: (partition: number) => string;
  readonly onDeadLetter?: (letter: DeadLetterRow) => void;
  /** Wall clock, ms since 1970. */
  readonly now: () => number;
}

interface Placed {
  readonly entry: ReportEntry | Undecodable;
  readonly position: LogPosition;
  readonly stored: string;
}

const STALE_TRIES_MAX = 20;
const PAYLOAD_MAX = 100_000;

export class StatusApplier implements Applier {
  readonly #options: StatusApplierOptions;
  readonly #decoder = new TextDecoder();

  constructor(options: StatusApplierOptions) {
    this.#options = options;
  }

  async apply(batch: readonly LogMessage[], published: Published): Promise<ApplyResult> {
    const placed = batch.flatMap((message) => this.#place(message));
    for (let tries = 0; tries < STALE_TRIES_MAX; tries++) {
      const commit = await this.#decide(batch, placed, published);
      const result = await this.#options.store.commit(commit);
      if (result === "fenced") return { kind: "fenced" };
      if (result === "stale") continue;
      for (const letter of commit.deadLetters) this.#options.onDeadLetter?.(letter);
      return { kind: "committed", outbox: commit.outbox };
    }
    throw new Error(`the messages of a batch changed under each of ${STALE_TRIES_MAX} tries`);
  }

  /** Nothing is remembered between batches. */
  forget(): void {}

  #place({ partition, sequence, data, stored }: LogMessage): Placed[] {
    return unpackEntries(this.#decoder.decode(data), ReportEntrySchema)
      .map((entry, index) => ({
        entry: entry.kind === "report" ? storable(entry) : entry,
        position: { partition, sequence, entry: index },
        stored,
      }));
  }

  async #decide(
    batch: readonly LogMessage[],
    placed: readonly Placed[],
    published: Published,
  ): Promise<StatusCommit> {
    const reports = placed.flatMap(({ entry }) => entry.kind === "report" ? [entry] : []);
    const draft = new StatusDraft(await this.#options.store.load(reports));
    const pending: PendingReport[] = [];
    const deadLetters: DeadLetterRow[] = [];
    for (const { entry, position, stored } of placed) {
      if (entry.kind === "undecodable") {
        deadLetters.push(this.#bury(position, "undecodable", entry.reason, entry.payload));
        continue;
      }
      const fault = faultOf(entry);
      if (fault !== null) deadLetters.push(this.#bury(position, "unappliable", fault, JSON.stringify(entry)));
      else if (!draft.apply(position.partition, entry)) {
        const id = pendingId(position, stored);
        pending.push({ id, partition: position.partition, at_ms: entry.at, entry });
      }
    }
    const last = new Map(batch.map((message) => [message.partition, message]));
    return {
      partitions: [...last.values()].map(({ partition, sequence, stored }) => ({
        partition,
        cursor: sequence,
        stored,
        epoch: this.#options.epochOf(partition),
      })),
      updates: draft.updates,
      pending,
      settled: [],
      statistics: draft.statistics,
      outbox: draft.outbox((partition) => ({ partition, sequence: last.get(partition)!.sequence })),
      deadLetters,
      published,
    };
  }

  #bury(position: LogPosition, kind: DeadLetterRow["kind"], reason: string, payload: string): DeadLetterRow {
    const at_ms = this.#options.now();
    return {
      id: derivedId("deadLetter", at_ms, position, 0),
      at_ms,
      kind,
      stream: this.#options.streamOf(position.partition),
      partition: position.partition,
      sequence: position.sequence,
      reason: storableText(reason),
      payload: storableText(payload, PAYLOAD_MAX),
    };
  }
}

const TIME_MAX_MS = 8.64e15;

/** Why a report can never take effect; null for one that can. */
function faultOf({ messageId, providerId, at }: ReportEntry): string | null {
  if (messageId === undefined && providerId === undefined) return "the report names no message";
  return Number.isInteger(at) && at >= 0 && at <= TIME_MAX_MS ? null : `at: ${at} is no time`;
}

/** The report with its texts as the database can take them. */
function storable(report: ReportEntry): ReportEntry {
  const { channelId, messageId, providerId, error } = report;
  return {
    ...report,
    channelId: storableText(channelId),
    ...(messageId === undefined ? {} : { messageId: storableText(messageId) }),
    ...(providerId === undefined ? {} : { providerId: storableText(providerId) }),
    ...(error === undefined ? {} : {
      error: {
        class: storableText(error.class),
        ...(error.providerCode === undefined ? {} : { providerCode: storableText(error.providerCode) }),
        reason: storableText(error.reason),
      },
    }),
  };
}

/**
 * Sorts in the order of the log, and is the same when the entry is applied again; that of another entry which has the
 * same place since an older copy of the log was restored is another one.
 */
function pendingId({ partition, sequence, entry }: LogPosition, stored: string): string {
  const place = [partition, sequence, entry].map((part, index) =>
    part.toString(32).padStart([2, 10, 3][index]!, "0")
  );
  return [...place, stored].join("_");
}
