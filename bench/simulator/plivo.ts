/**
 * Plivo's side: messages posted as JSON, webhooks as signed forms.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import type { InboundWire } from "./carrier.ts";
import type { ContactMessage, WebhookTarget } from "./contact.ts";
import { formBody } from "./form.ts";
import { uuidOf } from "./ids.ts";
import { idInUrl, type JsonWire, text, texts } from "./json_carrier.ts";
import type { ReportPlan } from "./reports.ts";
import { FORM, getText, postText, withQuery } from "./request_text.ts";

export const PLIVO_ACCOUNT = { authId: "MASIMULATOR000000001", authToken: "c2ltdWxhdG9yLXRva2Vu" };

const PREFIX = `/v1/Account/${PLIVO_ACCOUNT.authId}/`;
const AUTHORIZATION = `Basic ${btoa(`${PLIVO_ACCOUNT.authId}:${PLIVO_ACCOUNT.authToken}`)}`;
const PHONE = /^\+?[1-9][0-9]{6,14}$/;

type Field = readonly [name: string, value: string];

const problem = (status: number, error: string) => ({ status, body: { api_id: crypto.randomUUID(), error } });

export const PLIVO: JsonWire = {
  provider: "plivo",
  owns: (path) => path.startsWith("/v1/Account/"),
  isAuthorized: (request) =>
    request.path.startsWith(PREFIX) && request.header("authorization") === AUTHORIZATION,
  unauthorized: { status: 401, body: "Could not verify your access level for that URL." },
  unreadable: problem(400, "The request body is not valid JSON"),
  sends: (request) => request.method === "POST" && request.path.endsWith("/Message/"),
  other: (request) =>
    request.path === PREFIX
      ? { status: 200, body: { auth_id: PLIVO_ACCOUNT.authId, cash_credits: "10.0", enabled: true } }
      : problem(404, "not found"),
  read(body) {
    const callback = text(body["url"]);
    return {
      from: text(body["src"]) || text(body["powerpack_uuid"]),
      to: text(body["dst"]),
      text: text(body["text"]),
      media: texts(body["media_urls"]),
      callback,
      messageId: idInUrl(callback),
    };
  },
  faultOf(send, body) {
    if (!PHONE.test(send.to)) return problem(400, "dst parameter is not valid");
    if (send.from === "") return problem(400, "src parameter is missing");
    const isMms = send.media.length > 0;
    if (body["type"] !== (isMms ? "mms" : "sms")) return problem(400, "type does not fit the message");
    return send.text === "" && !isMms ? problem(400, "text parameter is missing") : null;
  },
  taken: (id) => ({
    status: 202,
    body: { message: "message(s) queued", message_uuid: [id], api_id: crypto.randomUUID() },
  }),
  refused: (outcome) => problem(outcome.status, outcome.message),
  id: uuidOf,
  reports(target, url, id, send): ReportPlan {
    return {
      origin: target.origin,
      build(status, known) {
        const uuid = known ? id : crypto.randomUUID();
        const fields: Field[] = [
          ...(status === "undelivered" ? [["ErrorCode", "80"]] as Field[] : []),
          ["From", bare(send.from)],
          ["MessageUUID", uuid],
          ["ParentMessageUUID", uuid],
          ["PartInfo", "1 of 1"],
          ["Status", status],
          ["To", bare(send.to)],
          ["Type", "sms"],
        ];
        return postText(
          target,
          FORM,
          formBody(fields),
          signatures(PLIVO_ACCOUNT.authToken, url, fields, "v3"),
        );
      },
    };
  },
};

function bare(number: string): string {
  return number.replace("+", "");
}

/** The lines of both kinds of signatures; with the format `v2` of that alone. No name may repeat. */
function signatures(token: string, url: string, fields: readonly Field[] | null, format: string): string {
  const nonce = String(Math.floor(Math.random() * 1e15));
  const hmac = (signed: string) => createHmac("sha256", token).update(signed).digest("base64");
  const address = url.replace(/\?.*$/s, "");
  const second = `x-plivo-signature-v2: ${hmac(address + nonce)}\r\nx-plivo-signature-v2-nonce: ${nonce}\r\n`;
  if (format === "v2") return second;
  const query = [...new URLSearchParams(url.slice(address.length))].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, value]) => `${name}=${value}`).join("&");
  const sorted = [...fields ?? []].sort(([a], [b]) => a < b ? -1 : 1).map((field) => field.join("")).join("");
  const base = fields === null
    ? `${address}${query === "" ? "" : `?${query}`}`
    : `${address}?${query}${query === "" ? "" : "."}${sorted}`;
  return `${second}x-plivo-signature-v3: ${
    hmac(`${base}.${nonce}`)
  }\r\nx-plivo-signature-v3-nonce: ${nonce}\r\n`;
}

/** Contacts' messages, by POST or GET. */
export const PLIVO_WIRE: InboundWire = {
  defaults: { method: "POST", accountSid: PLIVO_ACCOUNT.authId, authToken: PLIVO_ACCOUNT.authToken },
  id: uuidOf,
  request: plivoInbound,
};

function plivoInbound(target: WebhookTarget, message: ContactMessage): string {
  const { media = [] } = message;
  const fields: Field[] = [
    ["From", bare(message.from)],
    ...media.map(({ url }, i): Field => [`Media${i}`, url]),
    ["MessageUUID", message.id],
    ["Text", message.text],
    ["To", bare(message.to)],
    ["Type", media.length > 0 ? "mms" : "sms"],
  ];
  const token = target.signature === "wrong" ? `not ${target.authToken}` : target.authToken;
  const headers = (url: string, form: readonly Field[] | null) =>
    target.signature === "missing" ? "" : signatures(token, url, form, target.format);
  if (target.method === "GET") {
    const query = formBody(fields);
    const url = `${target.publicUrl}${target.publicUrl.includes("?") ? "&" : "?"}${query}`;
    return getText(withQuery(target.url, query), headers(url, null));
  }
  return postText(target.url, FORM, formBody(fields), headers(target.publicUrl, fields));
}
