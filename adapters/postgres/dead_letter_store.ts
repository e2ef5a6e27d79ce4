/**
 * Dead letters as rows.
 *
 * @module
 */
import { sql } from "kysely";
import type { DeadLetterRow } from "../../core/ports/conversation_store.ts";
import type { DeadLetterStore, StoredDeadLetter } from "../../core/ports/dead_letters.ts";
import type { NewestFirst } from "../../core/ports/runtime_queries.ts";
import type { Database } from "./database.ts";

export class PostgresDeadLetterStore implements DeadLetterStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async list(kind: DeadLetterRow["kind"] | undefined, page: NewestFirst) {
    let query = this.#db.selectFrom("dead_letters")
      .select(["id", "at_ms", "kind", "stream", "partition", "sequence", "reason", "replayed_at"])
      .select(sql<number>`octet_length(payload)`.as("payloadBytes"))
      .orderBy("id", "desc").limit(page.limit);
    if (kind !== undefined) query = query.where("kind", "=", kind);
    if (page.before !== undefined) query = query.where("id", "<", page.before);
    const rows = await query.execute();
    return rows.map((row) => ({ ...row, kind: row.kind as DeadLetterRow["kind"] }));
  }

  async get(id: string): Promise<StoredDeadLetter | undefined> {
    const row = await this.#db.selectFrom("dead_letters").selectAll().where("id", "=", id).executeTakeFirst();
    return row && { ...row, kind: row.kind as DeadLetterRow["kind"] };
  }

  async markReplayed(id: string, at: Date): Promise<boolean> {
    const row = await this.#db.updateTable("dead_letters").set({ replayed_at: at })
      .where("id", "=", id).where("replayed_at", "is", null)
      .returning("id").executeTakeFirst();
    return row !== undefined;
  }

  async add(letter: DeadLetterRow): Promise<void> {
    await this.#db.insertInto("dead_letters").values({ ...letter, replayed_at: null })
      .onConflict((conflict) => conflict.column("id").doNothing()).execute();
  }
}
