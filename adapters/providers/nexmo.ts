/**
 * Vonage's SMS API, formerly Nexmo: text messages by API key and secret.
 * https://developer.vonage.com/en/api/sms
 *
 * @module
 */
import { z } from "zod";
import type { Channel } from "../../core/channel.ts";
import type {
  HttpAnswer,
  HttpCall,
  OutgoingMessage,
  Provider,
  SendResult,
  WebhookRequest,
  WebhookResult,
} from "../../core/ports/provider.ts";
import { errorOfStatus, failed, isObject, jsonObject } from "./answers.ts";
import { baseUrlOf, credential, plainField, requiredCredential, secretField } from "./credential_fields.ts";
import { readFields } from "./fields.ts";
import { accepted, malformed, unreadable, unsigned } from "./inbound.ts";
import { type JsonObject, listAt, textAt } from "./json_values.ts";
import { NEXMO_ANSWERS, NEXMO_RECEIPTS } from "./nexmo_errors.ts";
import { isSignedByNexmo, NEXMO_SIGNATURES, type NexmoSignature } from "./nexmo_signature.ts";
import { isNexmoProbe, isNexmoReceipt, readNexmoMessage, readNexmoReceipt } from "./nexmo_webhook.ts";
import { basicAuthorization } from "./secrets.ts";

const BASE = "https://rest.nexmo.com";
const TTL_MIN_MS = 20_000;
const TTL_MAX_MS = 604_800_000;
/** Vonage repeats a webhook for a day, and nobody says whether it signs it anew: a day, and some for clocks. */
const SIGNATURE_AGE_SECONDS = 90_000;

export const NexmoCredentialsSchema = z.object({
  apiKey: plainField("API key", "On the first page of the Vonage dashboard", "abcd1234"),
  apiSecret: secretField("API secret", "Beside the API key", "ExampleSecret1"),
  signatureSecret: secretField(
    "Signature secret",
    "Dashboard, API settings. Set it if webhooks are signed (Vonage's support switches that on): " +
      "what is not signed is then refused",
    "example-signature-secret",
  ).optional(),
  previousSignatureSecret: secretField(
    "Previous signature secret",
    "Accepted too while the secret is being changed; remove it afterwards",
    "former-signature-secret",
  ).optional(),
  signatureMethod: z.enum(NEXMO_SIGNATURES).default("md5hash").meta({
    title: "Signature method",
    description: "Dashboard, API settings: md5hash is the MD5 hash, the others are HMACs",
    examples: ["sha256"],
  }),
  signatureMaxAgeSeconds: z.number().int().min(60).max(604_800).default(SIGNATURE_AGE_SECONDS).meta({
    title: "Longest age of a signature",
    description: "Seconds. Shorter than a day loses messages that Vonage repeats after a long outage",
    examples: [SIGNATURE_AGE_SECONDS],
  }),
}).strict();

function signatureFault(
  fields: NonNullable<ReturnType<typeof readFields>>,
  channel: Channel,
  receivedMs: number,
): string | null {
  const secrets = [credential(channel, "signatureSecret"), credential(channel, "previousSignatureSecret")]
    .filter((secret) => secret !== undefined);
  // The account signs nothing: the secret in the path is the proof.
  if (secrets.length === 0) return null;
  if (fields.get("sig") === undefined) return "the field sig is missing";
  const method = (credential(channel, "signatureMethod") ?? "md5hash") as NexmoSignature;
  if (!isSignedByNexmo(fields, method, secrets)) {
    return "the signature does not fit this request and the channel's signature secret";
  }
  const maxAge = channel.credentials["signatureMaxAgeSeconds"];
  const ageMs = Math.abs(receivedMs - Number(fields.get("timestamp") ?? NaN) * 1_000);
  return ageMs <= (typeof maxAge === "number" ? maxAge : SIGNATURE_AGE_SECONDS) * 1_000
    ? null
    : "the signature's timestamp is missing or too far from now";
}

function parseWebhook(request: WebhookRequest, channel: Channel): WebhookResult {
  const fields = readFields(request);
  if (fields === null) return unreadable("the body has too many fields or is no JSON object");
  const fault = signatureFault(fields, channel, request.receivedMs);
  if (fault !== null) return unsigned(fault);
  const apiKey = fields.get("api-key");
  if (apiKey !== undefined && apiKey !== credential(channel, "apiKey")) {
    return malformed("api-key", "is another account's than this channel's");
  }
  if (isNexmoReceipt(request.path, fields)) return readNexmoReceipt(request.path, fields);
  return isNexmoProbe(fields) ? accepted({}) : readNexmoMessage(fields);
}

function authorization(channel: Channel): string {
  return basicAuthorization(requiredCredential(channel, "apiKey"), requiredCredential(channel, "apiSecret"));
}

function withoutPlus(address: string): string {
  return address.startsWith("+") ? address.slice(1) : address;
}

function buildSend(message: OutgoingMessage, channel: Channel): HttpCall {
  const pairs: [string, string][] = [
    ["from", withoutPlus(message.from)],
    ["to", withoutPlus(message.to)],
    ["text", message.text.toWellFormed()],
    // Vonage does not look: what GSM does not have is lost in a message of type text.
    ["type", message.encoding === "ucs2" ? "unicode" : "text"],
    ["client-ref", message.id],
  ];
  if (message.statusUrl !== "") pairs.push(["status-report-req", "true"], ["callback", message.statusUrl]);
  if (message.validitySeconds !== undefined) {
    const ttlMs = Math.min(Math.max(Math.floor(message.validitySeconds * 1_000), TTL_MIN_MS), TTL_MAX_MS);
    pairs.push(["ttl", String(ttlMs)]);
  }
  return {
    method: "POST",
    url: `${baseUrlOf(channel, BASE)}/sms/json`,
    headers: {
      authorization: authorization(channel),
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
    },
    body: pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&"),
  };
}

