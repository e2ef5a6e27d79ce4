/**
 * Our numbers as rows.
 *
 * @module
 */
import type { Selectable } from "kysely";
import type { OwnNumber } from "../../core/channel.ts";
import type { NumberRecord } from "../../core/ports/configuration.ts";
import { changeableRows, type Executor } from "./configuration_rows.ts";
import type { Schema } from "./schema.ts";

/** The number as the running system holds it. */
export function numberOf(row: Selectable<Schema["numbers"]>): OwnNumber {
  return {
    id: row.id,
    channelId: row.channel_id,
    number: row.number,
    type: row.type,
    label: row.label,
    verified: row.verified,
    direction: row.direction,
    purpose: row.purpose,
    rateMps: row.rate_mps,
    burst: row.burst,
    destination: row.destination,
    allowedExtensions: row.allowed_extensions,
    allowedQueues: row.allowed_queues,
    optOut: row.opt_out,
  };
}

export function numberRows(db: Executor) {
  const values = (row: NumberRecord) => ({
    id: row.id,
    channel_id: row.channelId,
    number: row.number,
    type: row.type,
    label: row.label,
    verified: row.verified,
    direction: row.direction,
    purpose: row.purpose,
    rate_mps: row.rateMps,
    burst: row.burst,
    destination: row.destination,
    allowed_extensions: row.allowedExtensions,
    allowed_queues: row.allowedQueues,
    opt_out: row.optOut,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
  });
  return changeableRows<NumberRecord>({
    select: async ({ id, key, after, limit }) => {
      let query = db.selectFrom("numbers").selectAll().orderBy("id").limit(limit);
      if (id !== undefined) query = query.where("id", "=", id);
      if (key !== undefined) query = query.where("number", "=", key);
      if (after !== undefined) query = query.where("id", ">", after);
      const rows = await query.execute();
      return rows.map((row) => ({ ...numberOf(row), createdAt: row.created_at, updatedAt: row.updated_at }));
    },
    insert: async (row) => void await db.insertInto("numbers").values(values(row)).execute(),
    update: async (row) =>
      void await db.updateTable("numbers").set(values(row)).where("id", "=", row.id).execute(),
    remove: async (id) => void await db.deleteFrom("numbers").where("id", "=", id).execute(),
  });
}
