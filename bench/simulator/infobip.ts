/**
 * Infobip's side: SMS API 3 and 2 and MMS API 2, whose answer is 200 whatever became of the message; webhooks with a
 * list of results.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import type { Carrier, InboundWire } from "./carrier.ts";
import type { ContactMessage, WebhookTarget } from "./contact.ts";
import type { ServerReply, ServerRequest } from "./http_server.ts";
import { uuidOf } from "./ids.ts";
import { jsonBody } from "./json_fields.ts";
import type { ReportPlan, ReportStatus } from "./reports.ts";
import { JSON_TYPE, postText, readTarget, type RequestTarget } from "./request_text.ts";
import type { Outcome, SendDesk } from "./send_desk.ts";

export interface InfobipAccount {
  readonly apiKey: string;
  /** Signs webhooks, in `x-hub-signature`; "": they are not signed. */
  readonly webhookSecret: string;
  /** Brought by webhooks as HTTP Basic; "": none. */
  readonly webhookUser: string;
  readonly webhookPassword: string;
}

/** The account that exists when none is named. */
export const INFOBIP_DEFAULT_ACCOUNT: InfobipAccount = {
  apiKey: "0123456789abcdef0123456789abcdef-01234567-89ab-4def-8123-456789abcdef",
  webhookSecret: "simulator-hmac-secret",
  webhookUser: "",
  webhookPassword: "",
};

const SENDS: ReadonlySet<string> = new Set(["/sms/3/messages", "/sms/2/text/advanced", "/mms/2/messages"]);
const PHONE = /^\+?[1-9][0-9]{6,14}$/;
const PENDING = { groupId: 1, groupName: "PENDING", id: 26, name: "PENDING_ACCEPTED" };
const rejected = (id: number, name: string) => ({ groupId: 5, groupName: "REJECTED", id, name });

type Json = Readonly<Record<string, unknown>>;

const word = (value: unknown) => typeof value === "string" ? value : "";
const inside = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value as Json : {};
const list = (value: unknown): readonly Json[] => Array.isArray(value) ? value.map(inside) : [];

interface Read {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly media: readonly string[];
  readonly messageId: string;
  readonly callback: string;
}

/** The first message: Patchbay sends one in a request. */
function readMessage(path: string, body: Json): Read {
  const message = list(body["messages"])[0] ?? {};
  const destination = list(message["destinations"])[0] ?? {};
  const content = inside(message["content"]);
  const segments = list(content["messageSegments"]);
  const isFirst = path === "/sms/2/text/advanced";
  const text = isFirst
    ? word(message["text"])
    : segments.length > 0
    ? segments.map((segment) => word(segment["text"])).filter((text) => text !== "").join("\n")
    : word(content["text"]);
  return {
    from: word(message[isFirst ? "from" : "sender"]),
    to: word(destination["to"]),
    text,
    media: segments.map((segment) => word(segment["contentUrl"])).filter((url) => url !== ""),
    messageId: word(destination["messageId"]),
    callback: isFirst
      ? word(message["notifyUrl"])
      : word(inside(inside(message["webhooks"])["delivery"])["url"]),
  };
}

export class Infobip implements Carrier {
  readonly #taken = new Set<string>();

  constructor(
    private readonly account: InfobipAccount,
    private readonly runHex: string,
    private readonly desk: SendDesk,
  ) {}

  owns(path: string): boolean {
    return SENDS.has(path) || path === "/account/1/balance";
  }

  handle(request: ServerRequest, atMs: number): ServerReply {
    const isCaller = request.header("authorization") === `App ${this.account.apiKey}`;
    if (request.path === "/account/1/balance") {
      return isCaller ? answer(200, { balance: 47.8, currency: "EUR" }) : unauthorized();
    }
    const read = readMessage(request.path, jsonBody(request.body));
    const send = {
      provider: "infobip" as const,
      atMs,
      from: read.from,
      to: read.to,
      text: read.text,
      ...(read.media.length === 0 ? {} : { media: read.media }),
      messageId: read.messageId === "" ? null : read.messageId,
    };
    if (!isCaller) {
      this.desk.refuse(send, 401, "401");
      return unauthorized();
    }
    if (read.to === "" || read.text === "" && read.media.length === 0) {
      this.desk.refuse(send, 400, "400");
      const property = read.to === "" ? "messages[0].destinations[0].to" : "messages[0].content";
      return answer(400, {
        errorCode: "E400",
        description: "Request cannot be processed.",
        violations: [{ property, violation: "must not be empty" }],
      });
    }
    const refuse = (id: number, name: string) => {
      this.desk.refuse(send, 200, String(id));
      return answer(200, messages(read, read.messageId || "0", rejected(id, name)));
    };
    if (!PHONE.test(read.to)) return refuse(52, "REJECTED_DESTINATION");
    if (this.#taken.has(read.messageId)) return refuse(23, "REJECTED_DUPLICATE_MESSAGE_ID");
    const target = readTarget(read.callback);
    const outcome = this.desk.take({
      ...send,
      makeId: (sequence) => {
        if (read.messageId !== "") this.#taken.add(read.messageId);
        return read.messageId || uuidOf(this.runHex, sequence);
      },
      plan: (id) => target === null ? null : infobipReports(target, this.account, id, read),
    }, statusOf);
    switch (outcome.kind) {
      case "silent":
        return outcome.reply;
      case "taken":
        return { ...answer(200, messages(read, outcome.providerId, PENDING)), delayMs: outcome.delayMs };
      case "refuse":
        return this.#refused(read, outcome);
    }
  }

  #refused(read: Read, outcome: Extract<Outcome, { kind: "refuse" }>): ServerReply {
    const { delayMs, retryAfterSeconds: retry } = outcome;
    const status = statusOf(outcome);
    if (outcome.why === "opted-out") {
      return {
        ...answer(status, messages(read, "0", rejected(14, "REJECTED_DESTINATION_BLOCKLISTED"))),
        delayMs,
      };
    }
    if (outcome.why === "invalid-number") {
      return {
        ...answer(status, messages(read, "0", rejected(51, "REJECTED_INVALID_DESTINATION"))),
        delayMs,
      };
    }
    const serviceException = outcome.why === "throttled"
      ? { messageId: "TOO_MANY_REQUESTS", text: "Too many requests" }
      : { messageId: String(outcome.code ?? "GENERAL_ERROR"), text: outcome.message };
    return {
      ...answer(status, { requestError: { serviceException } }),
      delayMs,
      ...(retry === undefined ? {} : { extraHeaders: `retry-after: ${retry}\r\n` }),
    };
  }
}

