/**
 * What an administrator sets for a generic HTTP provider, checked when it is saved so that nothing is left to
 * fail when a message is to be sent.
 *
 * @module
 */
import { z } from "zod";
import { FINAL_CLASSES, RETRYABLE_CLASSES } from "../../core/errors.ts";
import { isKnownCountry, parseAddress } from "../../core/phone_number.ts";
import type { ParsedReport } from "../../core/ports/provider.ts";
import { parseTemplate, renderTemplate, type Template, variablesOf } from "./template.ts";

/** What templates may name. */
export const URLSMS_VARIABLES = [
  "phone",
  "phone_plus",
  "phone_national",
  "message",
  "id",
  "id_num",
  "from",
  "user",
  "password",
  "date",
  "encoding",
  "parts",
] as const;

export type UrlSmsVariable = (typeof URLSMS_VARIABLES)[number];

const REPORT_WORDS = ["queued", "sent", "delivered", "failed", "undelivered", "rejected", "expired"] as const;

/** A refused regular expression's reason, or undefined. A repeated group that repeats inside can take for ever. */
function patternFault(source: string): string | undefined {
  try {
    new RegExp(source, "u");
  } catch (error) {
    return error instanceof Error ? error.message : "is not a regular expression";
  }
  return /\([^()]*[+*}][^()]*\)\s*(?:[+*]|\{\d*,)/.test(source)
    ? "a repeated group must not contain a repetition: it can take for ever"
    : undefined;
}

const pattern = z.string().min(1).max(300).superRefine((source, context) => {
  const fault = patternFault(source);
  if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
});

function unknownVariables(text: string): string[] {
  return variablesOf(parseTemplate(text)).filter((name) =>
    !(URLSMS_VARIABLES as readonly string[]).includes(name)
  );
}

const urlTemplate = z.string().min(1).max(2_000).superRefine((text, context) => {
  const fault = (message: string) => context.addIssue({ code: "custom", message });
  for (const name of unknownVariables(text)) {
    fault(`there is no variable ${name}; use ${URLSMS_VARIABLES.join(", ")}`);
  }
  const origin = /^https?:\/\/[^/?#]*/i.exec(text)?.[0];
  if (origin === undefined) return fault("must begin with http:// or https://");
  if (/[{}@\s]/.test(origin)) return fault("must not have variables, spaces or a user in its host part");
  if (!URL.canParse(renderTemplate(parseTemplate(text), () => "x"))) return fault("is not a web address");
});

const headerTemplate = z.string().max(1_000).superRefine((text, context) => {
  const fault = (message: string) => context.addIssue({ code: "custom", message });
  for (const name of unknownVariables(text)) {
    fault(`there is no variable ${name}; use ${URLSMS_VARIABLES.join(", ")}`);
  }
  if (variablesOf(parseTemplate(text)).includes("message")) fault("a header cannot hold the message");
  if (/[^\x20-\x7e]/.test(text)) fault("must be visible ASCII");
});

const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/)
  .refine((name) => !/^(host|content-length|transfer-encoding|connection|upgrade)$/i.test(name), {
    message: "this header belongs to the connection",
  });

const fieldNames = z.array(z.string().min(1).max(100)).min(1).max(20);
const line = z.string().max(1_000).regex(/^[\x20-\x7e]*$/);

