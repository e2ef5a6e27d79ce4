/**
 * Sessions as the API reads them.
 *
 * @module
 */
import type { SelectQueryBuilder } from "kysely";
import type { MessageRow } from "../../core/message.ts";
import type { NewestFirst, SessionFilter, SessionQueries, Viewer } from "../../core/ports/runtime_queries.ts";
import type { SessionRow } from "../../core/session.ts";
import type { SessionNote } from "../../core/session_notes.ts";
import type { Database } from "./database.ts";
import { conversationsOf, idFloor } from "./newest_first.ts";
import type { Schema } from "./schema.ts";

type Query = SelectQueryBuilder<Schema, "sessions", SessionRow>;

export class PostgresSessionQueries implements SessionQueries {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async list(filter: SessionFilter, viewer: Viewer, page: NewestFirst): Promise<SessionRow[]> {
    return await this.#current(await this.#list(filter, viewer, page));
  }

  async get(id: string): Promise<SessionRow | undefined> {
    const row = await this.#db.selectFrom("sessions").selectAll().where("id", "=", id).executeTakeFirst();
    return row && (await this.#current([row]))[0];
  }

  async ofCall(callId: string): Promise<SessionRow | undefined> {
    const row = await this.#db.selectFrom("sessions").selectAll().where("call_id", "=", callId)
      .orderBy("id", "desc").limit(1).executeTakeFirst();
    return row && (await this.#current([row]))[0];
  }

  async #list(filter: SessionFilter, viewer: Viewer, page: NewestFirst): Promise<SessionRow[]> {
    const conversations = filter.contact === undefined
      ? undefined
      : await conversationsOf(this.#db, filter.contact, filter.number);
    if (conversations?.length === 0) return [];
    const base = this.#filtered(filter, conversations, page);
    switch (viewer.kind) {
      case "all":
        return await base.execute();
      case "platform":
        return await base.where("platform_id", "=", viewer.platformId).execute();
      case "extension": {
        const held = base.where("extension_id", "=", viewer.extensionId);
        if (viewer.queueIds.length === 0) return await held.execute();
        // Two index scans, each bounded by the page; one statement, so that a session that is accepted meanwhile
        // is in one of them. None is in both: what waits has no extension.
        const offered = base.where("state", "in", ["waiting", "offered"]).where("extension_id", "is", null)
          .where("queue_id", "in", viewer.queueIds);
        return await this.#db.selectFrom(held.as("held")).selectAll()
          .unionAll(this.#db.selectFrom(offered.as("offered")).selectAll())
          .orderBy("id", "desc").limit(page.limit).execute();
      }
    }
  }

  async messages(
    session: Pick<SessionRow, "id" | "conversation_id">,
    page: { readonly afterPosition: number; readonly limit: number },
  ): Promise<MessageRow[]> {
    return await this.#db.selectFrom("messages").selectAll()
      .where("conversation_id", "=", session.conversation_id)
      .where("session_id", "=", session.id)
      .where("position", ">", page.afterPosition)
      .orderBy("position").limit(page.limit).execute();
  }

  async notes(
    sessionId: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<SessionNote[]> {
    let query = this.#db.selectFrom("session_notes").selectAll().where("session_id", "=", sessionId)
      .orderBy("id").limit(page.limit);
    if (page.after !== undefined) query = query.where("id", ">", page.after);
    return await query.execute();
  }

  async note(id: string): Promise<SessionNote | undefined> {
    return await this.#db.selectFrom("session_notes").selectAll().where("id", "=", id).executeTakeFirst();
  }

  async inLine(queueId: string, most: number): Promise<number> {
    const rows = await this.#db.selectFrom("sessions").select("id").where("queue_id", "=", queueId)
      .where("state", "in", ["waiting", "offered"]).where("state", "<>", "closed").limit(most).execute();
    return rows.length;
  }

  /** With what every message moves, which open sessions have in their conversations. */
  async #current(rows: SessionRow[]): Promise<SessionRow[]> {
    const open = rows.filter(({ state }) => state !== "closed").map((row) => row.conversation_id);
    if (open.length === 0) return rows;
    const moved = await this.#db.selectFrom("conversations").select([
      "session_id",
      "last_activity_ms",
      "idle_ms",
    ])
      .where("id", "in", open).execute();
    const bySession = new Map(moved.map((conversation) => [conversation.session_id, conversation]));
    return rows.map((row) => {
      const conversation = bySession.get(row.id);
      if (conversation === undefined) return row;
      const { last_activity_ms, idle_ms } = conversation;
      return { ...row, last_activity_ms, idle_ms: idle_ms ?? row.idle_ms };
    });
  }

  #filtered(filter: SessionFilter, conversations: readonly string[] | undefined, page: NewestFirst): Query {
    let query: Query = this.#db.selectFrom("sessions").selectAll().orderBy("id", "desc").limit(page.limit);
    if (page.before !== undefined) query = query.where("id", "<", page.before);
    if (filter.fromMs !== undefined) query = query.where("id", ">=", idFloor("session", filter.fromMs));
    if (filter.toMs !== undefined) query = query.where("id", "<", idFloor("session", filter.toMs));
    // Written as the partial index `sessions_open` has it, so that the index is used.
    if (filter.state !== undefined) query = query.where("state", "=", filter.state);
    if (filter.state !== undefined && filter.state !== "closed") query = query.where("state", "<>", "closed");
    if (filter.states !== undefined) query = query.where("state", "in", filter.states);
    if (filter.kind !== undefined) query = query.where("kind", "=", filter.kind);
    if (filter.extensionId !== undefined) query = query.where("extension_id", "=", filter.extensionId);
    if (filter.queueId !== undefined) query = query.where("queue_id", "=", filter.queueId);
    if (filter.platformId !== undefined) query = query.where("platform_id", "=", filter.platformId);
    if (filter.number !== undefined) query = query.where("number", "=", filter.number);
    if (conversations !== undefined) query = query.where("conversation_id", "in", conversations);
    return query;
  }
}
