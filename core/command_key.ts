/**
 * Keys of commands: by them a conversation recognises a command that comes again.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { sha256Base64url } from "./hash.ts";

const KEY_CHARS = 27;
const TIME_CHARS = 10;

/**
 * The key of a command that its caller can repeat: 162 bits of SHA-256, base64url. `parts` say who asked for
 * what with which key of theirs, so that one caller's keys never meet another's.
 *
 * Wire format: never change.
 */
export function repeatableKey(...parts: readonly string[]): string {
  return sha256Base64url(parts.join(":")).slice(0, KEY_CHARS);
}

/**
 * The key of a command that never comes again: the time, then 120 random bits. What is noted as seen is looked up by
 * its key, and keys that grow keep to the end of that index instead of changing pages all over it.
 */
export function singleKey(nowMs: number): string {
  return nowMs.toString(32).padStart(TIME_CHARS, "0") + randomBytes(15).toString("base64url");
}
