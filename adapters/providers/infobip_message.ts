/**
 * A message as Infobip takes it: by SMS API 3 or 2, or by MMS API 2.
 *
 * @module
 */
import type { OutgoingMessage } from "../../core/ports/provider.ts";

const VALIDITY_MAX_MINUTES = 2_880;

export interface InfobipRequest {
  readonly path: string;
  readonly body: unknown;
}

function withoutPlus(address: string): string {
  return address.startsWith("+") ? address.slice(1) : address;
}

function validityMinutes(message: OutgoingMessage): number | undefined {
  if (message.validitySeconds === undefined) return undefined;
  return Math.min(Math.max(Math.ceil(message.validitySeconds / 60), 1), VALIDITY_MAX_MINUTES);
}

/** Our id goes with it: a repeat with the same one is refused as a duplicate. */
function destinations(message: OutgoingMessage) {
  return [{ to: withoutPlus(message.to), messageId: message.id }];
}

function delivery(message: OutgoingMessage) {
  return message.statusUrl === "" ? {} : {
    webhooks: {
      delivery: { url: message.statusUrl, intermediateReport: true },
      contentType: "application/json",
    },
  };
}

/** For accounts that are not on the third version yet, and what Infobip's library speaks. */
function smsV2(message: OutgoingMessage): InfobipRequest {
  const minutes = validityMinutes(message);
  return {
    path: "/sms/2/text/advanced",
    body: {
      messages: [{
        from: withoutPlus(message.from),
        destinations: destinations(message),
        text: message.text.toWellFormed(),
        ...(message.statusUrl !== "" &&
          { notifyUrl: message.statusUrl, notifyContentType: "application/json", intermediateReport: true }),
        ...(minutes !== undefined && { validityPeriod: minutes }),
      }],
    },
  };
}

function smsV3(message: OutgoingMessage): InfobipRequest {
  const minutes = validityMinutes(message);
  return {
    path: "/sms/3/messages",
    body: {
      messages: [{
        sender: withoutPlus(message.from),
        destinations: destinations(message),
        content: { text: message.text.toWellFormed() },
        ...(minutes !== undefined &&
          { options: { validityPeriod: { amount: minutes, timeUnit: "MINUTES" } } }),
        ...delivery(message),
      }],
    },
  };
}

function mms(message: OutgoingMessage): InfobipRequest {
  const messageSegments = [
    ...(message.text === "" ? [] : [{ type: "TEXT", text: message.text.toWellFormed() }]),
    ...message.media.map(({ url, contentType }) => ({
      type: "LINK",
      contentUrl: url,
      ...(contentType !== undefined && { contentType }),
    })),
  ];
  return {
    path: "/mms/2/messages",
    body: {
      messages: [{
        sender: withoutPlus(message.from),
        destinations: destinations(message),
        content: { messageSegments },
        ...delivery(message),
      }],
    },
  };
}

/** The request that sends `message`. */
export function infobipRequest(message: OutgoingMessage, version: "v2" | "v3"): InfobipRequest {
  if (message.media.length > 0) return mms(message);
  return version === "v2" ? smsV2(message) : smsV3(message);
}
