/**
 * The codes of Vonage's SMS API, in our classes and in plain words.
 * https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms (answers to a send) and
 * https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts (delivery receipts)
 *
 * @module
 */
import { errorTable } from "./error_table.ts";

/** `status` of a part in the answer to a send. */
export const NEXMO_ANSWERS = errorTable([
  ["throttled", "Vonage asks to slow down", 1],
  ["throttled", "there are too many connections to Vonage at once", 10],
  ["bad-request", "a field is missing in the request", 2],
  ["bad-request", "the value of a field is not valid", 3],
  ["auth", "Vonage refused the API key or secret", 4],
  ["auth", "the account may not use the SMS API over HTTP", 11],
  ["auth", "Vonage refused the request's signature", 14],
  ["auth", "the request carries both a signature and the API secret", 32],
  ["provider-error", "Vonage has a fault", 5],
  ["provider-error", "Vonage could not hand the message over", 13],
  ["unreachable", "Vonage has no route to this number", 6],
  ["opted-out", "the contact is on the list of numbers that may not be sent to", 7],
  ["opted-out", "the contact has opted out of this program", 101],
  ["account", "the Vonage account is suspended", 8],
  ["no-credit", "the Vonage account is out of credit", 9],
  ["too-long", "the text is longer than Vonage takes", 12],
  ["invalid-sender", "the sender may not be used for this destination", 15],
  ["invalid-sender", "the short code and the campaign do not belong together", 102],
  ["bad-request", "the time to live is not valid", 16],
  ["rejected", "the account may not use this facility", 19],
  ["bad-request", "the message class is not valid", 20],
  ["bad-request", "the network code is not valid", 22],
  ["bad-request", "the address for delivery reports is not valid", 23],
  ["rejected", "a trial account may send to its listed numbers only", 29],
  ["invalid-number", "the number is no longer in use", 33],
  ["invalid-number", "the destination is missing or not valid", 34, 103],
]);

/** `err-code` of a delivery receipt. */
export const NEXMO_RECEIPTS = errorTable([
  ["unknown", "the carrier gave no reason", 1],
  ["unreachable", "the handset is switched off or out of reach", 2],
  ["invalid-number", "the number is no longer in use", 3],
  ["blocked", "the contact's contract bars such messages", 4],
  ["unreachable", "the number moved to another carrier and cannot be reached there", 5],
  ["blocked", "the carrier filtered the message as unwanted", 6],
  ["unreachable", "the handset was busy", 7],
  ["unreachable", "the carrier's network has a fault", 8],
  ["opted-out", "the contact does not want messages from this sender", 9],
  ["bad-request", "the carrier cannot read the message", 10],
  ["unreachable", "Vonage has no route to this number", 11],
  ["unreachable", "the destination cannot be reached", 12],
  ["blocked", "the content is not for the contact's age", 13],
  ["blocked", "the carrier blocks messages to this number", 14],
  ["unreachable", "the contact's prepaid credit is used up", 15],
  ["rejected", "the gateway's quota is used up", 16],
  ["blocked", "the business is not registered for this country", 50],
  ["blocked", "the sender is not registered for this country", 51],
  ["blocked", "the text is not registered for this country", 52],
  ["blocked", "the contact has not consented as this country asks", 53],
  ["blocked", "this country's rules do not allow the message", 54],
  ["unknown", "the message could not be delivered", 99],
]);
