/**
 * HMAC (RFC 2104) with one key for many texts. `createHmac` takes the key apart anew for every text, which is two fifths of
 * what a webhook's signature costs.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";

/** The block of both algorithms, FIPS 180-4. */
const BLOCK_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

export class KeyedHmac {
  readonly #inner: Hash;
  readonly #outer: Hash;

  constructor(algorithm: "sha1" | "sha256", key: string) {
    const bytes = new TextEncoder().encode(key);
    const block = new Uint8Array(BLOCK_BYTES);
    block.set(bytes.length > BLOCK_BYTES ? createHash(algorithm).update(bytes).digest() : bytes);
    this.#inner = createHash(algorithm).update(block.map((byte) => byte ^ INNER_PAD));
    this.#outer = createHash(algorithm).update(block.map((byte) => byte ^ OUTER_PAD));
  }

  /** The code of `text` as UTF-8. */
  digest(text: string): Uint8Array {
    return this.#outer.copy().update(this.#inner.copy().update(text).digest()).digest();
  }
}
