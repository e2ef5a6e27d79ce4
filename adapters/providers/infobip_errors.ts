/**
 * Infobip's status and error codes, in our classes and in plain words.
 * https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes
 *
 * @module
 */
import type { MessageError } from "../../core/errors.ts";
import type { ParsedReport } from "../../core/ports/provider.ts";
import { errorTable } from "./error_table.ts";
import { type JsonObject, textAt } from "./json_values.ts";

/** `status.id` of a message that was refused, expired or not delivered. */
export const INFOBIP_STATUSES = errorTable([
  ["rejected", "the carrier refused the message", 4],
  ["unreachable", "the message could not be delivered", 9, 31],
  ["unreachable", "the message could not be delivered while it was valid", 15, 29, 87],
  ["unreachable", "Infobip has no route to this number", 6, 8, 19],
  ["opted-out", "the contact does not want such messages", 10],
  ["invalid-sender", "the sender is not valid", 11],
  ["no-credit", "the Infobip account is out of credit", 12],
  ["invalid-sender", "the sender is blocked", 13],
  ["opted-out", "the contact is on the list of numbers that may not be sent to", 14],
  ["no-credit", "the Infobip account's prepaid package has expired", 17],
  ["rejected", "a trial account may send to registered numbers only", 18],
  ["throttled", "too many messages were sent to this number", 20],
  ["provider-error", "Infobip has a fault", 21],
  ["rejected", "Infobip has a message with this id already", 23],
  ["too-long", "the text is longer than Infobip takes", 24],
  ["unreachable", "Infobip cannot route the message", 25],
  ["invalid-number", "the destination is not a phone number", 51, 52],
  ["rejected", "Infobip refused the message", 56, 77, 99, 100],
]);

/** `error.id` of a message that a handset, Infobip or a carrier failed. */
export const INFOBIP_ERRORS = errorTable([
  ["invalid-number", "the number is not in use", 1, 5, 351, 352, 3041],
  ["unreachable", "the handset is switched off or out of reach", 6, 27],
  ["unreachable", "the contact cannot get texts where it is", 2, 3, 8],
  ["unreachable", "the contact's contract has no texts", 9, 10, 11, 20, 21, 262],
  ["unreachable", "the handset cannot get texts", 7, 12, 257, 258],
  ["blocked", "the contact's contract bars such messages", 13],
  ["unreachable", "the handset was busy", 31, 33],
  ["unreachable", "the carrier could not deliver the message", 32, 34, 35, 36, 51],
  ["unreachable", "the handset's memory is full", 256],
  ["unreachable", "the carrier's message centre is congested or refused the message", 259, 260, 261],
  ["unknown", "the carrier gave no reason", 255, 500, 502, 503, 504],
  ["blocked", "the toll-free number is not verified", 488],
  ["throttled", "the carrier's quota for this sender is used up", 541, 542],
  ["throttled", "the 10DLC limit of the brand or campaign is reached", 4202],
  ["throttled", "too many messages were sent to this number", 4103, 4104],
  ["opted-out", "the contact does not want messages from this sender", 573, 2052, 15015],
  ["blocked", "the carrier blocked the message", 560, 566, 604],
  ["blocked", "the carrier did not accept the content", 561, 603],
  ["blocked", "the carrier filtered the message as unwanted", 607],
  ["rejected", "Infobip has a message with this id already", 5492],
  ["too-long", "the media message is too large", 15022, 15026],
]);

type Status = ParsedReport["status"];

const BY_GROUP: ReadonlyMap<string, Status> = new Map([
  ["2", "undelivered"],
  ["UNDELIVERABLE", "undelivered"],
  ["3", "delivered"],
  ["DELIVERED", "delivered"],
  ["4", "expired"],
  ["EXPIRED", "expired"],
  ["5", "rejected"],
  ["REJECTED", "rejected"],
]);
/** With the carrier: of the groups that wait, and of the delivered one. */
const SENT: ReadonlySet<string> = new Set(["2", "3", "7"]);
const WAITING: ReadonlySet<string> = new Set(["0", "1", "ACCEPTED", "PENDING"]);

/** What a status says: null where the message is on its way, undefined for a group that is not known. */
export function infobipStatus(status: JsonObject): Status | null | undefined {
  const group = textAt(status, "groupId") ?? textAt(status, "groupName")?.toUpperCase() ?? "";
  const id = textAt(status, "id") ?? "";
  const isWaiting = WAITING.has(group);
  const known = BY_GROUP.get(group);
  if (!isWaiting && known === undefined) return undefined;
  if (SENT.has(id) && (isWaiting || known === "delivered")) return "sent";
  return isWaiting ? null : known;
}

const REASONS: Readonly<Record<Status, string>> = {
  sent: "",
  delivered: "",
  failed: "Infobip could not deliver the message",
  undelivered: "the message could not be delivered",
  expired: "the message could not be delivered while it was valid",
  rejected: "Infobip refused the message",
};

/** Why a message ended: by its error where there is one, else by its status. */
export function infobipError(status: JsonObject, error: JsonObject): MessageError {
  const errorId = textAt(error, "id") ?? "0";
  const statusId = textAt(status, "id") ?? "";
  const known = (errorId === "0" ? undefined : INFOBIP_ERRORS.find(errorId)) ??
    INFOBIP_STATUSES.find(statusId);
  if (known !== undefined) return known;
  const code = errorId === "0" ? statusId : errorId;
  const came = infobipStatus(status) ?? "failed";
  return {
    class: came === "rejected" ? "rejected" : "unreachable",
    ...(/^\d{1,10}$/.test(code) && { providerCode: code }),
    reason: REASONS[came] || "Infobip could not deliver the message",
  };
}
