/**
 * Twilio Programmable Messaging. https://www.twilio.com/docs/messaging/api/message-resource
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
import { errorOfStatus, failed, jsonObject } from "./answers.ts";
import { type Fields, isJson, readForm, readJson, readQuery } from "./fields.ts";
import { malformed, unreadable, unsigned } from "./inbound.ts";
import { basicAuthorization } from "./secrets.ts";
import { twilioError } from "./twilio_errors.ts";
import { isSignedByTwilio, urlCoversBody } from "./twilio_signature.ts";
import { isTwilioReport, readTwilioMessage, readTwilioReport } from "./twilio_webhook.ts";

const DEFAULT_BASE = "https://api.twilio.com";
const VALIDITY_MAX_SECONDS = 36_000;

const secret = z.string().min(1).max(200).regex(/^[\x21-\x7e]+$/).meta({ secret: true });

export const TwilioCredentialsSchema = z.object({
  accountSid: z.string().regex(/^AC[0-9a-fA-F]{32}$/).describe("AC and 32 hexadecimal digits"),
  authToken: secret.describe("The account's primary token; webhooks are signed with it"),
  previousAuthToken: secret.optional().describe(
    "Accepted in signatures too while the token is being changed",
  ),
  apiKeySid: z.string().regex(/^SK[0-9a-fA-F]{32}$/).optional().describe("Sends instead of the token if set"),
  apiKeySecret: secret.optional(),
  messagingServiceSid: z.string().regex(/^MG[0-9a-fA-F]{32}$/).optional(),
}).strict().refine((fields) => (fields.apiKeySid === undefined) === (fields.apiKeySecret === undefined), {
  message: "apiKeySid and apiKeySecret belong together",
  path: ["apiKeySecret"],
});

function credential(
  channel: Channel,
  name: keyof z.output<typeof TwilioCredentialsSchema>,
): string | undefined {
  const value = channel.credentials[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function required(channel: Channel, name: "accountSid" | "authToken"): string {
  const value = credential(channel, name);
  if (value === undefined) throw new Error(`channel ${channel.id} has no ${name}`);
  return value;
}

function accountUrl(channel: Channel): string {
  const base = (channel.settings.baseUrl ?? DEFAULT_BASE).replace(/\/+$/, "");
  return `${base}/2010-04-01/Accounts/${required(channel, "accountSid")}`;
}

function authorization(channel: Channel): string {
  const keySid = credential(channel, "apiKeySid");
  const keySecret = credential(channel, "apiKeySecret");
  return keySid !== undefined && keySecret !== undefined
    ? basicAuthorization(keySid, keySecret)
    : basicAuthorization(required(channel, "accountSid"), required(channel, "authToken"));
}

/** The fields of a request that Twilio signed, or why it is refused. */
function readSigned(request: WebhookRequest, channel: Channel): Fields | WebhookResult {
  const signature = request.headers.get("x-twilio-signature");
  if (signature === null || signature === "") return unsigned("the header X-Twilio-Signature is missing");
  const authToken = credential(channel, "authToken");
  if (authToken === undefined) return unsigned("the channel has no token to check signatures with");
  const previous = credential(channel, "previousAuthToken");
  const tokens = previous === undefined ? [authToken] : [authToken, previous];

  // Only what the signature covers is read: the query of a GET, the fields of a form, a body whose hash is in the URL.
  const asJson = request.method === "POST" && isJson(request.headers.get("content-type"));
  if (asJson && !urlCoversBody(request.url, request.body)) {
    return unsigned("the body does not have the hash that the address carries as bodySHA256");
  }
  const isForm = request.method === "POST" && !asJson;
  const fields = isForm ? readForm(request.body) : asJson ? readJson(request.body) : readQuery(request.url);
  const signed = isForm && fields !== null ? fields.concatenated() : "";
  if (!isSignedByTwilio(signature, tokens, request.url, signed)) {
    return unsigned("the signature does not fit this request and the channel's token");
  }
  if (fields === null) return unreadable("the body has too many fields or is no JSON object");
  return fields;
}

function parseWebhook(request: WebhookRequest, channel: Channel): WebhookResult {
  const fields = readSigned(request, channel);
  if ("kind" in fields) return fields;
  const accountSid = fields.get("AccountSid");
  // A form without the account is Twilio's too: the account's own token signed it.
  if (accountSid !== undefined && accountSid !== credential(channel, "accountSid")) {
    return malformed("AccountSid", "is another account's than this channel's");
  }
  return isTwilioReport(request.path, fields)
    ? readTwilioReport(request.path, fields)
    : readTwilioMessage(fields);
}

function buildSend(message: OutgoingMessage, channel: Channel): HttpCall {
  const pairs: [string, string][] = [["To", message.to], ["From", message.from]];
  const service = credential(channel, "messagingServiceSid");
  if (service !== undefined) pairs.push(["MessagingServiceSid", service]);
  if (message.text !== "" || message.media.length === 0) pairs.push(["Body", message.text]);
  for (const media of message.media) pairs.push(["MediaUrl", media.url]);
  if (message.statusUrl !== "") pairs.push(["StatusCallback", message.statusUrl]);
  if (message.validitySeconds !== undefined) {
    const seconds = Math.min(Math.max(Math.floor(message.validitySeconds), 1), VALIDITY_MAX_SECONDS);
    pairs.push(["ValidityPeriod", String(seconds)]);
  }
  return {
    method: "POST",
    url: `${accountUrl(channel)}/Messages.json`,
    headers: {
      authorization: authorization(channel),
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
    },
    body: pairs.map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`).join("&"),
  };
}

function readSend(answer: HttpAnswer, _channel: Channel): SendResult {
  const body = jsonObject(answer.body);
  if (answer.status >= 200 && answer.status < 300) {
    const sid = body?.["sid"];
    if (typeof sid === "string" && /^\w{1,64}$/.test(sid)) return { kind: "accepted", providerId: sid };
    return failed(answer, {
      class: "bad-response",
      reason: "Twilio took the call but its answer has no message id",
    });
  }
  const code = typeof body?.["code"] === "number" || typeof body?.["code"] === "string"
    ? String(body["code"])
    : "";
  const known = twilioError(code);
  if (known !== undefined) return failed(answer, { class: known.class, reason: known.reason, code });
  const byStatus = errorOfStatus(answer.status);
  return failed(answer, code === "" ? byStatus : { ...byStatus, code });
}

function buildVerify(channel: Channel): HttpCall {
  // A standard API key may not read the account itself.
  const path = credential(channel, "apiKeySid") === undefined ? ".json" : "/Messages.json?PageSize=1";
  return {
    method: "GET",
    url: accountUrl(channel) + path,
    headers: { authorization: authorization(channel), accept: "application/json" },
  };
}

function readVerify(answer: HttpAnswer, _channel: Channel): { ok: boolean; reason: string } {
  if (answer.status === 200) {
    const status = jsonObject(answer.body)?.["status"];
    if (status === "suspended" || status === "closed") {
      return { ok: false, reason: `the Twilio account is ${status}` };
    }
    return { ok: true, reason: "Twilio accepts the credentials" };
  }
  return { ok: false, reason: errorOfStatus(answer.status).reason };
}

export const twilio: Provider = {
  kind: "twilio",
  title: "Twilio",
  credentials: TwilioCredentialsSchema,
  // A North American long code: one segment a second.
  defaults: { rateMps: 1, burst: 1, costUnit: "segment", maxTextLength: 1_600 },
  supports: { mms: true, deliveryReports: true, signature: true, idempotency: false },
  parseWebhook,
  buildSend,
  readSend,
  buildVerify,
  readVerify,
};
