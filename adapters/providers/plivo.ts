/**
 * Plivo messaging. https://www.plivo.com/docs/messaging/api/message
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
import { readForm, readQuery } from "./fields.ts";
import { unreadable, unsigned } from "./inbound.ts";
import { listAt, textAt } from "./json_values.ts";
import { isOwnHost } from "./media_host.ts";
import { PLIVO_ERRORS } from "./plivo_errors.ts";
import { plivoSignatureFault } from "./plivo_signature.ts";
import { isPlivoReport, readPlivoMessage, readPlivoReport } from "./plivo_webhook.ts";
import { basicAuthorization } from "./secrets.ts";

const BASE = "https://api.plivo.com";
const EXPIRY_MIN_SECONDS = 5;
const EXPIRY_MAX_SECONDS = 14_400;

export const PlivoCredentialsSchema = z.object({
  authId: z.string().regex(/^[A-Za-z0-9]{10,40}$/, "is MA or SA and letters and digits").meta({
    title: "Auth ID",
    description: "Console, Overview: of the account or of a subaccount",
    examples: ["MAXXXXXXXXXXXXXXXXXX"],
  }),
  authToken: secretField(
    "Auth Token",
    "Console, Overview; webhooks are signed with it",
    "MjAwMDAwMDAwMDAwMDAw",
  ),
  previousAuthToken: secretField(
    "Previous Auth Token",
    "Accepted in signatures too while the token is being changed",
    "MTAwMDAwMDAwMDAwMDAw",
  ).optional(),
  powerpackId: plainField(
    "Powerpack",
    "Sends from this pool of numbers instead of the message's own number",
    "5ec4c8c9-cd74-42b5-9e41-000000000000",
  ).optional(),
}).strict();

function accountUrl(channel: Channel): string {
  return `${baseUrlOf(channel, BASE)}/v1/Account/${requiredCredential(channel, "authId")}`;
}

function authorization(channel: Channel): string {
  return basicAuthorization(
    requiredCredential(channel, "authId"),
    requiredCredential(channel, "authToken"),
  );
}

function parseWebhook(request: WebhookRequest, channel: Channel): WebhookResult {
  const tokens = [credential(channel, "authToken"), credential(channel, "previousAuthToken")]
    .filter((token) => token !== undefined);
  const isGet = request.method === "GET";
  const fields = isGet ? readQuery(request.url) : readForm(request.body);
  if (fields === null) return unreadable("there are too many fields");
  const fault = plivoSignatureFault(request, isGet ? null : fields, tokens);
  if (fault !== null) return unsigned(fault);
  return isPlivoReport(request.path, fields)
    ? readPlivoReport(request.path, fields)
    : readPlivoMessage(fields);
}

function buildSend(message: OutgoingMessage, channel: Channel): HttpCall {
  const powerpack = credential(channel, "powerpackId");
  const { validitySeconds } = message;
  return {
    method: "POST",
    url: `${accountUrl(channel)}/Message/`,
    headers: {
      authorization: authorization(channel),
      "content-type": "application/json",
      accept: "application/json",
    },
    body: JSON.stringify({
      ...(powerpack === undefined ? { src: message.from } : { powerpack_uuid: powerpack }),
      dst: message.to,
      type: message.media.length > 0 ? "mms" : "sms",
      ...((message.text !== "" || message.media.length === 0) && { text: message.text.toWellFormed() }),
      ...(message.media.length > 0 && { media_urls: message.media.map((media) => media.url) }),
      ...(message.statusUrl !== "" && { url: message.statusUrl, method: "POST" }),
      ...(validitySeconds !== undefined && {
        message_expiry: Math.min(
          Math.max(Math.floor(validitySeconds), EXPIRY_MIN_SECONDS),
          EXPIRY_MAX_SECONDS,
        ),
      }),
    }),
  };
}

/** Plivo explains a refusal in a text, at one of two places; there is no code. */
function explanationIn(body: Readonly<Record<string, unknown>>): string {
  const error = body["error"];
  return isObject(error) ? textAt(error, "error") ?? "" : typeof error === "string" ? error : "";
}

function readSend(answer: HttpAnswer, _channel: Channel): SendResult {
  const body = jsonObject(answer.body) ?? {};
  if (answer.status >= 200 && answer.status < 300) {
    const id = listAt(body, "message_uuid")[0];
    if (typeof id === "string" && /^[\x21-\x7e]{1,128}$/.test(id)) {
      return { kind: "accepted", providerId: id };
    }
    return failed(
      answer,
      listAt(body, "invalid_number").length > 0
        ? { class: "invalid-number", reason: "Plivo does not take the destination" }
        : { class: "bad-response", reason: "Plivo took the call but its answer has no message id" },
    );
  }
  const byStatus = errorOfStatus(answer.status);
  const explanation = explanationIn(body);
  return failed(answer, {
    ...byStatus,
    reason: explanation === "" ? byStatus.reason : `${byStatus.reason}: ${explanation}`,
  });
}

/** Where "basic auth for media" is on in the console. */
function mediaAuthorization(url: URL, channel: Channel): Readonly<Record<string, string>> | null {
  return isOwnHost(url, channel, "plivo.com") ? { authorization: authorization(channel) } : null;
}

function buildVerify(channel: Channel): HttpCall {
  return {
    method: "GET",
    url: `${accountUrl(channel)}/`,
    headers: { authorization: authorization(channel), accept: "application/json" },
  };
}

function readVerify(answer: HttpAnswer, _channel: Channel): { ok: boolean; reason: string } {
  return answer.status === 200
    ? { ok: true, reason: "Plivo accepts the credentials" }
    : { ok: false, reason: errorOfStatus(answer.status).reason };
}

export const plivo: Provider = {
  kind: "plivo",
  title: "Plivo",
  credentials: PlivoCredentialsSchema,
  // A North American long code: one segment in four seconds.
  defaults: { rateMps: 0.25, burst: 1, costUnit: "segment", maxTextLength: 1_600 },
  description: {
    docsUrl: "https://www.plivo.com/docs/messaging/",
    authentication:
      "HMAC-SHA256 of address and nonce (X-Plivo-Signature-V2), or of address, fields and nonce (-V3), by either of two tokens, also as the main account signs for a subaccount (-Ma-)",
    facts: [
      { fact: "numbers go out as E.164 with their plus; they come in without it", source: "documented" },
      { fact: "longest text 1,600 characters in GSM-7 and 737 in UCS-2", source: "documented" },
      {
        fact: "an answer with messages in it would be sent to the contact: ours is empty",
        source: "documented",
      },
      {
        fact: "each part of a long text is reported by itself; the last one counts as the delivery",
        source: "assumed",
      },
      { fact: "a message expires after 5 s to 4 h", source: "assumed" },
      {
        fact: "a North American long code sends 1 segment in 4 s; other numbers by agreement",
        source: "assumed",
      },
      {
        fact: "a status rejected counts as rejected, so do failures for spam and opt-outs",
        source: "assumed",
      },
    ],
    errors: PLIVO_ERRORS.described,
  },
  supports: { mms: true, deliveryReports: true, signature: true, idempotency: false },
  parseWebhook,
  buildSend,
  readSend,
  mediaAuthorization,
  buildVerify,
  readVerify,
};
