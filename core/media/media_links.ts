/**
 * Links to media: `/media/{token}`. Whoever has one may read that file until it expires, so a token says which
 * file, until when and what for, and is signed under a key derived from the master key. Nothing about it is
 * stored.
 *
 * Wire format, as links are out for days: `<id>.<expiry in ms, base 36>.<use>.<HMAC-SHA-256, base64url>`.
 *
 * @module
 */
import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import { isId } from "../ids.ts";

/** `file`: to be saved, or fetched by a provider. `preview`: a picture to be shown to an agent. */
export type LinkUse = "file" | "preview";

export interface MediaLink {
  readonly id: string;
  readonly expiresMs: number;
  readonly use: LinkUse;
}

const USES: Readonly<Record<LinkUse, string>> = { file: "f", preview: "p" };
const TOKEN = /^(med_[0-9a-v]{26})\.([0-9a-z]{1,10})\.([fp])\.([A-Za-z0-9_-]{43})$/;
const KEY_BYTES = 32;

export class MediaLinks {
  readonly #keys: readonly Uint8Array[];
  readonly #publicUrl: string;

  /** `masterKeys`: base64, newest first; links are signed under the first and hold under all. */
  constructor(masterKeys: readonly string[], publicUrl: string) {
    this.#keys = masterKeys.map((key) =>
      new Uint8Array(hkdfSync("sha256", Buffer.from(key, "base64"), "", "patchbay media links", KEY_BYTES))
    );
    this.#publicUrl = publicUrl;
  }

  /** The link to a file that is kept here. */
  url({ id, expiresMs, use }: MediaLink): string {
    const signed = `${id}.${Math.ceil(expiresMs).toString(36)}.${USES[use]}`;
    return `${this.#publicUrl}/media/${signed}.${signature(this.#keys[0]!, signed).toString("base64url")}`;
  }

  /** What a token stands for; null when it was not made here, was changed, or has expired. */
  read(token: string, nowMs: number): MediaLink | null {
    const match = TOKEN.exec(token);
    if (match === null) return null;
    const [, id, expiry, letter, given] = match;
    const signed = token.slice(0, token.lastIndexOf("."));
    const bytes = Buffer.from(given!, "base64url");
    // One character has two spare bits: only the one form that is made here is good.
    if (bytes.toString("base64url") !== given) return null;
    if (!this.#keys.some((key) => timingSafeEqual(signature(key, signed), bytes))) return null;
    const expiresMs = parseInt(expiry!, 36);
    if (expiresMs <= nowMs || !isId("media", id!)) return null;
    return { id: id!, expiresMs, use: letter === USES.preview ? "preview" : "file" };
  }
}

function signature(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
