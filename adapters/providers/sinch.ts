/**
 * Sinch SMS, the REST API (XMS). https://developers.sinch.com/docs/sms/api-reference/
 *
 * @module
 */
import { createHmac } from "node:crypto";
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
import { errorOfStatus, failed, jsonObject } from "./answers.ts";
import { baseUrlOf, credential, plainField, requiredCredential, secretField } from "./credential_fields.ts";
import { unsigned } from "./inbound.ts";
import { textAt } from "./json_values.ts";
import { basicAuthorization, sameSecret } from "./secrets.ts";
import { SINCH_ANSWERS, SINCH_REPORTS } from "./sinch_errors.ts";
import { readSinchEvent } from "./sinch_webhook.ts";

const REGIONS = ["us", "eu", "au", "br", "ca"] as const;

export const SinchCredentialsSchema = z.object({
  servicePlanId: plainField(
    "Service plan ID",
    "Dashboard, SMS, APIs: the service plan",
    "0123456789abcdef0123456789abcdef",
  ),
  apiToken: secretField(
    "API token",
    "Dashboard, SMS, APIs: of the service plan",
    "abcdef0123456789abcdef0123456789",
  ),
  region: z.enum(REGIONS).default("us").meta({
    title: "Region",
    description: "Where the service plan lives; media messages go out of us, au and ca",
    examples: ["eu"],
  }),
  webhookSecret: secretField(
    "Callback secret",
    "Set for the service plan by Sinch: callbacks are signed with it",
    "sinch-hook-secret-1",
  ).optional(),
  previousWebhookSecret: secretField(
    "Previous callback secret",
    "Accepted too while the secret is being changed",
    "sinch-hook-secret-0",
  ).optional(),
  webhookUser: plainField("Callback user", "HTTP Basic of callbacks, if Sinch has set it up so", "patchbay")
    .optional(),
  webhookPassword: secretField("Callback password", "What belongs to the callback user", "s3cret").optional(),
}).strict().refine(
  (fields) => (fields.webhookUser === undefined) === (fields.webhookPassword === undefined),
  { message: "webhookUser and webhookPassword belong together", path: ["webhookPassword"] },
);

function planUrl(channel: Channel): string {
  const region = credential(channel, "region") ?? "us";
  const base = baseUrlOf(channel, `https://${region}.sms.api.sinch.com`);
  return `${base}/xms/v1/${encodeURIComponent(requiredCredential(channel, "servicePlanId"))}`;
}

function headersOf(channel: Channel): Record<string, string> {
  return { authorization: `Bearer ${requiredCredential(channel, "apiToken")}`, accept: "application/json" };
}

/** Why a webhook is not authentic, or null. The vendor's SDK signs body, nonce and time, joined by full stops. */
function signatureFault(request: WebhookRequest, secrets: readonly string[]): string | null {
  const { headers } = request;
  const given = headers.get("x-sinch-webhook-signature");
  const nonce = headers.get("x-sinch-webhook-signature-nonce");
  const timestamp = headers.get("x-sinch-webhook-signature-timestamp");
  if (given === null || nonce === null || timestamp === null) {
    return "the header x-sinch-webhook-signature, its nonce or its timestamp is missing";
  }
  const fits = secrets.some((secret) => {
    const hmac = createHmac("sha256", secret).update(request.body).update(`.${nonce}.${timestamp}`);
    return sameSecret(given, hmac.digest("base64"));
  });
  return fits ? null : "the signature does not fit this request and the channel's secret";
}

function proofFault(request: WebhookRequest, channel: Channel): string | null {
  const secret = credential(channel, "webhookSecret");
  const previous = credential(channel, "previousWebhookSecret");
  if (secret !== undefined) {
    return signatureFault(request, previous === undefined ? [secret] : [secret, previous]);
  }
  const user = credential(channel, "webhookUser");
  if (user === undefined) return null;
  const expected = basicAuthorization(user, credential(channel, "webhookPassword") ?? "");
  return sameSecret(request.headers.get("authorization"), expected)
    ? null
    : "the callback user or password is missing or wrong";
}

