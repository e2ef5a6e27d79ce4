/**
 * TeleSign's side: texts as a form, media as JSON, by Basic or by signed requests; callbacks signed with the key.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import type { Carrier, InboundWire } from "./carrier.ts";
import type { ContactMessage, WebhookTarget } from "./contact.ts";
import { firstField, parseForm } from "./form.ts";
import type { ServerReply, ServerRequest } from "./http_server.ts";
import { jsonBody } from "./json_fields.ts";
import type { ReportPlan, ReportStatus } from "./reports.ts";
import { JSON_TYPE, postText, readTarget, type RequestTarget } from "./request_text.ts";
import type { Outcome, SendDesk } from "./send_desk.ts";

export interface TelesignAccount {
  readonly customerId: string;
  /** Base64 of the key proper. */
  readonly apiKey: string;
}

/** The account that exists when none is named. */
export const TELESIGN_DEFAULT_ACCOUNT: TelesignAccount = {
  customerId: "00000000-1111-2222-3333-444444444444",
  apiKey: "c2ltdWxhdG9yLXRlbGVzaWduLWtleS0wMDAwMDAwMDE=",
};

const PHONE = /^[1-9][0-9]{6,14}$/;
const TEXT_MAX = 1_600;
/** HTTP status, code and description by reason of a refusal. */
const FAULTS: Readonly<
  Record<Extract<Outcome, { kind: "refuse" }>["why"], readonly [number | null, number, string]>
> = {
  throttled: [429, 10019, "Rate Limit Exceeded"],
  "opted-out": [200, 510, "Message blocked by subscriber action or request"],
  "invalid-number": [400, 11000, "Invalid value for parameter phone_number"],
  "made-to-fail": [null, 10000, "The system is currently unavailable"],
};

interface Request {
  readonly to: string;
  readonly from: string;
  readonly text: string;
  readonly media: readonly string[];
  readonly externalId: string;
  readonly callback: string;
  readonly messageType: string;
}

export class Telesign implements Carrier {
  constructor(
    private readonly account: TelesignAccount,
    private readonly runHex: string,
    private readonly desk: SendDesk,
  ) {}

  owns(path: string): boolean {
    return path.startsWith("/v1/messaging") || path === "/v1/omnichannel";
  }

  handle(request: ServerRequest, atMs: number): ServerReply {
    const isCaller = isAuthorized(this.account, request);
    if (request.method === "GET") {
      return isCaller
        ? answer(404, "", { code: 10036, description: "Reference ID not found or expired" })
        : unauthorized();
    }
    const isMedia = request.path === "/v1/omnichannel";
    const read = isMedia ? readOmnichannel(request.body) : readForm(request.body);
    const send = {
      provider: "telesign" as const,
      atMs,
      from: read.from,
      to: read.to,
      text: read.text,
      ...(read.media.length === 0 ? {} : { media: read.media }),
      messageId: read.externalId === "" ? null : read.externalId,
    };
    if (!isCaller) {
      this.desk.refuse(send, 401, "10015");
      return unauthorized();
    }
    const fault = faultOf(read);
    if (fault !== null) {
      this.desk.refuse(send, 400, String(fault[0]));
      return answer(400, "", { code: fault[0], description: fault[1] });
    }
    const target = readTarget(read.callback);
    const outcome = this.desk.take({
      ...send,
      makeId: (sequence) => `${this.runHex}${sequence.toString(16).padStart(16, "0")}`.toUpperCase(),
      plan: (id) => target === null ? null : telesignReports(target, this.account, id, read),
    }, statusOf);
    switch (outcome.kind) {
      case "silent":
        return outcome.reply;
      case "taken": {
        const status = isMedia
          ? { code: 3001, description: "Message in progress" }
          : { code: 290, description: "Message in progress" };
        return { ...answer(200, outcome.providerId, status, read.externalId), delayMs: outcome.delayMs };
      }
      case "refuse": {
        const [, code, description] = FAULTS[outcome.why];
        const named = outcome.code === undefined ? code : Number(outcome.code) || code;
        return {
          ...answer(statusOf(outcome), "", { code: named, description }),
          delayMs: outcome.delayMs,
        };
      }
    }
  }
}

function statusOf(outcome: Exclude<Outcome, { kind: "silent" }>): number {
  return outcome.kind === "taken" ? 200 : FAULTS[outcome.why][0] ?? outcome.status;
}

function readForm(body: string): Request {
  const fields = parseForm(body);
  return {
    to: firstField(fields, "phone_number"),
    from: firstField(fields, "sender_id"),
    text: firstField(fields, "message"),
    media: [],
    externalId: firstField(fields, "external_id"),
    callback: firstField(fields, "callback_url"),
    messageType: firstField(fields, "message_type"),
  };
}

type Json = Readonly<Record<string, unknown>>;

const word = (value: unknown) => typeof value === "string" ? value : "";
const inside = (value: unknown): Json => typeof value === "object" && value !== null ? value as Json : {};

function readOmnichannel(body: string): Request {
  const fields = jsonBody(body);
  const parameters = inside(inside(inside(fields["message"])["mms"])["parameters"]);
  const url = word(parameters["url"]);
  return {
    to: word(fields["phone_number"]),
    from: word(fields["sender_id"]),
    text: word(parameters["text"]),
    media: url === "" ? [] : [url],
    externalId: word(fields["external_id"]),
    callback: word(fields["callback_url"]),
    messageType: word(fields["message_type"]),
  };
}

