/**
 * Plivo's error codes, in our classes and in plain words.
 * https://www.plivo.com/docs/messaging/troubleshooting/error-codes
 *
 * @module
 */
import type { MessageError } from "../../core/errors.ts";
import { errorTable } from "./error_table.ts";
import { storable } from "./inbound.ts";

export const PLIVO_ERRORS = errorTable([
  ["bad-request", "the carrier refused the content of the message", 10],
  ["provider-error", "the carrier's network has a fault", 20],
  ["blocked", "the carrier filtered the message as unwanted", 30],
  ["invalid-sender", "the sending number is not the account's or cannot send texts", 40],
  ["invalid-number", "the destination is not a number that can get texts", 50],
  ["rejected", "the carrier stopped a loop of messages between these numbers", 60],
  ["unreachable", "the destination is not in use", 70],
  ["unreachable", "the handset is switched off or out of reach", 80],
  ["unreachable", "no carrier has a route to the destination", 90],
  ["rejected", "the carrier does not take such messages", 100],
  ["too-long", "the message is longer than Plivo takes", 110],
  ["opted-out", "the contact has opted out of messages from this number", 200],
  ["rejected", "toll-free numbers of the United States cannot send to Canada", 201],
  ["unknown", "nobody gave a reason", 1000],
]);

/** What a failure with `code` means; `code` may be empty. */
export function plivoFailure(code: string): MessageError {
  return PLIVO_ERRORS.find(code) ?? {
    class: "unknown",
    ...(code !== "" && { providerCode: storable(code, 64) }),
    reason: "Plivo could not deliver the message",
  };
}
