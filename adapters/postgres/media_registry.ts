/**
 * What files are kept, for the API: the table `media` by its ids.
 *
 * @module
 */
import type { BeginResult, KeptMedia, MediaRegistry, NewUpload } from "../../core/ports/media_registry.ts";
import type { Sql } from "./database.ts";

export class PostgresMediaRegistry implements MediaRegistry {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async get(id: string, nowMs: number): Promise<KeptMedia | null> {
    const [row] = await this.#sql<KeptMedia[]>`
      select ${this.#columns()} from media where id = ${id} and state = 'ready' and expires_ms > ${nowMs}`;
    return row ?? null;
  }

  async begin(upload: NewUpload): Promise<BeginResult> {
    const { id, author, uploadKey, createdMs, dueMs } = upload;
    // The key of one that was deleted since is free again.
    await this.#sql`
      update media set upload_key = null
      where upload_key = ${uploadKey} and (state = 'deleted' or (state = 'ready' and expires_ms <= ${createdMs}))`;
    const made = await this.#sql`
      insert into media (id, state, author, upload_key, created_ms, due_ms)
      values (${id}, 'uploading', ${author}, ${uploadKey}, ${createdMs}, ${dueMs})
      on conflict (upload_key) do nothing`;
    if (made.count === 1) return { kind: "begun" };
    const [media] = await this.#sql<KeptMedia[]>`
      select ${this.#columns()} from media where upload_key = ${uploadKey} and state = 'ready'`;
    return media === undefined ? { kind: "under-way" } : { kind: "there", media };
  }

  async touch(id: string, dueMs: number): Promise<void> {
    await this.#sql`update media set due_ms = ${dueMs} where id = ${id} and state = 'uploading'`;
  }

  async finish({ id, contentType, sizeBytes, expiresMs }: KeptMedia): Promise<boolean> {
    const done = await this.#sql`
      update media set state = 'ready', content_type = ${contentType}, size_bytes = ${sizeBytes},
        expires_ms = ${expiresMs}, due_ms = ${expiresMs}
      where id = ${id} and state = 'uploading'`;
    return done.count === 1;
  }

  async abandon(id: string, nowMs: number): Promise<void> {
    await this.#sql`update media set due_ms = ${nowMs} where id = ${id} and state = 'uploading'`;
  }

  async keepUntil(ids: readonly string[], untilMs: number, nowMs: number): Promise<KeptMedia[]> {
    return await this.#sql<KeptMedia[]>`
      update media set expires_ms = greatest(expires_ms, ${untilMs}), due_ms = greatest(due_ms, ${untilMs})
      where id = any(${ids as string[]}::text[]) and state = 'ready' and told and expires_ms > ${nowMs}
      returning ${this.#columns()}`;
  }

  #columns() {
    return this
      .#sql`id, content_type as "contentType", size_bytes as "sizeBytes", expires_ms as "expiresMs", author`;
  }
}
