/**
 * Brings the configuration to what a document says, in one transaction: makes what is missing, changes what
 * differs, and removes nothing.
 *
 * @module
 */
import type { FieldError } from "../fields.ts";
import { parseAddress } from "../phone_number.ts";
import {
  type ChannelRecord,
  ConfigurationFault,
  type ConfigurationTransaction,
} from "../ports/configuration.ts";
import type { Provider } from "../ports/provider.ts";
import { applyCanned } from "./apply_canned.ts";
import { applyRule } from "./apply_rule.ts";
import { destinationId, extensionIds, queueIds, referred } from "./apply_references.ts";
import { type ApplyDocument, ApplyDocumentSchema, type KeyItem, type NumberItem } from "./apply_document.ts";
import { applyInCall, applyPreset, applyQueueNumber } from "./apply_in_call.ts";
import type { Changed } from "./change.ts";
import { calendarView, createCalendar, updateCalendar } from "./calendars.ts";
import { channelAsInput } from "./channel_input.ts";
import { createChannel, updateChannel } from "./channels.ts";
import { secretFields } from "./credentials.ts";
import { differences } from "./differences.ts";
import { updateDistribution } from "./distribution.ts";
import { createExtension, extensionView, updateExtension } from "./extensions.ts";
import { invalid, parse } from "./fault.ts";
import { createKey, updateKey } from "./keys.ts";
import { type Fields, withoutNulls } from "./merge.ts";
import { createNumber, numberView, updateNumber } from "./numbers.ts";
import { createPlatform, platformView, updatePlatform } from "./platforms.ts";
import { createQueue, queueView, updateQueue } from "./queues.ts";

/** What happens, or would happen, to one thing. Without secrets. */
export interface PlanStep {
  readonly action: "create" | "update" | "unchanged";
  readonly kind: string;
  readonly name: string;
  /** For an update, e.g. `rateMps: 1 → 5`. */
  readonly changes: readonly string[];
}

/** A secret that was made and is shown once. */
export interface MadeSecret {
  readonly kind: "platform" | "key";
  readonly name: string;
  readonly secret: string;
}

export interface Applied {
  readonly plan: readonly PlanStep[];
  readonly secrets: readonly MadeSecret[];
}

/** What fields' names begin with: the document stands under this name in a request. */
const ROOT = "document";

interface Context {
  readonly tx: ConfigurationTransaction;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly plan: PlanStep[];
  readonly secrets: MadeSecret[];
  readonly errors: FieldError[];
}

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
  await each(context, "rules", document.rules, async (context, item) => {
    context.plan.push(await applyRule(context.tx, item));
  });
  await each(context, "canned", document.canned, async (context, item) => {
    context.plan.push(await applyCanned(context.tx, item));
  });
  await each(context, "queues", document.queues, async (context, { name, inCall }) => {
    if (inCall?.number !== undefined) await applyQueueNumber(context.tx, context.plan, name, inCall.number);
  });
  const { inCall } = document;
  if (inCall !== undefined) {
    await noting(context, ["inCall"], async () => void context.plan.push(await applyInCall(tx, inCall)));
  }
  await each(context, "inCallPresets", document.inCallPresets, async (context, item) => {
    context.plan.push(await applyPreset(context.tx, item));
  });
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

/** The same thing twice in one document: the second would undo the first. */
function repeats(document: ApplyDocument): FieldError[] {
  const keys: [string, string, readonly unknown[]][] = [
    ["extensions", "extension", document.extensions.map(({ extension }) => extension)],
    ["platforms", "name", document.platforms.map(({ name }) => name)],
    ["calendars", "name", document.calendars.map(({ name }) => name)],
    ["queues", "name", document.queues.map(({ name }) => name)],
    ["channels", "name", document.channels.map(({ name }) => name)],
    ["numbers", "number", document.numbers.map(({ number }) => parseAddress(number)?.value ?? number)],
    ["rules", "name", document.rules.map(({ name }) => name)],
    [
      "canned",
      "label",
      document.canned.map(({ queue, label, language }) =>
        `${queue === undefined ? "" : `${queue}/`}${label} (${language})`
      ),
    ],
    ["inCallPresets", "label", document.inCallPresets.map(({ label }) => label)],
    ["keys", "name", document.keys.map(({ name }) => name)],
  ];
  return keys.flatMap(([list, field, values]) =>
    values.flatMap((value, index) =>
      values.indexOf(value) < index
        ? [{ field: `${ROOT}.${list}.${index}.${field}`, message: `${value} stands in the list twice` }]
        : []
    )
  );
}

function step(
  context: Context,
  kind: string,
  name: string,
  changed: Changed<unknown> | null,
  changes: string[],
) {
  const action = changed === null ? "create" : changed.changed ? "update" : "unchanged";
  context.plan.push({ action, kind, name, changes });
}

async function applyExtension(context: Context, item: ApplyDocument["extensions"][number]): Promise<void> {
  const { tx } = context;
  const found = await tx.extensions.find(item.extension);
  if (found === undefined) {
    await createExtension(tx, withoutNulls(item));
    return step(context, "extension", item.extension, null, []);
  }
  const changed = await updateExtension(tx, found.id, item);
  const changes = differences(extensionView(changed.before), extensionView(changed.after));
  step(context, "extension", item.extension, changed, changes);
}

