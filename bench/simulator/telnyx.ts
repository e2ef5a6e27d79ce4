/**
 * Telnyx' side: messages posted as JSON, one signed event to a webhook.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createPrivateKey, type KeyObject, sign } from "node:crypto";
import type { InboundWire } from "./carrier.ts";
import type { ContactMessage, WebhookTarget } from "./contact.ts";
import { uuidOf } from "./ids.ts";
import { idInUrl, type JsonSend, type JsonWire, text, texts } from "./json_carrier.ts";
import type { ReportPlan, ReportStatus } from "./reports.ts";
import { JSON_TYPE, postText } from "./request_text.ts";

/** The public key belongs to the seed that webhooks are signed with. */
export const TELNYX_ACCOUNT = {
  apiKey: "KEY0123456789SIMULATOR",
  seedHex: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
  publicKey: "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
};

const PHONE = /^\+[1-9][0-9]{6,14}$/;
const CODES = {
  throttled: ["10011", "Too many requests"],
  "opted-out": ["40300", "Blocked due to STOP message"],
  "invalid-number": ["40310", "Invalid 'to' address"],
  "made-to-fail": ["10007", "Unexpected error"],
} as const;

const problem = (status: number, code: string, title: string) => ({
  status,
  body: { errors: [{ code, title, detail: title }] },
});

export const TELNYX: JsonWire = {
  provider: "telnyx",
  owns: (path) => path === "/v2/messages" || path === "/v2/balance",
  isAuthorized: (request) => request.header("authorization") === `Bearer ${TELNYX_ACCOUNT.apiKey}`,
  unauthorized: problem(401, "10009", "Authentication failed"),
  unreadable: problem(400, "10015", "Bad Request"),
  sends: (request) => request.method === "POST" && request.path === "/v2/messages",
  other: (request) =>
    request.path === "/v2/balance"
      ? { status: 200, body: { data: { balance: "300.00", currency: "USD", record_type: "balance" } } }
      : problem(405, "10005", "Method not allowed"),
  read(body) {
    const callback = text(body["webhook_url"]);
    return {
      from: text(body["from"]),
      to: text(body["to"]),
      text: text(body["text"]),
      media: texts(body["media_urls"]),
      callback,
      messageId: idInUrl(callback),
    };
  },
  faultOf(send) {
    if (!PHONE.test(send.to)) return problem(400, "10016", "Phone number must be in +E.164 format");
    if (!PHONE.test(send.from)) return problem(400, "40305", "Invalid 'from' address");
    return send.text === "" && send.media.length === 0 ? problem(400, "40316", "No content provided") : null;
  },
  taken: (id, send) => ({
    status: 200,
    body: { data: { ...payloadOf(id, send, "queued"), record_type: "message", parts: 1 } },
  }),
  refused(outcome) {
    const [code, title] = CODES[outcome.why];
    return problem(outcome.status, String(outcome.code ?? code), title);
  },
  id: uuidOf,
  reports(target, _url, id, send): ReportPlan {
    return {
      origin: target.origin,
      build(status, known) {
        const body = reportBody(status, known ? id : crypto.randomUUID(), send);
        return postText(target, JSON_TYPE, body, signatureHeaders(TELNYX_ACCOUNT.seedHex, body));
      },
    };
  },
};

function payloadOf(id: string, send: JsonSend, status: string) {
  return {
    id,
    direction: "outbound",
    type: send.media.length > 0 ? "MMS" : "SMS",
    from: { phone_number: send.from, carrier: "Telnyx", line_type: "Wireless" },
    to: [{ phone_number: send.to, status, carrier: "X", line_type: "Wireless" }],
    text: send.text,
    media: send.media.map((url) => ({ url, content_type: null, size: null })),
  };
}

const REPORT_WORDS: Readonly<Record<ReportStatus, string>> = {
  sent: "sent",
  delivered: "delivered",
  undelivered: "delivery_failed",
};

function reportBody(status: ReportStatus, id: string, send: JsonSend): string {
  return eventBody(status === "sent" ? "message.sent" : "message.finalized", {
    ...payloadOf(id, send, REPORT_WORDS[status]),
    errors: status === "undelivered" ? [{ code: "40008", title: "Undeliverable" }] : [],
  });
}

function eventBody(kind: string, payload: unknown): string {
  const data = {
    event_type: kind,
    id: crypto.randomUUID(),
    occurred_at: new Date().toISOString(),
    payload,
    record_type: "event",
  };
  return JSON.stringify({ data, meta: { attempt: 1, delivered_to: "" } });
}

const keys = new Map<string, KeyObject>();

/** PKCS #8 around the 32 bytes of an Ed25519 seed. */
function keyOf(seedHex: string): KeyObject {
  let key = keys.get(seedHex);
  if (key === undefined) {
    key = createPrivateKey({
      key: Buffer.from(`302e020100300506032b657004220420${seedHex}`, "hex"),
      format: "der",
      type: "pkcs8",
    });
    keys.set(seedHex, key);
  }
  return key;
}

function signatureHeaders(seedHex: string, body: string): string {
  const seconds = Math.floor(Date.now() / 1_000);
  const signature = sign(null, Buffer.from(`${seconds}|${body}`), keyOf(seedHex)).toString("base64");
  return `telnyx-timestamp: ${seconds}\r\ntelnyx-signature-ed25519: ${signature}\r\n`;
}

/** Contacts' messages. `authToken` is the seed of the key that signs. */
export const TELNYX_WIRE: InboundWire = {
  defaults: { method: "POST", accountSid: "", authToken: TELNYX_ACCOUNT.seedHex },
  id: uuidOf,
  request: telnyxInbound,
};

function telnyxInbound(target: WebhookTarget, message: ContactMessage): string {
  const { id, from, to, text, media = [] } = message;
  const body = eventBody("message.received", {
    id,
    direction: "inbound",
    type: media.length > 0 ? "MMS" : "SMS",
    from: { phone_number: from, carrier: "X", line_type: "Wireless" },
    to: [{ phone_number: to, status: "webhook_delivered" }],
    text,
    media: media.map(({ url, contentType }) => ({ url, content_type: contentType, size: 1_000 })),
  });
  if (target.signature === "missing") return postText(target.url, JSON_TYPE, body);
  const seed = target.signature === "wrong"
    ? createHash("sha256").update(target.authToken).digest("hex")
    : target.authToken;
  return postText(target.url, JSON_TYPE, body, signatureHeaders(seed, body));
}
