/**
 * What a Dinstar gateway says of messages, in our classes and in plain words. Its manual is not public: the codes are
 * those that several open clients agree on.
 *
 * @module
 */
import type { MessageError } from "../../core/errors.ts";
import type { ParsedReport } from "../../core/ports/provider.ts";
import { errorTable } from "./error_table.ts";
import { storable } from "./inbound.ts";

/** `error_code` in the body of an answer; the HTTP status says nothing. */
export const DINSTAR_ANSWERS = errorTable([
  ["bad-request", "the gateway cannot read the request", 400],
  ["bad-request", "the gateway has no such task", 404],
  ["too-long", "the message is longer than the gateway takes", 413],
  ["provider-error", "the gateway has a fault", 500],
  ["throttled", "no port of the gateway is free", 550],
]);

/** Words of `query_sms_result` beside the network's own codes. */
export const DINSTAR_RESULTS = errorTable([
  ["unknown", "the gateway could not send the message", "FAILED"],
  ["rejected", "the message was cancelled at the gateway", "CANCELED"],
  ["unknown", "the gateway sent some parts of the message only", "PARTIAL"],
], "assumed");

type Outcome = Pick<ParsedReport, "status" | "error">;

const failure = (status: Outcome["status"], code: string): Outcome => ({
  status,
  error: DINSTAR_RESULTS.find(code) ?? { class: "unknown", reason: "the gateway could not send the message" },
});

/**
 * What a result means; null while nothing has happened. `parts` and `sentParts`: those of a long text.
 */
export function dinstarResult(word: string, parts: number, sentParts: number): Outcome | null {
  switch (word.toUpperCase()) {
    case "SENT_OK":
      return sentParts < parts ? failure("failed", "PARTIAL") : { status: "sent" };
    // Nobody knows; it is asked again.
    case "UNKNOWN":
      return { status: "sent" };
    case "DELIVERED":
      return { status: "delivered" };
    case "FAILED":
      return failure("failed", "FAILED");
    case "CANCELED":
    case "CANCELLED":
      return failure("rejected", "CANCELED");
    default:
      return null;
  }
}

/** Causes of 3GPP TS 23.040, 9.2.3.15, that say more than that it did not work. */
const CAUSES: ReadonlyMap<number, readonly [MessageError["class"], string]> = new Map([
  [65, ["unreachable", "the contact's network or handset cannot take the message"]],
  [66, ["rejected", "the contact's network refused the message"]],
  [67, ["unreachable", "the contact cannot be obtained"]],
  [68, ["rejected", "the contact's network does not allow the message"]],
  [69, ["unreachable", "the networks do not work together"]],
  [70, ["unreachable", "the validity of the message ended"]],
  [71, ["rejected", "the message was deleted by the sender"]],
  [72, ["rejected", "the message was deleted by the message centre"]],
  [73, ["unreachable", "the message centre does not know the message"]],
]);

/** What a TP-Status means; null while the network still tries. */
export function dinstarDelivery(code: number): Outcome | null {
  if (!Number.isInteger(code) || code < 0 || code > 255) return null;
  // 1: passed on, and nobody can say whether it arrived.
  if (code < 32) return { status: code === 1 ? "sent" : "delivered" };
  if (code < 64) return null;
  const [errorClass, reason] = CAUSES.get(code) ??
    ["unreachable", "the contact's network could not deliver the message"] as const;
  const error = { class: errorClass, providerCode: storable(String(code)), reason };
  return { status: code === 70 ? "expired" : "undelivered", error };
}