async function applyPlatform(context: Context, item: ApplyDocument["platforms"][number]): Promise<void> {
  const { tx } = context;
  const { fallback, ...rest } = item;
  const input: Fields = {
    ...rest,
    ...(fallback === undefined
      ? {}
      : { fallback: fallback && await destinationId(tx, fallback, "fallback") }),
  };
  const found = await tx.platforms.find(item.name);
  if (found === undefined) {
    const { secret } = await createPlatform(tx, withoutNulls(input));
    context.secrets.push({ kind: "platform", name: item.name, secret });
    return step(context, "platform", item.name, null, []);
  }
  const changed = await updatePlatform(tx, found.id, input);
  step(
    context,
    "platform",
    item.name,
    changed,
    differences(platformView(changed.before), platformView(changed.after)),
  );
}

async function applyCalendar(
  context: Context,
  item: ApplyDocument["calendars"][number],
): Promise<void> {
  const { tx } = context;
  const found = await tx.calendars.find(item.name);
  if (found === undefined) {
    await createCalendar(tx, withoutNulls(item));
    return step(context, "calendar", item.name, null, []);
  }
  const changed = await updateCalendar(tx, found.id, item);
  const changes = differences(calendarView(changed.before), calendarView(changed.after));
  step(context, "calendar", item.name, changed, changes);
}

async function applyQueue(context: Context, item: ApplyDocument["queues"][number]): Promise<void> {
  const { tx } = context;
  const { members, calendar, inCall, ...rest } = item;
  // The number of its calls may stand further down.
  const { number: _later, ...ofCalls } = inCall ?? {};
  const ids = members && await extensionIds(tx, "members", members);
  const row = calendar && await referred(tx.calendars, "calendar", "calendar", calendar);
  const input: Fields = {
    ...rest,
    ...(inCall === undefined ? {} : { inCall: ofCalls }),
    ...(ids ? { members: ids } : {}),
    ...(calendar === undefined ? {} : { calendarId: row ? row.id : null }),
  };
  const found = await tx.queues.find(item.name);
  if (found === undefined) {
    await createQueue(tx, withoutNulls(input));
    return step(context, "queue", item.name, null, []);
  }
  const changed = await updateQueue(tx, found.id, input);
  step(
    context,
    "queue",
    item.name,
    changed,
    differences(queueView(changed.before), queueView(changed.after)),
  );
}

async function applyChannel(context: Context, item: ApplyDocument["channels"][number]): Promise<void> {
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

async function applyFallback(context: Context, item: ApplyDocument["channels"][number]): Promise<void> {
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

async function applyNumber(context: Context, item: NumberItem): Promise<void> {
  const { tx } = context;
  const { channel, destination, allowedExtensions, allowedQueues, ...rest } = item;
  const input: Fields = {
    ...rest,
    channelId: (await referred(tx.channels, "channel", "channel", channel)).id,
    ...(destination === undefined
      ? {}
      : { destination: destination && await destinationId(tx, destination) }),
    ...(allowedExtensions
      ? { allowedExtensions: await extensionIds(tx, "allowedExtensions", allowedExtensions) }
      : {}),
    ...(allowedQueues ? { allowedQueues: await queueIds(tx, "allowedQueues", allowedQueues) } : {}),
  };
  const found = await tx.numbers.find(parseAddress(item.number)?.value ?? item.number);
  if (found === undefined) {
    const { number } = await createNumber(tx, withoutNulls(input));
    return step(context, "number", number, null, []);
  }
  const changed = await updateNumber(tx, found.id, input);
  step(
    context,
    "number",
    found.number,
    changed,
    differences(numberView(changed.before), numberView(changed.after)),
  );
}

/** A key's role and holder cannot be changed: another one has to be made under another name. */
async function applyKey(context: Context, item: KeyItem): Promise<void> {
  const { tx } = context;
  const extension = item.extension && await referred(tx.extensions, "extension", "extension", item.extension);
  const platform = item.platform && await referred(tx.platforms, "platform", "platform", item.platform);
  const holder = { extensionId: extension ? extension.id : null, platformId: platform ? platform.id : null };
  const found = await tx.keys.find(item.name);
  if (found === undefined) {
    const expiresAt = item.expiresAt ?? null;
    const { secret } = await createKey(tx, { name: item.name, role: item.role, ...holder, expiresAt });
    context.secrets.push({ kind: "key", name: item.name, secret });
    return step(context, "key", item.name, null, []);
  }
  if (
    found.role !== item.role || found.extensionId !== holder.extensionId ||
    found.platformId !== holder.platformId
  ) {
    throw invalid({ field: "role", message: "there is a key of this name with another role or holder" });
  }
  const changed = await updateKey(
    tx,
    found.id,
    item.expiresAt === undefined ? {} : { expiresAt: item.expiresAt },
  );
  const shown = (row: typeof found) => ({ expiresAt: row.expiresAt?.toISOString() ?? null });
  step(context, "key", item.name, changed, differences(shown(changed.before), shown(changed.after)));
}

function channelDifferences(
  providers: ReadonlyMap<string, Provider>,
  { before, after }: Changed<ChannelRecord>,
): string[] {
  const provider = providers.get(after.provider);
  const secret = new Set([...(provider ? secretFields(provider) : [])].map((name) => `credentials.${name}`));
  return differences(channelAsInput(before), channelAsInput(after), secret);
}
