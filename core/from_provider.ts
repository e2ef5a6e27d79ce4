/**
 * What a provider told, by webhook or by poll, as entries of the logs.
 *
 * @module
 */
import type { Channel } from "./channel.ts";
import type { Directory } from "./directory.ts";
import type { InboundEntry, ReportEntry } from "./entry.ts";
import { sha256Base64url } from "./hash.ts";
import type { ParsedInbound, ParsedReport } from "./ports/provider.ts";

/** Whether a message that came in by `channel` is to one of its numbers that receive. */
export function isReceived(directory: Directory, channel: Channel, message: ParsedInbound): boolean {
  const number = directory.numbersByAddress.get(message.number);
  return number?.channelId === channel.id && number.direction !== "outbound";
}

/** A contact's message that the ingress accepts at `at`, ms since 1970. */
export function inboundEntry(channel: Channel, message: ParsedInbound, at: number): InboundEntry {
  return {
    kind: "inbound",
    key: inboundKey(channel, message, at),
    at,
    channelId: channel.id,
    number: message.number,
    contact: message.contact,
    text: message.text,
    ...(message.media.length === 0 ? {} : { media: [...message.media] }),
    ...(message.providerId === undefined ? {} : { providerId: message.providerId }),
    ...(message.fragment === undefined ? {} : { fragment: message.fragment }),
  };
}

/**
 * What a repeat of the same delivery has in common with it: the provider's id, or, where there is none, the
 * content within the same minute. The contact is part of it, so that an id used twice cannot make one contact's
 * message pass for another's.
 */
export function inboundKey(channel: Channel, message: ParsedInbound, at: number): string {
  let text = `${channel.id}\0${message.contact}\0`;
  // Parts of one message may share an id, and be alike.
  if (message.fragment !== undefined) text += `part\0${message.fragment.group}\0${message.fragment.index}\0`;
  if (message.providerId !== undefined) text += `id\0${message.providerId}`;
  else {
    const minute = Math.floor(at / 60_000);
    text += `content\0${message.number}\0${minute}\0${message.text}${JSON.stringify(message.media)}`;
  }
  return sha256Base64url(text).slice(0, 27);
}

/** A delivery report that the ingress accepts at `at`, ms since 1970. */
export function reportEntry(channel: Channel, report: ParsedReport, at: number): ReportEntry {
  return { kind: "report", at, channelId: channel.id, ...report };
}
