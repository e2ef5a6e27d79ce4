/**
 * api.smsmasivos.com.mx, version 2: JSON with the key in a header.
 *
 * @module
 */
import { splitNumber } from "../../core/phone_number.ts";
import type { HttpAnswer, HttpCall, OutgoingMessage, SendResult } from "../../core/ports/provider.ts";
import { errorOfStatus, failed, jsonObject } from "./answers.ts";
import { errorTable } from "./error_table.ts";
import { parseDocument, textAt } from "./generic/document.ts";
import type { SmsMasivo } from "./smsmasivo_settings.ts";

export const MX_ERRORS = errorTable([
  ["auth", "the service refused the API key", "auth_01", "auth_03"],
  ["no-credit", "the account is out of credit", "sms_06", "sms_07"],
  ["invalid-number", "the number is not valid", "sms_12"],
]);

function call({ settings, base }: SmsMasivo, path: string, body: unknown): HttpCall {
  return {
    method: "POST",
    url: base + path,
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      apikey: settings.apiKey ?? "",
    },
    body: JSON.stringify(body),
  };
}

/** @throws {Error} for a number that is no E.164 number. */
export function buildSendMx(message: OutgoingMessage, masivo: SmsMasivo): HttpCall {
  const split = splitNumber(message.to);
  if (split === null) throw new Error("the contact's number is no E.164 number");
  const { countryCode, national } = split;
  const { sender, sandbox } = masivo.settings;
  return call(masivo, "/sms/send", {
    message: message.text.toWellFormed(),
    // Mexican mobiles were once written with a 1 before their ten digits.
    numbers: countryCode === "52" ? national.replace(/^1(?=\d{10}$)/, "") : national,
    country_code: countryCode,
    ...(sender !== undefined && { sender }),
    ...(sandbox && { sandbox: 1 }),
  });
}

function errorOf(answer: HttpAnswer): Parameters<typeof failed>[1] | null {
  const body = jsonObject(answer.body);
  if (answer.status === 429 || answer.status >= 500) return errorOfStatus(answer.status);
  const code = typeof body?.["code"] === "string" ? body["code"] : undefined;
  if (body?.["success"] === true && answer.status < 300) return null;
  if (code === undefined && (answer.status < 200 || answer.status > 299)) return errorOfStatus(answer.status);
  if (body?.["success"] !== false) {
    return { class: "bad-response", reason: "the service's answer cannot be read" };
  }
  const found = code === undefined ? undefined : MX_ERRORS.find(code);
  const said = typeof body["message"] === "string" && body["message"] !== "" ? `: ${body["message"]}` : "";
  const otherwise = {
    class: code?.startsWith("auth_") ? "auth" as const : "rejected" as const,
    reason: `the service refused the message${said}`,
  };
  const { class: errorClass, reason } = found ?? otherwise;
  return { class: errorClass, reason, ...(code !== undefined && { code }) };
}

export function readSendMx(answer: HttpAnswer): SendResult {
  const error = errorOf(answer);
  if (error !== null) return failed(answer, error);
  const reference = textAt(parseDocument(answer.body), ["references[0].reference"]) ?? "";
  return { kind: "accepted", providerId: /^[\x21-\x7e]{1,128}$/.test(reference) ? reference : null };
}

/** The credit. */
export function buildVerifyMx(masivo: SmsMasivo): HttpCall {
  return call(masivo, "/credits/consult", {});
}

export function readVerifyMx(answer: HttpAnswer): { readonly ok: boolean; readonly reason: string } {
  const error = errorOf(answer);
  return error === null
    ? { ok: true, reason: "the service accepts the API key" }
    : { ok: false, reason: error.reason };
}