function statusOf(outcome: Exclude<Outcome, { kind: "silent" }>): number {
  if (outcome.kind === "taken") return 200;
  return outcome.why === "throttled" || outcome.why === "made-to-fail" ? outcome.status : 200;
}

function messages(read: Read, id: string, status: Json) {
  const told = { ...status, description: "Message status" };
  return {
    bulkId: "2034072219640523072",
    messages: [{
      messageId: id,
      to: read.to,
      destination: read.to,
      status: told,
      details: { messageCount: 1 },
    }],
  };
}

function answer(status: number, body: unknown): Extract<ServerReply, { kind: "answer" }> {
  return { kind: "answer", status, contentType: JSON_TYPE, body: JSON.stringify(body) };
}

function unauthorized(): ServerReply {
  return answer(401, {
    requestError: { serviceException: { messageId: "UNAUTHORIZED", text: "Invalid login details" } },
  });
}

/** The offset without a colon. */
function stamp(): string {
  return new Date().toISOString().replace("Z", "+0000");
}

const FATES: Readonly<Record<ReportStatus, readonly [status: Json, error: Json]>> = {
  sent: [
    { groupId: 1, groupName: "PENDING", id: 7, name: "PENDING_ENROUTE" },
    { groupId: 0, groupName: "OK", id: 0, name: "NO_ERROR", permanent: false },
  ],
  delivered: [
    { groupId: 3, groupName: "DELIVERED", id: 5, name: "DELIVERED_TO_HANDSET" },
    { groupId: 0, groupName: "OK", id: 0, name: "NO_ERROR", permanent: false },
  ],
  undelivered: [
    { groupId: 2, groupName: "UNDELIVERABLE", id: 9, name: "UNDELIVERABLE_NOT_DELIVERED" },
    { groupId: 1, groupName: "HANDSET_ERRORS", id: 27, name: "EC_ABSENT_SUBSCRIBER", permanent: false },
  ],
};

function proofHeaders(account: InfobipAccount, body: string, signature: WebhookTarget["signature"]): string {
  if (signature === "missing") return "";
  const wrong = signature === "wrong" ? "not " : "";
  const hmac = createHmac("sha256", wrong + account.webhookSecret).update(body).digest("hex");
  const basic = btoa(`${account.webhookUser}:${wrong}${account.webhookPassword}`);
  return (account.webhookSecret === "" ? "" : `x-hub-signature: ${hmac}\r\n`) +
    (account.webhookUser === "" ? "" : `authorization: Basic ${basic}\r\n`);
}

function infobipReports(target: RequestTarget, account: InfobipAccount, id: string, read: Read): ReportPlan {
  return {
    origin: target.origin,
    build(status, known) {
      const [told, error] = FATES[status];
      const body = JSON.stringify({
        results: [{
          bulkId: "2034072219640523072",
          messageId: known ? id : crypto.randomUUID(),
          to: read.to,
          sender: read.from,
          sentAt: stamp(),
          doneAt: stamp(),
          messageCount: 1,
          mccMnc: "310260",
          price: { pricePerMessage: 0, currency: "EUR" },
          status: told,
          error,
        }],
      });
      return postText(target, JSON_TYPE, body, proofHeaders(account, body, "valid"));
    },
  };
}

/** Contacts' messages. `authToken` signs; with format `basic`, `accountSid` and `authToken` are user and password. */
export const INFOBIP_WIRE: InboundWire = {
  defaults: { method: "POST", accountSid: "simulator", authToken: INFOBIP_DEFAULT_ACCOUNT.webhookSecret },
  id: uuidOf,
  request: (target, message) => infobipBatch(target, [message]),
};

/** Several messages in one request, as Infobip delivers what has waited. */
export function infobipBatch(target: WebhookTarget, batch: readonly ContactMessage[]): string {
  const body = JSON.stringify({
    results: batch.map(inboundResult),
    messageCount: batch.length,
    pendingMessageCount: 0,
  });
  const isBasic = target.format === "basic";
  const account: InfobipAccount = {
    apiKey: "",
    webhookSecret: isBasic ? "" : target.authToken,
    webhookUser: isBasic ? target.accountSid : "",
    webhookPassword: isBasic ? target.authToken : "",
  };
  return postText(target.url, JSON_TYPE, body, proofHeaders(account, body, target.signature));
}

function inboundResult({ id, from, to, text, media = [] }: ContactMessage) {
  const content = media.length === 0 ? { text, cleanText: text, keyword: "", smsCount: 1 } : {
    message: [
      ...(text === "" ? [] : [{ contentType: "text/plain", value: text }]),
      ...media.map(({ url, contentType }) => ({ contentType, url })),
    ],
  };
  return {
    messageId: id,
    from: from.replace("+", ""),
    to: to.replace("+", ""),
    receivedAt: stamp(),
    price: { pricePerMessage: 0, currency: "EUR" },
    ...content,
  };
}
