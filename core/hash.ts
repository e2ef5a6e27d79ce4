/**
 * Hashes that are made for every message. Each of node:crypto's leaves an object behind that only a full collection of
 * V8 frees: after 350,000 webhooks a million of them held the main thread for half a second and more. These are
 * WebAssembly, have one state for all, and leave nothing.
 *
 * @module
 */
import { createSHA1, createSHA256 } from "hash-wasm";

/** One of each; whoever uses it begins anew or loads a state, and is done before anybody else's turn. */
export const HASHERS = { sha1: await createSHA1(), sha256: await createSHA256() } as const;

const BASE64URL = { alphabet: "base64url", omitPadding: true } as const;

/** The SHA-256 of `text` as UTF-8, in hex. */
export function sha256Hex(text: string): string {
  return HASHERS.sha256.init().update(text).digest();
}

/** The SHA-256 of `text` as UTF-8, in base64url without padding. */
export function sha256Base64url(text: string): string {
  return HASHERS.sha256.init().update(text).digest("binary").toBase64(BASE64URL);
}
