/**
 * What goes wrong on demand, per provider. Faults may be changed while the simulator runs; chance comes from
 * a seed, so that a run can be had again.
 *
 * @module
 */
import { z } from "zod";
import { drawSpan, type Span } from "./clock.ts";

export const PROVIDERS = [
  "twilio",
  "voicemeup",
  "nexmo",
  "vonage",
  "telesign",
  "infobip",
  "urlsms",
  "urlsmsauth",
  "urlsmspost",
  "urlpostsmsauth",
  "http",
  "quality",
  "gmg",
  "smsmasivo",
  "smsmasivomx",
  "bandwidth",
  "telnyx",
  "plivo",
  "sinch",
  "dinstarweb",
] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** Something for each provider. */
export function byProvider<T>(make: (provider: ProviderName) => T): Record<ProviderName, T> {
  return Object.fromEntries(PROVIDERS.map((name) => [name, make(name)])) as Record<ProviderName, T>;
}

const fraction = z.number().min(0).max(1);
const milliseconds = z.number().min(0).max(600_000);
const numbers = z.array(z.string().max(40)).max(100_000);

/** All off by default. Fractions are shares of calls, reports or webhooks, from 0 to 1. */
export const FaultsSchema = z.strictObject({
  /** Calls above the rate are refused with 429 (Twilio: 20429) and Retry-After; null: no limit. */
  throttle: z.strictObject({
    rateMps: z.number().positive(),
    burst: z.number().min(1).default(1),
    retryAfterSeconds: z.number().min(0).default(1),
    /** Whether all calls share one limit or each of the sender's numbers has its own. */
    per: z.enum(["provider", "number"]).default("provider"),
  }).nullable().default(null),
  /** Calls refused with this HTTP status and the provider's own code. The first entry that strikes counts. */
  fail: z.array(z.strictObject({
    fraction,
    status: z.number().int().min(200).max(599),
    code: z.union([z.string(), z.number()]).optional(),
    message: z.string().default("made to fail"),
  })).max(20).default([]),
  /** How long an answer takes, in ms: fixed, or between two. */
  delayMs: z.union([milliseconds, z.tuple([milliseconds, milliseconds])]).default(0),
  /** Calls that are never answered. `accepts`: whether the message was taken all the same. */
  hang: z.strictObject({ fraction, accepts: z.boolean().default(true) }).default({
    fraction: 0,
    accepts: true,
  }),
  /** Calls whose line is cut in place of an answer. `accepts`: whether the message was taken all the same. */
  cut: z.strictObject({ fraction, accepts: z.boolean().default(true) }).default({
    fraction: 0,
    accepts: true,
  }),
  /** Contacts that opted out with the carrier (Twilio: 21610). */
  optedOut: numbers.default([]),
  /** Numbers that do not exist (Twilio: 21211). */
  invalid: numbers.default([]),
  /** Reports that say the message could not be delivered. */
  undelivered: fraction.default(0),
  /** Reports sent twice, at the same time. */
  duplicateReports: fraction.default(0),
  /** Messages whose last report comes before the first. */
  reorderReports: fraction.default(0),
  /** Reports followed by one about a message that nobody sent. */
  unknownReports: fraction.default(0),
  /** Contacts' messages that are delivered twice. */
  duplicateWebhooks: fraction.default(0),
  /** Whether the second copy leaves at the same time as the first or after its answer. */
  duplicateAtOnce: z.boolean().default(true),
  /** Contacts' messages delivered after the next one of the same conversation. */
  reorderWebhooks: fraction.default(0),
});

export type Faults = z.output<typeof FaultsSchema>;
export type FaultsInput = z.input<typeof FaultsSchema>;

const fields = z.record(z.string(), z.unknown());

/** Changes of faults by provider; `all` stands for every provider and is applied first. The fields are checked where they land. */
export const FaultSettingsSchema = z.strictObject({
  all: fields.optional(),
  ...byProvider(() => fields.optional()),
});

export type FaultSettings = { readonly [name in ProviderName | "all"]?: Partial<FaultsInput> | undefined };

export const NO_FAULTS: Faults = FaultsSchema.parse({});

