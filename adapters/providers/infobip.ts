/**
 * Infobip SMS and MMS. https://www.infobip.com/docs/api/channels/sms
 *
 * @module
 */
import { z } from "zod";
import type { Channel } from "../../core/channel.ts";
import type {
  HttpAnswer,
  HttpCall,
  Provider,
  SendResult,
  WebhookRequest,
  WebhookResult,
} from "../../core/ports/provider.ts";
import { errorOfStatus, failed, isObject, jsonObject } from "./answers.ts";
import { baseUrlOf, credential, plainField, requiredCredential, secretField } from "./credential_fields.ts";
import { unreadable, unsigned } from "./inbound.ts";
import { INFOBIP_ERRORS, INFOBIP_STATUSES, infobipError, infobipStatus } from "./infobip_errors.ts";
import { infobipRequest } from "./infobip_message.ts";
import {
  INFOBIP_ALGORITHMS,
  type InfobipProof,
  infobipProofFault,
  readInfobipResults,
} from "./infobip_webhook.ts";
import { type JsonObject, listAt, objectAt, parseBody, textAt } from "./json_values.ts";
import { isOwnHost } from "./media_host.ts";

const DEFAULT_HEADER = "x-hub-signature";
/** Says that the same message is there already: the first try arrived. */
const DUPLICATES: ReadonlySet<string> = new Set(["23", "5492"]);

export const InfobipCredentialsSchema = z.object({
  apiKey: secretField(
    "API key",
    "Portal, Developer Tools, API Keys; with the scopes sms:message:send and mms:message:send",
    "0123456789abcdef0123456789abcdef-01234567-89ab-4def-8123-456789abcdef",
  ),
  host: z.string().max(253).regex(/^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/, "must be a host's name").optional()
    .meta({
      title: "API base URL",
      description: "The account's own host, on the portal's first page and beside the API key",
      examples: ["xyz123.api.infobip.com"],
    }),
  version: z.enum(["v3", "v2"]).default("v3").meta({
    title: "Version of the SMS API",
    description: "v2 for accounts on which v3 does not work",
    examples: ["v3"],
  }),
  webhookSecret: secretField(
    "Webhook secret",
    "Where a subscription's security is HMAC: its secret key. What is not signed is then refused",
    "example-hmac-secret",
  ).optional(),
  previousWebhookSecret: secretField(
    "Previous webhook secret",
    "Accepted too while the secret is being changed",
    "former-hmac-secret",
  ).optional(),
  webhookHeader: z.string().max(100).regex(/^[A-Za-z0-9-]+$/, "must be a header's name").default(
    DEFAULT_HEADER,
  )
    .meta({
      title: "Header of the signature",
      description: "Infobip does not document it: see what a webhook carries",
      examples: [DEFAULT_HEADER],
    }),
  webhookAlgorithm: z.enum(INFOBIP_ALGORITHMS).default("sha256").meta({
    title: "Algorithm of the signature",
    description: "As chosen for the subscription; its digest may be hex or base64",
    examples: ["sha256"],
  }),
  webhookUser: plainField("Webhook user", "Where a subscription's security is BASIC", "patchbay").optional(),
  webhookPassword: secretField("Webhook password", "Belongs to the webhook user", "example-password")
    .optional(),
  previousWebhookPassword: secretField(
    "Previous webhook password",
    "Accepted too while the password is being changed",
    "former-password",
  ).optional(),
}).strict().refine(
  (fields) => (fields.webhookUser === undefined) === (fields.webhookPassword === undefined),
  {
    message: "webhookUser and webhookPassword belong together",
    path: ["webhookPassword"],
  },
);

function present(channel: Channel, ...names: string[]): readonly string[] {
  return names.map((name) => credential(channel, name)).filter((value) => value !== undefined);
}

function parseWebhook(request: WebhookRequest, channel: Channel): WebhookResult {
  const fault = infobipProofFault(request, {
    secrets: present(channel, "webhookSecret", "previousWebhookSecret"),
    header: credential(channel, "webhookHeader") ?? DEFAULT_HEADER,
    algorithm: (credential(channel, "webhookAlgorithm") ?? "sha256") as InfobipProof["algorithm"],
    user: credential(channel, "webhookUser") ?? "",
    passwords: present(channel, "webhookPassword", "previousWebhookPassword"),
  });
  if (fault !== null) return unsigned(fault);
  const body = parseBody(request.body);
  return isObject(body) ? readInfobipResults(request.path, body) : unreadable("the body is no JSON object");
}

function headersOf(channel: Channel): Record<string, string> {
  return { authorization: `App ${requiredCredential(channel, "apiKey")}`, accept: "application/json" };
}

/** Files of an MMS lie behind the account's key. */
function mediaAuthorization(url: URL, channel: Channel): Readonly<Record<string, string>> | null {
  if (!isOwnHost(url, channel, "infobip.com")) return null;
  return { authorization: `App ${requiredCredential(channel, "apiKey")}` };
}

function hostOf(channel: Channel): string {
  return baseUrlOf(channel, `https://${credential(channel, "host") ?? "api.infobip.com"}`);
}

