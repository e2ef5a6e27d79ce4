/**
 * Matches delivery reports that came before their message's provider id was stored, or before the message was
 * known at all; gives up after three days.
 *
 * Its outbox rows stand beside those of the log's partitions, under numbers of their own: the lanes clear
 * theirs by log sequence, and these have none.
 *
 * @module
 */
import { derivedId } from "../ids.ts";
import { addPublished, type OutboxRow, type PublishedRows } from "../outbox.ts";
import { firstSequence } from "../outbox_sequence.ts";
import type { DeadLetterRow } from "../ports/conversation_store.ts";
import type { PartitionStore } from "../ports/partition_store.ts";
import type { PendingReport, StatusCommit, StatusStore } from "../ports/status_store.ts";
import { StatusDraft } from "./status_draft.ts";

export interface PendingMatcherOptions {
  readonly store: StatusStore;
  readonly partitions: PartitionStore;
  /** The status partitions that are ours now. */
  readonly owned: () => readonly { readonly partition: number; readonly epoch: number }[];
  /** Resolves when everything in the row is published. */
  readonly publish: (row: OutboxRow) => Promise<void>;
  readonly streamOf: (partition: number) => string;
  readonly onDeadLetter?: (letter: DeadLetterRow) => void;
  /** Wall clock, ms since 1970. */
  readonly now: () => number;
}

const OUTBOX_OFFSET = 1_000;
const KEPT_MS = 72 * 3_600_000;
/** Most reports find their message within seconds; older ones are looked through less often. */
const RECENT_MS = 60_000;
const FULL_EVERY_RUNS = 60;
const PAGE_MAX = 500;

export class PendingMatcher {
  readonly #options: PendingMatcherOptions;
  readonly #sequences = new Map<number, number>();
  #runs = 0;

  constructor(options: PendingMatcherOptions) {
    this.#options = options;
  }

  /** Matches what can be matched; to be run every second or so, never twice at once. Resolves with how many reports were settled. */
  async run(): Promise<number> {
    const owned = this.#options.owned();
    if (owned.length === 0) return 0;
    await this.#publishLeft(owned.map(({ partition }) => partition));
    const isFull = this.#runs++ % FULL_EVERY_RUNS === 0;
    const nowMs = this.#options.now();
    let settled = 0;
    for (;;) {
      const page = await this.#options.store.loadPending(
        owned.map(({ partition }) => partition),
        isFull ? 0 : nowMs - RECENT_MS,
        nowMs - KEPT_MS,
        PAGE_MAX,
      );
      if (page.length > 0 && await this.#settle(page, nowMs)) settled += page.length;
      if (page.length < PAGE_MAX) return settled;
    }
  }

  async #settle(page: readonly PendingReport[], nowMs: number): Promise<boolean> {
    const { store, owned, publish, onDeadLetter } = this.#options;
    const epochs = new Map(owned().map(({ partition, epoch }) => [partition, epoch]));
    const draft = new StatusDraft(await store.load(page.map(({ entry }) => entry)));
    const unknown = page.filter(({ partition, entry }) => !draft.apply(partition, entry));
    const expired = unknown.filter(({ at_ms }) => at_ms < nowMs - KEPT_MS);
    const commit: StatusCommit = {
      partitions: [...new Set(page.map(({ partition }) => partition))]
        .map((partition) => ({ partition, epoch: epochs.get(partition) ?? -1, cursor: null, stored: null })),
      updates: draft.updates,
      pending: [],
      settled: page.filter((report) => !unknown.includes(report) || expired.includes(report)).map(({ id }) =>
        id
      ),
      statistics: draft.statistics,
      outbox: draft.outbox((partition) => ({
        partition: OUTBOX_OFFSET + partition,
        sequence: Math.max(this.#sequences.get(partition) ?? 0, firstSequence(epochs.get(partition) ?? 0)) +
          1,
      })),
      deadLetters: expired.map((report) => this.#bury(report, nowMs)),
      published: new Map(),
    };
    if (await store.commit(commit) !== "committed") return false;
    for (const letter of commit.deadLetters) onDeadLetter?.(letter);
    for (const row of commit.outbox) {
      this.#sequences.set(row.partition - OUTBOX_OFFSET, row.sequence);
      await publish(row);
    }
    await this.#clear(commit.outbox);
    return true;
  }

  /** What was committed and not published, by this process or a former owner. */
  async #publishLeft(partitions: readonly number[]): Promise<void> {
    const { partitions: store, publish } = this.#options;
    const rows = await store.loadOutbox("status", partitions.map((partition) => OUTBOX_OFFSET + partition));
    for (const row of rows) await publish(row);
    await this.#clear(rows);
  }

  async #clear(rows: readonly OutboxRow[]): Promise<void> {
    if (rows.length === 0) return;
    const published = new Map<number, PublishedRows>();
    for (const { partition, sequence } of rows) {
      addPublished(published, partition, { first: sequence, last: sequence });
    }
    await this.#options.partitions.clearOutbox("status", published);
  }

  #bury(report: PendingReport, nowMs: number): DeadLetterRow {
    const [, sequence = "0", entry = "0"] = report.id.split("_");
    const position = {
      partition: report.partition,
      sequence: parseInt(sequence, 32),
      entry: parseInt(entry, 32),
    };
    return {
      id: derivedId("deadLetter", nowMs, position, 0),
      at_ms: nowMs,
      kind: "unappliable",
      stream: this.#options.streamOf(report.partition),
      partition: report.partition,
      sequence: position.sequence,
      reason: "no message with this id became known in 72 hours",
      payload: JSON.stringify(report.entry),
    };
  }
}
