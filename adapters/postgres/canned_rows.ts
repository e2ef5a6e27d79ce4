/**
 * Canned texts as rows.
 *
 * @module
 */
import type { Selectable } from "kysely";
import { cannedKey } from "../../core/configuration/canned.ts";
import type { CannedRecord, ConfigurationReader } from "../../core/ports/configuration.ts";
import { changeableRows, type Executor } from "./configuration_rows.ts";
import type { Schema } from "./schema.ts";

function recordOf(row: Selectable<Schema["canned_texts"]>): CannedRecord {
  const { id, label, language, text } = row;
  return {
    id,
    queueId: row.queue_id,
    label,
    language,
    text,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** What a queue's agents have, of all languages: the queue's own, and those of all queues. */
export function cannedTexts(db: Executor): ConfigurationReader["cannedTexts"] {
  return async ({ queueId, label, after, limit }) => {
    let query = db.selectFrom("canned_texts").selectAll().orderBy("id").limit(limit);
    query = queueId === null
      ? query.where("queue_id", "is", null)
      : query.where((where) => where.or([where("queue_id", "is", null), where("queue_id", "=", queueId)]));
    if (label !== undefined) query = query.where("label", "=", label);
    if (after !== undefined) query = query.where("id", ">", after);
    return (await query.execute()).map(recordOf);
  };
}

export function cannedRows(db: Executor) {
  const values = (row: CannedRecord) => ({
    id: row.id,
    queue_id: row.queueId,
    label: row.label,
    language: row.language,
    text: row.text,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
  });
  return changeableRows<CannedRecord>({
    select: async ({ id, key, after, limit }) => {
      let query = db.selectFrom("canned_texts").selectAll().orderBy("id").limit(limit);
      if (id !== undefined) query = query.where("id", "=", id);
      if (after !== undefined) query = query.where("id", ">", after);
      if (key !== undefined) {
        const [queueId, label, language] = JSON.parse(key) as [string, string, string];
        query = query.where("label", "=", label).where("language", "=", language)
          .where("queue_id", queueId === "" ? "is" : "=", queueId === "" ? null : queueId);
      }
      const rows = (await query.execute()).map(recordOf);
      return key === undefined ? rows : rows.filter((row) => cannedKey(row) === key);
    },
    insert: async (row) => void await db.insertInto("canned_texts").values(values(row)).execute(),
    update: async (row) =>
      void await db.updateTable("canned_texts").set(values(row)).where("id", "=", row.id).execute(),
    remove: async (id) => void await db.deleteFrom("canned_texts").where("id", "=", id).execute(),
  });
}
