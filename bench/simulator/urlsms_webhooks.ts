/**
 * What a generic gateway calls us with: a GET (or form POST) with plain fields; reports as `?id=…&status=…`.
 *
 * @module
 */
import type { InboundWire } from "./carrier.ts";
import type { ContactMessage, WebhookTarget } from "./contact.ts";
import { formBody } from "./form.ts";
import { sidOf } from "./ids.ts";
import type { ReportPlan, ReportStatus } from "./reports.ts";
import { FORM, getText, postText, readTarget, withQuery } from "./request_text.ts";

/** Contacts' messages, by GET or as a form. */
export const URLSMS_WIRE: InboundWire = {
  defaults: { method: "GET", accountSid: "", authToken: "" },
  id: (runHex, sequence) => sidOf("SM", runHex, sequence),
  request: urlsmsInbound,
};

function urlsmsInbound(target: WebhookTarget, message: ContactMessage): string {
  const form = formBody([["from", message.from], ["to", message.to], ["text", message.text], [
    "id",
    message.id,
  ]]);
  return target.method === "POST" ? postText(target.url, FORM, form) : getText(withQuery(target.url, form));
}

/** How the gateway calls the three states. */
export type StatusWords = Readonly<Record<ReportStatus, string>>;

export const STATUS_WORDS: StatusWords = { sent: "sent", delivered: "delivered", undelivered: "undelivered" };

/**
 * Status calls about the message with `id`. `url` may place them with `{id}` and `{status}`; where it names
 * neither, both are added to the query. Null if it is no URL.
 */
export function urlsmsReports(url: string, words: StatusWords, id: string): ReportPlan | null {
  const target = readTarget(url);
  if (target === null) return null;
  const placed = url.includes("{id}") || url.includes("{status}");
  return {
    origin: target.origin,
    build(status, known) {
      const reported = known ? id : `unknown-${crypto.randomUUID()}`;
      if (!placed) return getText(withQuery(target, formBody([["id", reported], ["status", words[status]]])));
      const path = target.path.replaceAll("{id}", encodeURIComponent(reported))
        .replaceAll("{status}", encodeURIComponent(words[status]));
      return getText({ ...target, path });
    },
  };
}
