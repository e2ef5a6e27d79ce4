/**
 * What Sinch posts: one JSON object with a message that came in, or with what became of one that went out.
 *
 * @module
 */
import { isId } from "../../core/ids.ts";
import type { Media } from "../../core/message.ts";
import type { WebhookResult } from "../../core/ports/provider.ts";
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
  unreadable,
} from "./inbound.ts";
import { type JsonObject, listAt, objectAt, parseBody, textAt } from "./json_values.ts";
import { sinchOutcome } from "./sinch_errors.ts";

const MEDIA_MAX = 20;

/** Sinch writes no plus. */
function readNumber(object: JsonObject, name: string) {
  const value = textAt(object, name)?.trim();
  return readAddress(value !== undefined && /^\d{9,15}$/.test(value) ? `+${value}` : value, name);
}

function readMedia(body: JsonObject): readonly Media[] | Refused {
  const list = listAt(body, "media");
  if (list.length > MEDIA_MAX) return malformed("body.media", `has more than ${MEDIA_MAX} entries`);
  const media: Media[] = [];
  for (const [index, item] of list.entries()) {
    const entry = isObject(item) ? item : {};
    // What Sinch could not fetch has no address: the message stands without it.
    if (textAt(entry, "status")?.toLowerCase() === "failed") continue;
    const url = readMediaUrl(textAt(entry, "url"), `body.media[${index}].url`);
    if (isRefused(url)) return url;
    const contentType = readContentType(textAt(entry, "content_type"));
    media.push(contentType === undefined ? { url } : { url, contentType });
  }
  return media;
}

/** Text and media of the three kinds of messages. */
function readContent(
  kind: string,
  event: JsonObject,
): { readonly text: string; readonly media: readonly Media[] } | Refused {
  if (kind !== "mo_media") {
    const body = textAt(event, "body");
    if (body === undefined) return malformed("body", "is missing");
    const text = readText(kind === "mo_binary" ? `(binary message, base64) ${body}` : body, "body");
    return isRefused(text) ? text : { text, media: [] };
  }
  const body = objectAt(event, "body");
  if (body === undefined) return malformed("body", "is missing");
  const words = [textAt(body, "subject"), textAt(body, "message")].filter((part) =>
    part !== undefined && part !== ""
  );
  const text = readText(words.join("\n"), "body.message");
  if (isRefused(text)) return text;
  const media = readMedia(body);
  return "kind" in media ? media : { text, media };
}

function readMessage(kind: string, event: JsonObject): WebhookResult {
  const providerId = readId(textAt(event, "id") ?? "", "id");
  if (isRefused(providerId)) return providerId;
  const contact = readNumber(event, "from");
  if (isRefused(contact)) return contact;
  const number = readNumber(event, "to");
  if (isRefused(number)) return number;
  const content = readContent(kind, event);
  if ("kind" in content) return content;
  return accepted({ inbound: [{ number: number.value, contact: contact.value, ...content, providerId }] });
}

/** A report of one recipient has status and code; one of a batch has a list of them, and our batches have one member. */
function readReport(event: JsonObject, path: string): WebhookResult {
  const providerId = readId(textAt(event, "batch_id") ?? "", "batch_id");
  if (isRefused(providerId)) return providerId;
  const first = listAt(event, "statuses")[0];
  const told = textAt(event, "status") === undefined && isObject(first) ? first : event;
  const word = textAt(told, "status");
  if (word === undefined || word === "") return malformed("status", "is missing");
  const outcome = sinchOutcome(word, textAt(told, "code") ?? "");
  if (outcome === undefined) return malformed("status", "is not a status that is known here");
  if (outcome === null) return accepted({});
  const reference = textAt(event, "client_reference") ?? "";
  return accepted({
    reports: [{
      ...(isId("message", reference) ? { messageId: reference } : messageNamedBy(path)),
      providerId,
      ...outcome,
    }],
  });
}

/** Reads a webhook whose sender was proved. */
export function readSinchEvent(body: Uint8Array, path: string): WebhookResult {
  const event = parseBody(body);
  if (!isObject(event)) return unreadable("the body is no JSON object");
  const kind = textAt(event, "type");
  if (kind === undefined) return malformed("type", "is missing");
  switch (kind) {
    case "mo_text":
    case "mo_binary":
    case "mo_media":
      return readMessage(kind, event);
    case "delivery_report_sms":
    case "delivery_report_mms":
    case "recipient_delivery_report_sms":
    case "recipient_delivery_report_mms":
      return readReport(event, path);
    default:
      return accepted({});
  }
}
