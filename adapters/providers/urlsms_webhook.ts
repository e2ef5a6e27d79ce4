/**
 * What a generic HTTP provider calls: messages, and `status` for what became of ours.
 *
 * @module
 */
import type { Channel } from "../../core/channel.ts";
import { isId } from "../../core/ids.ts";
import type { ParsedReport, WebhookReply, WebhookRequest, WebhookResult } from "../../core/ports/provider.ts";
import { Fields, isJson, readForm, readJson, readQuery } from "./fields.ts";
import {
  isRefused,
  malformed,
  readAddress,
  readId,
  readMediaUrl,
  readText,
  storable,
  unreadable,
  unsigned,
} from "./inbound.ts";
import { basicAuthorization, sameSecret } from "./secrets.ts";
import { type UrlSmsSettings, urlSmsSettings } from "./urlsms_settings.ts";

function isAuthentic(request: WebhookRequest, settings: UrlSmsSettings): boolean {
  const { webhookHeader, webhookHeaderValue, webhookUser, webhookPassword } = settings.credentials;
  if (webhookHeader !== undefined && webhookHeaderValue !== undefined) {
    if (!sameSecret(request.headers.get(webhookHeader), webhookHeaderValue)) return false;
  }
  if (webhookUser !== undefined && webhookPassword !== undefined) {
    const given = request.headers.get("authorization")?.replace(/^basic +/i, "Basic ");
    if (!sameSecret(given, basicAuthorization(webhookUser, webhookPassword))) return false;
  }
  return true;
}

/** The body's fields, and behind them those of the address: many gateways post with everything in the query. */
class Incoming {
  readonly #body: Fields;
  readonly #query: Fields;

  constructor(body: Fields, query: Fields) {
    this.#body = body;
    this.#query = query;
  }

  firstOf(names: readonly string[]): string | undefined {
    return this.#body.firstOf(names) ?? this.#query.firstOf(names);
  }
}

function readIncoming(request: WebhookRequest, settings: UrlSmsSettings): Incoming | null {
  const { charset } = settings.credentials;
  const query = readQuery(request.url, charset);
  const body = request.method === "GET"
    ? new Fields()
    : isJson(request.headers.get("content-type"))
    ? readJson(request.body)
    : readForm(request.body, charset);
  return query === null || body === null ? null : new Incoming(body, query);
}

function replyOf(settings: UrlSmsSettings): WebhookReply {
  return settings.credentials.reply;
}

function readMessage(incoming: Incoming, settings: UrlSmsSettings): WebhookResult {
  const { fields, defaultCountry, inboundNumber } = settings.credentials;
  const contact = readAddress(incoming.firstOf(fields.from), fields.from[0]!, defaultCountry);
  if (isRefused(contact)) return contact;
  const number = readAddress(incoming.firstOf(fields.to) || inboundNumber, fields.to[0]!, defaultCountry);
  if (isRefused(number)) return number;
  const link = incoming.firstOf(fields.media);
  const url = link === undefined || link === "" ? undefined : readMediaUrl(link, fields.media[0]!);
  if (url !== undefined && isRefused(url)) return url;
  const body = incoming.firstOf(fields.text);
  if (body === undefined && url === undefined) return malformed(fields.text[0]!, "is missing");
  const text = readText(body ?? "", fields.text[0]!);
  if (isRefused(text)) return text;
  const id = incoming.firstOf(fields.id);
  const providerId = id === undefined || id === "" ? undefined : readId(id, fields.id[0]!);
  if (providerId !== undefined && isRefused(providerId)) return providerId;
  return {
    kind: "accepted",
    inbound: [{
      number: number.value,
      contact: contact.value,
      text,
      media: url === undefined ? [] : [{ url }],
      ...(providerId !== undefined && { providerId }),
    }],
    reports: [],
    reply: replyOf(settings),
  };
}

function reportOf(
  status: ParsedReport["status"],
  word: string,
  ids: Pick<ParsedReport, "messageId" | "providerId">,
): ParsedReport {
  if (status === "sent" || status === "delivered") return { ...ids, status };
  const providerCode = storable(word).slice(0, 64);
  const reason = `the provider reports the message as ${status}`;
  return {
    ...ids,
    status,
    error: {
      class: status === "rejected" ? "rejected" : status === "undelivered" ? "unreachable" : "unknown",
      providerCode,
      reason,
    },
  };
}

/** `path`: `status`, `status/<message id>` or `status/<word>`. Ids may be ours or the provider's. */
function readReport(path: string, incoming: Incoming, settings: UrlSmsSettings): WebhookResult {
  const { fields } = settings.credentials;
  const named = path.slice("status/".length);
  const namesMessage = isId("message", named);
  const word = namesMessage || named === "" ? incoming.firstOf(fields.status) : named;
  if (word === undefined || word === "") return malformed(fields.status[0]!, "is missing");
  const status = settings.statusWords.get(word.trim().toLowerCase());
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
  return {
    kind: "accepted",
    inbound: [],
    reports: status === "queued" ? [] : [reportOf(status, word, ids)],
    reply: replyOf(settings),
  };
}

/** Reads a webhook. */
export function parseUrlSmsWebhook(request: WebhookRequest, channel: Channel): WebhookResult {
  const settings = urlSmsSettings(channel.credentials);
  if (settings === null) return unreadable("the channel's settings are incomplete");
  if (!isAuthentic(request, settings)) {
    return unsigned("the header or the user that this channel wants is missing or wrong");
  }
  const incoming = readIncoming(request, settings);
  if (incoming === null) return unreadable("the body has too many fields or is no JSON object");
  return request.path === "status" || request.path.startsWith("status/")
    ? readReport(request.path, incoming, settings)
    : readMessage(incoming, settings);
}
