/**
 * The signature by which a platform knows that an event comes from here.
 *
 * @module
 */
import { createHmac } from "node:crypto";

/**
 * Headers that sign `body`: `Patchbay-Signature: v1=<hex>`, the HMAC-SHA256 of `<timestamp>.<body>` under the
 * platform's secret, and the timestamp in seconds since 1970. A platform refuses old timestamps, so that what was
 * overheard once is of no use later.
 *
 * Wire format: never change; another scheme gets another `v`.
 */
export function signatureHeaders(secret: string, body: string, nowMs: number): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const digest = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  return { "Patchbay-Timestamp": timestamp, "Patchbay-Signature": `v1=${digest}` };
}
