/**
 * Vonage's side of the Messages API: messages posted as JSON by an application's token or by key and secret; what it
 * calls us with carries a token that covers the body.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, createPublicKey, verify } from "node:crypto";
import type { InboundWire } from "./carrier.ts";
import type { ContactMessage, WebhookTarget } from "./contact.ts";
import type { ServerRequest } from "./http_server.ts";
import { uuidOf } from "./ids.ts";
import { type JsonSend, type JsonWire, text } from "./json_carrier.ts";
import type { ReportPlan, ReportStatus } from "./reports.ts";
import { JSON_TYPE, postText } from "./request_text.ts";
import { VONAGE_DEFAULT_ACCOUNT, type VonageAccount } from "./vonage_account.ts";

const PHONE = /^[1-9][0-9]{6,14}$/;
const KINDS = ["image", "video", "audio", "file", "vcard"] as const;
const ERRORS_URL = "https://developer.vonage.com/api-errors";
const CODES = {
  throttled: ["#throttled", "Rate Limit Hit"],
  "opted-out": ["/messages#1240", "Illegal Number"],
  "invalid-number": ["/messages#1170", "Invalid or Missing Msisdn Param"],
  "made-to-fail": ["/messages#1030", "Internal error"],
} as const;

const problem = (status: number, type: string, title: string, more: object = {}) => ({
  status,
  body: { type: ERRORS_URL + type, title, detail: title, instance: crypto.randomUUID(), ...more },
});

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The Messages API of `account`. */
export function vonageWire(account: VonageAccount): JsonWire {
  return {
    provider: "vonage",
    owns: (path) => path === "/v1/messages" || path === "/account/get-balance",
    isAuthorized: (request) => isAuthorized(account, request),
    unauthorized: problem(401, "#unauthorized", "You did not provide correct credentials."),
    unreadable: problem(422, "#invalid-json", "Invalid JSON"),
    sends: (request) => request.method === "POST" && request.path === "/v1/messages",
    other: (request) =>
      request.path === "/account/get-balance"
        ? { status: 200, body: { value: 10.28, autoReload: false } }
        : problem(404, "#not-found", "Not found"),
    read: readSend,
    faultOf(send, body) {
      const invalid = (name: string) =>
        problem(422, "/messages#1150", "Invalid params", {
          invalid_parameters: [{ name, reason: "Invalid value" }],
        });
      if (!["sms", "mms"].includes(text(body["channel"]))) return invalid("channel");
      if (text(body["message_type"]) === "") return invalid("message_type");
      if (!PHONE.test(send.to)) return invalid("to");
      if (send.from === "" || send.from.startsWith("+")) return invalid("from");
      if (body["channel"] === "sms" && send.media.length > 0) return invalid("message_type");
      return send.text === "" && send.media.length === 0 ? invalid("text") : null;
    },
    taken: (id) => ({ status: 202, body: { message_uuid: id } }),
    refused(outcome) {
      const [type, title] = CODES[outcome.why];
      const status = outcome.why === "opted-out" || outcome.why === "invalid-number" ? 422 : outcome.status;
      return problem(status, outcome.code === undefined ? type : `/messages#${outcome.code}`, title);
    },
    id: uuidOf,
    reports(target, _url, id, send): ReportPlan {
      return {
        origin: target.origin,
        build(status, known) {
          const body = statusBody(status, known ? id : crypto.randomUUID(), send);
          return postText(target, JSON_TYPE, body, tokenHeader(account, account.signatureSecret, body));
        },
      };
    },
  };
}

function readSend(body: Readonly<Record<string, unknown>>): JsonSend {
  const kind = text(body["message_type"]);
  const single = KINDS.includes(kind as typeof KINDS[number]) && isObject(body[kind]) ? [body[kind]] : [];
  const things = Array.isArray(body["content"]) ? body["content"].filter(isObject) : single;
  const captions = things.map((thing) => text(thing["caption"])).filter((caption) => caption !== "");
  const reference = text(body["client_ref"]);
  return {
    from: text(body["from"]),
    to: text(body["to"]),
    text: kind === "text" ? text(body["text"]) : captions.join("\n"),
    media: things.map((thing) => text(thing["url"])),
    callback: text(body["webhook_url"]),
    messageId: reference === "" ? null : reference,
  };
}

