/**
 * What Vonage's SMS API calls us with: messages, parts of long ones, and delivery receipts. As a form, JSON or a
 * query, whatever the account is set to.
 *
 * @module
 */
import type { MessageError } from "../../core/errors.ts";
import { isId } from "../../core/ids.ts";
import type { Fragment, ParsedReport, WebhookResult } from "../../core/ports/provider.ts";
import type { Fields } from "./fields.ts";
import { accepted, isRefused, malformed, messageNamedBy, readAddress, readId, readText } from "./inbound.ts";
import { NEXMO_RECEIPTS } from "./nexmo_errors.ts";

const PARTS_MAX = 255;

const STATUSES: ReadonlyMap<string, ParsedReport["status"]> = new Map([
  ["accepted", "sent"],
  ["buffered", "sent"],
  ["delivered", "delivered"],
  ["expired", "expired"],
  ["failed", "failed"],
  ["rejected", "rejected"],
  // The carrier said something that Vonage does not know: the message is where it was.
  ["unknown", "sent"],
]);

/** Whether the fields are a delivery receipt: by the path they came to, else by what is there. */
export function isNexmoReceipt(path: string, fields: Fields): boolean {
  if (path === "status" || path.startsWith("status/")) return true;
  return fields.get("status") !== undefined && fields.get("text") === undefined;
}

/** Vonage tries an address with a call that names neither number. */
export function isNexmoProbe(fields: Fields): boolean {
  return fields.get("msisdn") === undefined && fields.get("to") === undefined &&
    fields.get("messageId") === undefined;
}

function partNumber(fields: Fields, name: string): number {
  const value = fields.get(name) ?? "";
  return /^\d{1,3}$/.test(value) ? Number(value) : 0;
}

/** The part that this is, where the handset's text took several; a part that says nonsense stands by itself. */
function readFragment(fields: Fields): Fragment | undefined {
  if (fields.get("concat") !== "true") return undefined;
  const group = fields.get("concat-ref") ?? "";
  const index = partNumber(fields, "concat-part");
  const of = partNumber(fields, "concat-total");
  if (!/^[\x21-\x7e]{1,64}$/.test(group) || index < 1 || of < 2 || index > of || of > PARTS_MAX) {
    return undefined;
  }
  return { group, index, of };
}

/** Reads a message that came in, or a part of one. */
export function readNexmoMessage(fields: Fields): WebhookResult {
  const providerId = readId(fields.get("messageId") ?? "", "messageId");
  if (isRefused(providerId)) return providerId;
  const contact = readAddress(fields.get("msisdn"), "msisdn");
  if (isRefused(contact)) return contact;
  const number = readAddress(fields.get("to"), "to");
  if (isRefused(number)) return number;
  // A binary message is shown as its bytes in hex.
  const content = fields.firstOf(["text", "data"]);
  if (content === undefined) return malformed("text", "is missing");
  const text = readText(content, "text");
  if (isRefused(text)) return text;
  const fragment = readFragment(fields);
  return accepted({
    inbound: [{
      number: number.value,
      contact: contact.value,
      text,
      media: [],
      providerId,
      ...(fragment !== undefined && { fragment }),
    }],
  });
}

function receiptError(status: ParsedReport["status"], code: string): MessageError | undefined {
  if (status === "sent" || status === "delivered") return undefined;
  return NEXMO_RECEIPTS.find(code) ?? {
    class: status === "rejected" ? "rejected" : status === "expired" ? "unreachable" : "unknown",
    ...(/^\d{1,10}$/.test(code) && code !== "0" && { providerCode: code }),
    reason: status === "expired"
      ? "the message could not be delivered while it was valid"
      : "Vonage could not deliver the message",
  };
}

/** Reads a delivery receipt; the path or `client-ref` may name our message. */
export function readNexmoReceipt(path: string, fields: Fields): WebhookResult {
  const providerId = readId(fields.get("messageId") ?? "", "messageId");
  if (isRefused(providerId)) return providerId;
  const word = fields.get("status");
  if (word === undefined || word === "") return malformed("status", "is missing");
  const status = STATUSES.get(word.toLowerCase());
  if (status === undefined) return malformed("status", "is not a status that is known here");
  const reference = fields.get("client-ref") ?? "";
  const error = receiptError(status, fields.get("err-code") ?? "");
  return accepted({
    reports: [{
      ...(isId("message", reference) && { messageId: reference }),
      ...messageNamedBy(path),
      providerId,
      status,
      ...(error !== undefined && { error }),
    }],
  });
}
