/**
 * What a gateway calls: messages, and `status` for what became of ours.
 *
 * @module
 */
import { isId } from "../../../core/ids.ts";
import type {
  ParsedInbound,
  ParsedReport,
  WebhookRequest,
  WebhookResult,
} from "../../../core/ports/provider.ts";
import {
  isRefused,
  malformed,
  readAddress,
  readId,
  readMediaUrl,
  readText,
  type Refused,
  storable,
  unreadable,
  unsigned,
} from "../inbound.ts";
import type { Gateway } from "./gateway.ts";
import { type Incoming, readIncoming } from "./incoming.ts";
import { fromUcs2Hex } from "./text_encoding.ts";
import { webhookFault } from "./webhook_auth.ts";

const CODE_MAX = 64;

function isFault(value: ParsedInbound | ParsedReport | null | Refused): value is Refused {
  return value !== null && "kind" in value;
}

function readMessage(incoming: Incoming, { settings }: Gateway): ParsedInbound | Refused {
  const { fields, defaultCountry, inboundNumber, inboundTextAs } = settings;
  const contact = readAddress(incoming.firstOf(fields.from), fields.from[0]!, defaultCountry);
  if (isRefused(contact)) return contact;
  const number = readAddress(incoming.firstOf(fields.to) || inboundNumber, fields.to[0]!, defaultCountry);
  if (isRefused(number)) return number;
  const media = [];
  for (const link of incoming.allOf(fields.media)) {
    if (link === "") continue;
    const url = readMediaUrl(link, fields.media[0]!);
    if (isRefused(url)) return url;
    media.push({ url });
  }
  const given = incoming.firstOf(fields.text);
  if (given === undefined && media.length === 0) return malformed(fields.text[0]!, "is missing");
  const written = inboundTextAs === "ucs2-hex" ? fromUcs2Hex(given ?? "") : given ?? "";
  if (written === undefined) return malformed(fields.text[0]!, "is not UCS-2 in hex digits");
  const text = readText(written, fields.text[0]!);
  if (isRefused(text)) return text;
  const id = incoming.firstOf(fields.id);
  const providerId = id === undefined || id === "" ? undefined : readId(id, fields.id[0]!);
  if (providerId !== undefined && isRefused(providerId)) return providerId;
  return {
    number: number.value,
    contact: contact.value,
    text,
    media,
    ...(providerId !== undefined && { providerId }),
  };
}

function reportOf(
  status: ParsedReport["status"],
  code: string,
  ids: Pick<ParsedReport, "messageId" | "providerId">,
): ParsedReport {
  if (status === "sent" || status === "delivered") return { ...ids, status };
  return {
    ...ids,
    status,
    error: {
      class: status === "rejected" ? "rejected" : status === "undelivered" ? "unreachable" : "unknown",
      providerCode: storable(code, CODE_MAX),
      reason: `the gateway reports the message as ${status}`,
    },
  };
}

/**
 * Null: a state that says nothing new. `path`: `status`, `status/<message id>` or `status/<word>`; ids may be ours
 * or the gateway's.
 */
function readReport(
  path: string,
  incoming: Incoming,
  { settings, statusWords }: Gateway,
): ParsedReport | null | Refused {
  const { fields } = settings;
  const named = path.startsWith("status/") ? path.slice("status/".length) : "";
  const namesMessage = isId("message", named);
  const word = namesMessage || named === "" ? incoming.firstOf(fields.status) : named;
  if (word === undefined || word === "") return malformed(fields.status[0]!, "is missing");
  const status = statusWords.get(word.trim().toLowerCase());
  if (status === undefined) return malformed(fields.status[0]!, "is not a status that is known here");
  const id = incoming.firstOf(fields.id);
  if ((id === undefined || id === "") && !namesMessage) return malformed(fields.id[0]!, "is missing");
  const given = id === undefined || id === "" ? undefined : readId(id, fields.id[0]!);
  if (given !== undefined && isRefused(given)) return given;
  const messageId = namesMessage ? named : given !== undefined && isId("message", given) ? given : undefined;
  const ids = {
    ...(messageId !== undefined && { messageId }),
    ...(given !== undefined && given !== messageId && { providerId: given }),
  };
  return status === "queued" ? null : reportOf(status, incoming.firstOf(fields.error) || word, ids);
}

/** Reads a webhook. Never throws on any input; one item that cannot be read refuses the whole call. */
export function readWebhook(request: WebhookRequest, gateway: Gateway): WebhookResult {
  const fault = webhookFault(request, gateway);
  if (fault !== null) return unsigned(fault);
  const items = readIncoming(request, gateway);
  if (items === null) {
    return unreadable("the body has too many fields or cannot be read as what it says to be");
  }
  const { reply, reportField } = gateway.settings;
  const below = request.path === "status" || request.path.startsWith("status/");
  const inbound: ParsedInbound[] = [];
  const reports: ParsedReport[] = [];
  for (const item of items) {
    if (below || (reportField !== undefined && item.firstOf([reportField]) !== undefined)) {
      const report = readReport(request.path, item, gateway);
      if (isFault(report)) return report;
      if (report !== null) reports.push(report);
    } else {
      const message = readMessage(item, gateway);
      if (isFault(message)) return message;
      inbound.push(message);
    }
  }
  return { kind: "accepted", inbound, reports, reply };
}
