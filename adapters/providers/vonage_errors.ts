/**
 * The codes of Vonage's Messages API, of answers and of status webhooks, in our classes and in plain words.
 * https://developer.vonage.com/en/api-errors/messages and https://developer.vonage.com/en/api-errors
 *
 * @module
 */
import { errorTable } from "./error_table.ts";

/** Named codes: the last part of a problem's `type`. */
export const VONAGE_PROBLEMS = errorTable([
  ["auth", "Vonage refused the credentials", "unauthorized", "invalid-api-key", "invalid-signature"],
  ["auth", "the token is not accepted", "jwt-expired", "jwt-revoked"],
  ["auth", "the account may not do this", "forbidden"],
  ["account", "the Vonage account is suspended", "account-suspended"],
  ["account", "the account may not use the Messages API", "unprovisioned"],
  ["no-credit", "the Vonage account is out of credit", "low-balance"],
  ["bad-request", "Vonage cannot read the request", "invalid-params", "invalid-json", "payload-validation"],
  ["throttled", "Vonage asks to slow down", "throttled", "rate-limit"],
  ["provider-error", "Vonage has a fault", "internal-error"],
]);

export const VONAGE_ERRORS = errorTable([
  ["throttled", "Vonage asks to slow down", 1000],
  ["bad-request", "a field is missing in the request", 1010],
  ["bad-request", "the value of a field is not valid", 1020, 1021, 1022],
  ["provider-error", "Vonage has a fault", 1030],
  ["unreachable", "Vonage cannot process a message to this number", 1040],
  ["opted-out", "the contact is on the list of numbers that may not be sent to", 1050],
  ["account", "the Vonage account is suspended", 1060],
  ["no-credit", "the Vonage account is out of credit", 1070],
  ["account", "the account may not use the Messages API", 1080],
  ["too-long", "the text is longer than Vonage takes", 1090],
  ["provider-error", "Vonage could not hand the message over", 1100],
  ["auth", "Vonage refused the request's signature", 1110],
  ["invalid-sender", "the sender may not be used for this destination", 1120],
  ["bad-request", "the time to live is not valid", 1130],
  ["rejected", "the account may not use this facility", 1140],
  ["bad-request", "the message class is not valid", 1150],
  ["rejected", "a trial account may send to its listed numbers only", 1160],
  ["invalid-number", "the destination is missing or not valid", 1170],
  ["unreachable", "the handset is switched off or out of reach", 1180],
  ["invalid-number", "the number is no longer in use", 1190],
  ["unreachable", "the number moved to another carrier and cannot be reached there", 1200],
  ["blocked", "the carrier filtered the message as unwanted", 1210],
  ["unreachable", "the handset was busy", 1220],
  ["unreachable", "the carrier's network has a fault", 1230],
  ["opted-out", "the contact does not want messages from this sender", 1240],
  ["throttled", "too many messages were sent to this number", 1241],
  ["unreachable", "Vonage has no route to this number", 1250],
  ["unreachable", "the destination cannot be reached", 1260],
  ["blocked", "the content is not for the contact's age", 1270],
  ["blocked", "the carrier blocks messages to this number", 1280],
  ["unreachable", "the contact's prepaid credit is used up", 1290],
  ["unreachable", "the number is not one of the provider's network", 1300],
  ["unreachable", "the handset cannot show the message", 1310],
  ["rejected", "the message was sent already", 1320],
  ["unknown", "the carrier gave no reason", 1330],
  ["rejected", "the time in which the contact may be answered is over", 1340],
  ["account", "a fee of the channel is not paid", 1350],
  ["unreachable", "the message could not be delivered while it was valid", 1360],
  ["auth", "the channel's access token has expired", 1370],
]);

/** Codes that are known by name only. */
export const VONAGE_RECALLED = errorTable([
  ["bad-request", "the channel is not supported", 1400],
  ["bad-request", "a field does not fit the channel", 1410],
  ["invalid-sender", "the sender is not valid", 1420],
  ["invalid-number", "the destination is not valid", 1430],
  ["bad-request", "the kind of message is not valid", 1440],
  ["throttled", "the day's limit of messages is reached", 1460],
  ["blocked", "Vonage's protection against fraud stopped the message", 1470, 1480],
], "assumed");

/** What `code` means, numeric or named; undefined where it is in no table. */
export function vonageError(code: string) {
  return VONAGE_ERRORS.find(code) ?? VONAGE_PROBLEMS.find(code) ?? VONAGE_RECALLED.find(code);
}
