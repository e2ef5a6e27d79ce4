/**
 * The two kinds of form that Twilio posts: a message that came in, and what became of one that went out.
 *
 * @module
 */
import type { MessageError } from "../../core/errors.ts";
import { isId } from "../../core/ids.ts";
import type { Media } from "../../core/message.ts";
import type { ParsedReport, WebhookReply, WebhookResult } from "../../core/ports/provider.ts";
import type { Fields } from "./fields.ts";
import {
  isRefused,
  malformed,
  readAddress,
  readContentType,
  readId,
  readMediaUrl,
  readText,
} from "./inbound.ts";
import { isRejection, twilioError } from "./twilio_errors.ts";

/** Empty TwiML: a `<Message>` in it would be sent to the contact. */
const REPLY: WebhookReply = {
  status: 200,
  contentType: "text/xml; charset=utf-8",
  body: '<?xml version="1.0" encoding="UTF-8"?><Response/>',
};

const MEDIA_MAX = 10;

/** `null`: nothing to move, the message is on its way or the status is an inbound one's. */
const STATUSES: ReadonlyMap<string, ParsedReport["status"] | null> = new Map([
  ["accepted", null],
  ["scheduled", null],
  ["queued", null],
  ["sending", null],
  ["receiving", null],
  ["received", null],
  ["sent", "sent"],
  ["delivered", "delivered"],
  ["read", "delivered"],
  ["partially_delivered", "delivered"],
  ["undelivered", "undelivered"],
  ["failed", "failed"],
  ["canceled", "rejected"],
]);

/** Whether the form is a delivery report: by the path it came to, else by its fields. */
export function isTwilioReport(path: string, fields: Fields): boolean {
  if (path === "status" || path.startsWith("status/")) return true;
  return fields.get("MessageStatus") !== undefined && fields.get("Body") === undefined &&
    fields.get("SmsStatus") !== "received";
}

function messageSid(fields: Fields) {
  const sid = fields.firstOf(["MessageSid", "SmsMessageSid", "SmsSid"]);
  return sid === undefined || sid === "" ? malformed("MessageSid", "is missing") : readId(sid, "MessageSid");
}

/** Reads a message that came in. */
export function readTwilioMessage(fields: Fields): WebhookResult {
  const providerId = messageSid(fields);
  if (isRefused(providerId)) return providerId;
  const contact = readAddress(fields.get("From"), "From");
  if (isRefused(contact)) return contact;
  const number = readAddress(fields.get("To"), "To");
  if (isRefused(number)) return number;

  const numMedia = fields.get("NumMedia") ?? "0";
  if (!/^\d{1,2}$/.test(numMedia) || Number(numMedia) > MEDIA_MAX) {
    return malformed("NumMedia", `is not a number from 0 to ${MEDIA_MAX}`);
  }
  const media: Media[] = [];
  for (let i = 0; i < Number(numMedia); i++) {
    const url = readMediaUrl(fields.get(`MediaUrl${i}`), `MediaUrl${i}`);
    if (isRefused(url)) return url;
    const contentType = readContentType(fields.get(`MediaContentType${i}`));
    media.push(contentType === undefined ? { url } : { url, contentType });
  }

  const body = fields.get("Body");
  if (body === undefined && media.length === 0) return malformed("Body", "is missing");
  const text = readText(body ?? "", "Body");
  if (isRefused(text)) return text;
  return {
    kind: "accepted",
    inbound: [{ number: number.value, contact: contact.value, text, media, providerId }],
    reports: [],
    reply: REPLY,
  };
}

function reportError(status: ParsedReport["status"], code: string): MessageError | undefined {
  if (status === "sent" || status === "delivered") return undefined;
  const known = twilioError(code);
  if (known !== undefined) return known;
  const reason = status === "rejected"
    ? "the message was cancelled at Twilio"
    : "Twilio could not deliver the message";
  return {
    class: status === "rejected" ? "rejected" : status === "undelivered" ? "unreachable" : "unknown",
    ...(/^\d{1,10}$/.test(code) && { providerCode: code }),
    reason,
  };
}

/** Reads a status callback; the path may name our message. */
export function readTwilioReport(path: string, fields: Fields): WebhookResult {
  const providerId = messageSid(fields);
  if (isRefused(providerId)) return providerId;
  const word = fields.firstOf(["MessageStatus", "SmsStatus"]);
  if (word === undefined || word === "") return malformed("MessageStatus", "is missing");
  const mapped = STATUSES.get(word);
  if (mapped === undefined) return malformed("MessageStatus", "is not a status that is known here");
  if (mapped === null) return { kind: "accepted", inbound: [], reports: [], reply: REPLY };

  const code = fields.get("ErrorCode") ?? "";
  const status = mapped === "failed" && isRejection(code) ? "rejected" : mapped;
  const error = reportError(status, code);
  const messageId = path.startsWith("status/") ? path.slice("status/".length) : "";
  const report: ParsedReport = {
    ...(isId("message", messageId) && { messageId }),
    providerId,
    status,
    ...(error !== undefined && { error }),
  };
  return { kind: "accepted", inbound: [], reports: [report], reply: REPLY };
}