/** The pause that Vonage asks for in words: "please wait [ 250 ] and retry", ms. */
function pauseInWords(text: string): number | undefined {
  const asked = /\[\s*(\d{1,7})\s*\]/.exec(text)?.[1];
  return asked === undefined ? undefined : Number(asked);
}

function readFault(part: JsonObject, answer: HttpAnswer): SendResult {
  const code = textAt(part, "status") ?? "";
  const words = textAt(part, "error-text") ?? "";
  const known = NEXMO_ANSWERS.find(code);
  // Status 3 is for any field; its text names which.
  const isDestination = code === "3" && /\bto\b/i.test(words);
  const result = failed(answer, {
    class: isDestination ? "invalid-number" : known?.class ?? "rejected",
    reason: isDestination
      ? "the destination is not valid"
      : known?.reason ?? `Vonage refused the message${words === "" ? "" : `: ${words}`}`,
    ...(code !== "" && { code }),
  });
  const pauseMs = known?.class === "throttled" ? pauseInWords(words) : undefined;
  return result.kind === "failed" && pauseMs !== undefined && result.retryAfterMs === undefined
    ? { ...result, retryAfterMs: pauseMs }
    : result;
}

/** The answer is 200 whatever happened; each part of the text has its own status and id. */
function readSend(answer: HttpAnswer, _channel: Channel): SendResult {
  const body = jsonObject(answer.body);
  const parts = body === null ? [] : listAt(body, "messages").filter(isObject);
  const wrong = parts.find((part) => textAt(part, "status") !== "0");
  if (wrong !== undefined) {
    const taken = parts.filter((part) => textAt(part, "status") === "0").length;
    if (taken === 0) return readFault(wrong, answer);
    // Another try would send the parts twice that were taken.
    const code = textAt(wrong, "status") ?? "";
    return failed(answer, {
      class: "rejected",
      reason: `Vonage took ${taken} of the text's ${parts.length} parts: ${
        NEXMO_ANSWERS.find(code)?.reason ?? "the others were refused"
      }`,
      ...(code !== "" && { code }),
    });
  }
  const id = parts.length === 0 ? undefined : textAt(parts[0]!, "message-id");
  if (id !== undefined && /^[\x21-\x7e]{1,128}$/.test(id)) return { kind: "accepted", providerId: id };
  const isSuccess = answer.status >= 200 && answer.status < 300;
  return failed(
    answer,
    isSuccess
      ? { class: "bad-response", reason: "Vonage's answer has no message id" }
      : errorOfStatus(answer.status),
  );
}

function buildVerify(channel: Channel): HttpCall {
  return {
    method: "GET",
    url: `${baseUrlOf(channel, BASE)}/account/get-balance`,
    headers: { authorization: authorization(channel), accept: "application/json" },
  };
}

function readVerify(answer: HttpAnswer, _channel: Channel): { ok: boolean; reason: string } {
  if (answer.status === 200 && jsonObject(answer.body)?.["value"] !== undefined) {
    return { ok: true, reason: "Vonage accepts the API key and secret" };
  }
  return {
    ok: false,
    reason: answer.status === 200 ? "Vonage's answer cannot be read" : errorOfStatus(answer.status).reason,
  };
}

export const nexmo: Provider = {
  kind: "nexmo",
  title: "Nexmo (Vonage SMS API)",
  credentials: NexmoCredentialsSchema,
  // 30 requests a second and API key; Vonage cuts a request into its segments.
  defaults: { rateMps: 30, burst: 1, costUnit: "message", maxTextLength: 3_200 },
  numberRates: {
    geographic: { rateMps: 1 },
    "toll-free": { rateMps: 3 },
    "short-code": { rateMps: 30 },
  },
  description: {
    docsUrl: "https://developer.vonage.com/en/messaging/sms/overview",
    authentication:
      "optional: the field sig, an MD5 hash or an HMAC over all fields, by either of two secrets",
    facts: [
      {
        fact: "30 requests a second and API key; a request is one message of any length",
        source: "documented",
      },
      { fact: "numbers go out and come in as digits without a plus", source: "documented" },
      { fact: "webhooks come as a form, JSON or GET, as the account is set", source: "documented" },
      { fact: "each part of a long text that comes in has its own webhook", source: "documented" },
      {
        fact: "a webhook that is not answered with 200 comes again for up to 24 hours",
        source: "documented",
      },
      {
        fact: "a text with a character outside GSM 7-bit is sent as Unicode, all others as GSM",
        source: "documented",
      },
      { fact: "a signature holds for 25 hours, since a repeat may carry its old one", source: "assumed" },
      { fact: "longest text 3,200 characters", source: "assumed" },
      { fact: "a North American long code sends 1 a second, a toll-free number 3", source: "assumed" },
      { fact: "a message whose parts were taken only in part is not sent again", source: "assumed" },
      {
        fact: "the first part's id stands for the message; reports are matched by client-ref too",
        source: "assumed",
      },
    ],
    errors: [
      ...NEXMO_ANSWERS.described.map((error) => ({ ...error, code: `status ${error.code}` })),
      ...NEXMO_RECEIPTS.described.map((error) => ({ ...error, code: `err-code ${error.code}` })),
    ],
  },
  supports: { mms: false, deliveryReports: true, signature: true, idempotency: false },
  parseWebhook,
  buildSend,
  readSend,
  buildVerify,
  readVerify,
};
