/**
 * What Vonage's Messages API posts: JSON with a token that covers the body, a message or the status of one.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { isId } from "../../core/ids.ts";
import type { MessageError } from "../../core/errors.ts";
import type { Media } from "../../core/message.ts";
import type { ParsedReport, WebhookRequest, WebhookResult } from "../../core/ports/provider.ts";
import { isObject } from "./answers.ts";
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
import { type JsonObject, listAt, objectAt, textAt } from "./json_values.ts";
import { readHs256 } from "./jwt.ts";
import { sameSecret } from "./secrets.ts";
import { vonageError } from "./vonage_errors.ts";

const MEDIA_KINDS = ["image", "video", "audio", "file", "vcard"] as const;
const MEDIA_MAX = 20;

const STATUSES: ReadonlyMap<string, ParsedReport["status"]> = new Map([
  ["submitted", "sent"],
  ["delivered", "delivered"],
  ["read", "delivered"],
  ["rejected", "rejected"],
  ["undeliverable", "undelivered"],
]);

export interface VonageProof {
  readonly secrets: readonly string[];
  readonly apiKey: string | undefined;
  readonly applicationId: string | undefined;
  readonly maxAgeMs: number;
}

/** Why the request is not one that Vonage made for this account; null where it is. */
export function vonageTokenFault(request: WebhookRequest, proof: VonageProof): string | null {
  const token = /^Bearer ([\w.-]+)$/i.exec(request.headers.get("authorization")?.trim() ?? "")?.[1];
  if (token === undefined) return "the token in the header Authorization is missing";
  const claims = readHs256(token, proof.secrets);
  if (claims === null) return "the token is not signed with the channel's signature secret";
  const hash = createHash("sha256").update(request.body).digest("hex");
  if (!sameSecret(textAt(claims, "payload_hash")?.toLowerCase(), hash)) {
    return "the token was made for another body";
  }
  for (const [name, own] of [["api_key", proof.apiKey], ["application_id", proof.applicationId]] as const) {
    const claimed = textAt(claims, name);
    if (claimed !== undefined && own !== undefined && claimed !== own) {
      return `the token's ${name} is another's than this channel's`;
    }
  }
  const [issued, expires] = [claims["iat"], claims["exp"]];
  if (typeof issued !== "number" || Math.abs(request.receivedMs - issued * 1_000) > proof.maxAgeMs) {
    return "the token's time is missing or too far from now";
  }
  return typeof expires === "number" && expires * 1_000 < request.receivedMs ? "the token has expired" : null;
}

/** What comes with a message: one thing under its kind, or a list of them. */
function readMedia(body: JsonObject): { readonly media: Media[]; readonly captions: string[] } | Refused {
  const listed = listAt(body, "content").filter(isObject).slice(0, MEDIA_MAX);
  const things = [
    ...MEDIA_KINDS.flatMap((kind) => {
      const thing = objectAt(body, kind);
      return thing === undefined ? [] : [[`${kind}.url`, thing] as const];
    }),
    ...listed.map((thing, i) => [`content.${i}.url`, thing] as const),
  ];
  const media: Media[] = [];
  const captions: string[] = [];
  for (const [field, thing] of things) {
    const caption = textAt(thing, "caption") ?? textAt(thing, "text");
    if (caption !== undefined && caption !== "") captions.push(caption);
    if (textAt(thing, "type") === "text" && textAt(thing, "url") === undefined) continue;
    const url = readMediaUrl(textAt(thing, "url"), field);
    if (isRefused(url)) return url;
    media.push({ url });
  }
  return { media, captions };
}

/** Reads a message that came in. */
export function readVonageMessage(body: JsonObject): WebhookResult {
  const providerId = readId(textAt(body, "message_uuid") ?? "", "message_uuid");
  if (isRefused(providerId)) return providerId;
  const contact = readAddress(textAt(body, "from"), "from");
  if (isRefused(contact)) return contact;
  const number = readAddress(textAt(body, "to"), "to");
  if (isRefused(number)) return number;
  const found = readMedia(body);
  if ("kind" in found) return found;
  const words = textAt(body, "text");
  if (words === undefined && found.media.length === 0 && found.captions.length === 0) {
    return malformed("text", "is missing");
  }
  const text = readText([...(words === undefined ? [] : [words]), ...found.captions].join("\n"), "text");
  if (isRefused(text)) return text;
  return accepted({
    inbound: [{ number: number.value, contact: contact.value, text, media: found.media, providerId }],
  });
}

/** The number of a problem: its title, or the end of its type. */
export function vonageCode(problem: JsonObject): string {
  const title = textAt(problem, "title") ?? "";
  if (/^\d{1,6}$/.test(title)) return title;
  return /[#/]([A-Za-z0-9-]{1,64})$/.exec(textAt(problem, "type") ?? "")?.[1] ?? "";
}

function statusError(status: ParsedReport["status"], problem: JsonObject): MessageError | undefined {
  if (status === "sent" || status === "delivered") return undefined;
  const code = vonageCode(problem);
  return vonageError(code) ?? {
    class: status === "rejected" ? "rejected" : "unreachable",
    ...(code !== "" && { providerCode: code }),
    reason: status === "rejected" ? "Vonage refused the message" : "Vonage could not deliver the message",
  };
}

/** Reads a status; the path or `client_ref` may name our message. */
export function readVonageStatus(path: string, body: JsonObject): WebhookResult {
  const providerId = readId(textAt(body, "message_uuid") ?? "", "message_uuid");
  if (isRefused(providerId)) return providerId;
  const word = textAt(body, "status");
  if (word === undefined || word === "") return malformed("status", "is missing");
  const status = STATUSES.get(word);
  if (status === undefined) return malformed("status", "is not a status that is known here");
  const reference = textAt(body, "client_ref") ?? "";
  const error = statusError(status, objectAt(body, "error") ?? {});
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
