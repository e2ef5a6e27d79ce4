/**
 * Brings the configuration to what a document says, in one transaction: makes what is missing, changes what
 * differs, and removes nothing.
 *
 * @module
 */
import { ConfigurationFault, type ConfigurationTransaction } from "../../ports/configuration.ts";
import type { Provider } from "../../ports/provider.ts";
import { differences } from "../differences.ts";
import { updateDistribution } from "../distribution.ts";
import { invalid, parse } from "../fault.ts";
import { applyCalendar } from "./calendar.ts";
import { applyCanned } from "./canned.ts";
import { applyChannel, applyFallback } from "./channel.ts";
import { ApplyDocumentSchema } from "./document.ts";
import { applyExtension } from "./extension.ts";
import { applyInCall, applyPreset, applyQueueNumber } from "./in_call.ts";
import { applyKey } from "./key.ts";
import { applyNumber } from "./number.ts";
import { type Applied, type Context, ROOT, step } from "./plan.ts";
import { applyPlatform } from "./platform.ts";
import { applyQueue } from "./queue.ts";
import { repeats } from "./repeats.ts";
import { applyRule } from "./rule.ts";

/**
 * Applies `raw`. The faults of all items are collected before it is refused.
 *
 * @throws {ConfigurationFault} `invalid`; fields are paths, e.g. `document.numbers.2.destination`.
 */
export async function applyDocument(
  tx: ConfigurationTransaction,
  providers: ReadonlyMap<string, Provider>,
  raw: unknown,
): Promise<Applied> {
  const document = parse(ApplyDocumentSchema, raw, ROOT);
  const context: Context = { tx, providers, plan: [], secrets: [], errors: repeats(document) };
  if (document.distribution !== undefined) {
    const { before, after, changed } = await updateDistribution(
      tx,
      document.distribution,
      `${ROOT}.distribution`,
    );
    step(context, "distribution", "overall", { before, after, changed }, differences(before, after));
  }
  // In the order in which they refer to each other.
  await each(context, "extensions", document.extensions, applyExtension);
  await each(context, "calendars", document.calendars, applyCalendar);
  await each(context, "queues", document.queues, applyQueue);
  await each(context, "platforms", document.platforms, applyPlatform);
  await each(context, "channels", document.channels, applyChannel);
  await each(context, "channels", document.channels, applyFallback);
  await each(context, "numbers", document.numbers, applyNumber);
  await each(context, "rules", document.rules, applyRule);
  await each(context, "canned", document.canned, applyCanned);
  await each(context, "queues", document.queues, applyQueueNumber);
  const { inCall } = document;
  if (inCall !== undefined) {
    await noting(context, ["inCall"], () => applyInCall(context, inCall));
  }
  await each(context, "inCallPresets", document.inCallPresets, applyPreset);
  await each(context, "keys", document.keys, applyKey);
  if (context.errors.length > 0) throw invalid(...context.errors);
  return { plan: context.plan, secrets: context.secrets };
}

async function each<T>(
  context: Context,
  list: string,
  items: readonly T[],
  apply: (context: Context, item: T) => Promise<void>,
): Promise<void> {
  for (const [index, item] of items.entries()) {
    await noting(context, [list, index], () => apply(context, item));
  }
}

/** Adds the faults that `work` is refused for to the others, as of what stands at `path`. */
async function noting(
  context: Context,
  path: readonly (string | number)[],
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ConfigurationFault)) throw error;
    const errors = error.errors.length > 0 ? error.errors : [{ field: "", message: error.message }];
    context.errors.push(...errors.map(({ field, message }) => ({
      field: [ROOT, ...path, FIELD_NAMES[field] ?? field].filter((part) => part !== "").join("."),
      message,
    })));
  }
}

/** What a field of the API is called in a document. */
const FIELD_NAMES: Readonly<Record<string, string>> = {
  channelId: "channel",
  extensionId: "extension",
  platformId: "platform",
  fallbackChannelId: "fallbackChannel",
  "destination.id": "destination",
  calendarId: "calendar",
  numberId: "number",
  "inCall.numberId": "inCall.number",
};