function isAuthorized(account: VonageAccount, request: ServerRequest): boolean {
  const authorization = request.header("authorization") ?? "";
  if (authorization === `Basic ${btoa(`${account.apiKey}:${account.apiSecret}`)}`) return true;
  const [header, claims, signature] = authorization.replace(/^Bearer /, "").split(".");
  if (header === undefined || claims === undefined || signature === undefined) return false;
  const claimed = JSON.parse(Buffer.from(claims, "base64url").toString() || "{}");
  if (claimed.application_id !== account.applicationId || !(claimed.exp * 1_000 > Date.now())) return false;
  if (account.publicKey === null) return true;
  const key = createPublicKey(account.publicKey);
  return verify("sha256", Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, "base64url"));
}

function statusBody(status: ReportStatus, id: string, send: JsonSend): string {
  return JSON.stringify({
    message_uuid: id,
    to: send.to,
    from: send.from,
    timestamp: new Date().toISOString(),
    status: status === "sent" ? "submitted" : status === "delivered" ? "delivered" : "undeliverable",
    channel: send.media.length > 0 ? "mms" : "sms",
    ...(send.messageId === null ? {} : { client_ref: send.messageId }),
    ...(status === "undelivered"
      ? {
        error: {
          type: `${ERRORS_URL}/messages#1180`,
          title: "1180",
          detail: "Absent Subscriber Temporary",
          instance: `/messages/${id}`,
        },
      }
      : { usage: { currency: "EUR", price: "0.0333" } }),
  });
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function tokenHeader(account: VonageAccount, secret: string, body: string): string {
  const claims = {
    iat: Math.floor(Date.now() / 1_000),
    jti: crypto.randomUUID(),
    iss: "Vonage",
    payload_hash: createHash("sha256").update(body).digest("hex"),
    api_key: account.apiKey,
    application_id: account.applicationId,
  };
  const signed = `${base64url({ alg: "HS256", typ: "JWT" })}.${base64url(claims)}`;
  const signature = createHmac("sha256", secret).update(signed).digest("base64url");
  return `authorization: Bearer ${signed}.${signature}\r\n`;
}

/** Contacts' messages. One thing comes under its kind, several as a list. `authToken` signs. */
export const VONAGE_WIRE: InboundWire = {
  defaults: {
    method: "POST",
    accountSid: VONAGE_DEFAULT_ACCOUNT.apiKey,
    authToken: VONAGE_DEFAULT_ACCOUNT.signatureSecret,
  },
  id: uuidOf,
  request: vonageInbound,
};

function vonageInbound(target: WebhookTarget, message: ContactMessage): string {
  const { media = [] } = message;
  const [first, ...others] = media;
  const body = JSON.stringify({
    channel: media.length > 0 ? "mms" : "sms",
    message_uuid: message.id,
    to: message.to.replace("+", ""),
    from: message.from.replace("+", ""),
    timestamp: new Date().toISOString(),
    ...(first === undefined
      ? { message_type: "text", text: message.text, sms: { num_messages: "1" } }
      : others.length === 0
      ? { message_type: "image", image: { url: first.url, name: "image.jpg", caption: message.text } }
      : {
        message_type: "content",
        content: media.map(({ url }, i) => ({
          type: "image",
          url,
          ...(i === 0 && { caption: message.text }),
        })),
      }),
  });
  if (target.signature === "missing") return postText(target.url, JSON_TYPE, body);
  const secret = target.signature === "wrong" ? `not ${target.authToken}` : target.authToken;
  const account = { ...VONAGE_DEFAULT_ACCOUNT, apiKey: target.accountSid };
  return postText(target.url, JSON_TYPE, body, tokenHeader(account, secret, body));
}
