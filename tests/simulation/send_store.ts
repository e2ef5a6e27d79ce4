/**
 * The simulated {@link SendStore}; the real one is `adapters/postgres/send_statements.ts`.
 *
 * @module
 */
import type { MessageRow, StatusStep } from "../../core/message.ts";
import { ALL_NUMBERS, CONFIRMATION_AUTHOR } from "../../core/opt_out/opt_out.ts";
import type {
  ClaimAnswer,
  ClaimItem,
  DayUsage,
  LaneFence,
  LoadRequest,
  MoveItem,
  RecordBatch,
  RecoveryPolicy,
  SendStore,
  WriteAnswer,
} from "../../core/ports/send_store.ts";
import { dueSince, type QueuedMessage, retryAtOf } from "../../core/send/queued_message.ts";
import type { AtOnce, Tables } from "./tables.ts";

const isUnsent = ({ status }: MessageRow) => status === "queued" || status === "sending";
const isHeld = ({ status, uncertain }: MessageRow) => status === "sending" && uncertain;
const byId = (a: { readonly id: string }, b: { readonly id: string }) => a.id < b.id ? -1 : 1;

export class SimulatedSends implements AtOnce<SendStore> {
  constructor(private readonly tables: Tables) {}

  get #outbound(): MessageRow[] {
    return [...this.tables.messages.values()].filter(({ direction }) => direction === "outbound");
  }

  loadQueued(requests: readonly LoadRequest[], known: readonly string[], dueByMs: number): QueuedMessage[] {
    return requests.flatMap(({ channelId, priority, max }) =>
      this.#outbound.filter((row) =>
        row.channel_id === channelId && row.priority === priority && row.status === "queued" &&
        (row.not_before_ms ?? 0) <= dueByMs && retryAtOf(row) <= dueByMs && !known.includes(row.id)
      ).sort(byId).slice(0, max)
    );
  }

  loadConversations(conversations: readonly string[], max: number, nowMs: number): QueuedMessage[] {
    return conversations.flatMap((id) =>
      this.#outbound.filter((row) =>
        row.conversation_id === id && row.status === "queued" && (row.not_before_ms ?? 0) <= nowMs
      ).sort((a, b) => a.position - b.position).slice(0, max)
    );
  }

  loadHeld(
    channels: readonly { readonly channelId: string; readonly dueBeforeMs: number }[],
    max: number,
  ): QueuedMessage[] {
    return this.#outbound.filter((row) =>
      isHeld(row) &&
      channels.some(({ channelId, dueBeforeMs }) =>
        row.channel_id === channelId && Math.max(row.created_ms, row.not_before_ms ?? 0) < dueBeforeMs
      )
    ).slice(0, max);
  }

  oldestDueMs(channels: readonly string[], nowMs: number): number | null {
    const due = this.#outbound.filter((row) =>
      channels.includes(row.channel_id) && row.status === "queued" && (row.not_before_ms ?? 0) <= nowMs
    ).map(dueSince);
    return due.length === 0 ? null : Math.min(...due);
  }

  loadUsage(): ReadonlyMap<string, DayUsage> {
    return new Map();
  }

  recover(lanes: readonly LaneFence[], policies: readonly RecoveryPolicy[], nowMs: number) {
    const counts = { requeue: 0, resend: 0, hold: 0 };
    const held = this.#held(lanes);
    for (const { channelId, lane, policy } of policies) {
      if (!held.has(lane)) continue;
      for (const row of this.#outbound) {
        if (row.channel_id !== channelId || row.status !== "sending") continue;
        if (policy === "hold" && row.uncertain) continue;
        counts[policy]++;
        const isForgotten = this.tables.mistake === "forgets-uncertain" || policy === "requeue";
        const status = policy === "hold" && !isForgotten ? "sending" : "queued";
        const reason = isForgotten
          ? "the result of the last try was lost"
          : "uncertain: the result of the last try was lost";
        this.#change(
          row,
          {
            status,
            uncertain: !isForgotten,
            error: status === "sending" ? { class: "unknown", reason } : row.error,
          },
          { status, at: rfc3339(nowMs), reason },
          nowMs,
        );
      }
    }
    return counts;
  }

  claim(lanes: readonly LaneFence[], items: readonly ClaimItem[], nowMs: number): ClaimAnswer {
    const held = this.#held(lanes);
    const changed = new Set<string>();
    const optedOut = new Set(items.filter((item) => this.#isBarred(item)).map(({ id }) => id));
    // A statement sees what was there before it: a claim never makes way for another one of the same statement.
    const mayGo = items.filter(({ id, lane, channel_id, attempts }) => {
      const row = this.tables.messages.get(id);
      if (
        row === undefined || row.channel_id !== channel_id || optedOut.has(id) || !held.has(lane) ||
        (row.not_before_ms ?? 0) > nowMs
      ) return false;
      const isWaiting = row.status === "queued" && row.attempts === attempts;
      const isRepeated = row.status === "sending" && !row.uncertain && row.attempts === attempts + 1;
      return (isWaiting || isRepeated) &&
        !this.#outbound.some((earlier) =>
          earlier.conversation_id === row.conversation_id && earlier.position < row.position &&
          isUnsent(earlier) &&
          !isHeld(earlier) && (earlier.not_before_ms ?? 0) <= nowMs
        );
    });
    for (const { id, attempts } of mayGo) {
      const row = this.tables.messages.get(id)!;
      const step: StatusStep | null = row.status === "queued"
        ? { status: "sending", at: rfc3339(nowMs) }
        : null;
      this.#change(row, { status: "sending", attempts: attempts + 1, uncertain: false }, step, nowMs);
      changed.add(id);
    }
    return { held, changed, optedOut };
  }

  move(lanes: readonly LaneFence[], items: readonly MoveItem[], nowMs: number): WriteAnswer {
    const held = this.#held(lanes);
    const changed = new Set<string>();
    for (
      const { id, lane, channel_id, attempts, to_channel_id, number_id, number, encoding, segments, step }
        of items
    ) {
      const row = this.tables.messages.get(id);
      if (row?.status !== "queued" || !held.has(lane) || row.channel_id !== channel_id) continue;
      if (row.uncertain || row.attempts !== attempts) continue;
      const change = { channel_id: to_channel_id, number_id, number, encoding, segments, error: null };
      this.#change(row, change, step, nowMs);
      changed.add(id);
    }
    return { held, changed };
  }

  record({ lanes, rows, published, nowMs }: RecordBatch): WriteAnswer {
    const { tables } = this;
    const held = this.#held(lanes);
    const changed = new Set<string>();
    const sequences = new Map(lanes.map(({ lane, sequence }) => [lane, sequence]));
    // What the statement deletes it does not see added.
    tables.forget("send", new Map([...published].filter(([lane]) => held.has(lane))));
    for (const row of rows) {
      const message = tables.messages.get(row.id);
      const isRepeat = tables.mistake === "counts-repeats" && message?.status === row.status;
      if (message === undefined || !held.has(row.lane) || message.channel_id !== row.channel_id) continue;
      if (isRepeat && row.status === "sent") this.#count(message, row.status);
      if (!isUnsent(message)) continue;
      const isBack = row.status === "queued" || row.status === "sending";
      if (isBack && (message.status !== "sending" || message.attempts !== row.claimed)) continue;
      this.#change(
        message,
        {
          status: row.status,
          attempts: row.attempts,
          provider_id: row.provider_id ?? message.provider_id,
          uncertain: row.uncertain,
          error: row.error,
        },
        row.step,
        nowMs,
      );
      changed.add(row.id);
      this.#count(message, row.status);
    }
    for (const [lane, sequence] of sequences) {
      const events = rows.flatMap((row) =>
        row.lane === lane && changed.has(row.id) && row.event !== null ? [row.event] : []
      );
      if (events.length === 0 || tables.outbox.has(`send ${lane} ${sequence}`)) continue;
      tables.addOutbox({ kind: "send", partition: lane, sequence, payload: { events } });
    }
    return { held, changed };
  }

  addProviderIds(ids: readonly { readonly id: string; readonly provider_id: string }[]): void {
    for (const { id, provider_id } of ids) {
      const row = this.tables.messages.get(id);
      if (row?.provider_id === null) this.tables.messages.set(id, { ...row, provider_id });
    }
  }

  #isBarred({ id, conversation_id, number, contact }: ClaimItem): boolean {
    if (this.tables.mistake === "ignores-opt-outs") return false;
    const author = this.tables.messages.get(id)?.author;
    if (author?.kind === CONFIRMATION_AUTHOR.kind && author.id === CONFIRMATION_AUTHOR.id) return false;
    const numbers = [number, ALL_NUMBERS, this.tables.conversations.get(conversation_id)?.number];
    return numbers.some((one) => this.tables.optOuts.has(`${contact} ${one}`));
  }

  #held(lanes: readonly LaneFence[]): ReadonlySet<number> {
    return new Set(
      lanes.filter(({ lane, epoch }) => this.tables.holds("send", lane, epoch)).map(({ lane }) => lane),
    );
  }

  #change(row: MessageRow, change: Partial<MessageRow>, step: StatusStep | null, nowMs: number): void {
    this.tables.messages.set(row.id, {
      ...row,
      ...change,
      history: step === null ? row.history : [...row.history, step],
      updated_ms: Math.max(row.updated_ms, nowMs),
    });
  }

  #count({ channel_id, number, segments }: MessageRow, status: string): void {
    if (status === "sent") this.tables.count(channel_id, number, { sent: 1, segmentsOut: segments });
    if (status === "failed" || status === "expired") this.tables.count(channel_id, number, { failed: 1 });
  }
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}
