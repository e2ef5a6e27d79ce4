/**
 * What an administrator sets for a Dinstar gateway, checked when it is saved.
 *
 * @module
 */
import type { BlockList } from "node:net";
import { z } from "zod";
import type { Channel } from "../../core/channel.ts";
import { isKnownCountry, nationalDigits, parseAddress } from "../../core/phone_number.ts";
import { secretField } from "./credential_fields.ts";
import { cidrFault, rangesOf } from "./generic/cidr.ts";

/** Ports of the largest gateway. */
const PORTS_MAX = 32;

/** Reads `0-3,6`: the ports in that order. Null where it is no such list. */
export function parsePorts(text: string): readonly number[] | null {
  const ports: number[] = [];
  for (const part of text.split(",")) {
    const [, first, last] = /^\s*(\d{1,2})\s*(?:-\s*(\d{1,2})\s*)?$/.exec(part) ?? [];
    if (first === undefined) return null;
    const [from, to] = [Number(first), Number(last ?? first)];
    if (from > to || to >= PORTS_MAX) return null;
    for (let port = from; port <= to; port++) if (!ports.includes(port)) ports.push(port);
  }
  return ports;
}

const portList = z.string().max(200).refine((text) => parsePorts(text) !== null, {
  message: `is no list of ports from 0 to ${PORTS_MAX - 1}, like 0-3 or 0,2,5-7`,
});

const ownNumber = z.string().refine((text) => parseAddress(text)?.value === text, {
  message: "is no number in E.164, short code or sender ID",
});

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const DinstarCredentialsSchema = z.object({
  endpoint: z.url({ protocol: /^https?$/ }).max(500).meta({
    title: "Gateway",
    description: "Address of the device, without a path; baseUrl replaces it",
    examples: ["http://192.0.2.10"],
  }),
  user: z.string().regex(/^[\x20-\x39\x3b-\x7e]{1,64}$/, "must be 1 to 64 ASCII characters without a colon")
    .meta({
      title: "User",
      description: "Mobile Configuration, API: the API user, which is not the login of the web page",
      examples: ["apiuser"],
    }),
  password: secretField("Password", "What belongs to the API user", "s3cret"),
  authentication: z.enum(["auto", "digest", "basic"]).default("auto").meta({
    title: "Authentication",
    description:
      "auto does what the device asks for; one scheme is tried, since devices lock out who tries many",
    examples: ["digest"],
  }),
  ports: portList.optional().meta({
    title: "Ports",
    description: "Used in turn: 0-3 sends by 0, 1, 2, 3, 0 … Without them the device chooses",
    examples: ["0-3"],
  }),
  portNumbers: z.record(
    z.string().regex(/^(?:\d|[12]\d|3[01])$/, "is no port from 0 to 31"),
    ownNumber,
  ).default({}).meta({
    title: "Numbers of the ports",
    description:
      "The number of the SIM in each port: what comes in does not say it, and messages of a number leave by its port",
    examples: [{ "0": "+59899123456" }],
  }),
  defaultNumber: ownNumber.optional().meta({
    title: "Number of all other ports",
    description: "For ports that are not in the table",
    examples: ["+59899123456"],
  }),
  defaultCountry: z.string().refine(isKnownCountry, { message: "is not a country's two letters" }).optional()
    .meta({
      title: "Country",
      description: "Of numbers that come in the national way, and of numbers that are dialled so",
      examples: ["UY"],
    }),
  phoneFormat: z.enum(["e164", "digits", "national"]).default("e164").meta({
    title: "Number format",
    description: "How a phone on these SIMs dials: +59899123456, 59899123456 or 099123456",
    examples: ["e164"],
  }),
  statusReports: z.boolean().default(true).meta({
    title: "Delivery reports",
    description: "Asks the network for them; some networks charge for it",
    examples: [true],
  }),
  inbound: z.enum(["poll", "push"]).default("poll").meta({
    title: "Incoming messages",
    description: "poll fetches them; push waits for the device to post them to the webhook URL",
    examples: ["poll"],
  }),
  inboundIntervalSeconds: z.number().min(1).max(3_600).default(5).meta({
    title: "Pause between two fetches, s",
    description: "For incoming messages",
    examples: [5],
  }),
  resultIntervalSeconds: z.number().min(1).max(3_600).default(8).meta({
    title: "Pause between two questions, s",
    description: "For what became of messages, while any is open; never for longer than a day",
    examples: [8],
  }),
  timeZone: z.string().max(60).refine(isTimeZone, { message: "is no time zone" }).optional().meta({
    title: "Time zone",
    description:
      "Of the device's clock, e.g. America/Montevideo: delivery reports are then asked for by time",
    examples: ["America/Montevideo"],
  }),
  webhookAddresses: z.array(
    z.string().max(50).superRefine((text, context) => {
      const fault = cidrFault(text);
      if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
    }),
  ).max(20).default([]).meta({
    title: "Addresses of the device",
    description: "Addresses and ranges that may post; empty: all who know the secret in the address",
    examples: [["192.0.2.10"]],
  }),
  webhookProxies: z.number().int().min(0).max(5).default(0).meta({
    title: "Proxies before us",
    description:
      "How many of our own: the device's address is that many places from the end of X-Forwarded-For",
    examples: [1],
  }),
  serial: z.string().regex(/^[\x21-\x7e]{1,40}$/).optional().meta({
    title: "Serial number",
    description: "What another device sends is refused",
    examples: ["da00-0022-5000-0001"],
  }),
}).strict();