export const UrlSmsCredentialsSchema = z.object({
  url: urlTemplate.describe("Called to send, e.g. http://host/x.php?to=${phone}&text=${message}&id=${id}"),
  user: line.optional(),
  password: line.optional().meta({ secret: true }),
  from: line.optional().describe("Replaces the number in the variable from"),
  charset: z.enum(["utf-8", "latin-1"]).default("utf-8"),
  spaceAs: z.enum(["%20", "+"]).default("%20"),
  phoneFormat: z.enum(["digits", "e164", "national"]).default("digits").describe(
    "How the variable phone is written",
  ),
  defaultCountry: z.string().refine(isKnownCountry, { message: "is not a country's two letters" }).optional()
    .describe("Country of numbers that come in without one, e.g. UY"),
  headers: z.record(headerName, headerTemplate).default({}),
  successStatus: z.array(z.number().int().min(100).max(599)).min(1).max(50).optional().describe(
    "Default: 200 to 299",
  ),
  successContains: z.string().min(1).max(300).optional(),
  successPattern: pattern.optional(),
  errorRules: z.array(
    z.object({
      pattern,
      class: z.enum([...RETRYABLE_CLASSES, ...FINAL_CLASSES]),
    }).strict(),
  ).max(50).default([]).describe("The first pattern that the answer matches gives its class"),
  idPattern: pattern.optional().describe("Its first group is the provider's id"),
  idPath: z.string().regex(/^[A-Za-z0-9_$-]+(?:\.[A-Za-z0-9_$-]+|\[\d{1,4}\])*$/).max(200).optional()
    .describe("Where a JSON answer has the provider's id, e.g. messages[0].id"),
  fields: z.object({
    from: fieldNames.default(["from", "sender", "phone", "celular", "msisdn", "origen", "number"]),
    to: fieldNames.default(["to", "receiver", "destino", "shortcode"]),
    text: fieldNames.default(["text", "message", "mensaje", "body", "texto"]),
    id: fieldNames.default(["id", "message_id", "messageId", "sms_id"]),
    media: fieldNames.default(["media", "media_url", "MediaUrl0"]),
    status: fieldNames.default(["status", "state", "estado", "dlr"]),
  }).strict().prefault({}).describe("Names of the fields that come in, tried in order"),
  statusWords: z.record(z.string().min(1).max(100), z.enum(REPORT_WORDS)).default({})
    .describe("What the receiver calls the states of a message; added to the known words"),
  inboundNumber: z.string().refine((text) => parseAddress(text) !== null, { message: "is not a number" })
    .optional()
    .describe("Ours, where what comes in does not say"),
  webhookHeader: headerName.optional().describe("Header that a caller must bring"),
  webhookHeaderValue: line.min(8).optional().meta({ secret: true }),
  webhookUser: line.min(1).optional().describe("HTTP Basic that a caller must bring"),
  webhookPassword: line.min(1).optional().meta({ secret: true }),
  reply: z.object({
    status: z.number().int().min(200).max(299).default(200),
    contentType: line.min(1).default("text/plain; charset=utf-8"),
    body: z.string().max(10_000).default("OK"),
  }).strict().prefault({}).describe("What a caller is answered"),
}).strict()
  .refine((fields) => (fields.webhookHeader === undefined) === (fields.webhookHeaderValue === undefined), {
    message: "webhookHeader and webhookHeaderValue belong together",
    path: ["webhookHeaderValue"],
  })
  .refine((fields) => (fields.webhookUser === undefined) === (fields.webhookPassword === undefined), {
    message: "webhookUser and webhookPassword belong together",
    path: ["webhookPassword"],
  });

export type UrlSmsCredentials = z.output<typeof UrlSmsCredentialsSchema>;

/** The words of receivers all over Latin America and beyond; lower case. `queued` moves nothing. */
const DEFAULT_WORDS: Readonly<Record<(typeof REPORT_WORDS)[number], readonly string[]>> = {
  queued: ["queued", "encolado", "accepted", "pending", "pendiente"],
  sent: ["sent", "enviado"],
  delivered: ["delivered", "entregado"],
  undelivered: ["undelivered", "no entregado"],
  expired: ["expired", "vencido"],
  failed: ["failed", "error", "fallido"],
  rejected: ["rejected", "rechazado"],
};

/** The settings, ready to use. */
export interface UrlSmsSettings {
  readonly credentials: UrlSmsCredentials;
  readonly url: Template;
  readonly headers: readonly (readonly [name: string, value: Template])[];
  readonly successPattern: RegExp | undefined;
  readonly errorRules: readonly {
    readonly pattern: RegExp;
    readonly class: UrlSmsCredentials["errorRules"][0]["class"];
  }[];
  readonly idPattern: RegExp | undefined;
  readonly statusWords: ReadonlyMap<string, ParsedReport["status"] | "queued">;
}

function compile(credentials: UrlSmsCredentials): UrlSmsSettings {
  const words = new Map<string, ParsedReport["status"] | "queued">();
  for (const status of REPORT_WORDS) for (const word of DEFAULT_WORDS[status]) words.set(word, status);
  for (const [word, status] of Object.entries(credentials.statusWords)) words.set(word.toLowerCase(), status);
  const regExp = (source: string | undefined) => source === undefined ? undefined : new RegExp(source, "u");
  return {
    credentials,
    url: parseTemplate(credentials.url),
    headers: Object.entries(credentials.headers).map((
      [name, value],
    ) => [name.toLowerCase(), parseTemplate(value)]),
    successPattern: regExp(credentials.successPattern),
    errorRules: credentials.errorRules.map((rule) => ({
      pattern: new RegExp(rule.pattern, "iu"),
      class: rule.class,
    })),
    idPattern: regExp(credentials.idPattern),
    statusWords: words,
  };
}

const compiled = new WeakMap<object, UrlSmsSettings | null>();

/** The settings of a channel's credentials, or null where they do not fit the schema; worked out once. */
export function urlSmsSettings(credentials: Readonly<Record<string, unknown>>): UrlSmsSettings | null {
  let settings = compiled.get(credentials);
  if (settings === undefined) {
    const parsed = UrlSmsCredentialsSchema.safeParse(credentials);
    settings = parsed.success ? compile(parsed.data) : null;
    compiled.set(credentials, settings);
  }
  return settings;
}
