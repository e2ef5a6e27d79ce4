/**
 * What all providers do alike with what comes in: refusals that name the field, and texts and links in a form
 * that can be stored.
 *
 * @module
 */
import { type Address, parseAddress } from "../../core/phone_number.ts";
import { isId } from "../../core/ids.ts";
import type { ParsedInbound, ParsedReport, WebhookReply, WebhookResult } from "../../core/ports/provider.ts";

export type Refused = Extract<WebhookResult, { kind: "refused" }>;

/** Longest text taken in, UTF-16 units. */
export const TEXT_MAX = 10_000;
/** Longest provider's id taken in, UTF-16 units. */
const ID_MAX = 128;
const URL_MAX = 4_000;
const CONTENT_TYPE_MAX = 200;

export const OK_REPLY: WebhookReply = { status: 200, contentType: "text/plain; charset=utf-8", body: "OK" };

/** What a webhook told, to be answered with `reply`. */
export function accepted(
  told: { readonly inbound?: readonly ParsedInbound[]; readonly reports?: readonly ParsedReport[] },
  reply: WebhookReply = OK_REPLY,
): WebhookResult {
  return { kind: "accepted", inbound: told.inbound ?? [], reports: told.reports ?? [], reply };
}

/** Our message that a status callback's path names, if it names one. */
export function messageNamedBy(path: string): { readonly messageId?: string } {
  const messageId = path.startsWith("status/") ? path.slice("status/".length) : "";
  return isId("message", messageId) ? { messageId } : {};
}

/** A field is missing or wrong; `reason` completes "the field …". */
export function malformed(field: string, reason: string): Refused {
  return { kind: "refused", why: "malformed", field, reason: `the field ${field} ${reason}` };
}

/** The input as a whole cannot be read. */
export function unreadable(reason: string): Refused {
  return { kind: "refused", why: "malformed", reason };
}

/** The signature or the secret is missing or wrong. */
export function unsigned(reason: string): Refused {
  return { kind: "refused", why: "unsigned", reason };
}

/**
 * `text` without what PostgreSQL and UTF-8 cannot hold: NUL and lone surrogates become U+FFFD, also where cutting it to
 * `lengthMax` UTF-16 units makes one.
 */
export function storable(text: string, lengthMax = Infinity): string {
  const cut = text.length > lengthMax ? text.slice(0, lengthMax) : text;
  const wellFormed = cut.isWellFormed() ? cut : cut.toWellFormed();
  return wellFormed.includes("\u0000") ? wellFormed.replaceAll("\u0000", "\ufffd") : wellFormed;
}

/** Narrows what the `read…` functions below return. */
export function isRefused(value: string | Address | Refused): value is Refused {
  return typeof value === "object" && value.kind === "refused";
}

/** An address in a required field. `country`: whose national numbers are understood. */
export function readAddress(value: string | undefined, field: string, country?: string): Address | Refused {
  if (value === undefined || value === "") return malformed(field, "is missing");
  const address = parseAddress(value, country === undefined ? undefined : { defaultCountry: country });
  return address ?? malformed(field, "is not a phone number, a short code or a sender ID");
}

/** A message's text, ready to be stored. */
export function readText(value: string, field: string): string | Refused {
  if (value.length > TEXT_MAX) {
    return malformed(field, `has ${value.length} characters; ${TEXT_MAX} are allowed`);
  }
  return storable(value);
}

/** A provider's id: up to 128 visible ASCII characters. */
export function readId(value: string, field: string): string | Refused {
  if (value.length > ID_MAX || !/^[\x21-\x7e]+$/.test(value)) {
    return malformed(field, `is not an id of 1 to ${ID_MAX} visible ASCII characters`);
  }
  return value;
}

/** A link to a picture or file. */
export function readMediaUrl(value: string | undefined, field: string): string | Refused {
  if (value === undefined || value === "") return malformed(field, "is missing");
  if (value.length > URL_MAX || !/^https?:\/\/[^\s\p{Cc}\ufffd]+$/iu.test(value) || !URL.canParse(value)) {
    return malformed(field, "is not a web address");
  }
  return storable(value);
}

/** A media type as the provider wrote it, cut to what is kept. */
export function readContentType(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : storable(value, CONTENT_TYPE_MAX);
}
