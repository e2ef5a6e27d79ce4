/**
 * Messages as the API reads them, and the one change it makes to them.
 *
 * @module
 */
import { type SelectQueryBuilder, sql } from "kysely";
import type { MessageRow } from "../../core/message.ts";
import type { MessageFilter, MessageQueries, NewestFirst, Viewer } from "../../core/ports/runtime_queries.ts";
import type { Database } from "./database.ts";
import { conversationsOf, idFloor } from "./newest_first.ts";
import type { Schema } from "./schema.ts";

type Query = SelectQueryBuilder<Schema, "messages", MessageRow>;

export class PostgresMessageQueries implements MessageQueries {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async list(filter: MessageFilter, viewer: Viewer, page: NewestFirst): Promise<MessageRow[]> {
    const filtered = seenBy(this.#filtered(filter, page), viewer);
    if (filter.contact === undefined) return await filtered.orderBy("id", "desc").limit(page.limit).execute();
    const conversations = await conversationsOf(this.#db, filter.contact, filter.number);
    if (conversations.length === 0) return [];
    // Gathered first: sorted by id at once, the planner would walk back through everybody's messages.
    return await this.#db
      .with(
        (cte) => cte("of_contact").materialized(),
        () => filtered.where("conversation_id", "in", conversations),
      )
      .selectFrom("of_contact").selectAll().orderBy("id", "desc").limit(page.limit).execute();
  }

  async get(id: string): Promise<MessageRow | undefined> {
    return await this.#db.selectFrom("messages").selectAll().where("id", "=", id).executeTakeFirst();
  }

  async cancel(id: string, atMs: number, by: string): Promise<MessageRow | undefined> {
    const step = sql<MessageRow["history"]>`history || jsonb_build_array(jsonb_build_object(
      'status', 'cancelled', 'at', ${new Date(atMs).toISOString()}::text, 'reason', ${by}::text))`;
    return await this.#db.updateTable("messages")
      .set({ status: "cancelled", history: step, updated_ms: atMs })
      .where("id", "=", id).where("status", "=", "queued")
      .returningAll().executeTakeFirst();
  }

  #filtered(filter: MessageFilter, page: NewestFirst): Query {
    let query: Query = this.#db.selectFrom("messages").selectAll();
    if (page.before !== undefined) query = query.where("id", "<", page.before);
    if (filter.fromMs !== undefined) query = query.where("id", ">=", idFloor("message", filter.fromMs));
    if (filter.toMs !== undefined) query = query.where("id", "<", idFloor("message", filter.toMs));
    if (filter.channelId !== undefined) query = query.where("channel_id", "=", filter.channelId);
    if (filter.number !== undefined) query = query.where("number", "=", filter.number);
    if (filter.status !== undefined) query = query.where("status", "=", filter.status);
    if (filter.direction !== undefined) query = query.where("direction", "=", filter.direction);
    // As words of the statement, not as a value: the index of the uncertain ones is partial.
    if (filter.uncertain !== undefined) {
      query = query.where(filter.uncertain ? sql<boolean>`uncertain` : sql<boolean>`not uncertain`);
    }
    return query;
  }
}

function seenBy(query: Query, viewer: Viewer): Query {
  switch (viewer.kind) {
    case "all":
      return query;
    case "extension":
      return query.where("extension_id", "=", viewer.extensionId);
    case "platform":
      return query.where("platform_id", "=", viewer.platformId);
  }
}