/** What is to become of one call. */
export type Verdict =
  | { readonly kind: "take"; readonly line: "answer" | "hang" | "cut"; readonly delayMs: number }
  | { readonly kind: "drop"; readonly line: "hang" | "cut" }
  | {
    readonly kind: "refuse";
    readonly why: "throttled" | "opted-out" | "invalid-number" | "made-to-fail";
    readonly status: number;
    readonly code?: string | number;
    readonly message: string;
    readonly retryAfterSeconds?: number;
    readonly delayMs: number;
  };

const PLAIN: Verdict = { kind: "take", line: "answer", delayMs: 0 };

/** One provider's faults at work. */
export class FaultState {
  #faults: Faults = NO_FAULTS;
  #plain = true;
  #optedOut: ReadonlySet<string> = new Set();
  #invalid: ReadonlySet<string> = new Set();
  /** When the next call is within the rate, in ms, by number or under "" for all. */
  readonly #dueMs = new Map<string, number>();

  constructor(private readonly random: () => number) {}

  get faults(): Faults {
    return this.#faults;
  }

  /** Replaces the named fields, keeps the others. Throws a `ZodError` and changes nothing if they do not fit. */
  change(fields: Partial<FaultsInput>): void {
    this.#faults = this.preview(fields);
    this.#plain = JSON.stringify(this.#faults) === JSON.stringify(NO_FAULTS);
    this.#optedOut = new Set(this.#faults.optedOut.map(bare));
    this.#invalid = new Set(this.#faults.invalid.map(bare));
    if (fields.throttle !== undefined) this.#dueMs.clear();
  }

  /** The faults as `fields` would make them. Throws a `ZodError` that names what does not fit. */
  preview(fields: Partial<FaultsInput>): Faults {
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    return FaultsSchema.parse({ ...this.#faults, ...given });
  }

  reset(): void {
    this.change(NO_FAULTS);
  }

  strikes(share: number): boolean {
    return share > 0 && this.random() < share;
  }

  draw(span: Span): number {
    return drawSpan(span, this.random);
  }

  /** Decides one send from `from` to `to` that came at `nowMs`. Throttling comes first: a refused call costs no more. */
  judge(from: string, to: string, nowMs: number): Verdict {
    if (this.#plain) return PLAIN;
    const faults = this.#faults;
    const delayMs = this.draw(faults.delayMs);
    if (faults.throttle !== null && !this.#within(faults.throttle, from, nowMs)) {
      return {
        kind: "refuse",
        why: "throttled",
        status: 429,
        message: "Too Many Requests",
        retryAfterSeconds: faults.throttle.retryAfterSeconds,
        delayMs,
      };
    }
    for (const fail of faults.fail) {
      if (this.strikes(fail.fraction)) {
        return {
          kind: "refuse",
          why: "made-to-fail",
          status: fail.status,
          message: fail.message,
          delayMs,
          ...(fail.code === undefined ? {} : { code: fail.code }),
        };
      }
    }
    if (this.#optedOut.has(bare(to))) {
      return {
        kind: "refuse",
        why: "opted-out",
        status: 400,
        message: "Attempt to send to unsubscribed recipient",
        delayMs,
      };
    }
    if (this.#invalid.has(bare(to))) {
      return {
        kind: "refuse",
        why: "invalid-number",
        status: 400,
        message: "The number is not valid",
        delayMs,
      };
    }
    for (const line of ["hang", "cut"] as const) {
      if (!this.strikes(faults[line].fraction)) continue;
      return faults[line].accepts ? { kind: "take", line, delayMs } : { kind: "drop", line };
    }
    return { kind: "take", line: "answer", delayMs };
  }

  #within(throttle: NonNullable<Faults["throttle"]>, from: string, nowMs: number): boolean {
    const key = throttle.per === "number" ? from : "";
    const intervalMs = 1000 / throttle.rateMps;
    const dueMs = this.#dueMs.get(key) ?? 0;
    if (dueMs - (throttle.burst - 1) * intervalMs > nowMs) return false;
    this.#dueMs.set(key, Math.max(dueMs, nowMs) + intervalMs);
    return true;
  }
}

/** Numbers are compared without the "+", which some providers leave out. */
function bare(number: string): string {
  return number.startsWith("+") ? number.slice(1) : number;
}
