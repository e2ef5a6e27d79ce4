/**
 * What Infobip posts: JSON with a list of messages, of reports, or of both.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { isId } from "../../core/ids.ts";
import type { Media } from "../../core/message.ts";
import type {
  ParsedInbound,
  ParsedReport,
  WebhookRequest,
  WebhookResult,
} from "../../core/ports/provider.ts";
import { isObject } from "./answers.ts";
import {
  accepted,
  isRefused,
  malformed,
  messageNamedBy,
  readAddress,
  readContentType,
  readId,
  readMediaUrl,
  readText,
  type Refused,
} from "./inbound.ts";
import { infobipError, infobipStatus } from "./infobip_errors.ts";
import { type JsonObject, listAt, objectAt, textAt } from "./json_values.ts";
import { basicAuthorization, sameSecret } from "./secrets.ts";

export const INFOBIP_ALGORITHMS = ["sha256", "sha512", "sha384", "sha224", "sha1", "md5"] as const;

/** How the channel's webhooks prove where they come from; empty lists: the secret in the path is the proof. */
export interface InfobipProof {
  readonly secrets: readonly string[];
  readonly header: string;
  readonly algorithm: (typeof INFOBIP_ALGORITHMS)[number];
  readonly user: string;
  readonly passwords: readonly string[];
}

/** The bytes of a digest written in hex or base64, with or without `sha256=` before it. */
function digestBytes(value: string, bytes: number): Buffer {
  const text = value.trim().replace(/^[A-Za-z0-9-]{2,12}=(?=[A-Za-z0-9+/])/, "");
  const isHex = text.length === 2 * bytes && /^[0-9a-f]+$/i.test(text);
  return Buffer.from(text, isHex ? "hex" : "base64");
}

/** Why a webhook is not one that this account's settings made; null where it is. */
export function infobipProofFault({ headers, body }: WebhookRequest, proof: InfobipProof): string | null {
  if (proof.secrets.length > 0) {
    const value = headers.get(proof.header);
    if (value === null || value === "") return `the header ${proof.header} is missing`;
    const isSigned = proof.secrets.some((secret) => {
      const expected = createHmac(proof.algorithm, secret).update(body).digest();
      const given = digestBytes(value, expected.length);
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
    if (!isSigned) return "the signature does not fit this body and the channel's secret";
  }
  if (proof.passwords.length > 0) {
    const given = headers.get("authorization");
    if (!proof.passwords.some((password) => sameSecret(given, basicAuthorization(proof.user, password)))) {
      return "the user or password in the header Authorization is missing or wrong";
    }
  }
  return null;
}

/** The parts of a media message: texts with a value, everything else with a link. */
function readParts(
  parts: readonly JsonObject[],
  field: string,
): { readonly texts: string[]; readonly media: Media[] } | Refused {
  const texts: string[] = [];
  const media: Media[] = [];
  for (const [i, part] of parts.entries()) {
    const value = textAt(part, "value");
    const link = textAt(part, "url");
    if (link === undefined) {
      if (value !== undefined && value !== "") texts.push(value);
      continue;
    }
    const url = readMediaUrl(link, `${field}.${i}.url`);
    if (isRefused(url)) return url;
    const contentType = readContentType(textAt(part, "contentType"));
    media.push({ url, ...(contentType !== undefined && { contentType }) });
  }
  return { texts, media };
}

function readMessage(result: JsonObject, field: string): ParsedInbound | Refused {
  const providerId = readId(textAt(result, "messageId") ?? "", `${field}.messageId`);
  if (isRefused(providerId)) return providerId;
  const contact = readAddress(textAt(result, "from") ?? textAt(result, "sender"), `${field}.from`);
  if (isRefused(contact)) return contact;
  const number = readAddress(textAt(result, "to") ?? textAt(result, "destination"), `${field}.to`);
  if (isRefused(number)) return number;
  const listed = listAt(result, "message").filter(isObject);
  const parts = readParts(listed, `${field}.message`);
  if ("kind" in parts) return parts;
  // The whole text: cleanText lacks the keyword.
  const words = textAt(result, "text");
  if (words === undefined && listed.length === 0) return malformed(`${field}.text`, "is missing");
  const text = readText(
    [...(words === undefined ? [] : [words]), ...parts.texts].join("\n"),
    `${field}.text`,
  );
  if (isRefused(text)) return text;
  return { number: number.value, contact: contact.value, text, media: parts.media, providerId };
}

function readReport(result: JsonObject, path: string, field: string): ParsedReport | null | Refused {
  const providerId = readId(textAt(result, "messageId") ?? "", `${field}.messageId`);
  if (isRefused(providerId)) return providerId;
  const told = objectAt(result, "status") ?? {};
  const status = infobipStatus(told);
  if (status === undefined) return malformed(`${field}.status.groupId`, "is not a status that is known here");
  if (status === null) return null;
  const isEnd = status !== "sent" && status !== "delivered";
  return {
    // The id is ours: it was given with the message.
    ...(isId("message", providerId) && { messageId: providerId }),
    ...messageNamedBy(path),
    providerId,
    status,
    ...(isEnd && { error: infobipError(told, objectAt(result, "error") ?? {}) }),
  };
}

/** Reads all results, or refuses all: what was answered 2xx is not offered again. */
export function readInfobipResults(path: string, body: JsonObject): WebhookResult {
  if (!Array.isArray(body["results"])) return malformed("results", "is no list");
  const inbound: ParsedInbound[] = [];
  const reports: ParsedReport[] = [];
  for (const [i, result] of body["results"].entries()) {
    const field = `results.${i}`;
    if (!isObject(result)) return malformed(field, "is no object");
    if (objectAt(result, "status") === undefined) {
      const message = readMessage(result, field);
      if ("kind" in message) return message;
      inbound.push(message);
      continue;
    }
    // An address that names our message is called about that one only.
    const report = readReport(result, body["results"].length === 1 ? path : "", field);
    if (report === null) continue;
    if ("kind" in report) return report;
    reports.push(report);
  }
  return accepted({ inbound, reports });
}
