/**
 * Channels: accounts at providers.
 *
 * @module
 */
import type { ChannelRecord, ConfigurationTransaction } from "../ports/configuration.ts";
import type { Provider } from "../ports/provider.ts";
import { type Changed, existing, insertRow, removeRow, replaceRow } from "./change.ts";
import { channelAsInput, type ChannelInput, parseChannel } from "./channel_input.ts";
import { maskCredentials } from "./credentials.ts";
import { invalid, taken } from "./fault.ts";
import { type Fields, mergePatch } from "./merge.ts";

type Providers = ReadonlyMap<string, Provider>;

/** As the API and the audit log show it: secrets masked. */
export function channelView(row: ChannelRecord, providers: Providers) {
  return {
    id: row.id,
    name: row.name,
    provider: row.provider,
    enabled: row.enabled,
    isDefault: row.isDefault,
    status: row.status,
    statusReason: row.statusReason,
    statusAt: row.statusAt.toISOString(),
    credentials: maskCredentials(providers.get(row.provider), row.credentials),
    ...row.settings,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

function subject(tx: ConfigurationTransaction, providers: Providers) {
  return { kind: "channel", rows: tx.channels, view: (row: ChannelRecord) => channelView(row, providers) };
}

/** Makes a channel with its first webhook secret. */
export async function createChannel(
  tx: ConfigurationTransaction,
  providers: Providers,
  raw: Fields,
): Promise<ChannelRecord> {
  const input = parseChannel(providers, raw);
  const id = tx.newId("channel");
  if (await tx.channels.find(input.name)) throw taken("a channel", "name", input.name);
  await checkFallback(tx, id, input);
  if (input.isDefault) await clearDefault(tx, providers, id);
  const row = await insertRow(tx, subject(tx, providers), {
    id,
    ...input,
    ...initialStatus(input.enabled),
    statusAt: tx.now,
    createdAt: tx.now,
    updatedAt: tx.now,
  });
  await tx.addWebhook({ channelId: id, secret: tx.newSecret(), expiresAt: null });
  return row;
}

export async function updateChannel(
  tx: ConfigurationTransaction,
  providers: Providers,
  id: string,
  patch: Fields,
): Promise<Changed<ChannelRecord>> {
  const before = await existing(tx.channels, "channel", id);
  if (patch.provider !== undefined && patch.provider !== before.provider) {
    throw invalid({ field: "provider", message: "cannot be changed; make another channel" });
  }
  const input = parseChannel(providers, mergePatch(channelAsInput(before), patch), before);
  if (input.name !== before.name && await tx.channels.find(input.name)) {
    throw taken("a channel", "name", input.name);
  }
  await checkFallback(tx, id, input);
  if (input.isDefault && !before.isDefault) await clearDefault(tx, providers, id);
  const status = input.enabled === before.enabled
    ? {}
    : { ...initialStatus(input.enabled), statusAt: tx.now };
  return await replaceRow(tx, subject(tx, providers), before, { ...before, ...input, ...status });
}

export async function removeChannel(
  tx: ConfigurationTransaction,
  providers: Providers,
  id: string,
): Promise<void> {
  await removeRow(tx, subject(tx, providers), id);
}

/** Gives a channel a new webhook URL; the former one still works for `graceSeconds`. */
export async function rotateWebhook(
  tx: ConfigurationTransaction,
  id: string,
  graceSeconds: number,
): Promise<ChannelRecord> {
  const channel = await existing(tx.channels, "channel", id);
  const expiresAt = new Date(tx.now.getTime() + graceSeconds * 1_000);
  await tx.retireWebhook(id, expiresAt);
  await tx.addWebhook({ channelId: id, secret: tx.newSecret(), expiresAt: null });
  await tx.record({
    action: "rotate-webhook",
    kind: "channel",
    target: id,
    before: null,
    after: { previousUntil: expiresAt.toISOString() },
  });
  return channel;
}

function initialStatus(enabled: boolean): Pick<ChannelRecord, "status" | "statusReason"> {
  return enabled
    ? { status: "connected", statusReason: "not tried yet" }
    : { status: "disabled", statusReason: "switched off" };
}

async function clearDefault(
  tx: ConfigurationTransaction,
  providers: Providers,
  except: string,
): Promise<void> {
  const former = await tx.defaultChannel();
  if (former === undefined || former.id === except) return;
  await replaceRow(tx, subject(tx, providers), former, { ...former, isDefault: false });
}

async function checkFallback(tx: ConfigurationTransaction, id: string, input: ChannelInput): Promise<void> {
  const { fallbackChannelId } = input.settings;
  if (fallbackChannelId === undefined) return;
  if (fallbackChannelId === id) {
    throw invalid({ field: "fallbackChannelId", message: "must be another channel" });
  }
  const fallback = await tx.channels.get(fallbackChannelId);
  if (fallback === undefined) {
    throw invalid({ field: "fallbackChannelId", message: `there is no channel ${fallbackChannelId}` });
  }
  // Messages would go round in circles while all of them are down.
  const names = [fallback.name];
  for (let next = fallback.settings.fallbackChannelId; next !== undefined;) {
    if (next === id) {
      const message = `leads back to this channel by way of ${names.join(", ")}`;
      throw invalid({ field: "fallbackChannelId", message });
    }
    const channel = await tx.channels.get(next);
    if (channel !== undefined) names.push(channel.name);
    next = channel?.settings.fallbackChannelId;
  }
}
