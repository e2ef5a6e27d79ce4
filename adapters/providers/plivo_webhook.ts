/**
 * The two kinds of form that Plivo posts: a message that came in, and what became of one that went out.
 *
 * @module
 */
import type { Media } from "../../core/message.ts";
import type { ParsedReport, WebhookReply, WebhookResult } from "../../core/ports/provider.ts";
import type { Fields } from "./fields.ts";
import {
  accepted,
  isRefused,
  malformed,
  messageNamedBy,
  readAddress,
  readId,
  readMediaUrl,
  readText,
} from "./inbound.ts";
import { plivoFailure } from "./plivo_errors.ts";

/** Plivo reads the answer as its XML: an empty one sends nothing to the contact. */
const REPLY: WebhookReply = {
  status: 200,
  contentType: "text/xml; charset=utf-8",
  body: '<?xml version="1.0" encoding="UTF-8"?><Response/>',
};

const MEDIA_MAX = 20;

/** `null`: nothing to move, the message is on its way. */
const STATUSES: ReadonlyMap<string, ParsedReport["status"] | null> = new Map([
  ["queued", null],
  ["sent", "sent"],
  ["delivered", "delivered"],
  ["read", "delivered"],
  ["undelivered", "undelivered"],
  ["failed", "failed"],
  ["rejected", "rejected"],
]);

/** Whether the form is a delivery report: by the path it came to, else by its fields. */
export function isPlivoReport(path: string, fields: Fields): boolean {
  return path === "status" || path.startsWith("status/") ||
    (fields.get("Status") !== undefined && fields.get("Text") === undefined &&
      fields.get("Media0") === undefined);
}

/** Plivo writes no plus, also where a number is one of ours. */
function readNumber(fields: Fields, name: string) {
  const value = fields.get(name)?.trim();
  return readAddress(value !== undefined && /^\d{9,15}$/.test(value) ? `+${value}` : value, name);
}

/** Reads a message that came in. */
export function readPlivoMessage(fields: Fields): WebhookResult {
  const providerId = readId(fields.get("MessageUUID") ?? "", "MessageUUID");
  if (isRefused(providerId)) return providerId;
  const contact = readNumber(fields, "From");
  if (isRefused(contact)) return contact;
  const number = readNumber(fields, "To");
  if (isRefused(number)) return number;
  const media: Media[] = [];
  for (let i = 0; fields.get(`Media${i}`) !== undefined; i++) {
    if (i === MEDIA_MAX) return malformed(`Media${i}`, "is one too many");
    const url = readMediaUrl(fields.get(`Media${i}`), `Media${i}`);
    if (isRefused(url)) return url;
    media.push({ url });
  }
  const given = fields.firstOf(["Text", "Body"]);
  if (given === undefined && media.length === 0) return malformed("Text", "is missing");
  const text = readText(given ?? "", "Text");
  if (isRefused(text)) return text;
  return accepted({
    inbound: [{ number: number.value, contact: contact.value, text, media, providerId }],
  }, REPLY);
}

/** Each part of a long text is reported by itself: whether it arrived is for the last one to say. */
function isLastPart(fields: Fields): boolean {
  const [, part, of] = /^(\d{1,3}) of (\d{1,3})$/.exec(fields.get("PartInfo") ?? "") ?? [];
  return part === undefined || of === undefined || Number(part) >= Number(of);
}

/** Reads a delivery report; the path may name our message. */
export function readPlivoReport(path: string, fields: Fields): WebhookResult {
  const parent = fields.get("ParentMessageUUID");
  const providerId = readId(parent || (fields.get("MessageUUID") ?? ""), "MessageUUID");
  if (isRefused(providerId)) return providerId;
  const word = fields.get("Status");
  if (word === undefined || word === "") return malformed("Status", "is missing");
  const mapped = STATUSES.get(word.toLowerCase());
  if (mapped === undefined) return malformed("Status", "is not a status that is known here");
  if (mapped === null) return accepted({}, REPLY);
  const status = mapped === "delivered" && !isLastPart(fields) ? "sent" : mapped;
  const failure = status === "sent" || status === "delivered"
    ? undefined
    : plivoFailure(fields.get("ErrorCode") ?? "");
  return accepted({
    reports: [{
      ...messageNamedBy(path),
      providerId,
      status: failure?.class === "opted-out" || failure?.class === "blocked" ? "rejected" : status,
      ...(failure !== undefined && { error: failure }),
    }],
  }, REPLY);
}
