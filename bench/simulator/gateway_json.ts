/**
 * Two gateways that take JSON: GMG as its proposal has it, and one of no name that the kind `http` is set up for,
 * with a bearer token, nested documents and signed calls.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import type { InboundWire } from "./carrier.ts";
import type { ContactMessage, WebhookTarget } from "./contact.ts";
import { formBody } from "./form.ts";
import { sidOf } from "./ids.ts";
import { idInUrl, type JsonWire, type RefuseOutcome, text, texts } from "./json_carrier.ts";
import { FORM, getText, JSON_TYPE, postText, withQuery } from "./request_text.ts";
import { STATUS_WORDS, urlsmsReports } from "./urlsms_webhooks.ts";
import { GATEWAY_LOGIN } from "./urlsms.ts";

const PHONE = /^[0-9]{3,15}$/;
const WORDS: Readonly<Record<RefuseOutcome["why"], string>> = {
  throttled: "too many requests",
  "opted-out": "recipient is on the blacklist",
  "invalid-number": "N\u00famero inv\u00e1lido",
  "made-to-fail": "internal error",
};

const gmgError = (status: number, message: string) => ({ status, body: { status: "error", message } });

export const GMG: JsonWire = {
  provider: "gmg",
  owns: (path) => path.startsWith("/gmg/"),
  isAuthorized(request) {
    const { user, password } = GATEWAY_LOGIN;
    const given = request.header("authorization");
    if (given !== undefined) {
      return given === `Basic ${btoa(`${user}:${password}`)}` || given === `Bearer ${password}`;
    }
    const fields = fieldsOf(request.body);
    return fields["user"] === user && fields["password"] === password;
  },
  unauthorized: gmgError(401, "unauthorized"),
  unreadable: gmgError(400, "JSON expected"),
  sends: (request) => request.path === "/gmg/send",
  other: () => ({ status: 200, body: { balance: 12 } }),
  read: (body) => ({
    from: text(body["from"]),
    to: text(body["to"]),
    text: text(body["message"]),
    media: [],
    callback: "",
    messageId: text(body["id"]) || null,
  }),
  faultOf: (send) =>
    !PHONE.test(send.to)
      ? gmgError(422, "number is wrong")
      : send.text === ""
      ? gmgError(400, "message is missing")
      : null,
  taken: (id) => ({ status: 200, body: { status: "ok", id } }),
  refused: (outcome) => gmgError(isOfTransport(outcome) ? outcome.status : 200, WORDS[outcome.why]),
  id: (runHex, sequence) => `${runHex}${sequence}`,
  reports: (_target, url, id) => urlsmsReports(url, STATUS_WORDS, id)!,
};

/** The gateway of no name: its key, and the secret that it signs with. */
export const GATEWAY_KEYS = { key: "gateway-key-0123456789", secret: "gateway-hook-secret" };

const CODES: Readonly<Record<RefuseOutcome["why"], string>> = {
  throttled: "E429",
  "opted-out": "E21",
  "invalid-number": "E10",
  "made-to-fail": "E500",
};
const gatewayError = (status: number, code: string) => ({
  status,
  body: { error: { code, detail: `see ${code}` } },
});

export const GATEWAY: JsonWire = {
  provider: "http",
  owns: (path) => path.startsWith("/gateway/"),
  isAuthorized: (request) => request.header("authorization") === `Bearer ${GATEWAY_KEYS.key}`,
  unauthorized: gatewayError(401, "E1"),
  unreadable: gatewayError(400, "E2"),
  sends: (request) => request.path === "/gateway/messages",
  other: () => ({ status: 200, body: { account: "simulator" } }),
  read(body) {
    const content = body["content"] as Readonly<Record<string, unknown>> | undefined;
    const callback = text(body["callback"]);
    return {
      from: text(body["sender"]),
      to: texts(body["recipients"])[0] ?? "",
      text: text(content?.["text"]),
      media: texts(content?.["media"]),
      callback,
      messageId: idInUrl(callback),
    };
  },
  faultOf: (send) => PHONE.test(send.to) ? null : gatewayError(400, "E10"),
  taken: (id) => ({ status: 202, body: { data: [{ message: { id } }] } }),
  refused: (outcome) => gatewayError(isOfTransport(outcome) ? outcome.status : 400, CODES[outcome.why]),
  id: (runHex, sequence) => `g-${runHex}-${sequence}`,
  reports: (target, _url, id) => ({
    origin: target.origin,
    build(status, known) {
      const events = [{
        message: { id: known ? id : crypto.randomUUID() },
        state: { name: status.toUpperCase() },
      }];
      return signedPost(target, JSON_TYPE, JSON.stringify({ events }), "valid");
    },
  }),
};

function isOfTransport({ why }: RefuseOutcome): boolean {
  return why === "made-to-fail" || why === "throttled";
}

function fieldsOf(body: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(body) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

function signedPost(
  target: WebhookTarget["url"],
  contentType: string,
  body: string,
  signature: WebhookTarget["signature"],
): string {
  const digest = createHmac("sha256", signature === "wrong" ? "another secret" : GATEWAY_KEYS.secret).update(
    body,
  ).digest("hex");
  return postText(
    target,
    contentType,
    body,
    signature === "missing" ? "" : `x-signature: sha256=${digest}\r\n`,
  );
}

/**
 * Signed calls. Formats: nested JSON with a list of events; `xml`, `multipart`, `form` with plain names.
 */
export const GATEWAY_WIRE: InboundWire = {
  defaults: { method: "POST", accountSid: "", authToken: GATEWAY_KEYS.secret },
  id: (runHex, sequence) => sidOf("SM", runHex, sequence),
  request(target, message) {
    const [contentType, body] = bodyOf(target.format, message);
    return signedPost(target.url, contentType, body, target.signature);
  },
};

function bodyOf(
  format: string,
  { id, from, to, text, media = [] }: ContactMessage,
): readonly [string, string] {
  const links = media.map((one, index) => [`media${index}`, one.url] as const);
  const fields = [["from", from], ["to", to], ["text", text], ["id", id], ...links] as const;
  switch (format) {
    case "xml": {
      const tags = fields.map(([name, value]) =>
        `<${name}>${value.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`)}</${name}>`
      );
      return ["application/xml", `<?xml version="1.0" encoding="UTF-8"?><sms>${tags.join("")}</sms>`];
    }
    case "multipart": {
      const part = ([name, value]: (typeof fields)[number]) =>
        `--frontier\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
      return ["multipart/form-data; boundary=frontier", `${fields.map(part).join("")}--frontier--\r\n`];
    }
    case "form":
      return [FORM, formBody(fields)];
    default: {
      const event = { message: { id, from, to, content: { text, media: media.map(({ url }) => url) } } };
      return [JSON_TYPE, JSON.stringify({ events: [event] })];
    }
  }
}

/** Contacts' messages by GET, by form or as JSON, with plain names. */
export const PLAIN_WIRE: InboundWire = {
  defaults: { method: "GET", accountSid: "", authToken: "" },
  id: (runHex, sequence) => sidOf("SM", runHex, sequence),
  request(target, { id, from, to, text }) {
    const fields = { from: from.replace("+", ""), to: to.replace("+", ""), message: text, id };
    if (target.format === "json") return postText(target.url, JSON_TYPE, JSON.stringify(fields));
    const form = formBody(Object.entries(fields));
    return target.method === "POST" ? postText(target.url, FORM, form) : getText(withQuery(target.url, form));
  },
};
