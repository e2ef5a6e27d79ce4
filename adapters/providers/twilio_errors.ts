/**
 * Twilio's error codes, in our classes and in plain words.
 * https://www.twilio.com/docs/api/errors
 *
 * @module
 */
import type { MessageError } from "../../core/errors.ts";
import { errorTable } from "./error_table.ts";

export const TWILIO_ERRORS = errorTable([
  ["auth", "Twilio refused the credentials", 20003, 20006, 20403],
  ["account", "the Twilio account is not active or suspended", 20005, 30002],
  ["throttled", "Twilio asks to slow down", 20429],
  ["throttled", "the sending number's queue at Twilio is full", 21611, 30001],
  ["throttled", "the carrier's rate for this number is exceeded", 30022, 30017],
  ["throttled", "the carrier's daily cap is reached", 30023, 30027],
  ["throttled", "Twilio blocks this destination for a short time to protect against pumping", 30450],
  ["opted-out", "the contact has opted out of messages from this number", 21610],
  ["invalid-number", "the destination is not a phone number that can get texts", 21211, 21214, 21217, 21401],
  ["invalid-number", "the destination is missing or not valid", 21421, 21604],
  ["invalid-number", "the destination is not a mobile number", 21614],
  ["unreachable", "the handset is not known at the carrier", 30005],
  ["unreachable", "the destination is a landline or its carrier cannot be reached", 30006],
  ["unreachable", "the handset is switched off or out of reach", 30003],
  ["unreachable", "the destination cannot be reached by text from this number", 21612],
  [
    "invalid-sender",
    "the sending number is not a Twilio number that may send this",
    21212,
    21603,
    21606,
    21607,
  ],
  ["invalid-sender", "the Messaging Service is missing or has no usable sender", 21701, 21703, 21705],
  ["invalid-sender", "the alphanumeric sender ID is not allowed", 21709],
  ["invalid-sender", "the carrier wants the sender registered first", 30018, 30024],
  ["invalid-sender", "the toll-free number is not verified", 30032],
  ["invalid-sender", "the number is not registered for 10DLC", 30034],
  ["rejected", "the account may not send to this region or number", 21408, 21608],
  ["bad-request", "the text is missing", 21602],
  ["bad-request", "the address for delivery reports is not valid", 21609],
  ["bad-request", "the media cannot be sent", 21620, 21623, 21656, 30011, 30019],
  ["rejected", "the number or account may not send media", 21621, 21622],
  ["too-long", "the text is longer than Twilio takes", 21617],
  ["blocked", "the message was blocked by the carrier or the contact", 30004],
  ["blocked", "the carrier filtered the message as unwanted", 30007],
  ["no-credit", "the message costs more than the set limit", 30010],
  ["unknown", "the carrier gave no reason", 30008],
  ["timeout", "the carrier did not answer Twilio in time", 30410],
  ["auth", "test credentials may not do this", 20008],
  ["bad-request", "Twilio does not know what was asked for", 20404],
  ["provider-error", "Twilio has a fault", 20500, 20503, 20504, 21730],
  ["invalid-sender", "the sending number cannot send texts", 21601, 21661],
  ["invalid-sender", "the sending number is another account's", 21660],
  ["too-long", "the text is longer than Twilio takes", 21605],
  ["bad-request", "the text cannot be sent", 21618],
  ["bad-request", "the text and the media are missing", 21619],
  ["bad-request", "the time that the message may wait is out of range", 30012, 30013],
  ["unreachable", "the message waited longer than it was valid", 30036],
  ["account", "the account may not send", 30037],
  ["invalid-sender", "the 10DLC campaign is suspended", 30033],
  ["invalid-sender", "the carrier wants the sender registered first", 30040],
  ["invalid-sender", "the carrier does not take this kind of sender", 30041],
  ["blocked", "the text was taken for a one-time passcode, which may not be sent so", 30038],
  ["blocked", "the message goes round in a loop", 30039],
  ["too-long", "the text is longer than a trial account may send", 30044],
]);

/** Failures of which the carrier or Twilio decided that the message may not pass. */
const REJECTING: ReadonlySet<string> = new Set(["21610", "30004", "30007", "30034"]);

/** What `code` means, or undefined where it is not in the table. */
export function twilioError(code: string): MessageError | undefined {
  return TWILIO_ERRORS.find(code);
}

/** Whether a message that failed with `code` was rejected rather than failed. */
export function isRejection(code: string): boolean {
  return REJECTING.has(code);
}
