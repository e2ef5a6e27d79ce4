/**
 * What VoiceMeUp posts: JSON, a form, or the same names in a query.
 *
 * @module
 */
import type { Channel } from "../../core/channel.ts";
import { isId } from "../../core/ids.ts";
import type { Media } from "../../core/message.ts";
import type { Fragment, ParsedReport, WebhookRequest, WebhookResult } from "../../core/ports/provider.ts";
import { type Fields, readFields } from "./fields.ts";
import {
  isRefused,
  malformed,
  OK_REPLY,
  readAddress,
  readContentType,
  readId,
  readMediaUrl,
  readText,
  type Refused,
  storable,
  unreadable,
} from "./inbound.ts";

/** How long the halves of an MMS wait for each other where the channel does not say: what the open client does. */
export const MMS_WAIT_MS = 5_000;

/** Says nothing new: the message is where it was. */
const UNMOVED: ReadonlySet<string> = new Set(["pending", "queued", "enabled"]);

const GROUP_MAX = 100;

const STATUSES: ReadonlyMap<string, ParsedReport["status"]> = new Map([
  ["completed", "delivered"],
  ["delivered", "delivered"],
  ["sent", "sent"],
  ["failed", "failed"],
  ["error", "failed"],
]);

/** VoiceMeUp writes no "+": ten digits are North American, more carry their country code. */
function withPlus(number: string | undefined): string | undefined {
  if (number === undefined) return undefined;
  const digits = number.trim();
  if (/^\d{10}$/.test(digits)) return `+1${digits}`;
  return /^\d{11,15}$/.test(digits) ? `+${digits}` : digits;
}

/** The first of an MMS's two webhooks links a page that wraps the media; the media itself comes with the second. */
function isWrapper(url: string, contentType: string | undefined): boolean {
  return /\.mms\.html(?:$|[?#])/i.test(url) ||
    (contentType !== undefined && /^text\/html\b/i.test(contentType) && /\.mms\./i.test(url));
}

function readMedia(
  fields: Fields,
): { readonly media: readonly Media[]; readonly wrapped: boolean } | Refused {
  const field = fields.get("attachment") ? "attachment" : "attachment_url";
  const value = fields.get(field);
  if (value === undefined || value === "" || value === "null") return { media: [], wrapped: false };
  const url = readMediaUrl(value, field);
  if (isRefused(url)) return url;
  const contentType = readContentType(fields.get("attachment_mime_type") || fields.get("attachment_type"));
  if (isWrapper(url, contentType)) return { media: [], wrapped: true };
  const size = Number(fields.get("attachment_size") || NaN);
  const sized = Number.isSafeInteger(size) && size >= 0 && { sizeBytes: size };
  return { media: [{ url, ...(contentType !== undefined && { contentType }), ...sized }], wrapped: false };
}

/**
 * An MMS comes as two webhooks in any order: its text with a wrapper, and its media without a text. What they
 * have in common is the time of the transmission.
 */
function readFragment(
  fields: Fields,
  { media, wrapped }: { readonly media: readonly Media[]; readonly wrapped: boolean },
  text: string,
  channel: Channel,
): Fragment | undefined {
  const group = fields.get("datetime_transmission") ?? "";
  if (group === "" || group.length > GROUP_MAX) return undefined;
  const isMedia = text === "" && media.some(({ url }) => /\.mms\./i.test(url));
  if (!wrapped && !isMedia) return undefined;
  const waitMs = channel.credentials["mmsWaitMs"];
  return {
    group: storable(group),
    index: wrapped ? 1 : 2,
    of: 2,
    waitMs: typeof waitMs === "number" ? waitMs : MMS_WAIT_MS,
  };
}

function readProviderId(fields: Fields): string | Refused | undefined {
  const field = fields.get("sms_hash") ? "sms_hash" : "sms_log_id";
  const value = fields.get(field);
  return value === undefined || value === "" ? undefined : readId(value, field);
}

function readMessage(fields: Fields, channel: Channel): WebhookResult {
  const providerId = readProviderId(fields);
  if (providerId !== undefined && isRefused(providerId)) return providerId;
  const contact = readAddress(withPlus(fields.get("source_number")), "source_number");
  if (isRefused(contact)) return contact;
  const number = readAddress(withPlus(fields.get("destination_number")), "destination_number");
  if (isRefused(number)) return number;
  const attached = readMedia(fields);
  if ("kind" in attached) return attached;
  const message = fields.get("message");
  if (message === undefined && attached.media.length === 0 && !attached.wrapped) {
    return malformed("message", "is missing");
  }
  const text = readText(message ?? "", "message");
  if (isRefused(text)) return text;
  const fragment = readFragment(fields, attached, text, channel);
  // A wrapper without a text holds nothing, and without a time it cannot be put together with its media.
  const isEmpty = attached.wrapped && text === "" && fragment === undefined;
  const inbound = {
    number: number.value,
    contact: contact.value,
    text,
    media: attached.media,
    ...(fragment !== undefined && { fragment }),
  };
  return {
    kind: "accepted",
    inbound: isEmpty ? [] : [{ ...inbound, ...(providerId !== undefined && { providerId }) }],
    reports: [],
    reply: OK_REPLY,
  };
}

function readReport(path: string, fields: Fields): WebhookResult {
  const named = path.startsWith("status/") ? path.slice("status/".length) : "";
  const messageId = isId("message", named) ? named : undefined;
  const providerId = readProviderId(fields);
  if (providerId !== undefined && isRefused(providerId)) return providerId;
  if (providerId === undefined && messageId === undefined) return malformed("sms_hash", "is missing");
  const word = fields.firstOf(["transmission_status", "status"])?.toLowerCase();
  if (word === undefined || word === "") return malformed("transmission_status", "is missing");
  const status = STATUSES.get(word);
  if (status === undefined && !UNMOVED.has(word)) {
    return malformed("transmission_status", "is not a status that is known here");
  }
  const report = status === undefined ? [] : [{
    ...(messageId !== undefined && { messageId }),
    ...(providerId !== undefined && { providerId }),
    status,
    ...(status === "failed" &&
      { error: { class: "unknown" as const, reason: "VoiceMeUp could not deliver the message" } }),
  }];
  return { kind: "accepted", inbound: [], reports: report, reply: OK_REPLY };
}

/** Reads a webhook. VoiceMeUp signs nothing: the secret in the path is all the proof there is. */
export function parseVoiceMeUpWebhook(request: WebhookRequest, channel: Channel): WebhookResult {
  const fields = readFields(request);
  if (fields === null) return unreadable("the body has too many fields or is no JSON object");
  const isReport = request.path === "status" || request.path.startsWith("status/") ||
    fields.get("direction") === "outbound";
  return isReport ? readReport(request.path, fields) : readMessage(fields, channel);
}
