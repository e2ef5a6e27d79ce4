/**
 * What templates may name, and what stands for it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { idTime } from "../../../core/ids.ts";
import { nationalDigits } from "../../../core/phone_number.ts";
import type { OutgoingMessage } from "../../../core/ports/provider.ts";
import type { Value } from "./places.ts";
import type { Gateway } from "./gateway.ts";
import { writeMessage } from "./text_encoding.ts";

/** Every variable with its meaning: the documentation lists them from here. */
export const VARIABLES = {
  phone: "the contact's number, after the number format and the number rules",
  phone_plus: "the contact's number as E.164, with +",
  phone_national: "the contact's number as dialled inside its country",
  message: "the text",
  id: "our id of the message, 30 characters",
  id_num: "a number of up to 19 digits that stands for the id, the same at every try",
  from: "our number, or the sender that is set",
  user: "the user that is set",
  password: "the password or key that is set",
  date: "when the message was written, RFC 3339",
  encoding: "gsm7 or ucs2",
  dcs: "0 for gsm7, 8 for ucs2",
  coding: "0 for gsm7, 2 for ucs2, as Kannel counts them",
  parts: "how many segments the text takes",
  media: "links to the media; in JSON without quotes a list, elsewhere joined with commas",
  validity: "for how many seconds the message is worth sending; empty where that is not limited",
  status_url: "where reports about this very message are to go",
} as const;

export type Variable = keyof typeof VARIABLES;

export function isVariable(name: string): name is Variable {
  return Object.hasOwn(VARIABLES, name);
}

/** A number that stands for the id at receivers that want digits: 63 bits. */
function numericId(id: string): string {
  return (createHash("sha256").update(id).digest().readBigUInt64BE(0) >> 1n).toString();
}

/**
 * The contact's number as the gateway wants it.
 *
 * @throws {Error} where the number rules make something of it that is no number.
 */
export function phoneOf(to: string, gateway: Gateway): string {
  const { phoneFormat } = gateway.settings;
  let phone = phoneFormat === "e164"
    ? to
    : phoneFormat === "national"
    ? nationalDigits(to)
    : to.replace(/^\+/, "");
  for (const { pattern, replacement } of gateway.numberRules) phone = pattern.replace(phone, replacement);
  if (gateway.numberRules.length > 0 && !/^\+?[0-9]{3,15}$/.test(phone)) {
    throw new Error("the number rules make of the contact's number something that is no number");
  }
  return phone;
}

/** The links that the text has to carry because nothing else does are added to it, so that none is lost. */
function textOf(message: OutgoingMessage, gateway: Gateway): string {
  if (gateway.namesMedia || message.media.length === 0) return message.text;
  return [message.text, ...message.media.map(({ url }) => url)].filter((part) => part !== "").join("\n");
}

/** What stands for `variable` in a call that sends `message`. */
export function valueOf(variable: Variable, message: OutgoingMessage, gateway: Gateway): Value {
  const { settings } = gateway;
  switch (variable) {
    case "phone":
      return phoneOf(message.to, gateway);
    case "phone_plus":
      return message.to;
    case "phone_national":
      return nationalDigits(message.to);
    case "message":
      return writeMessage(textOf(message, gateway), settings.messageAs, message.encoding);
    case "id":
      return message.id;
    case "id_num":
      return numericId(message.id);
    case "from":
      return settings.from ?? message.from;
    case "user":
      return settings.user ?? "";
    case "password":
      return settings.password ?? "";
    case "date":
      return new Date(idTime(message.id)).toISOString();
    case "encoding":
      return message.encoding;
    case "dcs":
      return message.encoding === "gsm7" ? "0" : "8";
    case "coding":
      return message.encoding === "gsm7" ? "0" : "2";
    case "parts":
      return String(message.segments);
    case "media":
      return message.media.map(({ url }) => url);
    case "validity":
      return message.validitySeconds === undefined ? "" : String(message.validitySeconds);
    case "status_url":
      return message.statusUrl;
  }
}
