/**
 * What Bandwidth posts: a JSON list of events, messages that came in and what became of those that went out.
 *
 * @module
 */
import { isId } from "../../core/ids.ts";
import type { Media } from "../../core/message.ts";
import type { ParsedInbound, ParsedReport, WebhookResult } from "../../core/ports/provider.ts";
import { isObject } from "./answers.ts";
import { bandwidthFailure } from "./bandwidth_errors.ts";
import {
  accepted,
  isRefused,
  malformed,
  messageNamedBy,
  readAddress,
  readId,
  readMediaUrl,
  readText,
  type Refused,
  unreadable,
} from "./inbound.ts";
import { type JsonObject, listAt, objectAt, parseBody, textAt } from "./json_values.ts";

const EVENTS_MAX = 1_000;
const MEDIA_MAX = 20;

/** The layout of an MMS, which comes beside its pictures. */
const LAYOUT = /\.smil(?:$|[?#])/i;

function readMedia(message: JsonObject, at: string): readonly Media[] | Refused {
  const list = listAt(message, "media");
  if (list.length > MEDIA_MAX) return malformed(`${at}.media`, `has more than ${MEDIA_MAX} entries`);
  const media: Media[] = [];
  for (const [index, item] of list.entries()) {
    const url = readMediaUrl(typeof item === "string" ? item : undefined, `${at}.media[${index}]`);
    if (isRefused(url)) return url;
    if (!LAYOUT.test(url)) media.push({ url });
  }
  return media;
}

function readMessage(message: JsonObject, at: string): ParsedInbound | Refused {
  const providerId = readId(textAt(message, "id") ?? "", `${at}.id`);
  if (isRefused(providerId)) return providerId;
  const contact = readAddress(textAt(message, "from"), `${at}.from`);
  if (isRefused(contact)) return contact;
  // In a group all members stand in `to`; `owner` is ours among them.
  const to = listAt(message, "to")[0];
  const number = readAddress(
    textAt(message, "owner") ?? (typeof to === "string" ? to : undefined),
    `${at}.owner`,
  );
  if (isRefused(number)) return number;
  const media = readMedia(message, at);
  if ("kind" in media) return media;
  const text = readText(textAt(message, "text") ?? "", `${at}.text`);
  if (isRefused(text)) return text;
  return { number: number.value, contact: contact.value, text, media, providerId };
}

function readReport(
  event: JsonObject,
  message: JsonObject,
  outcome: Pick<ParsedReport, "status" | "error">,
  at: string,
  path: string,
): ParsedReport | Refused {
  const providerId = readId(textAt(message, "id") ?? "", `${at}.id`);
  if (isRefused(providerId)) return providerId;
  const tag = textAt(message, "tag") ?? textAt(event, "tag") ?? "";
  return { ...(isId("message", tag) ? { messageId: tag } : messageNamedBy(path)), providerId, ...outcome };
}

function outcomeOf(kind: string, event: JsonObject): Pick<ParsedReport, "status" | "error"> | null {
  switch (kind) {
    case "message-sending":
      return { status: "sent" };
    case "message-delivered":
      return { status: "delivered" };
    case "message-failed":
      return bandwidthFailure(textAt(event, "errorCode") ?? "");
    default:
      return null;
  }
}

/** Reads a webhook whose sender was proved. One event that is wrong refuses all: nothing was stored then. */
export function readBandwidthEvents(body: Uint8Array, path: string): WebhookResult {
  const parsed = parseBody(body);
  const events: readonly unknown[] | null = Array.isArray(parsed)
    ? parsed
    : isObject(parsed)
    ? [parsed]
    : null;
  if (events === null || events.length > EVENTS_MAX) {
    return unreadable(`the body is no JSON list of at most ${EVENTS_MAX} events`);
  }
  const inbound: ParsedInbound[] = [];
  const reports: ParsedReport[] = [];
  for (const [index, event] of events.entries()) {
    const at = `[${index}]`;
    if (!isObject(event)) return malformed(at, "is no object");
    const kind = textAt(event, "type");
    if (kind === undefined) return malformed(`${at}.type`, "is missing");
    const outcome = outcomeOf(kind, event);
    // Bandwidth adds kinds of events: refused ones would come again for a day.
    if (outcome === null && kind !== "message-received") continue;
    const message = objectAt(event, "message");
    if (message === undefined) return malformed(`${at}.message`, "is missing");
    if (outcome === null) {
      const read = readMessage(message, `${at}.message`);
      if ("kind" in read) return read;
      inbound.push(read);
    } else {
      const read = readReport(event, message, outcome, `${at}.message`, path);
      if ("kind" in read) return read;
      reports.push(read);
    }
  }
  return accepted({ inbound, reports });
}
