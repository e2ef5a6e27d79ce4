/**
 * Bandwidth messaging, API v2. https://dev.bandwidth.com/docs/messaging/
 *
 * @module
 */
import { z } from "zod";
import type { Channel } from "../../core/channel.ts";
import type { ErrorClass } from "../../core/errors.ts";
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
import { BANDWIDTH_ERRORS } from "./bandwidth_errors.ts";
import { readBandwidthEvents } from "./bandwidth_webhook.ts";
import { baseUrlOf, credential, plainField, requiredCredential, secretField } from "./credential_fields.ts";
import { unsigned } from "./inbound.ts";
import { listAt, textAt } from "./json_values.ts";
import { isOwnHost } from "./media_host.ts";
import { basicAuthorization, sameSecret } from "./secrets.ts";

const BASE = "https://messaging.bandwidth.com";

export const BandwidthCredentialsSchema = z.object({
  accountId: z.string().regex(/^\d{1,20}$/, "is the account's number, digits only").meta({
    title: "Account ID",
    description: "Dashboard, Account: the account's number",
    examples: ["9900000"],
  }),
  applicationId: plainField(
    "Application ID",
    "Dashboard, Applications: the messaging application that the numbers' location belongs to",
    "93de2206-9669-4e07-948d-000000000000",
  ),
  apiToken: plainField("API user", "Dashboard, Account, API credentials: the user name or token", "0123abcd"),
  apiSecret: secretField("API password", "What belongs to the API user", "s3cret"),
  webhookUser: plainField(
    "Callback user",
    "The user name set for callbacks in the application, if one is",
    "patchbay",
  ).optional(),
  webhookPassword: secretField("Callback password", "What belongs to the callback user", "s3cret").optional(),
  previousWebhookPassword: secretField(
    "Previous callback password",
    "Accepted too while the password is being changed",
    "0ld",
  ).optional(),
}).strict().refine(
  (fields) => (fields.webhookUser === undefined) === (fields.webhookPassword === undefined),
  { message: "webhookUser and webhookPassword belong together", path: ["webhookPassword"] },
);

function authorization(channel: Channel): string {
  return basicAuthorization(
    requiredCredential(channel, "apiToken"),
    requiredCredential(channel, "apiSecret"),
  );
}

function accountUrl(channel: Channel): string {
  return `${baseUrlOf(channel, BASE)}/api/v2/users/${requiredCredential(channel, "accountId")}`;
}

function isAuthentic(request: WebhookRequest, channel: Channel): boolean {
  const user = credential(channel, "webhookUser");
  if (user === undefined) return true;
  const given = request.headers.get("authorization");
  return ["webhookPassword", "previousWebhookPassword"].some((name) => {
    const password = credential(channel, name);
    return password !== undefined && sameSecret(given, basicAuthorization(user, password));
  });
}

function parseWebhook(request: WebhookRequest, channel: Channel): WebhookResult {
  return isAuthentic(request, channel)
    ? readBandwidthEvents(request.body, request.path)
    : unsigned("the callback user or password is missing or wrong");
}

/** The tag comes back with each report: Bandwidth has no address for reports of a single message. */
function buildSend(message: OutgoingMessage, channel: Channel): HttpCall {
  return {
    method: "POST",
    url: `${accountUrl(channel)}/messages`,
    headers: {
      authorization: authorization(channel),
      "content-type": "application/json; charset=utf-8",
      accept: "application/json",
    },
    body: JSON.stringify({
      applicationId: requiredCredential(channel, "applicationId"),
      to: [message.to],
      from: message.from,
      ...((message.text !== "" || message.media.length === 0) && { text: message.text.toWellFormed() }),
      ...(message.media.length > 0 && { media: message.media.map((media) => media.url) }),
      tag: message.id,
    }),
  };
}

