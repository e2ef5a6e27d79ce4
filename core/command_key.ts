/**
 * Keys of commands: by them a conversation recognises a command that comes again.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";

const KEY_CHARS = 27;

/**
 * The key of a command that its caller can repeat: 162 bits of SHA-256, base64url. `parts` say who asked for
 * what with which key of theirs, so that one caller's keys never meet another's.
 *
 * Wire format: never change.
 */
export function repeatableKey(...parts: readonly string[]): string {
  return createHash("sha256").update(parts.join(":")).digest("base64url").slice(0, KEY_CHARS);
}

/** The key of a command that never comes again. */
export function singleKey(): string {
  return randomBytes(20).toString("base64url");
}