export type DinstarCredentials = z.output<typeof DinstarCredentialsSchema>;

/** The settings, ready to use. */
export interface DinstarSettings {
  readonly credentials: DinstarCredentials;
  /** In the order in which they take turns; empty: the device chooses. */
  readonly ports: readonly number[];
  /** Who may post; null: anybody. */
  readonly callers: BlockList | null;
}

const settingsOf = new WeakMap<object, DinstarSettings | null>();

/** The channel's settings; null where they do not fit. Read once. */
export function dinstarSettings(channel: Channel): DinstarSettings | null {
  const { credentials } = channel;
  let settings = settingsOf.get(credentials);
  if (settings === undefined) {
    const parsed = DinstarCredentialsSchema.safeParse(credentials);
    settings = parsed.success
      ? {
        credentials: parsed.data,
        ports: parsePorts(parsed.data.ports ?? "") ?? [],
        callers: parsed.data.webhookAddresses.length === 0 ? null : rangesOf(parsed.data.webhookAddresses),
      }
      : null;
    settingsOf.set(credentials, settings);
  }
  return settings;
}

/** The same where nothing can be done without; throws, which is a fault of configuration. */
export function requiredDinstarSettings(channel: Channel): DinstarSettings {
  const settings = dinstarSettings(channel);
  if (settings === null) throw new Error(`channel ${channel.id} has settings that do not fit its provider`);
  return settings;
}

/** Our number on a port, if it is known. */
export function numberOfPort({ credentials }: DinstarSettings, port: number): string | undefined {
  const { portNumbers, defaultNumber } = credentials;
  return Object.hasOwn(portNumbers, String(port)) ? portNumbers[String(port)] : defaultNumber;
}

/**
 * The port for the message with this number: the ports of its own number take turns, or all where no port is known
 * to be its own. Null: the device chooses.
 */
export function portFor(
  { credentials, ports }: DinstarSettings,
  from: string,
  number: number,
): number | null {
  const own = Object.entries(credentials.portNumbers).filter(([, value]) => value === from)
    .map(([port]) => Number(port));
  const among = own.length === 0
    ? ports
    : ports.length === 0
    ? own
    : ports.filter((port) => own.includes(port));
  const usable = among.length === 0 ? own : among;
  return usable.length === 0 ? null : usable[(number - 1) % usable.length]!;
}

/** A number as it is dialled from these SIMs. */
export function dialled({ credentials }: DinstarSettings, to: string): string {
  switch (credentials.phoneFormat) {
    case "e164":
      return to;
    case "digits":
      return to.replace(/^\+/, "");
    case "national":
      return nationalDigits(to);
  }
}
