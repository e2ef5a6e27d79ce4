/**
 * TeleSign Messaging. https://developer.telesign.com/enterprise/docs/sms-overview
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
import { baseUrlOf, credential, plainField, requiredCredential } from "./credential_fields.ts";
import { unreadable, unsigned } from "./inbound.ts";
import { listAt, objectAt, parseBody, textAt } from "./json_values.ts";
import { basicAuthorization } from "./secrets.ts";
import type { Surroundings } from "./surroundings.ts";
import { TELESIGN_DESCRIBED, telesignError, telesignFate } from "./telesign_errors.ts";
import { telesignCallbackFault, telesignDigest } from "./telesign_signature.ts";
import { isTelesignMessage, readTelesignMessage, readTelesignReport } from "./telesign_webhook.ts";

const FORM = "application/x-www-form-urlencoded";
const NOBODY = "0".repeat(32);

const keyField = (title: string, description: string) =>
  z.string().min(8).max(500).regex(/^[A-Za-z0-9+/]+={0,2}$/, "must be base64, as TeleSign shows it").meta({
    title,
    description,
    examples: ["ZXhhbXBsZS1rZXktZXhhbXBsZS1rZXktZXhhbXBsZQ=="],
    secret: true,
  });

export const TelesignCredentialsSchema = z.object({
  customerId: plainField(
    "Customer ID",
    "In the TeleSign portal, Settings, Account details",
    "00000000-1111-2222-3333-444444444444",
  ),
  apiKey: keyField("API key", "Portal, Settings, Account details: sends, and checks callbacks"),
  previousApiKey: keyField("Previous API key", "Accepted in callbacks too while the key is being changed")
    .optional(),
  service: z.enum(["self-service", "full-service"]).default("self-service").meta({
    title: "Kind of account",
    description: "They have different hosts; only full-service accounts send media",
    examples: ["full-service"],
  }),
  authentication: z.enum(["basic", "digest"]).default("basic").meta({
    title: "Authentication",
    description: "digest signs each request in place of sending the key",
    examples: ["digest"],
  }),
  messageType: z.enum(["ARN", "MKT", "OTP"]).default("ARN").meta({
    title: "Message type",
    description: "ARN: alerts and conversations. MKT: marketing. OTP: one-time passcodes",
    examples: ["ARN"],
  }),
  sender: z.enum(["number", "account"]).default("number").meta({
    title: "Sender",
    description: "number: the conversation's own number, which TeleSign must have allowed for the account. " +
      "account: TeleSign chooses the sender",
    examples: ["number"],
  }),
}).strict();

function withoutPlus(address: string): string {
  return address.startsWith("+") ? address.slice(1) : address;
}

function isFullService(channel: Channel): boolean {
  return credential(channel, "service") === "full-service";
}

function parseWebhook(request: WebhookRequest, channel: Channel): WebhookResult {
  const keys = [credential(channel, "apiKey"), credential(channel, "previousApiKey")]
    .filter((key) => key !== undefined);
  const customerId = credential(channel, "customerId");
  const fault = telesignCallbackFault(request.headers, request.body, customerId, keys);
  if (fault !== null) return unsigned(fault);
  const body = parseBody(request.body);
  if (!isObject(body)) return unreadable("the body is no JSON object");
  const isReport = request.path === "status" || request.path.startsWith("status/");
  return !isReport && isTelesignMessage(body)
    ? readTelesignMessage(body)
    : readTelesignReport(request.path, body);
}

function smsFields(message: OutgoingMessage, channel: Channel): readonly (readonly [string, string])[] {
  return [
    ["phone_number", withoutPlus(message.to)],
    ["message", message.text.toWellFormed()],
    ["message_type", credential(channel, "messageType") ?? "ARN"],
    ["external_id", message.id],
    ...(credential(channel, "sender") === "account"
      ? []
      : [["sender_id", withoutPlus(message.from)] as const]),
    ...(message.statusUrl === "" ? [] : [["callback_url", message.statusUrl] as const]),
  ];
}

/** One thing with its text; links of further ones go with the text, so that none is lost. */
function mmsBody(message: OutgoingMessage, channel: Channel): string {
  const [first, ...others] = message.media;
  const text = [message.text, ...others.map((media) => media.url)].filter((part) => part !== "").join("\n");
  const template = /^(image|video|audio)\//.exec(first!.contentType ?? "")?.[1] ?? "image";
  return JSON.stringify({
    channels: [{ channel: "mms", fallback_time: 60 }, { channel: "sms" }],
    phone_number: withoutPlus(message.to),
    message_type: credential(channel, "messageType") ?? "ARN",
    external_id: message.id,
    ...(credential(channel, "sender") !== "account" && { sender_id: withoutPlus(message.from) }),
    ...(message.statusUrl !== "" && { callback_url: message.statusUrl }),
    message: {
      mms: { template, parameters: { url: first!.url, ...(text !== "" && { text: text.toWellFormed() }) } },
      sms: {
        template: "text",
        parameters: { text: [text, first!.url].filter((part) => part !== "").join("\n").toWellFormed() },
      },
    },
  });
}

