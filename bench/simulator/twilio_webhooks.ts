/**
 * What Twilio calls us with: contacts' messages and status callbacks, signed.
 *
 * @module
 */
import type { InboundWire } from "./carrier.ts";
import { formBody } from "./form.ts";
import { sidOf } from "./ids.ts";
import { TWILIO_DEFAULT_ACCOUNT } from "./twilio_account.ts";
import type { ContactMessage, WebhookTarget } from "./contact.ts";
import type { ReportPlan } from "./reports.ts";
import { FORM, getText, postText, type RequestTarget, withQuery } from "./request_text.ts";
import { type Field, signTwilio } from "./twilio_signature.ts";

const API_VERSION = "2010-04-01";

/** Contacts' messages, by POST or GET. */
export const TWILIO_WIRE: InboundWire = {
  defaults: {
    method: "POST",
    accountSid: TWILIO_DEFAULT_ACCOUNT.sid,
    authToken: TWILIO_DEFAULT_ACCOUNT.authToken,
  },
  id: (runHex, sequence) => sidOf("SM", runHex, sequence),
  request: twilioInbound,
};

function twilioInbound(target: WebhookTarget, message: ContactMessage): string {
  const fields: Field[] = [
    ["AccountSid", target.accountSid],
    ["ApiVersion", API_VERSION],
    ["Body", message.text],
    ["From", message.from],
    ["MessageSid", message.id],
    ...mediaFields(message),
    ["NumSegments", "1"],
    ["SmsMessageSid", message.id],
    ["SmsSid", message.id],
    ["SmsStatus", "received"],
    ["To", message.to],
  ];
  const signedUrl = target.publicUrl;
  if (target.method === "GET") {
    const query = formBody(fields);
    const signed = `${signedUrl}${signedUrl.includes("?") ? "&" : "?"}${query}`;
    return getText(withQuery(target.url, query), signatureHeader(target, signed, []));
  }
  return postText(target.url, FORM, formBody(fields), signatureHeader(target, signedUrl, fields));
}

function mediaFields({ media = [] }: ContactMessage): Field[] {
  return [
    ["NumMedia", String(media.length)],
    ...media.flatMap(({ url, contentType }, i): Field[] => [
      [`MediaUrl${i}`, url],
      [`MediaContentType${i}`, contentType],
    ]),
  ];
}

function signatureHeader(target: WebhookTarget, signedUrl: string, fields: readonly Field[]): string {
  if (target.signature === "missing") return "";
  const token = target.signature === "wrong" ? `not ${target.authToken}` : target.authToken;
  return `x-twilio-signature: ${signTwilio(token, signedUrl, fields)}\r\n`;
}

/** The status callbacks of one message, to the URL that it was sent with. */
export function twilioReports(
  callback: RequestTarget,
  callbackText: string,
  account: { readonly sid: string; readonly authToken: string },
  message: { readonly sid: string; readonly from: string; readonly to: string },
): ReportPlan {
  return {
    origin: callback.origin,
    build(status, known) {
      const sid = known ? message.sid : `SM${crypto.randomUUID().replaceAll("-", "")}`;
      const fields: Field[] = [
        ["AccountSid", account.sid],
        ["ApiVersion", API_VERSION],
        ...(status === "undelivered" ? [["ErrorCode", "30003"]] as Field[] : []),
        ["From", message.from],
        ["MessageSid", sid],
        ["MessageStatus", status],
        ["SmsSid", sid],
        ["SmsStatus", status],
        ["To", message.to],
      ];
      const signature = signTwilio(account.authToken, callbackText, fields);
      return postText(callback, FORM, formBody(fields), `x-twilio-signature: ${signature}\r\n`);
    },
  };
}
