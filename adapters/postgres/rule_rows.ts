/**
 * Routing rules as rows.
 *
 * @module
 */
import type { Selectable } from "kysely";
import type { RuleRecord } from "../../core/ports/configuration.ts";
import type { Rule } from "../../core/rules/rule.ts";
import { changeableRows, type Executor } from "./configuration_rows.ts";
import type { Schema } from "./schema.ts";

/** The rule as the running system holds it. */
export function ruleOf(row: Selectable<Schema["rules"]>): Rule {
  return {
    id: row.id,
    name: row.name,
    enabled: row.enabled,
    priority: row.priority,
    match: row.conditions,
    action: row.action,
  };
}

export function ruleRows(db: Executor) {
  const values = (row: RuleRecord) => ({
    id: row.id,
    name: row.name,
    enabled: row.enabled,
    priority: row.priority,
    conditions: row.match,
    action: row.action,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
  });
  return changeableRows<RuleRecord>({
    select: async ({ id, key, after, limit }) => {
      let query = db.selectFrom("rules").selectAll().orderBy("id").limit(limit);
      if (id !== undefined) query = query.where("id", "=", id);
      if (key !== undefined) query = query.where("name", "=", key);
      if (after !== undefined) query = query.where("id", ">", after);
      const rows = await query.execute();
      return rows.map((row) => ({ ...ruleOf(row), createdAt: row.created_at, updatedAt: row.updated_at }));
    },
    insert: async (row) => void await db.insertInto("rules").values(values(row)).execute(),
    update: async (row) =>
      void await db.updateTable("rules").set(values(row)).where("id", "=", row.id).execute(),
    remove: async (id) => void await db.deleteFrom("rules").where("id", "=", id).execute(),
  });
}
