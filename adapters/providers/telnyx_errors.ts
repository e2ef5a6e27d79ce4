/**
 * Telnyx' error codes, in our classes and in plain words.
 * https://developers.telnyx.com/docs/messaging/messages/error-codes
 *
 * @module
 */
import { errorTable } from "./error_table.ts";

export const TELNYX_ERRORS = errorTable([
  ["invalid-sender", "the sending number is not active", 10001],
  ["invalid-number", "a phone number is not valid", 10002],
  ["bad-request", "an address for webhooks or media is not valid", 10003],
  ["bad-request", "a required field is missing", 10004],
  ["bad-request", "Telnyx does not know something that the request names", 10005, 10006, 10013, 10017],
  ["provider-error", "Telnyx has a fault", 10007],
  ["provider-error", "Telnyx could not finish in time", 10008],
  ["auth", "Telnyx refused the API key", 10009, 20002, 20006],
  ["auth", "the API key may not do this", 10010],
  ["throttled", "Telnyx asks to slow down", 10011],
  ["bad-request", "Telnyx has the same message already", 10012],
  ["bad-request", "Telnyx cannot read the request", 10014, 10015],
  ["invalid-number", "a phone number is not written in E.164 with its plus", 10016],
  ["account", "the Telnyx account is not active, blocked or not verified", 20012, 20013, 20014, 20016, 20017],
  ["account", "the Telnyx account is not enabled for this", 20015],
  ["no-credit", "the Telnyx account is out of credit", 20100],
  ["invalid-number", "the destination is a landline or cannot be reached by text", 40001],
  ["blocked", "the carrier filtered the message as unwanted", 40002, 40003, 40017],
  ["rejected", "the carrier refused the message without saying why", 40004],
  ["unreachable", "the message expired before it could be delivered", 40005, 40014],
  ["provider-error", "the recipient's carrier is out of service", 40006],
  ["unreachable", "the carrier could not deliver the message", 40008],
  ["bad-request", "the carrier refused the content of the message", 40009],
  ["invalid-sender", "the sending number is not registered for 10DLC", 40010],
  ["throttled", "the carrier's rate is exceeded", 40011],
  ["invalid-number", "the carrier refused the destination number", 40012],
  ["invalid-sender", "the carrier refused the sending number", 40013],
  ["blocked", "Telnyx filtered the message as unwanted", 40015],
  ["throttled", "the carrier's limit for this campaign is reached", 40016, 40018],
  ["invalid-sender", "the number or campaign is registered wrongly for 10DLC", 40019],
  ["blocked", "Telnyx blocks this traffic for a day to protect against pumping", 40020],
  ["invalid-sender", "the number is not enabled for messaging at Telnyx", 40100, 40150, 40151, 40155],
  ["opted-out", "the contact has opted out of messages from this number", 40300],
  ["rejected", "these two kinds of numbers cannot message each other", 40301, 40319],
  ["too-long", "the message is longer than Telnyx takes", 40302, 40328],
  ["bad-request", "text and media do not go together as sent", 40304],
  ["invalid-sender", "the sending number is not on the messaging profile", 40305],
  ["invalid-sender", "the sender ID is not set on the messaging profile", 40306, 40307, 40325],
  ["invalid-sender", "the sending number cannot send media", 40308],
  ["rejected", "the messaging profile does not allow this destination country", 40309, 40331],
  ["invalid-number", "the destination number is not valid", 40310],
  ["auth", "the messaging profile's secret is missing or wrong", 40311, 40313],
  ["account", "messaging is switched off on the account or its profile", 40312, 40314],
  ["invalid-sender", "Telnyx rates the sending number as unhealthy", 40315],
  ["bad-request", "the message has neither text nor media", 40316],
  ["bad-request", "the media are too many or too large", 40317],
  ["throttled", "the sending number's queue at Telnyx is full", 40318],
  ["invalid-sender", "the sending number is not ready yet", 40320, 40323],
  ["invalid-sender", "the number pool has no number that can send", 40321],
  ["blocked", "Telnyx does not allow the content", 40322],
  ["invalid-sender", "the toll-free number is not verified", 40329],
  ["invalid-sender", "the toll-free number is not set up for messaging yet", 40330],
  ["no-credit", "the messaging profile's spending limit is reached", 40333],
]);

/** Failures of which Telnyx or the carrier decided that the message may not pass. */
const REJECTING: ReadonlySet<string> = new Set(["blocked", "rejected", "opted-out"]);

/** Whether a message that failed with `code` was rejected rather than failed. */
export function isTelnyxRejection(code: string): boolean {
  const known = TELNYX_ERRORS.find(code);
  return known !== undefined && REJECTING.has(known.class);
}
