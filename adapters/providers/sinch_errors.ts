/**
 * Sinch' codes, of answers and of delivery reports, in our classes and in plain words.
 * https://developers.sinch.com/docs/sms/api-reference/sms/delivery-reports and
 * https://developers.sinch.com/docs/sms/smpp/10dlc-errors
 *
 * @module
 */
import type { MessageError } from "../../core/errors.ts";
import type { ParsedReport } from "../../core/ports/provider.ts";
import { errorTable } from "./error_table.ts";
import { storable } from "./inbound.ts";

/** Codes in answers to a send. */
export const SINCH_ANSWERS = errorTable([
  ["bad-request", "Sinch cannot read the request", "syntax_invalid_json"],
  [
    "bad-request",
    "a field of the request is not written as Sinch wants it",
    "syntax_invalid_parameter_format",
  ],
  ["bad-request", "the request does not keep to Sinch' limits", "syntax_constraint_violation"],
  ["bad-request", "Sinch does not know the group", "unknown_group"],
  ["invalid-sender", "the campaign does not belong to the sending number", "unknown_campaign"],
  ["bad-request", "reports were asked for without an address", "missing_callback_url"],
]);

/** Codes in delivery reports. */
export const SINCH_REPORTS = errorTable([
  ["blocked", "the message was filtered as unwanted", 15, 62],
  ["invalid-sender", "the sending number's campaign is not active", 60],
  ["throttled", "the sending limit of the campaign is reached", 64],
  ["unreachable", "the contact's contract has no text messages", 152],
  ["invalid-number", "the destination is not valid", 300],
  ["invalid-sender", "the sending number is not valid", 310],
  ["rejected", "the carrier refused the message", 321],
  ["bad-request", "the carrier cannot do what was asked", 332, 334],
  ["rejected", "the carrier could not route the message", 349],
  ["rejected", "the carrier refused the message; another try would end alike", 402, 408],
  ["provider-error", "Sinch has a fault", 403],
  ["provider-error", "the message could not be delivered this time", 404],
  ["bad-request", "a parameter of the text has no value for this contact", 405],
  ["unreachable", "the message expired before it was sent", 406],
  ["rejected", "the message was cancelled at Sinch", 407],
  ["invalid-sender", "there is no sender for this contact", 410],
  ["too-long", "the message has more parts than allowed", 411],
  ["account", "the account is not set up for this region", 412],
  ["account", "the account is blocked, perhaps out of credit", 413],
  ["bad-request", "Sinch could not fetch the media", 414],
  ["rejected", "the carrier refused the media message", 415],
  ["unreachable", "the carrier does not take media messages", 416],
  ["unreachable", "the contact cannot be reached by media message", 417],
  ["unreachable", "the handset cannot show the media message", 418],
]);

/** `null`: nothing to move, the message is on its way. */
const STATUSES: ReadonlyMap<string, ParsedReport["status"] | null> = new Map([
  ["queued", null],
  ["dispatched", "sent"],
  ["delivered", "delivered"],
  ["failed", "failed"],
  ["rejected", "rejected"],
  ["aborted", "rejected"],
  ["cancelled", "rejected"],
  ["canceled", "rejected"],
  ["expired", "expired"],
  ["deleted", "rejected"],
  // The carrier has it and never said more.
  ["unknown", "sent"],
]);

/** What a report's status and code mean; undefined for a status that is not known, null for nothing new. */
export function sinchOutcome(
  word: string,
  code: string,
): Pick<ParsedReport, "status" | "error"> | null | undefined {
  const status = STATUSES.get(word.toLowerCase());
  if (status === undefined || status === null) return status;
  if (status === "sent" || status === "delivered") return { status };
  const error: MessageError = SINCH_REPORTS.find(code) ?? {
    class: status === "rejected" ? "rejected" : status === "expired" ? "unreachable" : "unknown",
    ...(code !== "" && { providerCode: storable(code, 64) }),
    reason: "Sinch could not deliver the message",
  };
  // What Sinch itself gave up on was not rejected by anybody.
  if (status === "rejected" && error.class === "provider-error") return { status: "failed", error };
  return { status: code === "406" ? "expired" : status, error };
}
