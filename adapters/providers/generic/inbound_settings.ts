/**
 * What is set about the calls of a gateway.
 *
 * @module
 */
import { z } from "zod";
import { parseAddress } from "../../../core/phone_number.ts";
import { cidrFault } from "./cidr.ts";
import { secret, told } from "./setting_help.ts";
import { fieldNames, headerName, line, path } from "./setting_parts.ts";

export const REPORT_WORDS = [
  "queued",
  "sent",
  "delivered",
  "failed",
  "undelivered",
  "rejected",
  "expired",
] as const;

const names = (title: string, ...defaults: string[]) => fieldNames.default(defaults).meta({ title });

export const inboundShape = {
  fields: told(
    z.object({
      from: names("From", "from", "sender", "phone", "celular", "msisdn", "origen", "number"),
      to: names("To", "to", "receiver", "destino", "shortcode"),
      text: names("Text", "text", "message", "mensaje", "body", "texto"),
      id: names("Id", "id", "message_id", "messageId", "sms_id"),
      media: names("Media", "media", "media_url", "MediaUrl0"),
      status: names("Status", "status", "state", "estado", "dlr"),
      error: names("Error code", "error_code", "errorCode", "error"),
    }).strict().prefault({}),
    "Fields that come in",
    "Their names, tried in order; in JSON and XML also paths like sms.from",
    { from: ["sender"], text: ["content"] },
  ),
  itemsPath: told(
    path.optional(),
    "Path of the list",
    "Where a JSON or XML document has its list, if one call brings several messages or reports",
    "results",
  ),
  inboundTextAs: told(
    z.enum(["text", "ucs2-hex"]).default("text"),
    "Form of texts that come in",
    "As text or as hex digits of UCS-2",
    "text",
  ),
  reportField: told(
    z.string().min(1).max(100).optional(),
    "Field of reports",
    "For gateways that call one address for everything: what has this field is a delivery report",
    "dlr",
  ),
  statusWords: told(
    z.record(z.string().min(1).max(100), z.enum(REPORT_WORDS)).default({}),
    "Words of reports",
    "What the gateway calls the states of a message; added to the words that are known",
    { DELIVRD: "delivered" },
  ),
  inboundNumber: told(
    z.string().refine((text) => parseAddress(text) !== null, { message: "is not a number" }).optional(),
    "Our number",
    "Ours, where what comes in does not say",
    "+59899000000",
  ),
  reply: told(
    z.object({
      status: z.number().int().min(200).max(299).default(200),
      contentType: line.min(1).default("text/plain; charset=utf-8"),
      body: z.string().max(10_000).default("OK"),
    }).strict().prefault({}),
    "Reply",
    "What the gateway is answered when it calls",
    { body: "<ok/>", contentType: "text/xml" },
  ),
};

export const webhookShape = {
  webhookHeader: told(
    headerName.optional(),
    "Secret header",
    "Header that a caller must bring",
    "X-Gateway-Key",
  ),
  webhookHeaderValue: secret(
    line.min(8).optional(),
    "Its value",
    "Of the secret header",
    "a-long-random-text",
  ),
  webhookUser: told(
    line.min(1).optional(),
    "Caller's user",
    "HTTP Basic that a caller must bring",
    "gateway",
  ),
  webhookPassword: secret(line.min(1).optional(), "Caller's password", "Of the caller's user", "s3cret"),
  webhookHmacSecret: secret(
    line.min(8).optional(),
    "Signing secret",
    "The raw body must be signed with it (HMAC)",
    "a-long-random-text",
  ),
  webhookHmacHeader: told(
    headerName.default("X-Signature"),
    "Signature header",
    "Where the signature stands",
    "X-Signature",
  ),
  webhookHmacPrefix: told(line.default(""), "Signature prefix", "What stands before it", "sha256="),
  webhookHmacAlgorithm: told(
    z.enum(["sha1", "sha256", "sha512"]).default("sha256"),
    "Signature algorithm",
    "Of the HMAC",
    "sha256",
  ),
  webhookHmacEncoding: told(
    z.enum(["hex", "base64"]).default("hex"),
    "Signature digits",
    "How it is written",
    "hex",
  ),
  webhookAddresses: told(
    z.array(
      z.string().max(50).superRefine((text, context) => {
        const fault = cidrFault(text);
        if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
      }),
    ).max(100).default([]),
    "Callers' addresses",
    "Addresses and ranges that may call; empty: all",
    ["203.0.113.0/24"],
  ),
  webhookProxies: told(
    z.number().int().min(0).max(5).default(0),
    "Proxies before us",
    "How many of our own proxies stand before us: the caller's address is that many places from the end of X-Forwarded-For",
    1,
  ),
};
