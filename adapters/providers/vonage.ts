/**
 * Vonage's Messages API: text and media messages, by an application's private key or by API key and secret.
 * https://developer.vonage.com/en/api/messages
 *
 * @module
 */
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
import { baseUrlOf, credential, requiredCredential } from "./credential_fields.ts";
import { unreadable, unsigned } from "./inbound.ts";
import { listAt, parseBody, textAt } from "./json_values.ts";
import { signRs256 } from "./jwt.ts";
import { basicAuthorization } from "./secrets.ts";
import type { Surroundings } from "./surroundings.ts";
import {
  readVonageKey,
  VONAGE_SIGNATURE_AGE_SECONDS,
  VonageCredentialsSchema,
} from "./vonage_credentials.ts";
import { VONAGE_ERRORS, VONAGE_PROBLEMS, VONAGE_RECALLED, vonageError } from "./vonage_errors.ts";
import { vonageMessage } from "./vonage_message.ts";
import { readVonageMessage, readVonageStatus, vonageCode, vonageTokenFault } from "./vonage_webhook.ts";

/** A token is used for this long, and holds for half as long again: seconds. */
const TOKEN_USE_SECONDS = 600;
const TOKEN_SECONDS = 900;
function readSend(answer: HttpAnswer, _channel: Channel): SendResult {
  const body = jsonObject(answer.body) ?? {};
  if (answer.status >= 200 && answer.status < 300) {
    const id = textAt(body, "message_uuid");
    return id !== undefined && /^[\x21-\x7e]{1,128}$/.test(id)
      ? { kind: "accepted", providerId: id }
      : failed(answer, { class: "bad-response", reason: "Vonage's answer has no message id" });
  }
  const code = vonageCode(body);
  const wrong = listAt(body, "invalid_parameters").filter(isObject).map((one) => textAt(one, "name"));
  const named = wrong.includes("to") ? vonageError("1170") : vonageError(code);
  return failed(answer, {
    ...(named === undefined ? errorOfStatus(answer.status) : { class: named.class, reason: named.reason }),
    ...(code !== "" && { code }),
  });
}

/** Without a body the Messages API refuses the call, but only after it has accepted the token. */
function readVerify(answer: HttpAnswer, _channel: Channel): { ok: boolean; reason: string } {
  const isBalance = answer.status === 200 && jsonObject(answer.body)?.["value"] !== undefined;
  if (isBalance || answer.status === 422) return { ok: true, reason: "Vonage accepts the credentials" };
  return {
    ok: false,
    reason: answer.status < 300 ? "Vonage's answer cannot be read" : errorOfStatus(answer.status).reason,
  };
}

function parseWebhook(request: WebhookRequest, channel: Channel): WebhookResult {
  const secrets = [credential(channel, "signatureSecret"), credential(channel, "previousSignatureSecret")]
    .filter((secret) => secret !== undefined);
  const maxAge = channel.credentials["signatureMaxAgeSeconds"];
  const fault = vonageTokenFault(request, {
    secrets,
    apiKey: credential(channel, "apiKey"),
    applicationId: credential(channel, "applicationId"),
    maxAgeMs: (typeof maxAge === "number" ? maxAge : VONAGE_SIGNATURE_AGE_SECONDS) * 1_000,
  });
  if (fault !== null) return unsigned(fault);
  const body = parseBody(request.body);
  if (!isObject(body)) return unreadable("the body is no JSON object");
  const isStatus = request.path === "status" || request.path.startsWith("status/") ||
    (textAt(body, "status") !== undefined && textAt(body, "message_type") === undefined);
  return isStatus ? readVonageStatus(request.path, body) : readVonageMessage(body);
}

/** The provider; its tokens are made with the time and the ids of `surroundings`. */
export function createVonage({ nowMs, newUuid }: Surroundings): Provider {
  // A signature costs about a millisecond: a token serves for ten minutes.
  const tokens = new WeakMap<Channel["credentials"], { readonly token: string; readonly untilMs: number }>();

  const token = (channel: Channel, applicationId: string, privateKey: string): string => {
    const known = tokens.get(channel.credentials);
    const at = nowMs();
    if (known !== undefined && at < known.untilMs) return known.token;
    const key = readVonageKey(privateKey);
    if (key === null) throw new Error(`the private key of channel ${channel.id} is not one`);
    const issued = Math.floor(at / 1_000);
    const claims = {
      application_id: applicationId,
      iat: issued,
      exp: issued + TOKEN_SECONDS,
      jti: newUuid(),
    };
    const made = { token: signRs256(claims, key), untilMs: at + TOKEN_USE_SECONDS * 1_000 };
    tokens.set(channel.credentials, made);
    return made.token;
  };

  const headersOf = (channel: Channel): Record<string, string> => {
    const applicationId = credential(channel, "applicationId");
    const privateKey = credential(channel, "privateKey");
    return {
      authorization: applicationId !== undefined && privateKey !== undefined
        ? `Bearer ${token(channel, applicationId, privateKey)}`
        : basicAuthorization(requiredCredential(channel, "apiKey"), requiredCredential(channel, "apiSecret")),
      accept: "application/json",
    };
  };

  const post = (channel: Channel, body: unknown): HttpCall => {
    const region = credential(channel, "region");
    const host = `https://api${region === undefined ? "" : `-${region}`}.nexmo.com`;
    return {
      method: "POST",
      url: `${baseUrlOf(channel, host)}/v1/messages`,
      headers: { ...headersOf(channel), "content-type": "application/json" },
      body: JSON.stringify(body),
    };
  };

  return {
    kind: "vonage",
    title: "Vonage (Messages API)",
    credentials: VonageCredentialsSchema,
    // 30 requests a second and account.
    defaults: { rateMps: 30, burst: 1, costUnit: "message", maxTextLength: 1_000 },
    numberRates: {
      geographic: { rateMps: 1 },
      "toll-free": { rateMps: 3 },
      "short-code": { rateMps: 30 },
    },
    description: {
      docsUrl: "https://developer.vonage.com/en/messages/overview",
      authentication:
        "a JSON Web Token (HS256) with the body's SHA-256 in it, by either of two signature secrets",
      facts: [
        { fact: "30 requests a second and account", source: "documented" },
        { fact: "numbers go out and come in as digits without a plus", source: "documented" },
        {
          fact: "a webhook that is not answered with 200 comes again for up to 24 hours",
          source: "documented",
        },
        {
          fact: "media messages in the United States only, from 10DLC, toll-free and short codes",
          source: "documented",
        },
        {
          fact: "a media message has one thing, or a list; its text is the caption of the first",
          source: "documented",
        },
        { fact: "longest text 1,000 characters, longest caption 2,000", source: "documented" },
        {
          fact: "a token of a webhook holds for 25 hours, since a repeat may carry its old one",
          source: "assumed",
        },
        { fact: "a call without content is answered 422 once the token is accepted", source: "assumed" },
        { fact: "a North American long code sends 1 a second, a toll-free number 3", source: "assumed" },
      ],
      errors: [...VONAGE_ERRORS.described, ...VONAGE_PROBLEMS.described, ...VONAGE_RECALLED.described],
    },
    supports: { mms: true, deliveryReports: true, signature: true, idempotency: false },
    parseWebhook,
    buildSend: (message, channel) => post(channel, vonageMessage(message)),
    readSend,
    buildVerify(channel) {
      if (credential(channel, "privateKey") !== undefined) return post(channel, {});
      const base = baseUrlOf(channel, "https://rest.nexmo.com");
      return { method: "GET", url: `${base}/account/get-balance`, headers: headersOf(channel) };
    },
    readVerify,
  };
}
