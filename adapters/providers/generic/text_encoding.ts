/**
 * How characters become bytes, and how a message's text is written where a gateway wants it as digits.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { gsmOctets } from "../../../core/segments.ts";
import type { Encoding } from "../../../core/message.ts";

export const CHARSETS = ["utf-8", "latin-1", "gsm"] as const;
/** `gsm`: one octet a septet of the default alphabet, as SMPP has it. */
export type GatewayCharset = (typeof CHARSETS)[number];

export const MESSAGE_FORMS = ["text", "ucs2-hex", "gsm-hex", "auto-hex"] as const;
/** `auto-hex`: as the message's own alphabet says; the variables encoding and dcs tell which. */
export type MessageForm = (typeof MESSAGE_FORMS)[number];

/** The bytes of `text`, each as the character of its number. What the charset has not becomes a question mark. */
export function toBytes(text: string, charset: GatewayCharset): string {
  switch (charset) {
    case "utf-8":
      return Buffer.from(text.toWellFormed(), "utf8").toString("latin1");
    case "latin-1":
      return Array.from(text, (character) => character.codePointAt(0)! > 0xff ? "?" : character).join("");
    case "gsm":
      return Buffer.from(gsmOctets(text)).toString("latin1");
  }
}

/** UTF-16, high byte first, as hex digits in capitals. */
export function ucs2Hex(text: string): string {
  let hex = "";
  for (let i = 0; i < text.length; i++) hex += text.charCodeAt(i).toString(16).padStart(4, "0");
  return hex.toUpperCase();
}

/** The text that {@link ucs2Hex} wrote, or undefined where `hex` is none. */
export function fromUcs2Hex(hex: string): string | undefined {
  if (!/^(?:[0-9A-Fa-f]{4})*$/.test(hex)) return undefined;
  let text = "";
  for (let i = 0; i < hex.length; i += 4) text += String.fromCharCode(parseInt(hex.slice(i, i + 4), 16));
  return text;
}

/** A message's text as the gateway wants it. `encoding`: the message's alphabet. */
export function writeMessage(text: string, form: MessageForm, encoding: Encoding): string {
  switch (form) {
    case "text":
      return text;
    case "ucs2-hex":
      return ucs2Hex(text);
    case "gsm-hex":
      return Buffer.from(gsmOctets(text)).toString("hex").toUpperCase();
    case "auto-hex":
      return writeMessage(text, encoding === "gsm7" ? "gsm-hex" : "ucs2-hex", encoding);
  }
}
