/**
 * `X-Twilio-Signature`: HMAC-SHA1 over the URL and the form's fields, base64.
 * https://www.twilio.com/docs/usage/webhooks/webhooks-security
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import type { KeyedHmac } from "./keyed_hmac.ts";

const DIGEST_BYTES = 20;

/** The address with the default port if it has none, and without its port if it has one. */
function otherPortForm(url: string): string {
  const match = /^(https?):\/\/((?:[^/?#@]*@)?(?:\[[^\]/?#]*\]|[^:/?#]*))(:\d*)?(?=[/?#]|$)/i.exec(url);
  if (match === null) return url;
  const [prefix, scheme, host, port] = match;
  const rest = url.slice(prefix.length);
  if (port !== undefined) return `${scheme}://${host}${rest}`;
  return `${scheme}://${host}:${scheme!.toLowerCase() === "https" ? 443 : 80}${rest}`;
}

/**
 * Whether `signature` was made with one of `keys`, HMAC-SHA1 with the account's tokens, over `url` and `fields`
 * (names and values concatenated; empty where only the URL is signed). Twilio signs some addresses with their
 * default port and some without, so that both forms are accepted, the given one first.
 */
export function isSignedByTwilio(
  signature: string,
  keys: readonly KeyedHmac[],
  url: string,
  fields: string,
): boolean {
  const given = Buffer.from(signature, "base64");
  if (given.length !== DIGEST_BYTES) return false;
  const hash = url.indexOf("#");
  const signedUrl = hash === -1 ? url : url.slice(0, hash);
  const signs = (key: KeyedHmac, url: string) => timingSafeEqual(key.digest(url + fields), given);
  return keys.some((key) => signs(key, signedUrl) || signs(key, otherPortForm(signedUrl)));
}

/** Whether `url` carries, as `bodySHA256`, the hash of `body`: how Twilio covers a body that is no form. */
export function urlCoversBody(url: string, body: Uint8Array): boolean {
  const claimed = /[?&]bodySHA256=([0-9a-f]{64})(?=[&#]|$)/i.exec(url)?.[1];
  if (claimed === undefined) return false;
  return timingSafeEqual(Buffer.from(claimed, "hex"), createHash("sha256").update(body).digest());
}
