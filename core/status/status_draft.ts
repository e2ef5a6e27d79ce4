/**
 * A batch of delivery reports being applied in memory.
 *
 * @module
 */
import type { ReportEntry } from "../entry.ts";
import type { PatchbayEvent } from "../events.ts";
import type { MessageStatus, StatusStep } from "../message.ts";
import type { OutboxRow } from "../outbox.ts";
import {
  type LoadedMessages,
  providerKey,
  type StatusCounts,
  type StatusUpdate,
} from "../ports/status_store.ts";
import { applyReport, type ReportCounts, type ReportedMessage } from "./report.ts";

const HOUR_MS = 3_600_000;
/** Keeps the status writer's counters apart from the routing lanes' and the send lanes'. */
const SHARD_BASE = 2_000;

interface Drafted {
  message: ReportedMessage;
  readonly expected: MessageStatus;
  readonly steps: StatusStep[];
  atMs: number;
}

export class StatusDraft {
  readonly #loaded: LoadedMessages;
  readonly #drafted = new Map<string, Drafted>();
  readonly #events = new Map<number, PatchbayEvent[]>();
  readonly #counts = new Map<string, StatusCounts>();

  constructor(loaded: LoadedMessages) {
    this.#loaded = loaded;
  }

  /** Applies a report that came in over `partition`. False when its message is not known. */
  apply(partition: number, report: ReportEntry): boolean {
    const found = this.#find(report);
    if (found === undefined) return false;
    const drafted = this.#drafted.get(found.id);
    const message = drafted?.message ?? found;
    const change = applyReport(message, report);
    if (change === null) return true;
    if (drafted === undefined) {
      this.#drafted.set(found.id, {
        message: change.message,
        expected: found.status,
        steps: [...change.steps],
        atMs: report.at,
      });
    } else {
      drafted.message = change.message;
      drafted.steps.push(...change.steps);
      drafted.atMs = Math.max(drafted.atMs, report.at);
    }
    const events = this.#events.get(partition);
    if (events === undefined) this.#events.set(partition, [...change.events]);
    else events.push(...change.events);
    this.#count(partition, message, report.at, change.counts);
    return true;
  }

  get updates(): StatusUpdate[] {
    return [...this.#drafted].map(([id, { message, expected, steps, atMs }]) => ({
      id,
      expected,
      status: message.status,
      provider_id: message.provider_id,
      uncertain: message.uncertain,
      error: message.error,
      steps,
      at_ms: atMs,
    }));
  }

  get statistics(): StatusCounts[] {
    return [...this.#counts.values()];
  }

  /** One outbox row for each partition with events. */
  outbox(place: (partition: number) => Pick<OutboxRow, "partition" | "sequence">): OutboxRow[] {
    return [...this.#events].filter(([, events]) => events.length > 0)
      .map(([partition, events]) => ({ kind: "status", ...place(partition), payload: { events } }));
  }

  #find({ channelId, messageId, providerId }: ReportEntry): ReportedMessage | undefined {
    const own = messageId === undefined ? undefined : this.#loaded.byId.get(messageId);
    // An id of another channel's message proves nothing.
    if (own?.channel_id === channelId) return own;
    return providerId === undefined
      ? undefined
      : this.#loaded.byProviderId.get(providerKey(channelId, providerId));
  }

  #count(partition: number, message: ReportedMessage, atMs: number, counts: ReportCounts): void {
    if (counts.sent + counts.delivered + counts.failed === 0) return;
    const { channel_id, number } = message;
    const hour_ms = atMs - atMs % HOUR_MS;
    const key = `${channel_id} ${number} ${hour_ms} ${partition}`;
    const row = this.#counts.get(key);
    this.#counts.set(key, {
      channel_id,
      number,
      hour_ms,
      shard: SHARD_BASE + partition,
      sent: (row?.sent ?? 0) + counts.sent,
      delivered: (row?.delivered ?? 0) + counts.delivered,
      failed: (row?.failed ?? 0) + counts.failed,
      segments_out: (row?.segments_out ?? 0) + counts.segments_out,
    });
  }
}
