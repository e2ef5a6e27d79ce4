/**
 * The send queue in PostgreSQL.
 *
 * @module
 */
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
import type { QueuedMessage } from "../../core/send/queued_message.ts";
import { columnArrays, joinedJson } from "./column_arrays.ts";
import type { Sql } from "./database.ts";
import { asTexts, prepared, type TextParameter } from "./prepared.ts";
import { publishedJson } from "./published_rows.ts";
import {
  ADD_PROVIDER_IDS,
  CLAIM,
  ITEM,
  LOAD_CONVERSATIONS,
  LOAD_HELD,
  LOAD_QUEUED,
  LOAD_USAGE,
  MOVE,
  OLDEST_DUE,
  RECORD,
  RECOVER,
  RESULT,
} from "./send_statements.ts";

const HOUR_MS = 3_600_000;

const RECOVERY_REASONS: Readonly<Record<RecoveryPolicy["policy"], string>> = {
  requeue: "the result of the last try was lost; the provider recognises a repeat",
  resend: "uncertain: the result of the last try was lost, the provider may have it",
  hold: "uncertain: the result of the last try was lost, its delivery report is awaited",
};

interface AnswerRow {
  readonly held: number[];
  readonly changed: string[];
}

export class PostgresSendStore implements SendStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async loadQueued(requests: readonly LoadRequest[], known: readonly string[], dueByMs: number) {
    const wanted = requests.map(({ channelId, priority, max }) => ({ channel_id: channelId, priority, max }));
    return await this.#run<QueuedMessage>(LOAD_QUEUED, wanted, known, dueByMs, rfc3339(dueByMs));
  }

  async loadConversations(conversations: readonly string[], max: number, nowMs: number) {
    return await this.#run<QueuedMessage>(LOAD_CONVERSATIONS, conversations, max, nowMs);
  }

  async oldestDueMs(channels: readonly string[], nowMs: number): Promise<number | null> {
    const [row] = await this.#run<{ ms: number | null }>(OLDEST_DUE, channels, nowMs);
    return row?.ms ?? null;
  }

  async loadHeld(channels: readonly { channelId: string; dueBeforeMs: number }[], max: number) {
    const wanted = channels.map(({ channelId, dueBeforeMs }) => ({
      channel_id: channelId,
      before: dueBeforeMs,
    }));
    return await this.#run<QueuedMessage>(LOAD_HELD, wanted, max);
  }

  async loadUsage(channels: readonly string[], sinceMs: number): Promise<ReadonlyMap<string, DayUsage>> {
    const rows = await this.#run<DayUsage & { channel_id: string }>(LOAD_USAGE, channels, sinceMs);
    return new Map(rows.map(({ channel_id, messages, segments }) => [channel_id, { messages, segments }]));
  }

  async recover(lanes: readonly LaneFence[], policies: readonly RecoveryPolicy[], nowMs: number) {
    const wanted = policies.map(({ channelId, lane, policy }) => ({
      channel_id: channelId,
      lane,
      policy,
      reason: RECOVERY_REASONS[policy],
    }));
    const rows = await this.#run<{ policy: RecoveryPolicy["policy"]; count: number }>(
      RECOVER,
      lanes,
      wanted,
      nowMs,
      rfc3339(nowMs),
    );
    const counts = { requeue: 0, resend: 0, hold: 0 };
    for (const { policy, count } of rows) counts[policy] = count;
    return counts;
  }

  async claim(lanes: readonly LaneFence[], items: readonly ClaimItem[], nowMs: number): Promise<ClaimAnswer> {
    const step = { status: "sending", at: rfc3339(nowMs) };
    const rows = await this.#run<AnswerRow & { optedOut: string[] }>(
      CLAIM,
      lanes,
      nowMs,
      JSON.stringify(step),
      ...columnArrays(byId(items), ITEM),
    );
    return { ...answer(rows), optedOut: new Set(rows[0]?.optedOut) };
  }

  async move(lanes: readonly LaneFence[], items: readonly MoveItem[], nowMs: number): Promise<WriteAnswer> {
    return answer(await this.#run<AnswerRow>(MOVE, lanes, byId(items), nowMs));
  }

  async record({ lanes, rows, published, nowMs }: RecordBatch): Promise<WriteAnswer> {
    const sorted = byId(rows);
    return answer(
      await this.#run<AnswerRow>(
        RECORD,
        lanes,
        joinedJson(sorted.map(({ event }) => event)),
        nowMs,
        nowMs - nowMs % HOUR_MS,
        publishedJson(published),
        ...columnArrays(sorted, RESULT),
      ),
    );
  }

  async addProviderIds(ids: readonly { id: string; provider_id: string }[]): Promise<void> {
    await this.#run(ADD_PROVIDER_IDS, byId(ids));
  }

  async #run<Row>(
    statement: string,
    ...parameters: TextParameter[]
  ): Promise<Row[]> {
    return await prepared<Row>(this.#sql, statement, asTexts(parameters));
  }
}

function answer(rows: readonly AnswerRow[]): WriteAnswer {
  const row = rows[0];
  return { held: new Set(row?.held), changed: new Set(row?.changed) };
}

/** Sorted, so that everybody locks rows in the same order. */
function byId<T extends { readonly id: string }>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}
