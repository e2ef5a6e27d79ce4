/**
 * Bandwidth's side: messages posted with an application, events as JSON lists to the application's callback.
 *
 * @module
 */
import type { InboundWire } from "./carrier.ts";
import type { ContactMessage, WebhookTarget } from "./contact.ts";
import { uuidOf } from "./ids.ts";
import { type JsonSend, type JsonWire, text, texts } from "./json_carrier.ts";
import type { ReportPlan, ReportStatus } from "./reports.ts";
import { JSON_TYPE, postText, type RequestTarget } from "./request_text.ts";

export const BANDWIDTH_ACCOUNT = {
  accountId: "9900000",
  applicationId: "93de2206-9669-4e07-948d-329f4b722ee2",
  apiToken: "simulator",
  apiSecret: "simulator-secret",
};

const PREFIX = `/api/v2/users/${BANDWIDTH_ACCOUNT.accountId}/`;
const AUTHORIZATION = `Basic ${btoa(`${BANDWIDTH_ACCOUNT.apiToken}:${BANDWIDTH_ACCOUNT.apiSecret}`)}`;
const PHONE = /^\+[1-9][0-9]{6,14}$/;

const invalid = (fieldName: string, description: string) => ({
  status: 400,
  body: {
    type: "request-validation",
    description: "Your request could not be accepted",
    fieldErrors: [{ fieldName, description }],
  },
});

export const BANDWIDTH: JsonWire = {
  provider: "bandwidth",
  owns: (path) => path.startsWith("/api/v2/users/"),
  isAuthorized: (request) =>
    request.path.startsWith(PREFIX) && request.header("authorization") === AUTHORIZATION,
  unauthorized: { status: 401, body: { type: "unauthorized", description: "Authentication Failed" } },
  unreadable: invalid("body", "is no JSON object"),
  sends: (request) => request.method === "POST" && request.path.endsWith("/messages"),
  other: (request) =>
    request.path === `${PREFIX}media`
      ? { status: 200, body: [] }
      : { status: 404, body: { type: "not-found", description: "The resource does not exist" } },
  read: (body) => ({
    from: text(body["from"]),
    to: texts(body["to"])[0] ?? "",
    text: text(body["text"]),
    media: texts(body["media"]),
    callback: "",
    messageId: text(body["tag"]) || null,
  }),
  faultOf(send, body) {
    if (body["applicationId"] !== BANDWIDTH_ACCOUNT.applicationId) {
      return invalid("applicationId", "is unknown");
    }
    if (!PHONE.test(send.to)) return invalid("to[0]", "must be E.164");
    if (!PHONE.test(send.from)) return invalid("from", "must be E.164");
    return send.text === "" && send.media.length === 0 ? invalid("text", "must not be empty") : null;
  },
  taken: (id, send) => ({
    status: 202,
    body: {
      ...messageOf(id, send),
      segmentCount: 1,
    },
  }),
  refused(outcome) {
    if (outcome.why === "invalid-number") return invalid("to[0]", outcome.message);
    return {
      status: outcome.status,
      body: { type: String(outcome.code ?? outcome.why), description: outcome.message },
    };
  },
  id: uuidOf,
  reports(target, _url, id, send): ReportPlan {
    return {
      origin: target.origin,
      build: (status, known) => postText(target, JSON_TYPE, reportBody(status, known ? id : "unknown", send)),
    };
  },
};

function messageOf(id: string, send: JsonSend) {
  return {
    id,
    owner: send.from,
    applicationId: BANDWIDTH_ACCOUNT.applicationId,
    time: new Date().toISOString(),
    direction: "out",
    to: [send.to],
    from: send.from,
    text: send.text,
    ...(send.media.length > 0 && { media: send.media }),
    ...(send.messageId !== null && { tag: send.messageId }),
  };
}

function reportBody(status: ReportStatus, id: string, send: JsonSend): string {
  const type = status === "sent"
    ? "message-sending"
    : status === "delivered"
    ? "message-delivered"
    : "message-failed";
  const message = messageOf(id, send);
  return JSON.stringify([{
    time: message.time,
    type,
    to: send.to,
    description: type,
    ...(type === "message-failed" && { errorCode: 4720 }),
    message: id === "unknown" ? { ...message, tag: "" } : message,
  }]);
}

/** Contacts' messages; the format `group` has a third member. */
export const BANDWIDTH_WIRE: InboundWire = {
  defaults: { method: "POST", accountSid: BANDWIDTH_ACCOUNT.accountId, authToken: "" },
  id: uuidOf,
  request: (target: WebhookTarget & { readonly url: RequestTarget }, message: ContactMessage) =>
    postText(target.url, JSON_TYPE, inboundBody(target.format === "group", message)),
};

function inboundBody(isGroup: boolean, { id, from, to, text, media = [] }: ContactMessage): string {
  const time = new Date().toISOString();
  const layout = `https://media.example.test/${id}/0.smil`;
  return JSON.stringify([{
    type: "message-received",
    time,
    description: "Incoming message received",
    to,
    message: {
      id,
      time,
      owner: to,
      applicationId: BANDWIDTH_ACCOUNT.applicationId,
      direction: "in",
      to: isGroup ? ["+12025550187", to] : [to],
      from,
      text,
      ...(media.length > 0 && { media: [layout, ...media.map((one) => one.url)] }),
      segmentCount: 1,
    },
  }]);
}
