/**
 * Plivo's signatures, both HMAC-SHA256 in base64: V2 covers the address, V3 the fields too. The `-Ma-` headers are
 * made with the main account's token where a subaccount has one of its own. A header may hold several signatures,
 * separated by commas. https://www.plivo.com/docs/messaging/concepts/signature-validation
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import type { WebhookRequest } from "../../core/ports/provider.ts";
import { type Fields, readQuery } from "./fields.ts";

const DIGEST_BYTES = 32;
/** More signatures than any header holds. */
const SIGNATURES_MAX = 8;

function signaturesIn(headers: Headers, names: readonly string[]): readonly Uint8Array[] {
  const given = names.flatMap((name) => (headers.get(name) ?? "").split(","));
  return given.slice(0, SIGNATURES_MAX).map((text) => Buffer.from(text.trim(), "base64"))
    .filter((bytes) => bytes.length === DIGEST_BYTES);
}

function isSigned(text: string, given: readonly Uint8Array[], tokens: readonly string[]): boolean {
  return tokens.some((token) => {
    const expected = createHmac("sha256", token).update(text).digest();
    return given.some((signature) => timingSafeEqual(expected, signature));
  });
}

function withoutQuery(url: string): string {
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}

/** The text that V3 signs, without the nonce. `form` is null for a GET. */
export function plivoV3Text(url: string, form: Fields | null): string {
  const query = readQuery(url)?.sortedPairs() ?? [];
  const sorted = query.map(([name, value]) => `${name}=${value}`).join("&");
  const base = withoutQuery(url);
  if (form === null || form.size === 0) return sorted === "" ? base : `${base}?${sorted}`;
  return `${base}?${sorted}${sorted === "" ? "" : "."}${form.concatenated()}`;
}

/**
 * Why a webhook is not authentic, or null where one of `tokens` signed it. A signature of the third kind has to
 * fit where there is one: it covers more.
 */
export function plivoSignatureFault(
  request: WebhookRequest,
  form: Fields | null,
  tokens: readonly string[],
): string | null {
  const { headers, url } = request;
  const wrong = "the signature does not fit this request and the channel's token";
  const third = signaturesIn(headers, ["x-plivo-signature-v3", "x-plivo-signature-ma-v3"]);
  const thirdNonce = headers.get("x-plivo-signature-v3-nonce");
  if (third.length > 0 && thirdNonce !== null) {
    return isSigned(`${plivoV3Text(url, form)}.${thirdNonce}`, third, tokens) ? null : wrong;
  }
  const second = signaturesIn(headers, ["x-plivo-signature-v2", "x-plivo-signature-ma-v2"]);
  const secondNonce = headers.get("x-plivo-signature-v2-nonce");
  if (second.length > 0 && secondNonce !== null) {
    return isSigned(withoutQuery(url) + secondNonce, second, tokens) ? null : wrong;
  }
  return "the headers X-Plivo-Signature-V3 and -V2, or their nonces, are missing";
}
