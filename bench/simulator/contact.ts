/**
 * Contacts' messages: what a person writes, put into the request that the provider makes of it.
 *
 * @module
 */
import { BANDWIDTH_WIRE } from "./bandwidth.ts";
import type { InboundWire } from "./carrier.ts";
import { DINSTAR_WIRE } from "./dinstar_webhooks.ts";
import type { ProviderName } from "./faults.ts";
import { type ClientAnswer, LinePool } from "./http_client.ts";
import { GATEWAY_WIRE, PLAIN_WIRE } from "./gateway_json.ts";
import { newRunHex } from "./ids.ts";
import { PLIVO_WIRE } from "./plivo.ts";
import { readTarget, type RequestTarget } from "./request_text.ts";
import { SINCH_WIRE } from "./sinch.ts";
import { TELESIGN_WIRE } from "./telesign.ts";
import { TELNYX_WIRE } from "./telnyx.ts";
import { INFOBIP_WIRE } from "./infobip.ts";
import { NEXMO_WIRE } from "./nexmo_webhooks.ts";
import { TWILIO_WIRE } from "./twilio_webhooks.ts";
import { URLSMS_WIRE } from "./urlsms_webhooks.ts";
import { VONAGE_WIRE } from "./vonage.ts";
import { VOICEMEUP_WIRE } from "./voicemeup_webhooks.ts";

const WIRES: Readonly<Record<ProviderName, InboundWire>> = {
  twilio: TWILIO_WIRE,
  voicemeup: VOICEMEUP_WIRE,
  nexmo: NEXMO_WIRE,
  vonage: VONAGE_WIRE,
  telesign: TELESIGN_WIRE,
  infobip: INFOBIP_WIRE,
  urlsms: URLSMS_WIRE,
  urlsmsauth: URLSMS_WIRE,
  urlsmspost: URLSMS_WIRE,
  urlpostsmsauth: URLSMS_WIRE,
  quality: PLAIN_WIRE,
  gmg: PLAIN_WIRE,
  http: GATEWAY_WIRE,
  smsmasivo: PLAIN_WIRE,
  smsmasivomx: PLAIN_WIRE,
  bandwidth: BANDWIDTH_WIRE,
  telnyx: TELNYX_WIRE,
  plivo: PLIVO_WIRE,
  sinch: SINCH_WIRE,
  dinstarweb: DINSTAR_WIRE,
};

export interface ContactMessage {
  /** The provider's id. */
  readonly id: string;
  /** The contact's number, E.164. */
  readonly from: string;
  /** Ours, E.164 or a short code. */
  readonly to: string;
  readonly text: string;
  /** Pictures and files, by their links. */
  readonly media?: readonly { readonly url: string; readonly contentType: string }[];
}

export interface WebhookOptions {
  readonly provider: ProviderName;
  /** Where the request goes. */
  readonly url: string;
  /** The URL that the provider was given, where it differs: what Twilio signs. @default url */
  readonly publicUrl?: string;
  /** The account at the provider and the secret that webhooks are signed with. @default the simulator's own */
  readonly accountSid?: string;
  readonly authToken?: string;
  /** Some providers know both. @default what the provider does when nothing is set */
  readonly method?: "GET" | "POST";
  /** Ignored by providers that sign nothing. @default "valid" */
  readonly signature?: "valid" | "wrong" | "missing";
  /** One of several ways in which the provider can be set to call; the provider's file lists them. @default "" */
  readonly format?: string;
}

/** {@link WebhookOptions} with nothing left open. */
export interface WebhookTarget {
  readonly provider: ProviderName;
  readonly url: RequestTarget;
  readonly publicUrl: string;
  readonly accountSid: string;
  readonly authToken: string;
  readonly method: "GET" | "POST";
  readonly signature: "valid" | "wrong" | "missing";
  readonly format: string;
}

/** Fills in the defaults. Throws a `TypeError` if the URL is none. */
export function webhookTarget(options: WebhookOptions): WebhookTarget {
  const url = readTarget(options.url);
  if (url === null) throw new TypeError(`not an http URL: ${options.url}`);
  const { defaults } = WIRES[options.provider];
  return {
    provider: options.provider,
    url,
    publicUrl: options.publicUrl ?? options.url,
    accountSid: options.accountSid ?? defaults.accountSid,
    authToken: options.authToken ?? defaults.authToken,
    method: options.method ?? defaults.method,
    signature: options.signature ?? "valid",
    format: options.format ?? "",
  };
}

/** The whole request that brings `message`. */
export function inboundRequest(target: WebhookTarget, message: ContactMessage): string {
  return WIRES[target.provider].request(target, message);
}

/** The id that `provider` gives the contact's message with this sequence. */
export function inboundId(provider: ProviderName, runHex: string, sequence: number): string {
  return WIRES[provider].id(runHex, sequence);
}

/**
 * Sends one message as a contact and gives the answer, of several requests the last or the first that was not
 * taken, with the id it was sent under. For scripts and tests; load comes from the generator. Rejects when the line breaks or nothing comes within 15 s.
 *
 * @example
 * ```ts ignore
 * await writeAsContact({ provider: "twilio", url, from: "+12025550100", to: "+14155550199", text: "Hello" });
 * ```
 */
export async function writeAsContact(
  options: WebhookOptions & Omit<ContactMessage, "id"> & { readonly id?: string },
): Promise<ClientAnswer & { readonly id: string }> {
  const target = webhookTarget(options);
  const id = options.id ?? inboundId(target.provider, newRunHex(), 1);
  const pool = new LinePool(target.url.origin, { lines: 1, timeoutMs: 15_000 });
  try {
    const { from, to, text, media } = options;
    const message = { id, from, to, text, ...(media === undefined ? {} : { media }) };
    const wire = WIRES[target.provider];
    let answer: ClientAnswer | undefined;
    for (const request of wire.requests?.(target, message) ?? [wire.request(target, message)]) {
      answer = await pool.request(request);
      if (answer.status >= 300) break;
    }
    return { ...answer!, id };
  } finally {
    pool.close();
  }
}
