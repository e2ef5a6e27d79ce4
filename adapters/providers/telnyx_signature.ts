/**
 * `telnyx-signature-ed25519`: Ed25519 over the timestamp, a bar and the body.
 * https://developers.telnyx.com/docs/messaging/messages/webhook-signing
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createPublicKey, type KeyObject, verify } from "node:crypto";

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** How far a signature's time may be from ours, ms: what the vendor's SDK allows. */
const TOLERANCE_MS = 300_000;
/** RFC 8410: what stands before the 32 bytes of an Ed25519 key in SPKI. */
const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");
const KEYS_MAX = 1_000;

const keys = new Map<string, KeyObject | null>();

/** The key as the portal shows it, base64 of 32 bytes; null where it is none. Reading one costs more than a check. */
function keyOf(text: string): KeyObject | null {
  const known = keys.get(text);
  if (known !== undefined) return known;
  const bytes = Buffer.from(text, "base64");
  let key: KeyObject | null = null;
  if (bytes.length === KEY_BYTES) {
    try {
      key = createPublicKey({ key: Buffer.concat([SPKI_HEAD, bytes]), format: "der", type: "spki" });
    } catch {
      // Not a point of the curve.
    }
  }
  if (keys.size >= KEYS_MAX) keys.clear();
  keys.set(text, key);
  return key;
}

/** Whether `text` is a key that signatures can be checked with. */
export function isTelnyxKey(text: string): boolean {
  return keyOf(text) !== null;
}

/** Why a webhook is not authentic, or null where one of `publicKeys` signed it within five minutes. */
export function telnyxSignatureFault(
  headers: Headers,
  body: Uint8Array,
  publicKeys: readonly string[],
  nowMs: number,
): string | null {
  const signature = headers.get("telnyx-signature-ed25519");
  const timestamp = headers.get("telnyx-timestamp");
  if (!signature || !timestamp) return "the header telnyx-signature-ed25519 or telnyx-timestamp is missing";
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(Number(timestamp) * 1_000 - nowMs) > TOLERANCE_MS) {
    return "the signature's time is more than five minutes from ours";
  }
  const given = Buffer.from(signature, "base64");
  if (given.length === SIGNATURE_BYTES) {
    const signed = Buffer.concat([Buffer.from(`${timestamp}|`), body]);
    for (const text of publicKeys) {
      const key = keyOf(text);
      if (key !== null && verify(null, signed, key, given)) return null;
    }
  }
  return "the signature does not fit this request and the channel's public key";
}
