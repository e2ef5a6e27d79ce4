/**
 * TeleSign's codes, of answers and of callbacks, in our classes and in plain words.
 * https://developer.telesign.com/enterprise/docs/all-status-and-error-codes and
 * https://developer.telesign.com/enterprise/reference/smsdeliveryreports
 *
 * @module
 */
import type { ErrorClass, MessageError } from "../../core/errors.ts";
import type { ParsedReport } from "../../core/ports/provider.ts";
import { type ErrorRow, errorTable } from "./error_table.ts";

/** Codes of requests that were refused. */
export const TELESIGN_ERRORS = errorTable([
  ["provider-error", "TeleSign is not available", 10000],
  ["auth", "TeleSign refused the credentials", 10002, 10003, 10004, 10005, 10006, 10007, 10008, 10009],
  ["auth", "TeleSign does not know the customer id or the API key", 10015, 10022, 10028, 10031, 10035],
  ["account", "the TeleSign account is suspended", 10010],
  ["account", "the TeleSign account does not have this product", 10011, 10013],
  ["auth", "this server's address is not on the account's list", 10014],
  ["bad-request", "TeleSign does not know what was asked for", 10017, 10036],
  ["throttled", "TeleSign asks to slow down", 10019, 10020],
  ["no-credit", "the TeleSign account is out of credit", 10030],
  ["rejected", "a trial account may send to verified numbers only", 10033],
  ["invalid-number", "the destination is not a phone number", 11000, 11001],
  [
    "bad-request",
    "the value of a field is not valid",
    11003,
    11010,
    11011,
    11016,
    11017,
    11027,
    11034,
    11035,
  ],
  ["bad-request", "the address for delivery reports is not valid", 11004],
  ["bad-request", "the text is not valid", 11009],
  ["invalid-sender", "the sender is not one of the account's", 11013],
  ["bad-request", "a field is missing in the request", 12000, 12009, 12017],
  ["too-long", "the media message is larger than 10 KB without its media", 3116],
]);

interface Fate {
  readonly status: ParsedReport["status"];
  readonly error?: MessageError;
}

type Row = readonly [status: ParsedReport["status"], ...row: ErrorRow];

/** What a callback says of a message that failed. */
const FAILURES: readonly Row[] = [
  ["undelivered", "unreachable", "the handset could not be reached, for a reason nobody gave", 207],
  ["undelivered", "unreachable", "the handset is switched off, out of reach or full", 210],
  ["undelivered", "unreachable", "the message could not be delivered while it was valid", 221],
  ["undelivered", "unknown", "what became of the message cannot be found out", 250],
  ["undelivered", "unreachable", "the contact cannot get texts while roaming", 512],
  ["undelivered", "unreachable", "the number moved to another carrier and cannot be reached there", 513],
  ["undelivered", "unreachable", "the contact has been out of reach for some time", 514],
  ["undelivered", "unreachable", "the contact's own credit is used up", 511],
  ["failed", "unreachable", "the handset cannot get texts", 211],
  ["failed", "unreachable", "the carrier has no route to this number", 220],
  ["failed", "unreachable", "the number, contract or carrier has no texts", 222],
  ["failed", "unknown", "TeleSign did not try to send the message", 500],
  ["failed", "rejected", "the carrier refused the message", 503, 504],
  ["failed", "provider-error", "TeleSign's gateway has a fault", 505, 506],
  ["failed", "invalid-number", "the destination is not valid", 507],
  ["failed", "invalid-sender", "the sender is missing or not valid", 508],
  ["failed", "bad-request", "a field of the request is not supported", 509],
  ["failed", "invalid-sender", "the sender is not registered", 521],
  ["rejected", "blocked", "the message was blocked by a rule of this account", 229, 237, 238],
  ["rejected", "blocked", "TeleSign blocks messages to this number", 230],
  ["rejected", "blocked", "the content is not supported", 231],
  ["rejected", "blocked", "TeleSign takes the destination for a risk", 233],
  ["rejected", "rejected", "the account may not send this message", 501, 502],
  ["rejected", "opted-out", "the contact does not want messages from this sender", 510],
  ["rejected", "blocked", "the carrier filtered the message as unwanted", 515],
  [
    "rejected",
    "blocked",
    "the message breaks a rule of its country or was taken for fraud",
    517,
    518,
    519,
    520,
  ],
];

const FAILURE_TABLE = errorTable(FAILURES.map(([, ...row]) => row));

const FATES: ReadonlyMap<string, Fate | null> = new Map<string, Fate | null>([
  // On its way: nothing new.
  ["290", null],
  ["291", null],
  ["292", null],
  ["295", null],
  ["3000", null],
  ["3001", null],
  ["203", { status: "sent" }],
  ["251", { status: "sent" }],
  ["286", { status: "sent" }],
  ["599", { status: "sent" }],
  ["200", { status: "delivered" }],
  ["201", { status: "delivered" }],
  ...FAILURES.flatMap(([status, _class, _reason, ...codes]) =>
    codes.map((code) => [String(code), { status, error: FAILURE_TABLE.find(String(code))! }] as const)
  ),
]);

/** What became of a message by a callback's code: null where nothing did yet, undefined for a code not known. */
export function telesignFate(code: string): Fate | null | undefined {
  return FATES.get(code);
}

/** Class and reason of a code in an answer, of either kind; undefined where it is not known. */
export function telesignError(
  code: string,
): { readonly class: ErrorClass; readonly reason: string } | undefined {
  return TELESIGN_ERRORS.find(code) ?? FAILURE_TABLE.find(code);
}

export const TELESIGN_DESCRIBED = [...TELESIGN_ERRORS.described, ...FAILURE_TABLE.described];
