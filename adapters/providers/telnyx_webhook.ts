/**
 * What Telnyx posts: one event with a message that came in, or with what became of one that went out.
 *
 * @module
 */
import type { MessageError } from "../../core/errors.ts";
import type { Media } from "../../core/message.ts";
import type { ParsedReport, WebhookResult } from "../../core/ports/provider.ts";
import { isObject } from "./answers.ts";
import {
  accepted,
  isRefused,
  malformed,
  messageNamedBy,
  readAddress,
  readContentType,
  readId,
  readMediaUrl,
  readText,
  type Refused,
  storable,
  unreadable,
} from "./inbound.ts";
import { type JsonObject, listAt, objectAt, parseBody, textAt } from "./json_values.ts";
import { isTelnyxRejection, TELNYX_ERRORS } from "./telnyx_errors.ts";

const MEDIA_MAX = 20;

/** `null`: nothing to move, the message is on its way. */
const STATUSES: ReadonlyMap<string, ParsedReport["status"] | null> = new Map([
  ["queued", null],
  ["sending", null],
  ["sent", "sent"],
  ["delivered", "delivered"],
  // Telnyx waited for the carrier's word in vain.
  ["delivery_unconfirmed", "sent"],
  ["sending_failed", "failed"],
  ["delivery_failed", "undelivered"],
  ["expired", "expired"],
]);

function numberIn(value: unknown, field: string) {
  return readAddress(isObject(value) ? textAt(value, "phone_number") : undefined, `${field}.phone_number`);
}

function readMedia(payload: JsonObject): readonly Media[] | Refused {
  const list = listAt(payload, "media");
  if (list.length > MEDIA_MAX) return malformed("media", `has more than ${MEDIA_MAX} entries`);
  const media: Media[] = [];
  for (const [index, item] of list.entries()) {
    const entry = isObject(item) ? item : {};
    const url = readMediaUrl(textAt(entry, "url"), `media[${index}].url`);
    if (isRefused(url)) return url;
    const contentType = readContentType(textAt(entry, "content_type"));
    const size = entry["size"];
    media.push({
      url,
      ...(contentType !== undefined && { contentType }),
      ...(Number.isSafeInteger(size) && Number(size) >= 0 && { sizeBytes: Number(size) }),
    });
  }
  return media;
}

function readMessage(payload: JsonObject): WebhookResult {
  const providerId = readId(textAt(payload, "id") ?? "", "id");
  if (isRefused(providerId)) return providerId;
  const contact = numberIn(payload["from"], "from");
  if (isRefused(contact)) return contact;
  const number = numberIn(listAt(payload, "to")[0], "to[0]");
  if (isRefused(number)) return number;
  const media = readMedia(payload);
  if ("kind" in media) return media;
  const given = textAt(payload, "text");
  if (given === undefined && media.length === 0) return malformed("text", "is missing");
  const text = readText(given ?? "", "text");
  if (isRefused(text)) return text;
  return accepted({
    inbound: [{ number: number.value, contact: contact.value, text, media, providerId }],
  });
}

function errorOf(status: ParsedReport["status"], code: string): MessageError | undefined {
  if (status === "sent" || status === "delivered") return undefined;
  return TELNYX_ERRORS.find(code) ?? {
    class: status === "undelivered" || status === "expired" ? "unreachable" : "unknown",
    ...(code !== "" && { providerCode: storable(code, 64) }),
    reason: status === "expired"
      ? "the message expired before it could be delivered"
      : "Telnyx could not deliver the message",
  };
}

function readReport(payload: JsonObject, path: string): WebhookResult {
  const providerId = readId(textAt(payload, "id") ?? "", "id");
  if (isRefused(providerId)) return providerId;
  const recipient = listAt(payload, "to")[0];
  const word = isObject(recipient) ? textAt(recipient, "status") : undefined;
  if (word === undefined || word === "") return malformed("to[0].status", "is missing");
  const mapped = STATUSES.get(word);
  if (mapped === undefined) return malformed("to[0].status", "is not a status that is known here");
  if (mapped === null) return accepted({});
  const fault = listAt(payload, "errors")[0];
  const code = (isObject(fault) ? textAt(fault, "code") : undefined) ?? "";
  const status = (mapped === "failed" || mapped === "undelivered") && isTelnyxRejection(code)
    ? "rejected"
    : mapped;
  const error = errorOf(status, code);
  return accepted({
    reports: [{ ...messageNamedBy(path), providerId, status, ...(error !== undefined && { error }) }],
  });
}

/** Reads a webhook whose signature was checked. */
export function readTelnyxEvent(body: Uint8Array, path: string): WebhookResult {
  const parsed = parseBody(body);
  const data = isObject(parsed) ? objectAt(parsed, "data") : undefined;
  if (data === undefined) return unreadable("the body is no JSON object with an object in data");
  const kind = textAt(data, "event_type");
  if (kind === undefined) return malformed("data.event_type", "is missing");
  const payload = objectAt(data, "payload");
  switch (kind) {
    case "message.received":
      return payload === undefined ? malformed("data.payload", "is missing") : readMessage(payload);
    case "message.sent":
    case "message.finalized":
      return payload === undefined ? malformed("data.payload", "is missing") : readReport(payload, path);
    default:
      // Telnyx adds kinds of events: refused ones would come again.
      return accepted({});
  }
}