/** The code of an answer that is no success: of the present form, or of the one before. */
function faultCode(body: JsonObject): string {
  const legacy = objectAt(objectAt(body, "requestError") ?? {}, "serviceException") ?? {};
  return textAt(body, "errorCode") ?? textAt(legacy, "messageId") ?? "";
}

function readFault(answer: HttpAnswer, body: JsonObject): SendResult {
  const code = faultCode(body);
  const isDestination = listAt(body, "violations").filter(isObject)
    .some((violation) => /(?:^|[.\]])to$/.test(textAt(violation, "property") ?? ""));
  return failed(answer, {
    ...(isDestination
      ? { class: "invalid-number" as const, reason: "the destination is not a phone number" }
      : errorOfStatus(answer.status)),
    ...(code !== "" && { code }),
  });
}

/** A success only means that the request was read: what became of the message is in its status. */
function readSend(answer: HttpAnswer, _channel: Channel): SendResult {
  const body = jsonObject(answer.body) ?? {};
  if (answer.status < 200 || answer.status >= 300) return readFault(answer, body);
  const message = listAt(body, "messages").find(isObject);
  const status = message === undefined ? undefined : objectAt(message, "status");
  const came = status === undefined ? undefined : infobipStatus(status);
  if (message === undefined || status === undefined || came === undefined) {
    return failed(answer, {
      class: "bad-response",
      reason: "Infobip's answer has no status that is known here",
    });
  }
  const isTaken = came === null || came === "sent" || came === "delivered" ||
    [status, objectAt(message, "error") ?? {}].some((one) => DUPLICATES.has(textAt(one, "id") ?? ""));
  if (isTaken) {
    const id = textAt(message, "messageId") ?? "";
    return { kind: "accepted", providerId: /^[\x21-\x7e]{1,128}$/.test(id) ? id : null };
  }
  const error = infobipError(status, objectAt(message, "error") ?? {});
  return failed(answer, {
    class: error.class,
    reason: error.reason,
    ...(error.providerCode !== undefined && { code: error.providerCode }),
  });
}

function readVerify(answer: HttpAnswer, _channel: Channel): { ok: boolean; reason: string } {
  if (answer.status === 200 && jsonObject(answer.body) !== null) {
    return { ok: true, reason: "Infobip accepts the API key" };
  }
  // A key may well be there to send only.
  if (answer.status === 403) {
    return { ok: true, reason: "Infobip knows the API key; it may not read the balance" };
  }
  return {
    ok: false,
    reason: answer.status < 300 ? "Infobip's answer cannot be read" : errorOfStatus(answer.status).reason,
  };
}

export const infobip: Provider = {
  kind: "infobip",
  title: "Infobip",
  credentials: InfobipCredentialsSchema,
  // Infobip sets rates by account and publishes none.
  defaults: { rateMps: 20, burst: 1, costUnit: "message", maxTextLength: 1_600 },
  numberRates: { geographic: { rateMps: 1 }, "toll-free": { rateMps: 3 }, "short-code": { rateMps: 20 } },
  description: {
    docsUrl: "https://www.infobip.com/docs/api/channels/sms",
    authentication:
      "none by default; by a subscription HMAC over the body or HTTP Basic, each with a former secret",
    facts: [
      { fact: "numbers go out and come in as digits without a plus", source: "documented" },
      { fact: "an answer of 200 may refuse the message: its status counts", source: "documented" },
      {
        fact: "our id goes with each message; a repeat of it is refused as a duplicate",
        source: "documented",
      },
      { fact: "a webhook carries up to 2,000 messages or reports", source: "documented" },
      {
        fact: "longest validity 48 hours; the text of a media message up to 4,096 characters",
        source: "documented",
      },
      { fact: "the signature is in X-Hub-Signature, as hex or base64", source: "assumed" },
      { fact: "a duplicate id means that the first try was taken", source: "assumed" },
      { fact: "a webhook of which one result cannot be read is refused as a whole", source: "assumed" },
      { fact: "a key that may not read the balance exists all the same", source: "assumed" },
      { fact: "20 messages a second; longest text 1,600 characters", source: "assumed" },
    ],
    errors: [
      ...INFOBIP_STATUSES.described.map((error) => ({ ...error, code: `status ${error.code}` })),
      ...INFOBIP_ERRORS.described.map((error) => ({ ...error, code: `error ${error.code}` })),
    ],
  },
  supports: { mms: true, deliveryReports: true, signature: true, idempotency: true },
  parseWebhook,
  buildSend(message, channel): HttpCall {
    const { path, body } = infobipRequest(message, credential(channel, "version") === "v2" ? "v2" : "v3");
    return {
      method: "POST",
      url: hostOf(channel) + path,
      headers: { ...headersOf(channel), "content-type": "application/json" },
      body: JSON.stringify(body),
    };
  },
  readSend,
  mediaAuthorization,
  buildVerify: (channel) => ({
    method: "GET",
    url: `${hostOf(channel)}/account/1/balance`,
    headers: headersOf(channel),
  }),
  readVerify,
};
