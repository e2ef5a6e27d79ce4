/**
 * Telnyx messaging, API v2. https://developers.telnyx.com/docs/messaging/messages/send-message
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
import { unsigned } from "./inbound.ts";
import { listAt, objectAt, textAt } from "./json_values.ts";
import { TELNYX_ERRORS } from "./telnyx_errors.ts";
import { isTelnyxKey, telnyxSignatureFault } from "./telnyx_signature.ts";
import { readTelnyxEvent } from "./telnyx_webhook.ts";

const BASE = "https://api.telnyx.com";

const publicKey = (title: string, help: string) =>
  z.string().max(100).refine(isTelnyxKey, { message: "is not an Ed25519 key of 32 bytes in base64" }).meta({
    title,
    description: help,
    examples: ["A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="],
  });

export const TelnyxCredentialsSchema = z.object({
  apiKey: secretField("API key", "Portal, API Keys: a V2 key", "KEY0123456789ABCDEF_abcdef0123456789abcdef"),
  publicKey: publicKey("Public key", "Portal, API Keys, Public Key: webhooks are checked with it"),
  previousPublicKey: publicKey("Previous public key", "Accepted too while the key is being changed")
    .optional(),
  messagingProfileId: plainField(
    "Messaging profile",
    "Only where the sender is an alphanumeric sender ID: its profile's id",
    "400174af-0a13-4e28-b4f5-000000000000",
  ).optional(),
}).strict();

function headersOf(channel: Channel): Record<string, string> {
  return {
    authorization: `Bearer ${requiredCredential(channel, "apiKey")}`,
    accept: "application/json",
  };
}

function parseWebhook(request: WebhookRequest, channel: Channel): WebhookResult {
  const keys = [credential(channel, "publicKey"), credential(channel, "previousPublicKey")]
    .filter((key) => key !== undefined);
  const fault = telnyxSignatureFault(request.headers, request.body, keys, request.receivedMs);
  return fault === null ? readTelnyxEvent(request.body, request.path) : unsigned(fault);
}

function buildSend(message: OutgoingMessage, channel: Channel): HttpCall {
  const profile = credential(channel, "messagingProfileId");
  return {
    method: "POST",
    url: `${baseUrlOf(channel, BASE)}/v2/messages`,
    headers: { ...headersOf(channel), "content-type": "application/json" },
    body: JSON.stringify({
      from: message.from,
      to: message.to,
      ...((message.text !== "" || message.media.length === 0) && { text: message.text.toWellFormed() }),
      ...(message.media.length > 0 && { media_urls: message.media.map((media) => media.url) }),
      ...(profile !== undefined && { messaging_profile_id: profile }),
      ...(message.statusUrl !== "" && { webhook_url: message.statusUrl }),
    }),
  };
}

function errorCode(answer: HttpAnswer): string {
  const fault = listAt(jsonObject(answer.body) ?? {}, "errors")[0];
  return (isObject(fault) ? textAt(fault, "code") : undefined) ?? "";
}

function readSend(answer: HttpAnswer, _channel: Channel): SendResult {
  if (answer.status >= 200 && answer.status < 300) {
    const id = textAt(objectAt(jsonObject(answer.body) ?? {}, "data") ?? {}, "id");
    if (id !== undefined && /^[\x21-\x7e]{1,128}$/.test(id)) return { kind: "accepted", providerId: id };
    return failed(answer, {
      class: "bad-response",
      reason: "Telnyx took the call but its answer has no message id",
    });
  }
  const code = errorCode(answer);
  const known = TELNYX_ERRORS.find(code);
  if (known !== undefined) return failed(answer, { class: known.class, reason: known.reason, code });
  const byStatus = errorOfStatus(answer.status);
  return failed(answer, code === "" ? byStatus : { ...byStatus, code });
}

function buildVerify(channel: Channel): HttpCall {
  return { method: "GET", url: `${baseUrlOf(channel, BASE)}/v2/balance`, headers: headersOf(channel) };
}

function readVerify(answer: HttpAnswer, _channel: Channel): { ok: boolean; reason: string } {
  if (answer.status === 200) return { ok: true, reason: "Telnyx accepts the API key" };
  return {
    ok: false,
    reason: (TELNYX_ERRORS.find(errorCode(answer)) ?? errorOfStatus(answer.status)).reason,
  };
}

/** https://developers.telnyx.com/api/numbers/list-phone-numbers */
const numberCheck: Provider["numberCheck"] = {
  build: (number, channel) => ({
    method: "GET",
    url: `${baseUrlOf(channel, BASE)}/v2/phone_numbers?${new URLSearchParams({
      "filter[phone_number]": number,
    })}`,
    headers: headersOf(channel),
  }),
  read: (answer, number) => {
    if (answer.status !== 200) return { ok: false, reason: errorOfStatus(answer.status).reason };
    const numbers = listAt(jsonObject(answer.body) ?? {}, "data");
    const isOurs = numbers.some((one) => isObject(one) && one["phone_number"] === number);
    return isOurs
      ? { ok: true, reason: "the number is one of the Telnyx account's" }
      : { ok: false, reason: "the Telnyx account does not have the number" };
  },
};

export const telnyx: Provider = {
  kind: "telnyx",
  title: "Telnyx",
  credentials: TelnyxCredentialsSchema,
  // A long code that is not registered for 10DLC: six messages a minute.
  defaults: {
    rateMps: 0.1,
    burst: 1,
    costUnit: "message",
    maxTextLength: 1_600,
    optOutAnsweredBy: "provider",
  },
  description: {
    docsUrl: "https://developers.telnyx.com/docs/messaging",
    authentication:
      "Ed25519 signature over time and body (telnyx-signature-ed25519), not older than five minutes, by either of two keys",
    facts: [
      { fact: "numbers go out and come in as E.164 with their plus", source: "documented" },
      {
        fact:
          "rates: long code without 10DLC 0.1/s, toll-free 20/s, short code 1000/s, sender ID 0.1/s, account 50/s",
        source: "documented",
      },
      {
        fact: "media of a message below 1 MB in total; media by toll-free numbers 6 a minute",
        source: "documented",
      },
      {
        fact: "a webhook has to be answered within 2 s; it comes three times, then at the failover address",
        source: "documented",
      },
      { fact: "delivery_unconfirmed counts as sent, delivery_failed as undelivered", source: "assumed" },
      { fact: "the balance is what proves the API key", source: "assumed" },
      { fact: "longest text 1,600 characters", source: "assumed" },
    ],
    errors: TELNYX_ERRORS.described,
  },
  supports: { mms: true, deliveryReports: true, signature: true, idempotency: false },
  parseWebhook,
  buildSend,
  readSend,
  buildVerify,
  readVerify,
  numberCheck,
};
