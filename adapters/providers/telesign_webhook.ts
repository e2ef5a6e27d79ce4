/**
 * What TeleSign posts: JSON, a message that came in or what became of one that went out.
 *
 * @module
 */
import { isId } from "../../core/ids.ts";
import type { Media } from "../../core/message.ts";
import type { WebhookResult } from "../../core/ports/provider.ts";
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
} from "./inbound.ts";
import { type JsonObject, objectAt, textAt } from "./json_values.ts";
import { telesignFate } from "./telesign_errors.ts";

const THINGS_MAX = 20;

/** Whether the callback brings a message. */
export function isTelesignMessage(body: JsonObject): boolean {
  return objectAt(body, "user_response") !== undefined || /^mo_/.test(textAt(body, "sub_resource") ?? "");
}

function numbered(content: JsonObject, pattern: RegExp): readonly string[] {
  return Object.keys(content).filter((name) => pattern.test(name))
    .sort((a, b) => Number(/\d+$/.exec(a)?.[0] ?? 0) - Number(/\d+$/.exec(b)?.[0] ?? 0))
    .slice(0, THINGS_MAX);
}

/** `text_1`, `url_image_1` and so on, in the order of their numbers. */
function readContent(
  content: JsonObject,
): { readonly texts: readonly string[]; readonly media: Media[] } | Refused {
  const media: Media[] = [];
  for (const name of numbered(content, /^url_(?:image|video|audio|file|vcard)_\d{1,2}$/)) {
    const url = readMediaUrl(textAt(content, name), `content.${name}`);
    if (isRefused(url)) return url;
    media.push({ url });
  }
  const texts = ["subject", ...numbered(content, /^text_\d{1,2}$/)].map((name) =>
    textAt(content, name) ?? ""
  );
  return { texts: texts.filter((text) => text !== ""), media };
}

/** Reads a message that came in. */
export function readTelesignMessage(body: JsonObject): WebhookResult {
  const providerId = readId(textAt(body, "reference_id") ?? "", "reference_id");
  if (isRefused(providerId)) return providerId;
  const response = objectAt(body, "user_response") ?? body;
  const contact = readAddress(textAt(response, "phone_number"), "phone_number");
  if (isRefused(contact)) return contact;
  const number = readAddress(textAt(response, "sender_id"), "sender_id");
  if (isRefused(number)) return number;
  const content = readContent(objectAt(response, "content") ?? objectAt(body, "content") ?? {});
  if ("kind" in content) return content;
  const words = textAt(response, "mo_message");
  if (words === undefined && content.texts.length === 0 && content.media.length === 0) {
    return malformed("mo_message", "is missing");
  }
  const text = readText([...(words === undefined ? [] : [words]), ...content.texts].join("\n"), "mo_message");
  if (isRefused(text)) return text;
  return accepted({
    inbound: [{ number: number.value, contact: contact.value, text, media: content.media, providerId }],
  });
}

/** Reads a delivery report; the path or `external_id` may name our message. */
export function readTelesignReport(path: string, body: JsonObject): WebhookResult {
  const providerId = readId(textAt(body, "reference_id") ?? "", "reference_id");
  if (isRefused(providerId)) return providerId;
  const code = textAt(objectAt(body, "status") ?? {}, "code");
  if (code === undefined) return malformed("status.code", "is missing");
  const fate = telesignFate(code);
  if (fate === undefined) return malformed("status.code", "is not a status that is known here");
  if (fate === null) return accepted({});
  const reference = textAt(body, "external_id") ?? "";
  return accepted({
    reports: [{
      ...(isId("message", reference) && { messageId: reference }),
      ...messageNamedBy(path),
      providerId,
      ...fate,
    }],
  });
}
