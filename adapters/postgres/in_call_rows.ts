/**
 * Texting during calls: the one row of its settings, and the presets.
 *
 * @module
 */
import type { Selectable } from "kysely";
import { type InCallPreset, type InCallSettings, InCallSettingsSchema } from "../../core/in_call/settings.ts";
import type { PresetRecord } from "../../core/ports/configuration.ts";
import { changeableRows, type Executor } from "./configuration_rows.ts";
import type { Schema } from "./schema.ts";

export async function readInCall(db: Executor): Promise<InCallSettings> {
  const row = await db.selectFrom("in_call").select("settings").executeTakeFirstOrThrow();
  return InCallSettingsSchema.parse(row.settings);
}

export async function writeInCall(db: Executor, settings: InCallSettings): Promise<void> {
  await db.updateTable("in_call").set({ settings }).execute();
}

/** The preset as the running system holds it. */
export function presetOf(row: Selectable<Schema["in_call_presets"]>): InCallPreset {
  return { id: row.id, label: row.label, texts: row.texts, queueIds: row.queue_ids };
}

export function presetRows(db: Executor) {
  const values = (row: PresetRecord) => ({
    id: row.id,
    label: row.label,
    texts: row.texts,
    queue_ids: row.queueIds,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
  });
  return changeableRows<PresetRecord>({
    select: async ({ id, key, after, limit }) => {
      let query = db.selectFrom("in_call_presets").selectAll().orderBy("id").limit(limit);
      if (id !== undefined) query = query.where("id", "=", id);
      if (key !== undefined) query = query.where("label", "=", key);
      if (after !== undefined) query = query.where("id", ">", after);
      const rows = await query.execute();
      return rows.map((row) => ({ ...presetOf(row), createdAt: row.created_at, updatedAt: row.updated_at }));
    },
    insert: async (row) => void await db.insertInto("in_call_presets").values(values(row)).execute(),
    update: async (row) =>
      void await db.updateTable("in_call_presets").set(values(row)).where("id", "=", row.id).execute(),
    remove: async (id) => void await db.deleteFrom("in_call_presets").where("id", "=", id).execute(),
  });
}
