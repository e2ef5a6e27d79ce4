/**
 * Contacts' messages: what a person writes, put into the request that the provider makes of it.
 *
 * @module
 */
import type { ProviderName } from "./faults.ts";
import { type ClientAnswer, LinePool } from "./http_client.ts";
import { newRunHex, sidOf, uuidOf } from "./ids.ts";
import { readTarget, type RequestTarget } from "./request_text.ts";
import { TWILIO_DEFAULT_ACCOUNT } from "./twilio.ts";
import { twilioInbound } from "./twilio_webhooks.ts";
import { urlsmsInbound } from "./urlsms_webhooks.ts";
import { voicemeupInbound } from "./voicemeup_webhooks.ts";

export interface ContactMessage {
  /** The provider's id. */
  readonly id: string;
  /** The contact's number, E.164. */
  readonly from: string;
  /** Ours, E.164 or a short code. */
  readonly to: string;
  readonly text: string;
}

export interface WebhookOptions {
  readonly provider: ProviderName;
  /** Where the request goes. */
  readonly url: string;
  /** The URL that the provider was given, where it differs: what Twilio signs. @default url */
  readonly publicUrl?: string;
  /** Twilio's; the simulator's own account when left out. */
  readonly accountSid?: string;
  readonly authToken?: string;
  /** Twilio and URLSMS know both. @default "POST" for Twilio and VoiceMeUp, "GET" for URLSMS */
  readonly method?: "GET" | "POST";
  /** Twilio alone signs. @default "valid" */
  readonly signature?: "valid" | "wrong" | "missing";
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
}

/** Fills in the defaults. Throws a `TypeError` if the URL is none. */
export function webhookTarget(options: WebhookOptions): WebhookTarget {
  const url = readTarget(options.url);
  if (url === null) throw new TypeError(`not an http URL: ${options.url}`);
  return {
    provider: options.provider,
    url,
    publicUrl: options.publicUrl ?? options.url,
    accountSid: options.accountSid ?? TWILIO_DEFAULT_ACCOUNT.sid,
    authToken: options.authToken ?? TWILIO_DEFAULT_ACCOUNT.authToken,
    method: options.method ?? (options.provider === "urlsms" ? "GET" : "POST"),
    signature: options.signature ?? "valid",
  };
}

/** The whole request that brings `message`. */
export function inboundRequest(target: WebhookTarget, message: ContactMessage): string {
  switch (target.provider) {
    case "twilio":
      return twilioInbound(target, message);
    case "voicemeup":
      return voicemeupInbound(target, message);
    case "urlsms":
      return urlsmsInbound(target, message);
  }
}

/** The id that `provider` gives the contact's message with this sequence. */
export function inboundId(provider: ProviderName, runHex: string, sequence: number): string {
  return provider === "voicemeup" ? uuidOf(runHex, sequence) : sidOf("SM", runHex, sequence);
}

/**
 * Sends one message as a contact and gives the answer with the id it was sent under. For scripts and tests;
 * load comes from the generator. Rejects when the line breaks or nothing comes within 15 s.
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
    const message = { id, from: options.from, to: options.to, text: options.text };
    return { ...await pool.request(inboundRequest(target, message)), id };
  } finally {
    pool.close();
  }
}
