/**
 * Sinch' side: batches posted as JSON, signed JSON to a callback.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import type { InboundWire } from "./carrier.ts";
import type { ContactMessage, WebhookTarget } from "./contact.ts";
import { type JsonWire, text, texts } from "./json_carrier.ts";
import type { ReportPlan } from "./reports.ts";
import { JSON_TYPE, postText } from "./request_text.ts";

export const SINCH_ACCOUNT = {
  servicePlanId: "simulatorplan0001",
  apiToken: "simulator-token",
  webhookSecret: "simulator-hook-secret",
};

const PREFIX = `/xms/v1/${SINCH_ACCOUNT.servicePlanId}/`;
const PHONE = /^\+?[1-9][0-9]{6,14}$/;

const problem = (status: number, code: string, words: string) => ({ status, body: { code, text: words } });

/** Like a ULID: 26 capitals and digits. */
function ulidOf(runHex: string, sequence: number): string {
  return `01${runHex.toUpperCase()}${sequence.toString(16).toUpperCase().padStart(8, "0")}`;
}

export const SINCH: JsonWire = {
  provider: "sinch",
  owns: (path) => path.startsWith("/xms/v1/"),
  isAuthorized: (request) =>
    request.path.startsWith(PREFIX) && request.header("authorization") === `Bearer ${SINCH_ACCOUNT.apiToken}`,
  unauthorized: { status: 401, body: {} },
  unreadable: problem(400, "syntax_invalid_json", "The body is not valid JSON"),
  sends: (request) => request.method === "POST" && request.path.endsWith("/batches"),
  other: (request) =>
    request.path === `${PREFIX}batches`
      ? { status: 200, body: { page: 0, page_size: 1, count: 0, batches: [] } }
      : { status: 404, body: {} },
  read(body) {
    const content = body["body"];
    const media = typeof content === "object" && content !== null ? content as Record<string, unknown> : null;
    const url = text(media?.["url"]);
    return {
      from: text(body["from"]),
      to: texts(body["to"])[0] ?? "",
      text: media === null ? text(content) : text(media["message"]),
      media: url === "" ? [] : [url],
      callback: text(body["callback_url"]),
      messageId: text(body["client_reference"]) || null,
    };
  },
  faultOf(send, body) {
    if (!PHONE.test(send.to)) return problem(400, "syntax_invalid_parameter_format", "to is no MSISDN");
    const type = send.media.length > 0 ? "mt_media" : "mt_text";
    if (body["type"] !== type) {
      return problem(400, "syntax_constraint_violation", "type does not fit the body");
    }
    if (send.text === "" && type === "mt_text") {
      return problem(400, "syntax_constraint_violation", "body must not be empty");
    }
    return body["delivery_report"] !== "none" && send.callback === ""
      ? problem(403, "missing_callback_url", "there is no callback URL")
      : null;
  },
  taken: (id, send) => ({
    status: 201,
    body: { id, to: [send.to], from: send.from, canceled: false, created_at: new Date().toISOString() },
  }),
  refused: (outcome) =>
    outcome.why === "invalid-number"
      ? problem(400, "syntax_invalid_parameter_format", outcome.message)
      : problem(outcome.status, String(outcome.code ?? outcome.why), outcome.message),
  id: ulidOf,
  reports(target, _url, id, send): ReportPlan {
    return {
      origin: target.origin,
      build(status, known) {
        const body = JSON.stringify({
          type: send.media.length > 0 ? "recipient_delivery_report_mms" : "recipient_delivery_report_sms",
          batch_id: known ? id : ulidOf(crypto.randomUUID().replaceAll("-", "").slice(0, 16), 1),
          recipient: bare(send.to),
          code: status === "sent" ? 401 : status === "delivered" ? 0 : 300,
          status: status === "sent" ? "Dispatched" : status === "delivered" ? "Delivered" : "Failed",
          at: new Date().toISOString(),
          ...(known && send.messageId !== null && { client_reference: send.messageId }),
        });
        return postText(target, JSON_TYPE, body, signatureHeaders(SINCH_ACCOUNT.webhookSecret, body));
      },
    };
  },
};

function bare(number: string): string {
  return number.replace("+", "");
}

function signatureHeaders(secret: string, body: string): string {
  const nonce = crypto.randomUUID();
  const seconds = Math.floor(Date.now() / 1_000);
  const signature = createHmac("sha256", secret).update(`${body}.${nonce}.${seconds}`).digest("base64");
  return [
    `x-sinch-webhook-signature: ${signature}`,
    "x-sinch-webhook-signature-algorithm: HmacSHA256",
    `x-sinch-webhook-signature-nonce: ${nonce}`,
    `x-sinch-webhook-signature-timestamp: ${seconds}`,
    "",
  ].join("\r\n");
}

/** Contacts' messages. `authToken` is the secret that signs. */
export const SINCH_WIRE: InboundWire = {
  defaults: {
    method: "POST",
    accountSid: SINCH_ACCOUNT.servicePlanId,
    authToken: SINCH_ACCOUNT.webhookSecret,
  },
  id: ulidOf,
  request: sinchInbound,
};

function sinchInbound(target: WebhookTarget, message: ContactMessage): string {
  const { id, text, media = [] } = message;
  const content = media.length === 0 ? { type: "mo_text", body: text } : {
    type: "mo_media",
    body: {
      message: text,
      media: media.map(({ url, contentType }) => ({
        url,
        content_type: contentType,
        status: "Uploaded",
        code: 0,
      })),
    },
  };
  const body = JSON.stringify({
    ...content,
    id,
    from: bare(message.from),
    to: bare(message.to),
    operator_id: "310260",
    received_at: new Date().toISOString(),
  });
  if (target.signature === "missing") return postText(target.url, JSON_TYPE, body);
  const secret = target.signature === "wrong" ? `not ${target.authToken}` : target.authToken;
  return postText(target.url, JSON_TYPE, body, signatureHeaders(secret, body));
}
