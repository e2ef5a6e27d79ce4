/**
 * The audit log as rows.
 *
 * @module
 */
import type { AuditRecord, ConfigurationReader } from "../../core/ports/configuration.ts";
import type { Executor } from "./configuration_rows.ts";

export function auditRows(db: Executor) {
  const list: ConfigurationReader["audit"] = async (
    { after, limit, kind, target, actor, action, from, to },
  ) => {
    let query = db.selectFrom("audit_log").selectAll().orderBy("id", "desc").limit(limit);
    if (after !== undefined) query = query.where("id", "<", after);
    if (kind !== undefined) query = query.where("kind", "=", kind);
    if (target !== undefined) query = query.where("target", "=", target);
    if (actor !== undefined) query = query.where("actor", "=", actor);
    if (action !== undefined) query = query.where("action", "=", action);
    if (from !== undefined) query = query.where("at", ">=", from);
    if (to !== undefined) query = query.where("at", "<", to);
    return await query.execute();
  };
  return {
    list,
    insert: async (record: AuditRecord) => void await db.insertInto("audit_log").values(record).execute(),
  };
}
