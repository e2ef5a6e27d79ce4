/**
 * URLSMS: any gateway that sends a text when an address is fetched. The address is a template, and rules say
 * how its answer is read.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Channel } from "../../core/channel.ts";
import { idTime } from "../../core/ids.ts";
import { nationalDigits } from "../../core/phone_number.ts";
import type {
  HttpAnswer,
  HttpCall,
  OutgoingMessage,
  Provider,
  SendResult,
} from "../../core/ports/provider.ts";
import { errorOfStatus, failed, isObject } from "./answers.ts";
import { renderTemplate } from "./template.ts";
import {
  type UrlSmsCredentials,
  UrlSmsCredentialsSchema,
  type UrlSmsSettings,
  urlSmsSettings,
  type UrlSmsVariable,
} from "./urlsms_settings.ts";
import { parseUrlSmsWebhook } from "./urlsms_webhook.ts";

/** Rules look at this much of an answer: they are an administrator's, and may be slow. */
const LOOKED_AT_MAX = 8_192;

function settingsOf(channel: Channel): UrlSmsSettings {
  const settings = urlSmsSettings(channel.credentials);
  if (settings === null) throw new Error(`channel ${channel.id} has settings that do not fit its provider`);
  return settings;
}

/** A number that stands for the id at receivers that want digits: 63 bits. */
function numericId(id: string): string {
  const digest = createHash("sha256").update(id).digest();
  return (digest.readBigUInt64BE(0) >> 1n).toString();
}

function phoneIn(format: UrlSmsCredentials["phoneFormat"], to: string): string {
  switch (format) {
    case "digits":
      return to.replace(/^\+/, "");
    case "e164":
      return to;
    case "national":
      return nationalDigits(to);
  }
}

function valueOf(variable: UrlSmsVariable, message: OutgoingMessage, credentials: UrlSmsCredentials): string {
  switch (variable) {
    case "phone":
      return phoneIn(credentials.phoneFormat, message.to);
    case "phone_plus":
      return message.to;
    case "phone_national":
      return nationalDigits(message.to);
    case "message":
      return message.text;
    case "id":
      return message.id;
    case "id_num":
      return numericId(message.id);
    case "from":
      return credentials.from ?? message.from;
    case "user":
      return credentials.user ?? "";
    case "password":
      return credentials.password ?? "";
    case "date":
      return new Date(idTime(message.id)).toISOString();
    case "encoding":
      return message.encoding;
    case "parts":
      return String(message.segments);
  }
}

/** Percent-encoded in the receiver's charset; what Latin-1 does not have becomes a question mark. */
function escapeForUrl(value: string, credentials: UrlSmsCredentials): string {
  const escaped = credentials.charset === "utf-8"
    ? encodeURIComponent(value.toWellFormed())
    : Array.from(value, (character) => {
      const code = character.codePointAt(0)!;
      if (code < 0x80) return encodeURIComponent(character);
      return code > 0xff ? "%3F" : `%${code.toString(16).toUpperCase()}`;
    }).join("");
  return credentials.spaceAs === "+" ? escaped.replaceAll("%20", "+") : escaped;
}

function buildSend(message: OutgoingMessage, channel: Channel): HttpCall {
  const { credentials, url, headers } = settingsOf(channel);
  const value = (variable: string) => valueOf(variable as UrlSmsVariable, message, credentials);
  const address = renderTemplate(url, (variable) => escapeForUrl(value(variable), credentials));
  const base = channel.settings.baseUrl?.replace(/\/+$/, "");
  return {
    method: "GET",
    url: base === undefined ? address : address.replace(/^https?:\/\/[^/?#]*/i, () => base),
    headers: Object.fromEntries(headers.map(([name, template]) => [name, renderTemplate(template, value)])),
  };
}

function atPath(body: string, path: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  for (const step of path.split(/[.[\]]+/).filter((step) => step !== "")) {
    if (Array.isArray(value)) value = value[Number(step)];
    else if (isObject(value) && Object.hasOwn(value, step)) value = value[step];
    else return undefined;
  }
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

function idIn(answer: HttpAnswer, lookedAt: string, settings: UrlSmsSettings): string | null {
  const { idPath } = settings.credentials;
  const id = (settings.idPattern?.exec(lookedAt)?.[1] ??
    (idPath === undefined ? undefined : atPath(answer.body, idPath)))?.trim();
  return id !== undefined && /^[\x21-\x7e]{1,128}$/.test(id) ? id : null;
}

function readSend(answer: HttpAnswer, channel: Channel): SendResult {
  const settings = urlSmsSettings(channel.credentials);
  if (settings === null) {
    return failed(answer, { class: "bad-response", reason: "the channel's rules for answers are not valid" });
  }
  const { successStatus, successContains } = settings.credentials;
  const lookedAt = answer.body.slice(0, LOOKED_AT_MAX);
  const rule = settings.errorRules.find(({ pattern }) => pattern.test(lookedAt));
  if (rule !== undefined) {
    return failed(answer, {
      class: rule.class,
      reason: "the provider's answer matches one of the channel's error rules",
    });
  }
  const isSuccess = successStatus?.includes(answer.status) ?? (answer.status >= 200 && answer.status < 300);
  if (!isSuccess) return failed(answer, errorOfStatus(answer.status));
  const fits = (successContains === undefined || lookedAt.includes(successContains)) &&
    (settings.successPattern === undefined || settings.successPattern.test(lookedAt));
  if (!fits) {
    return failed(answer, {
      class: "rejected",
      reason: "the provider's answer does not match the channel's success rule",
    });
  }
  return { kind: "accepted", providerId: idIn(answer, lookedAt, settings) };
}

export const urlsms: Provider = {
  kind: "urlsms",
  title: "Generic HTTP (URLSMS, GET)",
  credentials: UrlSmsCredentialsSchema,
  defaults: { rateMps: 5, burst: 5, costUnit: "message", maxTextLength: 160 },
  supports: { mms: false, deliveryReports: true, signature: false, idempotency: false },
  parseWebhook: parseUrlSmsWebhook,
  buildSend,
  readSend,
  // Fetching the address would send a text: nothing can be proved without one.
  buildVerify: () => null,
  readVerify: () => ({ ok: false, reason: "this provider has no way to check credentials" }),
};
