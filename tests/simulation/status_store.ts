/**
 * The simulated {@link StatusStore}; the real one is `adapters/postgres/status_store.ts`.
 *
 * @module
 */
import type { ReportEntry } from "../../core/entry.ts";
import type { MessageRow } from "../../core/message.ts";
import {
  type LoadedMessages,
  type PendingReport,
  providerKey,
  type StatusCommit,
  type StatusStore,
} from "../../core/ports/status_store.ts";
import { type AtOnce, outboxKey, type Tables } from "./tables.ts";

export class SimulatedStatuses implements AtOnce<StatusStore> {
  constructor(private readonly tables: Tables) {}

  load(reports: readonly ReportEntry[]): LoadedMessages {
    const byId = new Map<string, MessageRow>();
    const byProviderId = new Map<string, MessageRow>();
    for (const { channelId, messageId, providerId } of reports) {
      const own = messageId === undefined ? undefined : this.tables.messages.get(messageId);
      if (own?.direction === "outbound") byId.set(own.id, own);
      const found = providerId === undefined ? undefined : this.#ofProvider(channelId, providerId);
      if (found !== undefined) byProviderId.set(providerKey(channelId, providerId!), found);
    }
    return { byId, byProviderId };
  }

  commit(commit: StatusCommit): "committed" | "fenced" | "stale" {
    const { tables } = this;
    if (!commit.partitions.every(({ partition, epoch }) => tables.holds("status", partition, epoch))) {
      return "fenced";
    }
    if (!commit.updates.every(({ id, expected }) => tables.messages.get(id)?.status === expected)) {
      return "stale";
    }
    const repeated = commit.outbox.map(outboxKey).find((key) => tables.outbox.has(key)) ??
      commit.deadLetters.find(({ id }) => tables.deadLetters.has(id))?.id;
    if (repeated !== undefined) throw new Error(`there is a row ${repeated} already`);
    for (const { partition, cursor, stored } of commit.partitions) {
      if (cursor === null) continue;
      tables.change(tables.partition("status", partition), { cursor, cursorStored: stored });
    }
    for (const { id, status, provider_id, uncertain, error, steps, at_ms } of commit.updates) {
      const row = tables.messages.get(id)!;
      tables.messages.set(id, {
        ...row,
        status,
        provider_id: row.provider_id ?? provider_id,
        uncertain,
        error,
        history: [...row.history, ...steps],
        updated_ms: Math.max(row.updated_ms, at_ms),
      });
    }
    for (const report of commit.pending) {
      if (!tables.pending.has(report.id)) tables.pending.set(report.id, report);
    }
    for (const id of commit.settled) tables.pending.delete(id);
    for (const { channel_id, number, sent, delivered, failed, segments_out } of commit.statistics) {
      tables.count(channel_id, number, { sent, delivered, failed, segmentsOut: segments_out });
    }
    tables.forget("status", commit.published);
    for (const row of commit.outbox) tables.addOutbox(row);
    for (const row of commit.deadLetters) tables.deadLetters.set(row.id, row);
    return "committed";
  }

  loadPending(
    partitions: readonly number[],
    sinceMs: number,
    expiredMs: number,
    max: number,
  ): PendingReport[] {
    return [...this.tables.pending.values()].filter(({ partition, at_ms, entry }) =>
      partitions.includes(partition) && (at_ms < expiredMs || (at_ms >= sinceMs && this.isKnown(entry)))
    ).sort((a, b) => a.partition - b.partition || (a.id < b.id ? -1 : 1)).slice(0, max);
  }

  /** Whether the report's message can be found: others wait for their time to be over. */
  isKnown({ channelId, messageId, providerId }: ReportEntry): boolean {
    const own = messageId === undefined ? undefined : this.tables.messages.get(messageId);
    return (own?.direction === "outbound" && own.channel_id === channelId) ||
      (providerId !== undefined && this.#ofProvider(channelId, providerId) !== undefined);
  }

  #ofProvider(channelId: string, providerId: string): MessageRow | undefined {
    return [...this.tables.messages.values()].filter((row) =>
      row.provider_id === providerId && row.direction === "outbound" && row.channel_id === channelId
    ).sort((a, b) => a.id < b.id ? 1 : -1)[0];
  }
}
