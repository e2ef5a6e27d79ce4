/**
 * A channel is one account at one provider. These are the settings every provider shares; what is particular
 * to a provider is in the `credentials` schema that the provider declares.
 *
 * @module
 */
import { z } from "zod";
import type { OptOutSettings } from "./opt_out/settings.ts";
import { SUBSTITUTIONS } from "./substitution.ts";

export const RetrySchema = z.object({
  initialMs: z.number().int().min(10).max(3_600_000).default(2_000).describe("First pause, ms"),
  factor: z.number().min(1).max(10).default(2).describe("Each further pause is this many times longer"),
  maxMs: z.number().int().min(10).max(86_400_000).default(300_000).describe("Longest pause, ms"),
  maxTries: z.number().int().min(1).max(100).default(8).describe("Tries in all"),
  maxAgeSeconds: z.number().int().min(1).max(604_800).default(86_400)
    .describe("A message older than this is not tried again, seconds"),
}).strict();

/** No file is longer, whatever a channel says: 100 MB. */
export const MEDIA_BYTES_MAX = 104_857_600;

export const MediaSettingsSchema = z.object({
  inbound: z.boolean().default(true).describe(
    "Whether contacts' media are taken; else they are left out, with a note",
  ),
  outbound: z.boolean().default(true).describe("Whether media may be sent"),
  maxBytes: z.number().int().min(1).max(MEDIA_BYTES_MAX).default(MEDIA_BYTES_MAX).describe(
    "Longest file, bytes",
  ),
  retentionHours: z.number().int().min(1).max(8_760).default(72).describe("How long files are kept, hours"),
  types: z.array(z.string().max(100)).max(100).default([]).describe(
    "Media types allowed, such as image/jpeg or image/*; empty: all",
  ),
}).strict();

/** Settings that every provider shares, with their defaults. Units are in the names. */
export const ChannelSettingsSchema = z.object({
  baseUrl: z.url({ protocol: /^https?$/ }).max(2_000).optional()
    .describe("Another host that speaks this provider's API: a regional one, a gateway, the simulator"),
  timeoutMs: z.number().int().min(100).max(120_000).default(15_000).describe(
    "For one call to the provider, ms",
  ),
  rateMps: z.number().min(0.01).max(100_000).default(1).describe("Sending rate, units of cost per second"),
  burst: z.number().min(1).max(100_000).default(1).describe("Units that may leave at once after a pause"),
  replyShare: z.number().min(0).max(1).default(0.2).describe(
    "Part of the rate that bulk messages leave to replies while there are any; 0: none",
  ),
  dailyCap: z.number().int().min(1).max(100_000_000).optional().describe("Units per UTC day"),
  costUnit: z.enum(["message", "segment"]).default("message"),
  retry: RetrySchema.prefault({}),
  uncertain: z.enum(["resend", "hold"]).default("hold")
    .describe("What to do with a message of which a crash left unknown whether the provider took it"),
  maxTextLength: z.number().int().min(1).max(10_000).default(1_600).describe("UTF-16 units"),
  maxSegments: z.number().int().min(1).max(255).optional().describe("Longest text in segments"),
  overlong: z.enum(["refuse", "split"]).default("refuse")
    .describe("A text over these limits is refused, or sent as several messages that are counted as such"),
  encoding: z.enum(["auto", "gsm7", "ucs2"]).default("auto"),
  substitution: z.enum(SUBSTITUTIONS).default("off").describe(
    "Puts plain characters for typographic quotes, dashes, spaces and for letters that GSM 7-bit has only without " +
      "accent. smart: where the text becomes GSM 7-bit by it; ascii: always, and for every accent",
  ),
  destinationPattern: z.string().max(500).optional()
    .describe("Regular expression that a destination (E.164) must match"),
  media: MediaSettingsSchema.prefault({}),
  sessionTimeoutDays: z.number().min(0.00001).max(365).default(1)
    .describe("A session without a message for this long closes by itself"),
  verifiedNumbersOnly: z.boolean().default(false)
    .describe("Only verified numbers may be given to queues"),
  fallbackChannelId: z.string().max(64).optional().describe(
    "The channel that messages leave through while this one is down, from its own oldest number",
  ),
  optOutAnsweredBy: z.enum(["patchbay", "provider"]).default("patchbay")
    .describe("Who confirms STOP, START and HELP: some providers do it themselves"),
}).strict();

export type ChannelSettings = z.output<typeof ChannelSettingsSchema>;

export const CHANNEL_STATUSES = ["connected", "degraded", "auth-failed", "disabled"] as const;
export type ChannelStatus = (typeof CHANNEL_STATUSES)[number];

/** A channel as the running system holds it: credentials in clear, never to be logged or returned. */
export interface Channel {
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  readonly enabled: boolean;
  readonly isDefault: boolean;
  readonly settings: ChannelSettings;
  /** Parsed by the provider's own schema. */
  readonly credentials: Readonly<Record<string, unknown>>;
}

export const NUMBER_TYPES = ["geographic", "mobile", "short-code", "toll-free", "alphanumeric"] as const;

export const NUMBER_PURPOSES = ["chat", "in-call"] as const;

export const DestinationSchema = z.object({
  kind: z.enum(["extension", "queue", "platform"]),
  id: z.string().min(1).max(64),
}).strict();

/** Where a number's new sessions go. */
export type Destination = z.output<typeof DestinationSchema>;

/** One of our numbers. */
export interface OwnNumber {
  readonly id: string;
  readonly channelId: string;
  /** E.164, a short code, or an alphanumeric sender ID. */
  readonly number: string;
  readonly type: (typeof NUMBER_TYPES)[number];
  readonly label: string | null;
  readonly verified: boolean;
  readonly direction: "both" | "outbound";
  /** What it is for: conversations with contacts, or texting during calls; never both. */
  readonly purpose: (typeof NUMBER_PURPOSES)[number];
  /** Own limit in units of cost per second; null: only the channel's. */
  readonly rateMps: number | null;
  readonly burst: number | null;
  readonly destination: Destination | null;
  /** Extensions that may open sessions from it; empty: all. */
  readonly allowedExtensions: readonly string[];
  /** Queues whose members may do so too. */
  readonly allowedQueues: readonly string[];
  /** How it understands STOP and the like; null: as usual. */
  readonly optOut: OptOutSettings | null;
}
