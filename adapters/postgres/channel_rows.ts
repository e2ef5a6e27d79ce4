/**
 * Channels and their webhook secrets as rows. Credentials and secrets are sealed here.
 *
 * @module
 */
import { type ChannelSettings, ChannelSettingsSchema } from "../../core/channel.ts";
import { sha256Hex } from "../../core/hash.ts";
import type { ChannelRecord, WebhookRecord } from "../../core/ports/configuration.ts";
import type { SecretBox } from "../../core/ports/secret_box.ts";
import { changeableRows, type Executor, type RowQuery } from "./configuration_rows.ts";

/** Settings as stored; those that came with a newer release get their defaults, those that went are dropped. */
export function readSettings(name: string, stored: unknown): ChannelSettings {
  const result = ChannelSettingsSchema.strip().safeParse(stored);
  if (!result.success) throw new Error(`the stored settings of the channel ${name} cannot be read`);
  return result.data;
}

export function openCredentials(box: SecretBox, id: string, sealed: Uint8Array): Record<string, unknown> {
  return JSON.parse(box.open(sealed, `channels:${id}`));
}

/** SHA-256 in hex: what a webhook's secret is found by. */
export function webhookHash(secret: string): string {
  return sha256Hex(secret);
}

export function channelRows(db: Executor, box: SecretBox) {
  const values = (row: ChannelRecord) => ({
    id: row.id,
    name: row.name,
    provider: row.provider,
    enabled: row.enabled,
    is_default: row.isDefault,
    settings: row.settings,
    credentials: box.seal(JSON.stringify(row.credentials), `channels:${row.id}`),
    status: row.status,
    status_reason: row.statusReason,
    status_at: row.statusAt,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
  });
  const select = async ({ id, key, after, limit, isDefault }: RowQuery & { readonly isDefault?: true }) => {
    let query = db.selectFrom("channels").selectAll().orderBy("id").limit(limit);
    if (id !== undefined) query = query.where("id", "=", id);
    if (key !== undefined) query = query.where("name", "=", key);
    if (after !== undefined) query = query.where("id", ">", after);
    if (isDefault) query = query.where("is_default", "=", true);
    const rows = await query.execute();
    return rows.map((row): ChannelRecord => ({
      id: row.id,
      name: row.name,
      provider: row.provider,
      enabled: row.enabled,
      isDefault: row.is_default,
      settings: readSettings(row.name, row.settings),
      credentials: openCredentials(box, row.id, row.credentials),
      status: row.status,
      statusReason: row.status_reason,
      statusAt: row.status_at,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    }));
  };
  const rows = changeableRows<ChannelRecord>({
    select,
    insert: async (row) => void await db.insertInto("channels").values(values(row)).execute(),
    update: async (row) =>
      void await db.updateTable("channels").set(values(row)).where("id", "=", row.id).execute(),
    remove: async (id) => void await db.deleteFrom("channels").where("id", "=", id).execute(),
  });
  return { ...rows, default: async () => (await select({ isDefault: true, limit: 1 }))[0] };
}

export function webhookRows(db: Executor, box: SecretBox) {
  return {
    /** The one in use first, then those that still work, the newest first. */
    async list(channelId: string, nowMs: number): Promise<WebhookRecord[]> {
      const rows = await db.selectFrom("webhook_secrets").selectAll().where("channel_id", "=", channelId)
        .where((where) =>
          where.or([where("expires_at", "is", null), where("expires_at", ">", new Date(nowMs))])
        )
        .orderBy("expires_at", (order) => order.desc().nullsFirst()).execute();
      return rows.map((row) => ({
        channelId,
        secret: box.open(row.secret, `webhook_secrets:${row.hash}`),
        expiresAt: row.expires_at,
      }));
    },
    async add({ channelId, secret, expiresAt }: WebhookRecord): Promise<void> {
      const hash = webhookHash(secret);
      await db.insertInto("webhook_secrets").values({
        hash,
        channel_id: channelId,
        secret: box.seal(secret, `webhook_secrets:${hash}`),
        expires_at: expiresAt,
      }).execute();
    },
    /** Also forgets those that ended before `now`. */
    async retire(channelId: string, expiresAt: Date, now: Date): Promise<void> {
      await db.updateTable("webhook_secrets").set({ expires_at: expiresAt })
        .where("channel_id", "=", channelId).where("expires_at", "is", null).execute();
      await db.deleteFrom("webhook_secrets").where("channel_id", "=", channelId)
        .where("expires_at", "<=", now).execute();
    },
  };
}
