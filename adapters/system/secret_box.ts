/**
 * Secrets at rest: AES-256-GCM under a master key.
 *
 * A sealed value is `1 | key id (4) | nonce (12) | ciphertext | tag (16)`. The key id is the start of a hash of the
 * key, so that several master keys can be in force at a time: values are sealed under the first and opened
 * under any, and rotation is to put a new one first and seal everything again.
 *
 * Storage format: never change; a new one needs another first byte.
 *
 * @module
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { type SecretBox, SecretBoxError } from "../../core/ports/secret_box.ts";

const VERSION = 1;
const KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;

interface MasterKey {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
}

/**
 * A box under `masterKeys`, newest first, each 32 bytes in base64.
 *
 * @throws {RangeError} when there is none, or one has another length.
 */
export function createSecretBox(masterKeys: readonly string[]): SecretBox {
  const keys = masterKeys.map(readKey);
  const newest = keys[0];
  if (newest === undefined) throw new RangeError("a master key is needed");
  const find = (sealed: Uint8Array) => keys.find(({ id }) => id.every((byte, i) => byte === sealed[1 + i]));
  return {
    seal: (plain, context) => seal(newest, plain, context),
    open: (sealed, context) => {
      if (sealed[0] !== VERSION || sealed.length < HEADER_BYTES + TAG_BYTES) {
        throw new SecretBoxError("damaged", `The secret of ${context} is not one that was sealed here.`);
      }
      const key = find(sealed);
      if (key === undefined) {
        throw new SecretBoxError(
          "unknown-key",
          `The secret of ${context} was sealed under another master key.`,
        );
      }
      return open(key, sealed, context);
    },
    isCurrent: (sealed) => sealed[0] === VERSION && find(sealed) === newest,
  };
}

function readKey(text: string): MasterKey {
  const key = Buffer.from(text, "base64");
  if (key.length !== KEY_BYTES) throw new RangeError(`a master key must be ${KEY_BYTES} bytes, base64`);
  const digest = createHash("sha256").update("patchbay master key id").update(key).digest();
  return { key, id: digest.subarray(0, KEY_ID_BYTES) };
}

function seal({ key, id }: MasterKey, plain: string, context: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(context));
  const parts = [Uint8Array.of(VERSION), id, nonce, cipher.update(plain, "utf8"), cipher.final()];
  return new Uint8Array(Buffer.concat([...parts, cipher.getAuthTag()]));
}

function open({ key }: MasterKey, sealed: Uint8Array, context: string): string {
  const nonce = sealed.subarray(1 + KEY_ID_BYTES, HEADER_BYTES);
  const tag = sealed.subarray(sealed.length - TAG_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(context)).setAuthTag(tag);
  try {
    const plain = decipher.update(sealed.subarray(HEADER_BYTES, sealed.length - TAG_BYTES));
    return Buffer.concat([plain, decipher.final()]).toString("utf8");
  } catch {
    throw new SecretBoxError(
      "damaged",
      `The secret of ${context} was changed, or belongs to something else.`,
    );
  }
}