function faultOf(read: Request): readonly [code: number, description: string] | null {
  if (!PHONE.test(read.to)) return [11000, "Invalid value for parameter phone_number"];
  if (!["OTP", "ARN", "MKT"].includes(read.messageType)) {
    return [12017, "Missing required parameter message_type"];
  }
  if (read.text === "" && read.media.length === 0) return [12009, "Missing required parameter message"];
  if (read.text.length > TEXT_MAX) return [11009, "Invalid value for parameter message"];
  return read.callback !== "" && readTarget(read.callback) === null
    ? [11004, "Invalid value for parameter callback_url"]
    : null;
}

function hmac(account: TelesignAccount, text: string): string {
  return createHmac("sha256", Buffer.from(account.apiKey, "base64")).update(text).digest("base64");
}

function isAuthorized(account: TelesignAccount, request: ServerRequest): boolean {
  const authorization = request.header("authorization") ?? "";
  if (authorization === `Basic ${btoa(`${account.customerId}:${account.apiKey}`)}`) return true;
  const text = [
    request.method,
    request.method === "GET" ? "" : request.header("content-type") ?? "",
    request.header("date") ?? "",
    `x-ts-auth-method:${request.header("x-ts-auth-method") ?? ""}`,
    `x-ts-nonce:${request.header("x-ts-nonce") ?? ""}`,
    ...(request.body === "" ? [] : [request.body]),
    request.path,
  ].join("\n");
  return authorization === `TSA ${account.customerId}:${hmac(account, text)}`;
}

function answer(
  status: number,
  referenceId: string,
  fate: { readonly code: number; readonly description: string },
  externalId = "",
): Extract<ServerReply, { kind: "answer" }> {
  const isError = referenceId === "";
  const body = {
    reference_id: isError ? null : referenceId,
    external_id: externalId === "" ? null : externalId,
    status: { ...fate, updated_on: stamp() },
    ...(isError && fate.code >= 10_000 ? { errors: [fate] } : {}),
  };
  return { kind: "answer", status, contentType: JSON_TYPE, body: JSON.stringify(body) };
}

function unauthorized(): ServerReply {
  return answer(401, "", { code: 10015, description: "Customer ID not found" });
}

/** With microseconds. */
function stamp(): string {
  return new Date().toISOString().replace("Z", "000Z");
}

function signedPost(
  target: RequestTarget,
  account: TelesignAccount,
  body: string,
  signature: WebhookTarget["signature"] = "valid",
): string {
  if (signature === "missing") return postText(target, JSON_TYPE, body);
  const signed = hmac(account, signature === "wrong" ? `${body} ` : body);
  return postText(
    target,
    JSON_TYPE,
    body,
    `authorization: TSA ${account.customerId}:${signed}\r\nx-ts-authorization: ${signed}\r\n`,
  );
}

const FATES: Readonly<Record<ReportStatus, readonly [number, string]>> = {
  sent: [203, "Delivered to gateway"],
  delivered: [200, "Delivered to handset"],
  undelivered: [210, "Temporary phone error"],
};

function telesignReports(
  target: RequestTarget,
  account: TelesignAccount,
  id: string,
  read: Request,
): ReportPlan {
  return {
    origin: target.origin,
    build(status, known) {
      const [code, description] = FATES[status];
      const body = JSON.stringify({
        reference_id: known ? id : crypto.randomUUID().replaceAll("-", "").toUpperCase(),
        sub_resource: "sms",
        ...(known && read.externalId !== "" ? { external_id: read.externalId } : {}),
        submit_timestamp: stamp(),
        status: { code, description, updated_on: stamp() },
        additional_info: { mcc: "310", mnc: "260", message_parts_count: 1 },
      });
      return signedPost(target, account, body);
    },
  };
}

/** Contacts' messages. `accountSid` is the customer's id and `authToken` the key. */
export const TELESIGN_WIRE: InboundWire = {
  defaults: {
    method: "POST",
    accountSid: TELESIGN_DEFAULT_ACCOUNT.customerId,
    authToken: TELESIGN_DEFAULT_ACCOUNT.apiKey,
  },
  id: (runHex, sequence) => `${runHex}${sequence.toString(16).padStart(16, "0")}`.toUpperCase(),
  request(target, message) {
    const account = { customerId: target.accountSid, apiKey: target.authToken };
    return signedPost(target.url, account, inboundBody(message), target.signature);
  },
};

function inboundBody({ id, from, to, text, media = [] }: ContactMessage): string {
  const isMedia = media.length > 0;
  return JSON.stringify({
    reference_id: id,
    sub_resource: isMedia ? "mo_mms" : "mo_sms",
    errors: {},
    submit_timestamp: stamp(),
    status: { code: 1500, description: "Delivered", updated_on: stamp() },
    user_response: {
      phone_number: from.replace("+", ""),
      sender_id: to.replace("+", ""),
      iso_country_code: "US",
      ...(isMedia
        ? {
          content: {
            subject: "",
            text_1: text,
            ...Object.fromEntries(media.map(({ url }, i) => [`url_image_${i + 1}`, url])),
          },
        }
        : { action: "generic", keyword: "", mo_message: text }),
    },
  });
}
