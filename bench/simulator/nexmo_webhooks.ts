/**
 * What Vonage's SMS API calls us with: contacts' messages, cut into parts where they are long, and delivery
 * receipts. By GET, as a form, or as JSON (format `json`); signed where the account has a signature secret.
 *
 * @module
 */
import { createHash, createHmac } from "node:crypto";
import type { InboundWire } from "./carrier.ts";
import type { ContactMessage, WebhookTarget } from "./contact.ts";
import { formBody } from "./form.ts";
import type { ReportPlan } from "./reports.ts";
import { FORM, getText, JSON_TYPE, postText, type RequestTarget, withQuery } from "./request_text.ts";
import { cutText, isGsm } from "./text_parts.ts";
import { VONAGE_DEFAULT_ACCOUNT, type VonageAccount } from "./vonage_account.ts";

type Field = readonly [name: string, value: string];

/** Formats: "" a form or a query, "json"; with the way of signing after a blank, e.g. "json sha256". */
export const NEXMO_WIRE: InboundWire = {
  defaults: {
    method: "POST",
    accountSid: VONAGE_DEFAULT_ACCOUNT.apiKey,
    authToken: VONAGE_DEFAULT_ACCOUNT.signatureSecret,
  },
  id: (runHex, sequence) => `${runHex.toUpperCase()}${sequence.toString(16).toUpperCase().padStart(8, "0")}`,
  request: (target, message) => request(target, fieldsOf(target, message)),
  requests(target, message) {
    const unicode = !isGsm(message.text);
    const parts = cutText(message.text, unicode);
    if (parts.length === 1) return [request(target, fieldsOf(target, message))];
    const reference = message.id.slice(-8);
    return parts.map((text, i) =>
      request(target, [
        ...fieldsOf(target, { ...message, text, id: i === 0 ? message.id : `${message.id}-${i}` }),
        ["concat", "true"],
        ["concat-ref", reference],
        ["concat-total", String(parts.length)],
        ["concat-part", String(i + 1)],
      ])
    );
  },
};

function fieldsOf(target: WebhookTarget, message: ContactMessage): Field[] {
  return [
    ["api-key", target.accountSid],
    ["msisdn", message.from.replace("+", "")],
    ["to", message.to.replace("+", "")],
    ["messageId", message.id],
    ["text", message.text],
    ["type", isGsm(message.text) ? "text" : "unicode"],
    ["keyword", (message.text.split(/\s/)[0] ?? "").toUpperCase()],
    ["message-timestamp", timestamp()],
  ];
}

function request(target: WebhookTarget, fields: readonly Field[]): string {
  const [format = "", method = VONAGE_DEFAULT_ACCOUNT.signatureMethod] = target.format.split(" ");
  const secret = target.signature === "wrong" ? `not ${target.authToken}` : target.authToken;
  const isSigned = target.signature !== "missing" && target.authToken !== "";
  const all = isSigned ? signed(fields, method as VonageAccount["signatureMethod"], secret) : fields;
  if (target.method === "GET") return getText(withQuery(target.url, formBody(all)));
  return format === "json"
    ? postText(target.url, JSON_TYPE, JSON.stringify(Object.fromEntries(all)))
    : postText(target.url, FORM, formBody(all));
}

function signed(fields: readonly Field[], method: VonageAccount["signatureMethod"], secret: string): Field[] {
  const all: Field[] = [
    ...fields,
    ["timestamp", String(Math.floor(Date.now() / 1000))],
    ["nonce", crypto.randomUUID()],
  ];
  const sorted = [...all].sort(([a], [b]) => (a < b ? -1 : 1));
  const base = sorted.map(([name, value]) => `&${name}=${value.replace(/[&=]/g, "_")}`).join("");
  const hash = method === "md5hash"
    ? createHash("md5").update(base + secret)
    : createHmac(method, secret).update(base);
  return [...all, ["sig", hash.digest("hex")]];
}

/** The receipts of one message, to the URL that it was sent with. */
export function nexmoReports(
  callback: RequestTarget,
  account: VonageAccount,
  message: { readonly id: string; readonly from: string; readonly to: string; readonly reference: string },
): ReportPlan {
  return {
    origin: callback.origin,
    build(status, known) {
      const fields: Field[] = [
        ["msisdn", message.to],
        ["to", message.from],
        ["network-code", "12345"],
        ["messageId", known ? message.id : crypto.randomUUID().replaceAll("-", "").toUpperCase()],
        ["price", "0.03330000"],
        ["status", status === "sent" ? "accepted" : status === "delivered" ? "delivered" : "failed"],
        ["scts", timestamp().replace(/\D/g, "").slice(2, 12)],
        ["err-code", status === "undelivered" ? "2" : "0"],
        ["api-key", account.apiKey],
        ...(message.reference === "" || !known ? [] : [["client-ref", message.reference]] as Field[]),
        ["message-timestamp", timestamp()],
      ];
      const all = account.signatureSecret === ""
        ? fields
        : signed(fields, account.signatureMethod, account.signatureSecret);
      return postText(callback, FORM, formBody(all));
    },
  };
}

function timestamp(): string {
  return new Date().toISOString().slice(0, 19).replace("T", " ");
}
