/**
 * TeleSign's scheme "TSA": an HMAC-SHA256 with the API key, which is base64 of the key proper. Of callbacks it covers
 * the body alone, of requests also what the headers say.
 * https://developer.telesign.com/enterprise/docs/authentication
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

function hmac(apiKey: string, content: string | Uint8Array): Buffer {
  return createHmac("sha256", Buffer.from(apiKey, "base64")).update(content).digest();
}

/** A request as it is to be signed. */
export interface TelesignRequest {
  readonly method: "GET" | "POST";
  /** Path without the query. */
  readonly resource: string;
  /** "" for a GET. */
  readonly contentType: string;
  readonly body: string;
  /** RFC 9110, GMT. */
  readonly date: string;
  readonly nonce: string;
}

/** The headers that sign `request`. */
export function telesignDigest(
  request: TelesignRequest,
  customerId: string,
  apiKey: string,
): Record<string, string> {
  const { method, resource, contentType, body, date, nonce } = request;
  const lines = [method, contentType, date, "x-ts-auth-method:HMAC-SHA256", `x-ts-nonce:${nonce}`];
  if (body !== "") lines.push(body);
  lines.push(resource);
  return {
    authorization: `TSA ${customerId}:${hmac(apiKey, lines.join("\n")).toString("base64")}`,
    date,
    "x-ts-auth-method": "HMAC-SHA256",
    "x-ts-nonce": nonce,
  };
}

/** Why a callback is not one of this customer's; null where it is. Either header will do. */
export function telesignCallbackFault(
  headers: Headers,
  body: Uint8Array,
  customerId: string | undefined,
  apiKeys: readonly string[],
): string | null {
  const full = /^TSA\s+([^:\s]+):(\S+)$/i.exec(headers.get("authorization")?.trim() ?? "");
  if (full !== null && full[1]!.toLowerCase() !== customerId?.toLowerCase()) {
    return "the callback is another customer's than this channel's";
  }
  const signature = full?.[2] ?? headers.get("x-ts-authorization")?.trim() ?? "";
  if (signature === "") return "the headers Authorization and X-TS-Authorization are missing";
  const given = Buffer.from(signature, "base64");
  const isSigned = apiKeys.some((apiKey) => {
    const expected = hmac(apiKey, body);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  return isSigned ? null : "the signature does not fit this body and the channel's API key";
}
