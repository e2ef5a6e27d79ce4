/**
 * Extensions and message queues as rows.
 *
 * @module
 */
import { sql } from "kysely";
import { distributionOf } from "../../core/configuration/queues.ts";
import { type Distribution, DistributionSchema } from "../../core/dispatch/settings.ts";
import type { ExtensionRecord, QueueRecord } from "../../core/ports/configuration.ts";
import { changeableRows, type Executor } from "./configuration_rows.ts";

export function extensionRows(db: Executor) {
  const values = (row: ExtensionRecord) => ({
    id: row.id,
    extension: row.extension,
    name: row.name,
    capacity: row.capacity,
    skills: row.skills,
    canned_only: row.cannedOnly,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
  });
  return changeableRows<ExtensionRecord>({
    select: async ({ id, key, after, limit }) => {
      let query = db.selectFrom("extensions").selectAll().orderBy("id").limit(limit);
      if (id !== undefined) query = query.where("id", "=", id);
      if (key !== undefined) query = query.where("extension", "=", key);
      if (after !== undefined) query = query.where("id", ">", after);
      const rows = await query.execute();
      return rows.map((row) => ({
        id: row.id,
        extension: row.extension,
        name: row.name,
        capacity: row.capacity,
        skills: row.skills,
        cannedOnly: row.canned_only,
        createdAt: row.created_at,
        updatedAt: row.updated_at,
      }));
    },
    insert: async (row) => void await db.insertInto("extensions").values(values(row)).execute(),
    update: async (row) =>
      void await db.updateTable("extensions").set(values(row)).where("id", "=", row.id).execute(),
    remove: async (id) => void await db.deleteFrom("extensions").where("id", "=", id).execute(),
  });
}

/** How a queue gives out its work; rows from before the settings existed have the defaults. */
export function distributionOfRow(
  row: { readonly strategy: string; readonly distribution: unknown },
): Distribution {
  return DistributionSchema.parse({ ...row.distribution as object, strategy: row.strategy });
}

export function queueRows(db: Executor) {
  const values = (row: QueueRecord) => ({
    id: row.id,
    name: row.name,
    strategy: row.strategy,
    distribution: { ...distributionOf(row), strategy: undefined },
    calendar_id: row.calendarId,
    texts: row.texts,
    in_call: row.inCall,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
  });
  const writeMembers = async (row: QueueRecord) => {
    await db.deleteFrom("queue_members").where("queue_id", "=", row.id).execute();
    if (row.members.length === 0) return;
    await db.insertInto("queue_members")
      .values(row.members.map((extensionId) => ({ queue_id: row.id, extension_id: extensionId }))).execute();
  };
  return changeableRows<QueueRecord>({
    select: async ({ id, key, after, limit }) => {
      let query = db.selectFrom("queues").selectAll().select(
        sql<string[]>`coalesce((select jsonb_agg(extension_id order by extension_id) from queue_members
          where queue_id = queues.id), '[]')`.as("members"),
      ).orderBy("id").limit(limit);
      if (id !== undefined) query = query.where("id", "=", id);
      if (key !== undefined) query = query.where("name", "=", key);
      if (after !== undefined) query = query.where("id", ">", after);
      const rows = await query.execute();
      return rows.map((row) => ({
        id: row.id,
        name: row.name,
        ...distributionOfRow(row),
        members: row.members,
        calendarId: row.calendar_id,
        texts: row.texts,
        inCall: row.in_call,
        createdAt: row.created_at,
        updatedAt: row.updated_at,
      }));
    },
    insert: async (row) => {
      await db.insertInto("queues").values(values(row)).execute();
      await writeMembers(row);
    },
    update: async (row) => {
      await db.updateTable("queues").set(values(row)).where("id", "=", row.id).execute();
      await writeMembers(row);
    },
    remove: async (id) => void await db.deleteFrom("queues").where("id", "=", id).execute(),
  });
}
