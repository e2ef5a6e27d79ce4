/**
 * Reads the whole configuration as one consistent snapshot.
 *
 * @module
 */
import type { Channel, OwnNumber } from "../../core/channel.ts";
import type { Directory } from "../../core/directory.ts";
import type { SecretBox } from "../../core/ports/secret_box.ts";
import { inOrder } from "../../core/rules/rule.ts";
import { calendarOf } from "./calendar_rows.ts";
import { openCredentials, readSettings } from "./channel_rows.ts";
import type { Executor } from "./configuration_rows.ts";
import type { Database } from "./database.ts";
import { readDistribution } from "./distribution_row.ts";
import { distributionOfRow } from "./extension_rows.ts";
import { presetOf, readInCall } from "./in_call_rows.ts";
import { numberOf } from "./number_rows.ts";
import { openPlatformSecret } from "./platform_rows.ts";
import { ruleOf } from "./rule_rows.ts";

/**
 * The configuration, or null while its version is still `knownVersion`.
 *
 * @throws {SecretBoxError} when the master key is not the one that the credentials were sealed under.
 */
export async function loadDirectory(
  db: Database,
  box: SecretBox,
  knownVersion: number,
): Promise<Directory | null> {
  const { version } = await readVersion(db);
  if (version === knownVersion) return null;
  return await db.transaction().setIsolationLevel("repeatable read").execute(async (tx) => {
    // Read again: in this snapshot it is the version of the rows below.
    const { version } = await readVersion(tx);
    const numbers = await loadNumbers(tx);
    return {
      version,
      channels: await loadChannels(tx, box),
      numbers,
      numbersByAddress: new Map([...numbers.values()].map((number) => [number.number, number])),
      ...await loadHolders(tx, box),
      ...await loadRules(tx),
      distribution: await readDistribution(tx),
      ...await loadInCall(tx),
      ...await loadSecrets(tx, box),
    };
  });
}

function readVersion(db: Executor) {
  return db.selectFrom("directory_version").select("version").executeTakeFirstOrThrow();
}

function byId<T extends { readonly id: string }>(rows: readonly T[]): ReadonlyMap<string, T> {
  return new Map(rows.map((row) => [row.id, row]));
}

async function loadChannels(tx: Executor, box: SecretBox): Promise<ReadonlyMap<string, Channel>> {
  const rows = await tx.selectFrom("channels")
    .select(["id", "name", "provider", "enabled", "is_default", "settings", "credentials"]).execute();
  return byId(rows.map((row) => ({
    id: row.id,
    name: row.name,
    provider: row.provider,
    enabled: row.enabled,
    isDefault: row.is_default,
    settings: readSettings(row.name, row.settings),
    credentials: openCredentials(box, row.id, row.credentials),
  })));
}

async function loadNumbers(tx: Executor): Promise<ReadonlyMap<string, OwnNumber>> {
  const rows = await tx.selectFrom("numbers").selectAll().execute();
  return byId(rows.map(numberOf));
}

async function loadHolders(
  tx: Executor,
  box: SecretBox,
): Promise<Pick<Directory, "extensions" | "queues" | "platforms">> {
  const extensions = await tx.selectFrom("extensions").select([
    "id",
    "extension",
    "name",
    "capacity",
    "skills",
    "canned_only as cannedOnly",
  ]).execute();
  const queues = await tx.selectFrom("queues").select([
    "id",
    "name",
    "strategy",
    "distribution",
    "calendar_id",
    "texts",
    "in_call",
  ])
    .execute();
  const memberships = await tx.selectFrom("queue_members").selectAll().execute();
  const platforms = await tx.selectFrom("platforms").select([
    "id",
    "name",
    "enabled",
    "endpoint",
    "secret",
    "deadline_seconds",
    "hold_seconds",
    "fallback",
    "nats_key",
  ])
    .execute();
  const members = Map.groupBy(memberships, (membership) => membership.queue_id);
  return {
    extensions: byId(extensions),
    queues: byId(queues.map((queue) => ({
      id: queue.id,
      name: queue.name,
      ...distributionOfRow(queue),
      members: new Set(members.get(queue.id)?.map((membership) => membership.extension_id)),
      calendarId: queue.calendar_id,
      texts: queue.texts,
      inCall: queue.in_call,
    }))),
    platforms: byId(
      platforms.map((row) => ({
        id: row.id,
        name: row.name,
        enabled: row.enabled,
        endpoint: row.endpoint,
        secret: openPlatformSecret(box, row.id, row.secret),
        deadlineSeconds: row.deadline_seconds,
        holdSeconds: row.hold_seconds,
        fallback: row.fallback,
        natsKey: row.nats_key,
      })),
    ),
  };
}

async function loadRules(tx: Executor): Promise<Pick<Directory, "calendars" | "rules">> {
  const calendars = await tx.selectFrom("calendars").selectAll().execute();
  const rules = await tx.selectFrom("rules").selectAll().execute();
  return { calendars: byId(calendars.map(calendarOf)), rules: inOrder(rules.map(ruleOf)) };
}

async function loadInCall(tx: Executor): Promise<Pick<Directory, "inCall" | "inCallPresets">> {
  const presets = await tx.selectFrom("in_call_presets").selectAll().orderBy("label").execute();
  return { inCall: await readInCall(tx), inCallPresets: presets.map(presetOf) };
}

/** Those that ended are in it too: whoever uses them compares the time. */
async function loadSecrets(
  tx: Executor,
  box: SecretBox,
): Promise<Pick<Directory, "keys" | "webhooks" | "webhookSecrets">> {
  const keys = await tx.selectFrom("api_keys").selectAll().execute();
  const webhooks = await tx.selectFrom("webhook_secrets").select([
    "hash",
    "channel_id",
    "secret",
    "expires_at",
  ])
    .execute();
  const inUse = webhooks.filter((row) => row.expires_at === null);
  return {
    keys: new Map(keys.map((row) => [row.hash, {
      id: row.id,
      name: row.name,
      role: row.role,
      extensionId: row.extension_id,
      platformId: row.platform_id,
      expiresMs: row.expires_at?.getTime() ?? null,
    }])),
    webhooks: new Map(webhooks.map((row) => [row.hash, {
      channelId: row.channel_id,
      expiresMs: row.expires_at?.getTime() ?? null,
    }])),
    webhookSecrets: new Map(
      inUse.map((row) => [row.channel_id, box.open(row.secret, `webhook_secrets:${row.hash}`)]),
    ),
  };
}
