/**
 * What a Dinstar gateway tells, in answers to polls and in posts of its own: messages that came in, and results.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { parseAddress } from "../../core/phone_number.ts";
import type { ParsedInbound, ParsedReport } from "../../core/ports/provider.ts";
import { dinstarResult } from "./dinstar_codes.ts";
import { type DinstarSettings, numberOfPort } from "./dinstar_settings.ts";
import { readText, storable } from "./inbound.ts";
import { type JsonObject, textAt } from "./json_values.ts";

const CONTACT_MAX = 64;

/** Why an entry cannot be taken: the field, and what is wrong with it. */
export interface Unreadable {
  readonly field: string;
  readonly reason: string;
}

export function isUnreadable(value: object): value is Unreadable {
  return "field" in value;
}

/** A field that is a whole number, from 0; undefined otherwise. */
export function countAt(object: JsonObject, name: string): number | undefined {
  const value = textAt(object, name);
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** A contact as the network gave it: in E.164 if it is a number, unchanged if nobody can read it. */
function contactOf(text: string, country: string | undefined): string | null {
  const trimmed = text.trim();
  const address = parseAddress(trimmed, country === undefined ? undefined : { defaultCountry: country });
  if (address !== null) return address.value;
  const raw = storable(trimmed, CONTACT_MAX);
  return raw === "" ? null : raw;
}

/**
 * The id of a message that came in. Ids begin anew when a device is reset: its serial number and the time stand with
 * them.
 */
function idOf(sn: string, id: number, timestamp: string): string {
  const device = /^[\x21-\x7e]{1,40}$/.test(sn)
    ? sn
    : createHash("sha256").update(sn).digest("hex").slice(0, 16);
  return `${device}:${id}:${timestamp.replace(/\D/g, "").slice(0, 20)}`;
}

/** Reads one entry of `sms`. */
export function readDinstarMessage(
  sms: JsonObject,
  sn: string,
  settings: DinstarSettings,
): ParsedInbound | Unreadable {
  const id = countAt(sms, "incoming_sms_id");
  if (id === undefined) return { field: "incoming_sms_id", reason: "is not a number" };
  const port = countAt(sms, "port");
  if (port === undefined) return { field: "port", reason: "is not a number" };
  const number = numberOfPort(settings, port);
  if (number === undefined) {
    return { field: "port", reason: `has no number in the channel's settings: ${port}` };
  }
  const contact = contactOf(textAt(sms, "number") ?? "", settings.credentials.defaultCountry);
  if (contact === null) return { field: "number", reason: "is missing" };
  const text = readText(textAt(sms, "text") ?? "", "text");
  if (typeof text !== "string") return { field: "text", reason: "is too long" };
  const providerId = idOf(sn, id, textAt(sms, "timestamp") ?? "");
  return { number, contact, text, media: [], providerId };
}

/** Reads one entry of `sms_result`: the number that it went with, and what became of it; null for nothing new. */
export function readDinstarResult(
  result: JsonObject,
): { readonly number: number; readonly outcome: Pick<ParsedReport, "status" | "error"> } | null {
  const number = countAt(result, "user_id");
  if (number === undefined) return null;
  const parts = countAt(result, "count") ?? 1;
  const outcome = dinstarResult(
    textAt(result, "status") ?? "",
    parts,
    countAt(result, "succ_count") ?? parts,
  );
  return outcome === null ? null : { number, outcome };
}
