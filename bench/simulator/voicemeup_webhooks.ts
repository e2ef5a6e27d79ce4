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
};

function voicemeupInbound(target: WebhookTarget, message: ContactMessage): string {
  return postText(target.url, JSON_TYPE, hookBody("inbound", message, "completed"));
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
