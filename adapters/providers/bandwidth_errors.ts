/**
 * Bandwidth's error codes, in our classes and in plain words. https://dev.bandwidth.com/docs/messaging/errors/
 *
 * @module
 */
import type { MessageError } from "../../core/errors.ts";
import type { ParsedReport } from "../../core/ports/provider.ts";
import { errorTable } from "./error_table.ts";
import { storable } from "./inbound.ts";

export const BANDWIDTH_ERRORS = errorTable([
  ["rejected", "Bandwidth does not allow this message", 4001],
  ["bad-request", "the text has characters that cannot be sent", 4301, 4752],
  ["invalid-sender", "the sending number is not a number that can be routed", 4302],
  ["invalid-number", "the destination is not a number that can be routed", 4303, 4350],
  ["unreachable", "the message expired before it was sent", 4360],
  ["unreachable", "Bandwidth has no way to the destination", 4401, 4420, 4421],
  [
    "invalid-sender",
    "the sending number is not the account's or not enabled for messaging",
    4403,
    4405,
    4407,
  ],
  ["invalid-number", "the destination is not in use or not enabled for messaging", 4404, 4406, 4408, 4434],
  ["unreachable", "the destination does not take media", 4409],
  ["bad-request", "Bandwidth could not fetch the media", 4410],
  ["bad-request", "the media are larger than allowed", 4411, 4711],
  ["bad-request", "the type of the media is not supported", 4412, 4712],
  ["account", "the account is not enabled for short codes", 4431],
  ["rejected", "the account may not send to this country", 4432],
  ["account", "the account is not enabled for toll-free messaging", 4433],
  ["bad-request", "the group has more than ten members", 4435],
  ["auth", "the account id or application id is wrong, or not allowed to send", 4451, 4452, 4493],
  ["blocked", "Bandwidth filtered the message as unwanted", 4470],
  ["blocked", "the sending number is blocked after complaints", 4481],
  ["blocked", "the destination is blocked from getting messages", 4482],
  ["rejected", "emergency numbers take no messages", 4492],
  ["unreachable", "the carrier or handset does not take such messages", 4700, 4701],
  ["unreachable", "the handset is switched off, full or out of reach", 4702],
  ["invalid-number", "the carrier does not know the destination, or it is a landline", 4720],
  ["invalid-number", "the destination is not in use any more", 4721],
  ["unreachable", "the carrier has no route to the destination", 4730],
  ["invalid-sender", "the carrier refused the sending number", 4740],
  ["rejected", "the carrier or the handset refused the message without saying why", 4750, 4753],
  ["too-long", "the message is longer than the carrier takes", 4751],
  ["blocked", "the carrier filtered the message as unwanted", 4770],
  ["blocked", "the carrier does not take links from a public shortener", 4771],
  ["blocked", "the sender or the destination is blocked at the carrier", 4772],
  ["invalid-sender", "the number's 10DLC campaign is not active or wrongly registered", 4773, 4774],
  ["opted-out", "the contact has opted out of messages from this number", 4775],
  ["throttled", "the carrier's limit for this campaign or number is reached", 4780, 4781, 4785],
  ["rejected", "the carrier does not let short codes reach this contact", 4790],
  ["invalid-sender", "the short code is not allowed, not set up or expired at the carrier", 4791, 4792, 4793],
  ["invalid-sender", "the toll-free number is not verified", 4795],
  ["provider-error", "Bandwidth has a fault", 5100, 5101, 5111, 5211, 5220, 5999],
  ["provider-error", "Bandwidth's tries to deliver failed", 5106, 5201],
  ["provider-error", "Bandwidth did not get all parts of the message", 5231],
  ["provider-error", "the carrier reported a fault", 5500, 5501, 5610, 5620, 5630, 5650],
  ["throttled", "the carrier's queue is full", 5600],
  ["unknown", "the carrier never said what became of the message", 9902],
  ["unknown", "the carrier gave a reason that nobody knows", 9999],
]);

/** A failure's code without a row of its own, by its family: the first two digits. */
function byFamily(code: string): MessageError {
  const providerCode = storable(code, 64);
  const given = code !== "" && { providerCode };
  if (/^47\d\d$/.test(code)) {
    return { class: "rejected", ...given, reason: "the carrier refused the message" };
  }
  if (/^4\d{3}$/.test(code)) {
    return { class: "bad-request", ...given, reason: "Bandwidth refused the message" };
  }
  if (/^5\d{3}$/.test(code)) {
    return { class: "provider-error", ...given, reason: "Bandwidth or the carrier has a fault" };
  }
  return { class: "unknown", ...given, reason: "Bandwidth could not deliver the message" };
}

/** What a `message-failed` means for the message. */
export function bandwidthFailure(code: string): Pick<ParsedReport, "status" | "error"> {
  // No report came back to Bandwidth: the message may well have arrived.
  if (code === "9902") return { status: "sent" };
  const error = BANDWIDTH_ERRORS.find(code) ?? byFamily(code);
  if (code === "4360") return { status: "expired", error };
  if (error.class === "blocked" || error.class === "rejected" || error.class === "opted-out") {
    return { status: "rejected", error };
  }
  return { status: /^(?:47|56)/.test(code) ? "undelivered" : "failed", error };
}
