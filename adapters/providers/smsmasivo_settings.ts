/**
 * Settings of SMS Masivos, a name that two companies have: one in Argentina, Uruguay and Guatemala, one in Mexico.
 *
 * @module
 */
import { z } from "zod";
import type { Channel } from "../../core/channel.ts";
import { compileGateway, type Gateway } from "./generic/gateway.ts";
import { inboundShape, webhookShape } from "./generic/inbound_settings.ts";
import { GatewaySchema } from "./generic/settings_check.ts";

export const VARIANTS = ["ar", "uy", "gt", "mx"] as const;
export type Variant = (typeof VARIANTS)[number];

export interface Country {
  readonly base: string;
  readonly countryCode: string;
  /** ISO 3166. */
  readonly country: string;
  readonly digits: number;
}

export const COUNTRIES: Readonly<Record<Variant, Country>> = {
  ar: { base: "https://servicio.smsmasivos.com.ar", countryCode: "54", country: "AR", digits: 10 },
  uy: { base: "https://servicio.smsmasivos.com.uy", countryCode: "598", country: "UY", digits: 8 },
  gt: { base: "https://servicio.smsmasivos.com.ar", countryCode: "502", country: "GT", digits: 8 },
  mx: { base: "https://api.smsmasivos.com.mx", countryCode: "52", country: "MX", digits: 10 },
};

const secret = (title: string, description: string) =>
  z.string().min(1).max(200).regex(/^[\x20-\x7e]+$/).optional().meta({
    title,
    description,
    examples: ["s3cret-0123"],
    secret: true,
  });

const { statusWords, inboundNumber } = inboundShape;

const fields = inboundShape.fields.unwrap().extend({
  id: inboundShape.fields.unwrap().shape.id.unwrap().default(["id", "reference", "idinterno", "message_id"])
    .meta({ title: "Id" }),
}).prefault({}).meta({ ...inboundShape.fields.meta() });

export const SmsMasivoCredentialsSchema = z.object({
  variant: z.enum(VARIANTS).default("ar").meta({
    title: "Company",
    description:
      "ar, uy, gt: servicio.smsmasivos.com.ar or .com.uy; mx: api.smsmasivos.com.mx, another company",
    examples: ["ar"],
  }),
  user: z.string().min(1).max(200).optional().meta({
    title: "User (usuario)",
    description: "Of the account in Argentina, Uruguay or Guatemala; newer accounts have an API key instead",
    examples: ["DEMO500"],
  }),
  password: secret("Password (clave)", "Of that user"),
  apiKey: secret(
    "API key (apikey)",
    "Mexico: always; elsewhere on newer accounts, in place of user and password",
  ),
  sender: z.string().max(11).regex(/^[\x20-\x7e]+$/).optional().meta({
    title: "Sender",
    description: "Mexico only, and only if contracted: up to 11 characters",
    examples: ["ACME"],
  }),
  countryCode: z.boolean().default(false).meta({
    title: "Country code",
    description: "For accounts of several countries: puts the country code before the number. Not for Mexico",
    examples: [false],
  }),
  sandbox: z.boolean().default(false).meta({
    title: "Test mode",
    description: "The messages are accepted and not sent",
    examples: [false],
  }),
  pollSeconds: z.number().int().min(0).max(3_600).default(10).meta({
    title: "Fetch answers every",
    description: "Seconds between two looks for contacts' answers; 0: never. Not in Mexico, which has none",
    examples: [10],
  }),
  inboundNumber,
  fields,
  statusWords,
  ...webhookShape,
}).strict().superRefine((settings, context) => {
  const missing = (name: string, message: string) =>
    context.addIssue({ code: "custom", path: [name], message });
  if (settings.variant === "mx" && settings.apiKey === undefined) {
    missing("apiKey", "Mexico needs an API key");
  }
  if (settings.variant !== "mx" && settings.apiKey === undefined) {
    if (settings.user === undefined) missing("user", "is needed where there is no API key");
    if (settings.password === undefined) missing("password", "is needed where there is no API key");
  }
  const gateway = GatewaySchema.safeParse(gatewaySettings(settings));
  for (const issue of gateway.error?.issues ?? []) {
    context.addIssue({ code: "custom", path: issue.path.map(String), message: issue.message });
  }
});

export type SmsMasivoSettings = z.output<typeof SmsMasivoCredentialsSchema>;

/** What the webhook's reader needs. The parameters of both companies' webhooks are not public: names are settings. */
function gatewaySettings(settings: Readonly<Record<string, unknown>> & { readonly variant: Variant }) {
  const isMexico = settings.variant === "mx";
  const webhook = Object.keys(webhookShape).map((name) => [name, settings[name]] as const);
  return {
    url: "https://unused.invalid/",
    charset: isMexico ? "utf-8" : "latin-1",
    defaultCountry: COUNTRIES[settings.variant].country,
    fields: settings.fields,
    statusWords: {
      ...(isMexico && { pending: "sent", not_charged: "rejected" }),
      ...(settings.statusWords as object),
    },
    inboundNumber: settings.inboundNumber,
    ...Object.fromEntries(webhook.filter(([, value]) => value !== undefined)),
  };
}

export interface SmsMasivo {
  readonly settings: SmsMasivoSettings;
  readonly country: Country;
  readonly base: string;
  readonly webhooks: Gateway;
}

const known = new WeakMap<object, SmsMasivo | null>();

/** The settings of a channel, worked out once; null where they do not fit. */
export function smsMasivoOf(channel: Channel): SmsMasivo | null {
  let found = known.get(channel.credentials);
  if (found === undefined) {
    const parsed = SmsMasivoCredentialsSchema.safeParse(channel.credentials);
    found = parsed.success ? readyOf(parsed.data, channel) : null;
    known.set(channel.credentials, found);
  }
  return found;
}

function readyOf(settings: SmsMasivoSettings, channel: Channel): SmsMasivo {
  const country = COUNTRIES[settings.variant];
  return {
    settings,
    country,
    base: (channel.settings.baseUrl ?? country.base).replace(/\/+$/, ""),
    webhooks: compileGateway(GatewaySchema.parse(gatewaySettings(settings))),
  };
}
