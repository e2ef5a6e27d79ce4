/**
 * Randomness, from the operating system.
 *
 * @module
 */
import { randomBytes, randomFillSync } from "node:crypto";

/** Fills `bytes`: the source of `newId`. */
export function fillRandom(bytes: Uint8Array): void {
  randomFillSync(bytes);
}

/** 256 random bits, base64url: 43 characters. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}
