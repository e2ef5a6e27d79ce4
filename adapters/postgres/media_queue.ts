/**
 * What has to be done about media: the table `media` as a queue.
 *
 * @module
 */
import type { MessageTold } from "../../core/about_message.ts";
import type { MediaClaim, MediaJob, MediaOutcome, MediaQueue } from "../../core/ports/media_queue.ts";
import { storableText } from "../../core/storable_text.ts";
import type { Sql } from "./database.ts";

interface ClaimedRow {
  readonly id: string;
  readonly message_id: string | null;
  readonly channel_id: string | null;
  readonly state: "pending" | "ready" | "failed" | "deleted";
  readonly source_url: string | null;
  readonly declared_type: string | null;
  readonly types: readonly string[] | null;
  readonly content_type: string | null;
  readonly size_bytes: number | null;
  readonly attempts: number;
  readonly error: string | null;
  readonly expires_ms: number | null;
  readonly created_ms: number;
}

const REASON_MAX = 300;

export class PostgresMediaQueue implements MediaQueue {
  readonly #sql: Sql;
  readonly #process: string;

  /** `process`: tells this run of this process from all others. */
  constructor(sql: Sql, process: string) {
    this.#sql = sql;
    this.#process = process;
  }

  async claim({ nowMs, untilMs, max, underWay, busyChannels }: MediaClaim): Promise<MediaJob[]> {
    // What expires is deleted from this moment on, also for those who would keep it longer.
    const rows = await this.#sql<ClaimedRow[]>`
      with due as (
        select id from media
        where due_ms <= ${nowMs} and id <> all(${underWay as string[]}::text[])
          and not (state = 'pending' and channel_id = any(${busyChannels as string[]}::text[]))
        order by due_ms limit ${max} for update skip locked
      )
      update media m set
        claim = ${this.#process},
        due_ms = ${untilMs},
        attempts = attempts + case when state = 'pending' then 1 else 0 end,
        state = case when state = 'uploading' or (state = 'ready' and told and expires_ms <= ${nowMs})
          then 'deleted' else state end
      from due where m.id = due.id
      returning m.id, m.message_id, m.channel_id, m.state, m.source_url, m.declared_type, m.types, m.content_type,
        m.size_bytes, m.attempts, m.error, m.expires_ms, m.created_ms`;
    return rows.map(jobOf);
  }

  async renew(ids: readonly string[], untilMs: number): Promise<void> {
    await this.#sql`
      update media set due_ms = ${untilMs} where claim = ${this.#process} and id = any(${ids as string[]}::text[])`;
  }

  async release(ids: readonly string[], nowMs: number): Promise<void> {
    await this.#sql`
      update media set due_ms = ${nowMs}, claim = null
      where claim = ${this.#process} and id = any(${ids as string[]}::text[])`;
  }

  async settle(id: string, outcome: MediaOutcome, nowMs: number): Promise<boolean> {
    const row = outcome.state === "ready" ? { ...outcome, reason: null } : {
      state: outcome.state,
      contentType: null,
      sizeBytes: null,
      expiresMs: null,
      reason: storableText(outcome.reason).slice(0, REASON_MAX),
    };
    const shown = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
    const rows = await this.#sql`
      with done as (
        update media set
          state = ${row.state}, content_type = ${row.contentType}, size_bytes = ${row.sizeBytes},
          expires_ms = ${row.expiresMs}, error = ${row.reason}, told = false
        where id = ${id} and claim = ${this.#process} and state = 'pending'
        returning id, message_id
      ), marked as (
        update messages m set
          media = (
            select jsonb_agg(
              case when e.value->>'id' = d.id then e.value || ${
      JSON.stringify(shown)
    }::text::jsonb else e.value end
              order by e.place)
            from jsonb_array_elements(m.media) with ordinality as e (value, place)),
          updated_ms = greatest(m.updated_ms, ${nowMs})
        from done d where m.id = d.message_id
      )
      select 1 from done`;
    return rows.length === 1;
  }

  async retry(id: string, dueMs: number, reason: string): Promise<void> {
    await this.#sql`
      update media set due_ms = ${dueMs}, claim = null, error = ${storableText(reason).slice(0, REASON_MAX)}
      where id = ${id} and claim = ${this.#process}`;
  }

  async told(id: string): Promise<void> {
    await this.#sql`
      update media set told = true, claim = null, due_ms = expires_ms
      where id = ${id} and claim = ${this.#process}`;
  }

  async removed(id: string): Promise<void> {
    await this.#sql`
      update media set due_ms = null, claim = null where id = ${id} and claim = ${this.#process}`;
  }

  async subject(messageId: string): Promise<MessageTold | null> {
    const [row] = await this.#sql<MessageTold[]>`
      select id, conversation_id, session_id, channel_id, number, contact, extension_id, queue_id,
        platform_id
      from messages where id = ${messageId}`;
    return row ?? null;
  }
}

function jobOf(row: ClaimedRow): MediaJob {
  const base = {
    id: row.id,
    messageId: row.message_id,
    channelId: row.channel_id,
    createdMs: row.created_ms,
  };
  switch (row.state) {
    case "pending":
      return {
        ...base,
        kind: "fetch",
        sourceUrl: row.source_url ?? "",
        declaredType: row.declared_type,
        types: row.types,
        attempts: row.attempts,
      };
    case "ready":
      return {
        ...base,
        kind: "tell",
        outcome: {
          state: "ready",
          contentType: row.content_type ?? "",
          sizeBytes: row.size_bytes ?? 0,
          expiresMs: row.expires_ms ?? 0,
        },
      };
    case "failed":
      return { ...base, kind: "tell", outcome: { state: "failed", reason: row.error ?? "" } };
    case "deleted":
      return { ...base, kind: "remove" };
  }
}
