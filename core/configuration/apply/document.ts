/**
 * The form of a file for `apply`: what the API takes, with names in place of ids.
 *
 * @module
 */
import { z } from "zod";
import { ROLES } from "../../directory.ts";
import { RuleActionSchema, RuleMatchSchema } from "../../rules/rule.ts";
import { OverallDistributionSchema } from "../../dispatch/settings.ts";
import { InCallSettingsSchema, PresetLabelSchema, QueueInCallSchema } from "../../in_call/settings.ts";
import { CalendarInputSchema } from "../calendars.ts";
import { CannedInputSchema } from "../canned.ts";
import { ChannelInputSchema } from "../channel_input.ts";
import { ExtensionInputSchema } from "../extensions.ts";
import { PresetInputSchema } from "../in_call_presets.ts";
import { patchSchema } from "../merge.ts";
import { NameSchema } from "../name.ts";
import { NumberInputSchema } from "../numbers.ts";
import { PlatformInputSchema } from "../platforms.ts";
import { QueueInputSchema } from "../queues.ts";
import { RuleInputSchema } from "../rules.ts";

const ITEMS_MAX = 10_000;
const Reference = z.string().min(1).max(100);

/** Every field but those that say which one it is may be left out: what is not named stays as it is. */
const partial = (schema: z.ZodObject, without: readonly string[]) => patchSchema(schema, without).shape;

const ChannelItem = z.object({
  ...partial(ChannelInputSchema, ["fallbackChannelId"]),
  name: NameSchema,
  provider: Reference,
  fallbackChannel: Reference.nullable().optional().describe("Name of a channel"),
}).strict();

const DestinationReference = z.union([
  z.object({ queue: Reference }).strict(),
  z.object({ extension: Reference }).strict(),
  z.object({ platform: Reference }).strict(),
], "must be one of {queue: …}, {extension: …}, {platform: …}");

const NumberItem = z.object({
  ...partial(NumberInputSchema, ["channelId", "destination", "allowedExtensions", "allowedQueues"]),
  number: z.string().min(1).max(64),
  channel: Reference.describe("Name of a channel"),
  destination: DestinationReference.nullable().optional(),
  allowedExtensions: z.array(Reference).max(1_000).optional().describe("As people dial them, e.g. 101"),
  allowedQueues: z.array(Reference).max(1_000).optional().describe("Names of queues"),
}).strict();

const ExtensionItem = z.object({
  ...partial(ExtensionInputSchema, []),
  extension: ExtensionInputSchema.shape.extension,
  name: NameSchema,
}).strict();

const QueueItem = z.object({
  ...partial(QueueInputSchema, ["members", "calendarId", "inCall"]),
  name: NameSchema,
  inCall: z.object({
    ...partial(QueueInCallSchema, ["numberId"]),
    number: Reference.nullable().optional().describe("The in-call number of its calls"),
  }).strict().optional(),
  calendar: Reference.nullable().optional().describe("Name of a calendar"),
  members: z.array(Reference).max(1_000).optional().describe("Extensions as people dial them, e.g. 101"),
}).strict();

const FallbackReference = z.union([
  z.object({ queue: Reference }).strict(),
  z.object({ extension: Reference }).strict(),
], "must be one of {queue: …}, {extension: …}");

const PlatformItem = z.object({
  ...partial(PlatformInputSchema, ["fallback"]),
  name: NameSchema,
  fallback: FallbackReference.nullable().optional(),
}).strict();

const CalendarItem = z.object({ ...partial(CalendarInputSchema, []), name: NameSchema }).strict();

const RuleItem = z.object({
  ...partial(RuleInputSchema, ["match", "action"]),
  name: NameSchema,
  match: z.object({
    ...partial(RuleMatchSchema, ["numbers", "hours"]),
    numbers: z.array(Reference).max(1_000).nullable().optional().describe("The numbers themselves"),
    hours: z.object({ calendar: Reference.describe("Name of a calendar"), is: z.enum(["open", "closed"]) })
      .strict().nullable().optional(),
  }).strict().optional(),
  action: z.object({
    ...partial(RuleActionSchema, ["destination"]),
    destination: DestinationReference.nullable().optional(),
  }).strict().optional(),
}).strict();

const CannedItem = CannedInputSchema.omit({ queueId: true }).extend({
  queue: Reference.optional().describe("Name of a queue; without it: of all"),
}).strict();

const InCallItem = z.object({
  ...partial(InCallSettingsSchema, ["numberId"]),
  number: Reference.nullable().optional().describe("The in-call number of calls that name none"),
}).strict();

const PresetItem = z.object({
  ...partial(PresetInputSchema, ["queueIds"]),
  label: PresetLabelSchema,
  queues: z.array(Reference).max(1_000).optional().describe("Names of queues"),
}).strict();

const KeyItem = z.object({
  name: NameSchema,
  role: z.enum(ROLES),
  extension: Reference.optional().describe("For the role agent"),
  platform: Reference.optional().describe("For the role platform"),
  expiresAt: z.iso.datetime({ offset: true }).nullable().optional(),
}).strict();

export const ApplyDocumentSchema = z.object({
  distribution: patchSchema(OverallDistributionSchema).optional(),
  extensions: z.array(ExtensionItem).max(ITEMS_MAX).default([]),
  platforms: z.array(PlatformItem).max(ITEMS_MAX).default([]),
  calendars: z.array(CalendarItem).max(ITEMS_MAX).default([]),
  queues: z.array(QueueItem).max(ITEMS_MAX).default([]),
  channels: z.array(ChannelItem).max(ITEMS_MAX).default([]),
  numbers: z.array(NumberItem).max(ITEMS_MAX).default([]),
  rules: z.array(RuleItem).max(ITEMS_MAX).default([]),
  canned: z.array(CannedItem).max(ITEMS_MAX).default([]),
  inCall: InCallItem.optional(),
  inCallPresets: z.array(PresetItem).max(ITEMS_MAX).default([]),
  keys: z.array(KeyItem).max(ITEMS_MAX).default([]),
}).strict();

export type ApplyDocument = z.output<typeof ApplyDocumentSchema>;
export type InCallItem = z.output<typeof InCallItem>;
export type PresetItem = z.output<typeof PresetItem>;
export type KeyItem = z.output<typeof KeyItem>;
export type NumberItem = z.output<typeof NumberItem>;
export type RuleItem = z.output<typeof RuleItem>;
export type DestinationReference = z.output<typeof DestinationReference>;
