/**
 * Twilio Programmable Messaging. https://www.twilio.com/docs/messaging/api/message-resource
 *
 * @module
 */
import type { z } from "zod";
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
import { type Fields, isJson, readForm, readJson, readQuery } from "./fields.ts";
import { KeyedHmac } from "./keyed_hmac.ts";
import { malformed, unreadable, unsigned } from "./inbound.ts";
import { listAt } from "./json_values.ts";
import { isOwnHost } from "./media_host.ts";
import { basicAuthorization } from "./secrets.ts";
import { TwilioCredentialsSchema } from "./twilio_credentials.ts";
import { TWILIO_ERRORS, twilioError } from "./twilio_errors.ts";
import { isSignedByTwilio, urlCoversBody } from "./twilio_signature.ts";
import { isTwilioReport, readTwilioMessage, readTwilioReport } from "./twilio_webhook.ts";

const VALIDITY_MAX_SECONDS = 36_000;

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

/** `api.<edge>.<region>.twilio.com`, as Twilio's own library makes it. */
function apiHost(channel: Channel): string {
  const edge = credential(channel, "edge");
  const region = credential(channel, "region") ?? (edge === undefined ? undefined : "us1");
  return ["https://api", edge, region, "twilio.com"].filter((part) => part !== undefined).join(".");
}

function accountUrl(channel: Channel): string {
  const base = (channel.settings.baseUrl ?? apiHost(channel)).replace(/\/+$/, "");
  return `${base}/2010-04-01/Accounts/${required(channel, "accountSid")}`;
}

function authorization(channel: Channel): string {
  const keySid = credential(channel, "apiKeySid");
  const keySecret = credential(channel, "apiKeySecret");
  return keySid !== undefined && keySecret !== undefined
    ? basicAuthorization(keySid, keySecret)
    : basicAuthorization(required(channel, "accountSid"), required(channel, "authToken"));
}

/** For as long as the directory knows the channel as it is. */
const signatureKeys = new WeakMap<Channel, readonly KeyedHmac[]>();

/** The keys that Twilio may sign with: the account's token, and the one before it while it is being changed. */
function keysOf(channel: Channel): readonly KeyedHmac[] {
  let keys = signatureKeys.get(channel);
  if (keys === undefined) {
    keys = [credential(channel, "authToken"), credential(channel, "previousAuthToken")]
      .filter((token) => token !== undefined)
      .map((token) => new KeyedHmac("sha1", token));
    signatureKeys.set(channel, keys);
  }
  return keys;
}

/** The fields of a request that Twilio signed, or why it is refused. */
function readSigned(request: WebhookRequest, channel: Channel): Fields | WebhookResult {
  const signature = request.headers.get("x-twilio-signature");
  if (signature === null || signature === "") return unsigned("the header X-Twilio-Signature is missing");
  if (credential(channel, "authToken") === undefined) {
    return unsigned("the channel has no token to check signatures with");
  }

  // Only what the signature covers is read: the query of a GET, the fields of a form, a body whose hash is in the URL.
  const asJson = request.method === "POST" && isJson(request.headers.get("content-type"));
  if (asJson && !urlCoversBody(request.url, request.body)) {
    return unsigned("the body does not have the hash that the address carries as bodySHA256");
  }
  const isForm = request.method === "POST" && !asJson;
  const fields = isForm ? readForm(request.body) : asJson ? readJson(request.body) : readQuery(request.url);
  const signed = isForm && fields !== null ? fields.concatenated() : "";
  if (!isSignedByTwilio(signature, keysOf(channel), request.url, signed)) {
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
  const service = credential(channel, "messagingServiceSid");
  const pairs: [string, string][] = [["To", message.to]];
  if (service === undefined || credential(channel, "serviceSender") !== "service") {
    pairs.push(["From", message.from]);
  }
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

/** The account's media want its credentials where "HTTP auth for media" is on; Twilio's CDN, behind, never does. */
function mediaAuthorization(url: URL, channel: Channel): Readonly<Record<string, string>> | null {
  return isOwnHost(url, channel, "twilio.com") ? { authorization: authorization(channel) } : null;
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

/** https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource */
const numberCheck: Provider["numberCheck"] = {
  build: (number, channel) => ({
    method: "GET",
    url: `${accountUrl(channel)}/IncomingPhoneNumbers.json?PhoneNumber=${encodeURIComponent(number)}`,
    headers: { authorization: authorization(channel), accept: "application/json" },
  }),
  read: (answer, number) => {
    if (answer.status !== 200) return { ok: false, reason: errorOfStatus(answer.status).reason };
    const numbers = listAt(jsonObject(answer.body) ?? {}, "incoming_phone_numbers");
    const isOurs = numbers.some((one) => isObject(one) && one["phone_number"] === number);
    return isOurs
      ? { ok: true, reason: "the number is one of the Twilio account's" }
      : { ok: false, reason: "the Twilio account does not have the number" };
  },
};

export const twilio: Provider = {
  kind: "twilio",
  title: "Twilio",
  credentials: TwilioCredentialsSchema,
  // A North American long code: one segment a second.
  defaults: { rateMps: 1, burst: 1, costUnit: "segment", maxTextLength: 1_600, optOutAnsweredBy: "provider" },
  numberRates: {
    geographic: { rateMps: 1 },
    mobile: { rateMps: 1 },
    "toll-free": { rateMps: 3 },
    "short-code": { rateMps: 100 },
    alphanumeric: { rateMps: 10 },
  },
  description: {
    docsUrl: "https://www.twilio.com/docs/messaging",
    authentication:
      "X-Twilio-Signature, an HMAC-SHA1 over the address and all fields, by either of two tokens",
    facts: [
      { fact: "numbers go out and come in as E.164 with their plus", source: "documented" },
      {
        fact: "a North American long code sends one segment a second, a toll-free number 3, a short code 100",
        source: "documented",
      },
      { fact: "longest text 1,600 characters; up to 10 media of 5 MB in all", source: "documented" },
      { fact: "a webhook is answered within 15 s with TwiML, here an empty one", source: "documented" },
      { fact: "Twilio answers STOP, START and HELP by itself", source: "documented" },
      { fact: "a message waits 10 hours at most", source: "documented" },
      { fact: "there is no idempotency key", source: "documented" },
      { fact: "an alphanumeric sender ID sends 10 a second", source: "assumed" },
      {
        fact: "failures 21610, 30004, 30007 and 30034 count as rejected; a cancelled message too",
        source: "assumed",
      },
    ],
    errors: TWILIO_ERRORS.described,
  },
  supports: { mms: true, deliveryReports: true, signature: true, idempotency: false },
  parseWebhook,
  buildSend,
  readSend,
  mediaAuthorization,
  buildVerify,
  readVerify,
  numberCheck,
};
