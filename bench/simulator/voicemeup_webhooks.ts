/**
 * What VoiceMeUp calls us with: JSON without a signature, numbers as bare digits.
 *
 * @module
 */
import type { InboundWire } from "./carrier.ts";
import type { ContactMessage, WebhookTarget } from "./contact.ts";
import { uuidOf } from "./ids.ts";
import type { ReportPlan } from "./reports.ts";
import { JSON_TYPE, postText, type RequestTarget } from "./request_text.ts";

/** Contacts' messages, as JSON. */
export const VOICEMEUP_WIRE: InboundWire = {
  defaults: { method: "POST", accountSid: "", authToken: "" },
  id: uuidOf,
  request: voicemeupInbound,
  requests: voicemeupRequests,
};

function voicemeupInbound(target: WebhookTarget, message: ContactMessage): string {
  return postText(target.url, JSON_TYPE, hookBody("inbound", message, "completed"));
}

/** An MMS comes twice: its text with a page around the media, then the media with no text, under another hash. */
function voicemeupRequests(target: WebhookTarget, message: ContactMessage): readonly string[] {
  const [first] = message.media ?? [];
  if (first === undefined) return [voicemeupInbound(target, message)];
  const sent = JSON.parse(hookBody("inbound", message, "completed"));
  const wrapper = {
    attachment: "https://clients.voicemeup.com/file/0f1e2d3c.mms.html",
    attachment_mime_type: "text/html",
  };
  const media = {
    sms_hash: `${message.id.slice(0, -1)}${message.id.endsWith("0") ? "1" : "0"}`,
    message: "",
    attachment: first.url,
    attachment_mime_type: first.contentType,
    attachment_size: "1000",
  };
  return [wrapper, media].map((over) =>
    postText(target.url, JSON_TYPE, JSON.stringify({ ...sent, ...over }))
  );
}

/** Calls with `direction: "outbound"`: not documented by the provider, so only where one is told where to. */
export function voicemeupReports(target: RequestTarget, message: ContactMessage): ReportPlan {
  return {
    origin: target.origin,
    build(status, known) {
      const id = known ? message.id : crypto.randomUUID();
      const word = status === "delivered" ? "completed" : status === "undelivered" ? "failed" : "sent";
      return postText(target, JSON_TYPE, hookBody("outbound", { ...message, id }, word));
    },
  };
}

function hookBody(
  direction: "inbound" | "outbound",
  message: ContactMessage,
  transmissionStatus: string,
): string {
  const at = new Date().toISOString();
  const date = at.slice(0, 10);
  const time = at.slice(11, 19);
  return JSON.stringify({
    sms_log_id: String(parseInt(message.id.slice(-8), 16) || 1),
    sms_hash: message.id,
    datetime: `${date} ${time}`,
    date,
    time,
    direction,
    source_number: message.from.replace("+", ""),
    destination_number: message.to.replace("+", ""),
    client_did_id: "1",
    message: message.text,
    attachment: null,
    attachment_size: null,
    attachment_mime_type: null,
    status: "enabled",
    transmission_status: transmissionStatus,
    datetime_transmission: `${date} ${time}`,
  });
}
