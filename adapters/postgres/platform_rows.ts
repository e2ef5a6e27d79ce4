/**
 * Platforms and API keys as rows. Platforms' secrets are sealed here; of keys there is only the hash.
 *
 * @module
 */
import type { KeyRecord, PlatformRecord } from "../../core/ports/configuration.ts";
import type { SecretBox } from "../../core/ports/secret_box.ts";
import { changeableRows, type Executor } from "./configuration_rows.ts";

export function openPlatformSecret(box: SecretBox, id: string, sealed: Uint8Array | null): string | null {
  return sealed && box.open(sealed, `platforms:${id}`);
}

export function platformRows(db: Executor, box: SecretBox) {
  const values = (row: PlatformRecord) => ({
    id: row.id,
    name: row.name,
    enabled: row.enabled,
    endpoint: row.endpoint,
    secret: row.secret === null ? null : box.seal(row.secret, `platforms:${row.id}`),
    deadline_seconds: row.deadlineSeconds,
    hold_seconds: row.holdSeconds,
    fallback: row.fallback,
    nats_key: row.natsKey,
    nats_key_at: row.natsKeyAt,
    status: row.status,
    status_reason: row.statusReason,
    status_at: row.statusAt,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
  });
  return changeableRows<PlatformRecord>({
    select: async ({ id, key, after, limit }) => {
      let query = db.selectFrom("platforms").selectAll().orderBy("id").limit(limit);
      if (id !== undefined) query = query.where("id", "=", id);
      if (key !== undefined) query = query.where("name", "=", key);
      if (after !== undefined) query = query.where("id", ">", after);
      const rows = await query.execute();
      return rows.map((row) => ({
        id: row.id,
        name: row.name,
        enabled: row.enabled,
        endpoint: row.endpoint,
        secret: openPlatformSecret(box, row.id, row.secret),
        deadlineSeconds: row.deadline_seconds,
        holdSeconds: row.hold_seconds,
        fallback: row.fallback,
        natsKey: row.nats_key,
        natsKeyAt: row.nats_key_at,
        status: row.status,
        statusReason: row.status_reason,
        statusAt: row.status_at,
        createdAt: row.created_at,
        updatedAt: row.updated_at,
      }));
    },
    insert: async (row) => void await db.insertInto("platforms").values(values(row)).execute(),
    update: async (row) =>
      void await db.updateTable("platforms").set(values(row)).where("id", "=", row.id).execute(),
    remove: async (id) => void await db.deleteFrom("platforms").where("id", "=", id).execute(),
  });
}

export function keyRows(db: Executor) {
  const values = (row: KeyRecord) => ({
    id: row.id,
    name: row.name,
    role: row.role,
    hash: row.hash,
    extension_id: row.extensionId,
    platform_id: row.platformId,
    expires_at: row.expiresAt,
    created_at: row.createdAt,
  });
  return changeableRows<KeyRecord>({
    select: async ({ id, key, after, limit }) => {
      let query = db.selectFrom("api_keys").selectAll().orderBy("id").limit(limit);
      if (id !== undefined) query = query.where("id", "=", id);
      if (key !== undefined) query = query.where("name", "=", key);
      if (after !== undefined) query = query.where("id", ">", after);
      const rows = await query.execute();
      return rows.map((row) => ({
        id: row.id,
        name: row.name,
        role: row.role,
        hash: row.hash,
        extensionId: row.extension_id,
        platformId: row.platform_id,
        expiresAt: row.expires_at,
        createdAt: row.created_at,
      }));
    },
    insert: async (row) => void await db.insertInto("api_keys").values(values(row)).execute(),
    update: async (row) =>
      void await db.updateTable("api_keys").set(values(row)).where("id", "=", row.id).execute(),
    remove: async (id) => void await db.deleteFrom("api_keys").where("id", "=", id).execute(),
  });
}