function parseWebhook(request: WebhookRequest, channel: Channel): WebhookResult {
  const fault = proofFault(request, channel);
  return fault === null ? readSinchEvent(request.body, request.path) : unsigned(fault);
}

/** Sinch takes numbers without their plus; a sender ID has none. */
function withoutPlus(address: string): string {
  return address.startsWith("+") ? address.slice(1) : address;
}

/** A message takes one attachment: the links of further ones are added to its text, so that none is lost. */
function contentOf({ text, media }: OutgoingMessage): Record<string, unknown> {
  const [first, ...others] = media;
  if (first === undefined) return { type: "mt_text", body: text.toWellFormed() };
  const message = [text.toWellFormed(), ...others.map(({ url }) => url)].filter((part) => part !== "").join(
    "\n",
  );
  return { type: "mt_media", body: { url: first.url, ...(message !== "" && { message }) } };
}

function buildSend(message: OutgoingMessage, channel: Channel): HttpCall {
  return {
    method: "POST",
    url: `${planUrl(channel)}/batches`,
    headers: { ...headersOf(channel), "content-type": "application/json" },
    body: JSON.stringify({
      from: withoutPlus(message.from),
      to: [withoutPlus(message.to)],
      ...contentOf(message),
      delivery_report: "per_recipient",
      ...(message.statusUrl !== "" && { callback_url: message.statusUrl }),
      client_reference: message.id,
    }),
  };
}

function readSend(answer: HttpAnswer, _channel: Channel): SendResult {
  const body = jsonObject(answer.body) ?? {};
  if (answer.status >= 200 && answer.status < 300) {
    const id = textAt(body, "id");
    if (id !== undefined && /^[\x21-\x7e]{1,128}$/.test(id)) return { kind: "accepted", providerId: id };
    return failed(answer, {
      class: "bad-response",
      reason: "Sinch took the call but its answer has no batch id",
    });
  }
  const code = textAt(body, "code") ?? "";
  const known = SINCH_ANSWERS.find(code);
  if (known !== undefined) return failed(answer, { class: known.class, reason: known.reason, code });
  const byStatus = errorOfStatus(answer.status);
  return failed(answer, code === "" ? byStatus : { ...byStatus, code });
}

function buildVerify(channel: Channel): HttpCall {
  return { method: "GET", url: `${planUrl(channel)}/batches?page_size=1`, headers: headersOf(channel) };
}

function readVerify(answer: HttpAnswer, _channel: Channel): { ok: boolean; reason: string } {
  return answer.status === 200
    ? { ok: true, reason: "Sinch accepts the service plan and its token" }
    : { ok: false, reason: errorOfStatus(answer.status).reason };
}

export const sinch: Provider = {
  kind: "sinch",
  title: "Sinch",
  credentials: SinchCredentialsSchema,
  defaults: { rateMps: 1, burst: 1, costUnit: "message", maxTextLength: 2_000 },
  description: {
    docsUrl: "https://developers.sinch.com/docs/sms/",
    authentication:
      "HMAC-SHA256 of body, nonce and time (x-sinch-webhook-signature) by either of two secrets, or HTTP Basic, as Sinch has set up the service plan; else the secret in the address",
    facts: [
      { fact: "numbers come in without their plus; they go out without it too", source: "documented" },
      { fact: "longest text 2,000 characters", source: "documented" },
      {
        fact: "media messages reach the US, Puerto Rico, Canada and Australia; one attachment each",
        source: "documented",
      },
      {
        fact: "a callback comes again after 5 s, then at doubling pauses; a 4xx ends it",
        source: "documented",
      },
      {
        fact: "Expired counts as expired, Unknown as sent, Aborted, Deleted and Cancelled as rejected",
        source: "assumed",
      },
      { fact: "a binary message is shown as base64", source: "assumed" },
      { fact: "1 message a second until told otherwise", source: "assumed" },
    ],
    errors: [...SINCH_ANSWERS.described, ...SINCH_REPORTS.described],
  },
  supports: { mms: true, deliveryReports: true, signature: true, idempotency: false },
  parseWebhook,
  buildSend,
  readSend,
  buildVerify,
  readVerify,
};
