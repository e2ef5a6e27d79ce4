/**
 * servicio.smsmasivos.com.ar and .com.uy: forms in Latin-1, answered by a code and a word.
 *
 * @module
 */
import { splitNumber } from "../../core/phone_number.ts";
import type {
  HttpAnswer,
  HttpCall,
  OutgoingMessage,
  ParsedInbound,
  PollResult,
  SendResult,
} from "../../core/ports/provider.ts";
import { substitute } from "../../core/substitution.ts";
import { errorOfStatus, failed } from "./answers.ts";
import { errorTable } from "./error_table.ts";
import { percentEncode } from "./generic/places.ts";
import { isRefused, readAddress, readId, readText, storable } from "./inbound.ts";
import type { SmsMasivo } from "./smsmasivo_settings.ts";

/** From clients of the service: its own list is not public. */
export const AR_ERRORS = errorTable([
  ["too-long", "the text is too long", "-6"],
  ["invalid-number", "the number is too short", "-7"],
  ["invalid-number", "the number has other characters than digits", "-8"],
  ["bad-request", "the text has characters that the service does not take", "-11"],
], "assumed");

/** What the service takes; everything else is left out after letters have lost their accents. */
const NOT_TAKEN = /[^A-Za-z0-9 !?#$%()*+\-./:;=@,]/g;

type Field = readonly [name: string, value: string];

/** Always a POST: the login does not belong into an address, which proxies write down. */
function call({ settings, base }: SmsMasivo, page: string, fields: readonly Field[]): HttpCall {
  const { apiKey, user, password } = settings;
  const login: Field[] = apiKey === undefined
    ? [["usuario", user ?? ""], ["clave", password ?? ""]]
    : [["apikey", apiKey]];
  return {
    method: "POST",
    url: `${base}/${page}`,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: [["api", "1"] as const, ...login, ...fields]
      .map(([name, value]) => `${name}=${percentEncode(value, "latin-1", "+")}`).join("&"),
    answerCharset: "latin-1",
  };
}

/** Ten digits in Argentina, without the 9 of mobiles; the number of the country, elsewhere without trunk prefix. */
function numberOf(to: string, { settings, country }: SmsMasivo): string {
  const split = splitNumber(to);
  if (split === null) throw new Error("the contact's number is no E.164 number");
  const { countryCode } = split;
  if (countryCode !== country.countryCode && !settings.countryCode) {
    throw new Error(`the account sends to numbers of +${country.countryCode} only`);
  }
  const national = countryCode === "54" ? split.national.replace(/^9(?=\d{10}$)/, "") : split.national;
  return settings.countryCode ? countryCode + national : national;
}

/** An id of letters and digits, at most 50. */
function internalId(id: string): string {
  return id.replace(/[^A-Za-z0-9]/g, "").slice(0, 50);
}

/** @throws {Error} for a number that this account cannot reach. */
export function buildSendAr(message: OutgoingMessage, masivo: SmsMasivo): HttpCall {
  const text = substitute(message.text, "ascii", "auto").replace(/[\r\n\t]+/g, " ").replace(NOT_TAKEN, "");
  return call(masivo, "enviar_sms.asp", [
    ["tos", numberOf(message.to, masivo)],
    ["texto", text],
    ["idinterno", internalId(message.id)],
    ["respuestanumerica", "1"],
    ...(masivo.settings.sandbox ? [["test", "1"] as const] : []),
  ]);
}

function errorOfWords(words: string) {
  if (/saldo|cr[eé]dito|paquete/i.test(words)) {
    return { class: "no-credit", reason: "the account is out of credit" } as const;
  }
  if (/usuario|clave|apikey|\bip\b|autoriz/i.test(words)) {
    return { class: "auth", reason: "the service refused the credentials" } as const;
  }
  return undefined;
}

/** `0;OK`, `1;OK`, `-7;…` or plain `OK`. Null for anything else, such as a page of HTML. */
function readReply(
  body: string,
): { readonly code: string | null; readonly words: string; readonly ok: boolean } | null {
  // What people read of it is words; escapes of whatever else answered are none.
  const text = body.replaceAll("\\", "").trim();
  const [, code, words] = /^(-?\d{1,6})\s*(?:[;,]\s*([\s\S]*))?$/.exec(text) ?? [];
  if (code !== undefined) return { code, words: words ?? "", ok: code === "0" || code === "1" };
  if (/^OK\b/i.test(text)) return { code: null, words: text, ok: true };
  return text === "" || text.startsWith("<") ? null : { code: null, words: text, ok: false };
}

function errorOf(answer: HttpAnswer): Parameters<typeof failed>[1] | null {
  if (answer.status < 200 || answer.status > 299) return errorOfStatus(answer.status);
  const reply = readReply(answer.body.slice(0, 2_000));
  if (reply === null) {
    return { class: "provider-error", reason: "the service answered with a page instead of a code" };
  }
  if (reply.ok) return null;
  const found = reply.code === null ? undefined : AR_ERRORS.find(reply.code);
  const { class: errorClass, reason } = found ?? errorOfWords(reply.words) ??
    {
      class: "rejected" as const,
      reason: `the service refused the message${reply.words === "" ? "" : `: ${reply.words}`}`,
    };
  return { class: errorClass, reason, ...(reply.code !== null && { code: reply.code }) };
}

/** The service gives no id: ours, `idinterno`, is all there is. */
export function readSendAr(answer: HttpAnswer): SendResult {
  const error = errorOf(answer);
  return error === null ? { kind: "accepted", providerId: null } : failed(answer, error);
}

/** The balance. */
export function buildVerifyAr(masivo: SmsMasivo): HttpCall {
  return call(masivo, "obtener_saldo.asp", []);
}

export function readVerifyAr(answer: HttpAnswer): { readonly ok: boolean; readonly reason: string } {
  const balance = answer.body.trim();
  if (answer.status === 200 && /^\d{1,12}$/.test(balance)) {
    return { ok: true, reason: `the service accepts the credentials; ${balance} messages are left` };
  }
  const isCode = answer.status < 200 || answer.status > 299 || /^-\d/.test(balance);
  const words = balance.startsWith("<") ? "" : balance.slice(0, 100);
  const reason = isCode && words === ""
    ? errorOfStatus(answer.status).reason
    : `the service gave no balance: ${words || "a page"}`;
  return { ok: false, reason: storable(reason) };
}

/** The mark between the look that stores what is new and the one that marks it as read. */
const STORED = "stored";

/**
 * Fetches contacts' answers that nobody has read. First without marking them as read; once they are durable a
 * second time, marking them: what came in between comes with that one.
 */
export function buildPollAr(masivo: SmsMasivo, mark: string | null): HttpCall {
  return call(masivo, "obtener_sms_entrada.asp", [
    ["solonoleidos", "1"],
    ["marcarcomoleidos", mark === STORED ? "1" : "0"],
    ["traeridinterno", "1"],
  ]);
}

export function readPollAr(answer: HttpAnswer, masivo: SmsMasivo, mark: string | null): PollResult {
  if (answer.status < 200 || answer.status > 299) {
    return { kind: "failed", error: errorOfStatus(answer.status) };
  }
  const lines = answer.body.split(/\r?\n/).filter((line) => line.trim() !== "");
  if (lines.length > 0 && !lines.some((line) => line.includes("\t"))) {
    const error = errorOf(answer) ??
      { class: "bad-response" as const, reason: "the service's list cannot be read" };
    return { kind: "failed", error: { class: error.class, reason: storable(error.reason, 300) } };
  }
  const inbound: ParsedInbound[] = [];
  const unreadable: { reason: string; content: string }[] = [];
  for (const line of lines) {
    const message = readLine(line, masivo);
    if (typeof message !== "string") inbound.push(message);
    // The second look brings the same lines again: one of the two puts them aside.
    else if (mark === STORED) unreadable.push({ reason: message, content: storable(line, 2_000) });
  }
  const isFirst = mark !== STORED && lines.length > 0;
  return {
    kind: "polled",
    inbound,
    reports: [],
    mark: isFirst ? STORED : null,
    ...(unreadable.length > 0 && { unreadable }),
    more: isFirst,
  };
}

/** `number<TAB>text<TAB>date<TAB>id[<TAB>idinterno]`, or why it is none. */
function readLine(line: string, { settings, country }: SmsMasivo): ParsedInbound | string {
  const [from = "", words = "", , id = ""] = line.split("\t");
  const digits = from.trim();
  // Texts come from mobiles, which Argentina writes with a 9 in E.164 and without it at home.
  const written = country.country === "AR" && /^\d{10}$/.test(digits) ? `+549${digits}` : digits;
  const contact = readAddress(written, "number", country.country);
  if (isRefused(contact)) return contact.reason;
  const number = readAddress(settings.inboundNumber, "inboundNumber");
  if (isRefused(number)) return number.reason;
  const text = readText(words, "text");
  if (isRefused(text)) return text.reason;
  const providerId = readId(id.trim(), "id");
  if (isRefused(providerId)) return providerId.reason;
  return { number: number.value, contact: contact.value, text, media: [], providerId };
}