/** What a field that Bandwidth names as wrong says about the message. */
const FIELD_CLASSES: ReadonlyMap<string, readonly [ErrorClass, string]> = new Map([
  ["to", ["invalid-number", "Bandwidth does not take the destination"]],
  ["from", ["invalid-sender", "Bandwidth does not take the sending number"]],
  ["applicationId", ["auth", "Bandwidth does not know the application"]],
  ["text", ["bad-request", "Bandwidth does not take the text"]],
  ["media", ["bad-request", "Bandwidth does not take the media"]],
]);

function readSend(answer: HttpAnswer, _channel: Channel): SendResult {
  const body = jsonObject(answer.body) ?? {};
  if (answer.status >= 200 && answer.status < 300) {
    const id = textAt(body, "id");
    if (id !== undefined && /^[\x21-\x7e]{1,128}$/.test(id)) return { kind: "accepted", providerId: id };
    return failed(answer, {
      class: "bad-response",
      reason: "Bandwidth took the call but its answer has no message id",
    });
  }
  const code = textAt(body, "type") ?? "";
  const fault = listAt(body, "fieldErrors")[0];
  const field = (isObject(fault) ? textAt(fault, "fieldName") : undefined) ?? "";
  const [fieldClass, reason] = FIELD_CLASSES.get(field.replace(/\[\d+\]$/, "")) ?? [];
  const error = fieldClass !== undefined && answer.status === 400
    ? { class: fieldClass, reason: reason! }
    : errorOfStatus(answer.status);
  return failed(answer, code === "" ? error : { ...error, code });
}

function mediaAuthorization(url: URL, channel: Channel): Readonly<Record<string, string>> | null {
  return isOwnHost(url, channel, "bandwidth.com") ? { authorization: authorization(channel) } : null;
}

function buildVerify(channel: Channel): HttpCall {
  return {
    method: "GET",
    url: `${accountUrl(channel)}/media`,
    headers: { authorization: authorization(channel), accept: "application/json" },
  };
}

function readVerify(answer: HttpAnswer, _channel: Channel): { ok: boolean; reason: string } {
  return answer.status >= 200 && answer.status < 300
    ? { ok: true, reason: "Bandwidth accepts the credentials" }
    : { ok: false, reason: errorOfStatus(answer.status).reason };
}

export const bandwidth: Provider = {
  kind: "bandwidth",
  title: "Bandwidth",
  credentials: BandwidthCredentialsSchema,
  // What an account has until Bandwidth raises it.
  defaults: { rateMps: 1, burst: 1, costUnit: "segment", maxTextLength: 2_048 },
  description: {
    docsUrl: "https://dev.bandwidth.com/docs/messaging/",
    authentication:
      "HTTP Basic with the callback user of the application where one is set, and the secret in the address; Bandwidth signs nothing",
    facts: [
      { fact: "numbers go out and come in as E.164 with their plus", source: "documented" },
      {
        fact: "events come in lists, at least once, for up to a day, and have to be answered within 10 s",
        source: "documented",
      },
      {
        fact: "in a group message, owner is our number and from the contact; the others are not answered to",
        source: "documented",
      },
      { fact: "an account sends 1 message a second until Bandwidth raises it", source: "documented" },
      {
        fact: "media of a message about 3.75 MB in total; fetched with the API user and password",
        source: "assumed",
      },
      { fact: "the layout (.smil) that comes with an MMS is left out", source: "assumed" },
      {
        fact:
          "message-sending counts as sent; failures that the carrier reports count as undelivered or rejected",
        source: "assumed",
      },
      { fact: "longest text 2,048 characters", source: "assumed" },
      { fact: "the list of media is what proves the credentials", source: "assumed" },
    ],
    errors: BANDWIDTH_ERRORS.described,
  },
  supports: { mms: true, deliveryReports: true, signature: false, idempotency: false },
  parseWebhook,
  buildSend,
  readSend,
  mediaAuthorization,
  buildVerify,
  readVerify,
};
