/**
 * JSON Web Tokens (RFC 7519), as much of them as providers use: made with RS256, checked with HS256. A token's own
 * word on its algorithm is never followed.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac, type KeyObject, sign, timingSafeEqual } from "node:crypto";
import { isObject } from "./answers.ts";
import type { JsonObject } from "./json_values.ts";

/** More than any provider's token has. */
const TOKEN_MAX = 8_192;

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value), "utf8").toString("base64url");
}

function decode(part: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** A token with `claims`, signed with an RSA key: about 1 ms. */
export function signRs256(claims: JsonObject, privateKey: KeyObject): string {
  const text = `${encode({ typ: "JWT", alg: "RS256" })}.${encode(claims)}`;
  return `${text}.${sign("sha256", Buffer.from(text, "ascii"), privateKey).toString("base64url")}`;
}

/** The claims of a token that was signed by HS256 with one of `secrets`; null for any other. */
export function readHs256(token: string, secrets: readonly string[]): JsonObject | null {
  if (token.length > TOKEN_MAX) return null;
  const [header, claims, signature, more] = token.split(".");
  if (header === undefined || claims === undefined || signature === undefined || more !== undefined) {
    return null;
  }
  if (decode(header)?.["alg"] !== "HS256") return null;
  const given = Buffer.from(signature, "base64url");
  const isSigned = secrets.some((secret) => {
    const expected = createHmac("sha256", secret).update(`${header}.${claims}`).digest();
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  return isSigned ? decode(claims) : null;
}
