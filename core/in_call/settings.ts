/**
 * Texting during calls: what is set for the installation, and what a queue sets for its own calls.
 *
 * @module
 */
import { z } from "zod";
import { TextsSchema } from "../automated_text.ts";
import { LanguageSchema } from "../language.ts";

/** Pictures that phones send, and videos. */
const MEDIA_TYPES = ["image/jpeg", "image/png", "image/gif", "video/*"];

const numberId = z.string().min(1).max(64);

export const InCallSettingsSchema = z.object({
  enabled: z.boolean().default(false).describe("Whether calls can be texted in at all"),
  outsideUs: z.boolean().default(false)
    .describe("Whether callers whose numbers are not of the United States are texted"),
  freeText: z.boolean().default(false)
    .describe("Whether agents may write texts of their own beside the presets"),
  numberId: numberId.nullable().default(null)
    .describe("The in-call number of calls that name none, if their queue has none either"),
  language: LanguageSchema.default("en").describe("Of calls that name none"),
  closingText: TextsSchema.nullable().default(null).describe("To the caller when a call ends"),
  autoReply: TextsSchema.nullable().default(null)
    .describe("To whoever writes while there is no call; once until the next call has ended"),
  mediaTypes: z.array(z.string().max(100)).max(100).default(MEDIA_TYPES)
    .describe(
      "Media types that callers may send, such as image/jpeg or video/*; empty: what the channel takes",
    ),
}).strict();

/** What holds where a queue says nothing else. */
export type InCallSettings = z.output<typeof InCallSettingsSchema>;

export const DEFAULT_IN_CALL: InCallSettings = InCallSettingsSchema.parse({});

/** Of a queue: each field that is left out is as for all calls. */
export const QueueInCallSchema = z.object({
  enabled: z.boolean().optional().describe("False: calls of this queue are not texted in"),
  outsideUs: z.boolean().optional(),
  freeText: z.boolean().optional(),
  numberId: numberId.optional().describe("The in-call number of its calls"),
  closingText: TextsSchema.optional(),
  autoReply: TextsSchema.optional(),
}).strict();

export type QueueInCall = z.output<typeof QueueInCallSchema>;

/** What agents call it by. */
export const PresetLabelSchema = z.string().min(1).max(100).regex(
  /^\S(.*\S)?$/,
  "must not begin or end with a blank",
);

/** A text that an administrator wrote for agents to send during calls. */
export interface InCallPreset {
  readonly id: string;
  readonly label: string;
  readonly texts: z.output<typeof TextsSchema>;
  /** The queues whose calls it is for; empty: all calls. */
  readonly queueIds: readonly string[];
}