/** What the answer's code says; the HTTP status only counts where there is none. */
function codeOf(answer: HttpAnswer): string {
  const body = jsonObject(answer.body) ?? {};
  const fault = listAt(body, "errors").find(isObject) ?? objectAt(body, "errors") ?? {};
  return textAt(fault, "code") ?? textAt(objectAt(body, "status") ?? {}, "code") ?? "";
}

function readSend(answer: HttpAnswer, _channel: Channel): SendResult {
  const code = codeOf(answer);
  const known = telesignError(code);
  if (known !== undefined) return failed(answer, { class: known.class, reason: known.reason, code });
  const isSuccess = answer.status >= 200 && answer.status < 300;
  const fate = telesignFate(code);
  // A code of a message that is on its way, or has gone already.
  if (isSuccess && fate !== undefined) {
    const id = textAt(jsonObject(answer.body) ?? {}, "reference_id") ?? "";
    return { kind: "accepted", providerId: /^[\x21-\x7e]{1,128}$/.test(id) ? id : null };
  }
  const error = isSuccess
    ? { class: "bad-response" as const, reason: "TeleSign's answer has no status that is known here" }
    : errorOfStatus(answer.status);
  return failed(answer, code === "" ? error : { ...error, code });
}

/** Asks after a message that does not exist: who is told so is let in. */
function readVerify(answer: HttpAnswer, _channel: Channel): { ok: boolean; reason: string } {
  const code = codeOf(answer);
  const known = telesignError(code);
  if (known?.class === "auth" || known?.class === "account") return { ok: false, reason: known.reason };
  if (["10017", "10036", "11011"].includes(code) || (answer.status === 200 && code !== "")) {
    return { ok: true, reason: "TeleSign accepts the credentials" };
  }
  return {
    ok: false,
    reason: answer.status < 300
      ? "TeleSign's answer cannot be read"
      : known?.reason ?? errorOfStatus(answer.status).reason,
  };
}

/** The provider; requests that are signed carry the time and the ids of `surroundings`. */
export function createTelesign({ nowMs, newUuid }: Surroundings): Provider {
  const call = (channel: Channel, method: "GET" | "POST", resource: string, contentType = "", body = "") => {
    const customerId = requiredCredential(channel, "customerId");
    const apiKey = requiredCredential(channel, "apiKey");
    const date = new Date(nowMs()).toUTCString();
    const proof = credential(channel, "authentication") === "digest"
      ? telesignDigest({ method, resource, contentType, body, date, nonce: newUuid() }, customerId, apiKey)
      : { authorization: basicAuthorization(customerId, apiKey) };
    const host = isFullService(channel) ? "https://rest-ww.telesign.com" : "https://rest-api.telesign.com";
    return {
      method,
      url: baseUrlOf(channel, host) + resource,
      headers: {
        ...proof,
        accept: "application/json",
        ...(contentType !== "" && { "content-type": contentType }),
      },
      ...(body !== "" && { body }),
    } satisfies HttpCall;
  };
  return {
    kind: "telesign",
    title: "TeleSign",
    credentials: TelesignCredentialsSchema,
    // TeleSign publishes no rate; media have to be arranged with it.
    defaults: { rateMps: 5, burst: 1, costUnit: "message", maxTextLength: 1_600, media: { outbound: false } },
    numberRates: { geographic: { rateMps: 1 }, "toll-free": { rateMps: 3 }, "short-code": { rateMps: 5 } },
    description: {
      docsUrl: "https://developer.telesign.com/enterprise/docs/sms-overview",
      authentication:
        "an HMAC-SHA256 over the body with the API key (header Authorization: TSA), by either of two keys",
      facts: [
        { fact: "numbers go out and come in as digits without a plus", source: "documented" },
        { fact: "longest text 1,600 characters; TeleSign splits it", source: "documented" },
        { fact: "the status code in an answer counts, not its HTTP status", source: "documented" },
        {
          fact: "a callback has to be answered within 5 s; it comes four times in all",
          source: "documented",
        },
        {
          fact: "media by full-service accounts with short codes of the United States only",
          source: "documented",
        },
        { fact: "code 511 is about the contact's credit, not the account's", source: "documented" },
        {
          fact: "a signature of a callback holds for ever: repeats are known by their reference",
          source: "assumed",
        },
        { fact: "5 messages a second", source: "assumed" },
        {
          fact: "the text of a media message is the parameter text; further media go as links",
          source: "assumed",
        },
        { fact: "asking after a message that does not exist proves the credentials", source: "assumed" },
      ],
      errors: TELESIGN_DESCRIBED,
    },
    supports: { mms: true, deliveryReports: true, signature: true, idempotency: false },
    parseWebhook,
    buildSend(message, channel) {
      if (message.media.length > 0) {
        return call(channel, "POST", "/v1/omnichannel", "application/json", mmsBody(message, channel));
      }
      const body = smsFields(message, channel).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
      return call(channel, "POST", "/v1/messaging", FORM, body.join("&"));
    },
    readSend,
    buildVerify: (channel) => call(channel, "GET", `/v1/messaging/${NOBODY}`),
    readVerify,
  };
}
