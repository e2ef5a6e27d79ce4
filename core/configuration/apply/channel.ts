/**
 * A channel of a document.
 *
 * @module
 */
import type { ChannelRecord } from "../../ports/configuration.ts";
import type { Provider } from "../../ports/provider.ts";
import type { Changed } from "../change.ts";
import { channelAsInput } from "../channel_input.ts";
import { createChannel, updateChannel } from "../channels.ts";
import { secretFields } from "../credentials.ts";
import { differences } from "../differences.ts";
import { withoutNulls } from "../merge.ts";
import type { ApplyDocument } from "./document.ts";
import { type Context, step } from "./plan.ts";
import { referred } from "./references.ts";

/** Makes it, or changes what differs. */
export async function applyChannel(context: Context, item: ApplyDocument["channels"][number]): Promise<void> {
  const { tx, providers } = context;
  // Its fallback may stand further down.
  const { fallbackChannel: _later, ...input } = item;
  const found = await tx.channels.find(item.name);
  if (found === undefined) {
    await createChannel(tx, providers, withoutNulls(input));
    return step(context, "channel", item.name, null, []);
  }
  const changed = await updateChannel(tx, providers, found.id, input);
  step(context, "channel", item.name, changed, channelDifferences(providers, changed));
}

/** Gives a channel its fallback, which may stand further down, and adds that to what the plan says of it. */
export async function applyFallback(
  context: Context,
  item: ApplyDocument["channels"][number],
): Promise<void> {
  const { tx, providers, plan } = context;
  if (item.fallbackChannel === undefined) return;
  const channel = await tx.channels.find(item.name);
  // It could not be made; that is told already.
  if (channel === undefined) return;
  const fallback = item.fallbackChannel === null
    ? null
    : (await referred(tx.channels, "fallbackChannel", "channel", item.fallbackChannel)).id;
  const changed = await updateChannel(tx, providers, channel.id, { fallbackChannelId: fallback });
  if (!changed.changed) return;
  const index = plan.findIndex(({ kind, name }) => kind === "channel" && name === item.name);
  const before = plan[index];
  if (before === undefined || before.action === "create") return;
  const changes = [...before.changes, `fallbackChannel: → ${item.fallbackChannel ?? "none"}`];
  plan[index] = { ...before, action: "update", changes };
}

function channelDifferences(
  providers: ReadonlyMap<string, Provider>,
  { before, after }: Changed<ChannelRecord>,
): string[] {
  const provider = providers.get(after.provider);
  const secret = new Set([...(provider ? secretFields(provider) : [])].map((name) => `credentials.${name}`));
  return differences(channelAsInput(before), channelAsInput(after), secret);
}
