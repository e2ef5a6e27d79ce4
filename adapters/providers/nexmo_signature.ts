/**
 * The `sig` of Vonage's SMS API: all other fields by name, `&name=value` each, hashed with the signature secret.
 * https://developer.vonage.com/en/getting-started/concepts/signing-messages
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Fields } from "./fields.ts";

/** As Vonage's dashboard offers them. */
export const NEXMO_SIGNATURES = ["md5hash", "md5", "sha1", "sha256", "sha512"] as const;
export type NexmoSignature = (typeof NEXMO_SIGNATURES)[number];

/** What is hashed. A value cannot pretend to be two fields: `&` and `=` in it become `_`. */
export function nexmoSignedText(fields: Fields): string {
  let text = "";
  for (const [name, value] of fields.sortedPairs()) {
    if (name !== "sig") text += `&${name}=${value.replace(/[&=]/g, "_")}`;
  }
  return text;
}

function digest(text: string, method: NexmoSignature, secret: string): Buffer {
  return method === "md5hash"
    ? createHash("md5").update(text + secret).digest()
    : createHmac(method, secret).update(text).digest();
}

/** Whether `fields` carry a signature made by `method` with one of `secrets`. */
export function isSignedByNexmo(
  fields: Fields,
  method: NexmoSignature,
  secrets: readonly string[],
): boolean {
  const given = Buffer.from(fields.get("sig") ?? "", "hex");
  const text = nexmoSignedText(fields);
  return secrets.some((secret) => {
    const expected = digest(text, method, secret);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
