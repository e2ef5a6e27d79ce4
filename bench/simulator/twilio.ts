/**
 * Twilio's side of Programmable Messaging: sends, the account, look-ups.
 *
 * @module
 */
import type { Carrier } from "./carrier.ts";
import { firstField, parseForm } from "./form.ts";
import type { ServerReply, ServerRequest } from "./http_server.ts";
import { sequenceOfSid, sidOf } from "./ids.ts";
import type { CallLog, CallRecord } from "./record.ts";
import { JSON_TYPE, readTarget } from "./request_text.ts";
import type { Outcome, SendDesk } from "./send_desk.ts";
import type { TwilioAccount } from "./twilio_account.ts";
import { twilioReports } from "./twilio_webhooks.ts";

const PREFIX = "/2010-04-01/Accounts/";
const BODY_MAX_CHARS = 1_600;
const PHONE = /^\+[1-9][0-9]{6,14}$/;
/** Numbers that Twilio keeps for tests, with the code they are refused with. */
const MAGIC: Readonly<Record<string, number>> = { "+15005550001": 21211, "+15005550009": 21614 };
const CODES: Readonly<Record<Extract<Outcome, { kind: "refuse" }>["why"], number>> = {
  throttled: 20429,
  "opted-out": 21610,
  "invalid-number": 21211,
  "made-to-fail": 20500,
};

export class Twilio implements Carrier {
  readonly #byAuthorization = new Map<string, TwilioAccount>();

  constructor(
    accounts: readonly TwilioAccount[],
    private readonly runHex: string,
    private readonly desk: SendDesk,
    private readonly log: CallLog,
  ) {
    for (const account of accounts) {
      this.#byAuthorization.set(`Basic ${btoa(`${account.sid}:${account.authToken}`)}`, account);
    }
  }

  owns(path: string): boolean {
    return path.startsWith("/2010-04-01/");
  }

  /** Answers a request below `/2010-04-01/`. */
  handle(request: ServerRequest, atMs: number): ServerReply {
    if (!request.path.startsWith(PREFIX)) return problem(404, 20404, "The requested resource was not found");
    const sidEnd = PREFIX.length + 34;
    const sid = request.path.slice(PREFIX.length, sidEnd);
    const rest = request.path.slice(sidEnd);
    const account = this.#byAuthorization.get(request.header("authorization") ?? "");
    const authorized = account !== undefined && account.sid === sid;
    if (request.method === "POST" && rest === "/Messages.json") {
      return this.#send(request.body, sid, authorized ? account : null, atMs);
    }
    if (!authorized) return unauthorized();
    if (request.method !== "GET") return problem(405, 20004, "Method not allowed");
    if (rest === ".json") return answer(200, accountResource(sid));
    if (rest === "/Messages.json") return this.#list(request.query, sid);
    const found = /^\/Messages\/([A-Z]{2}[0-9a-f]{32})\.json$/.exec(rest);
    const sequence = found === null ? null : sequenceOfSid(found[1]!, this.runHex);
    const call = sequence === null ? undefined : this.log.at(sequence);
    if (call?.providerId !== found?.[1]) {
      return problem(404, 20404, `The requested resource ${request.path} was not found`);
    }
    return answer(200, messageResource(sid, call!, "sent"));
  }

  #send(body: string, sid: string, account: TwilioAccount | null, atMs: number): ServerReply {
    const fields = parseForm(body);
    const callback = firstField(fields, "StatusCallback");
    const media = fields.get("MediaUrl") ?? [];
    const hasMedia = media.length > 0;
    const send = {
      provider: "twilio" as const,
      atMs,
      from: firstField(fields, "From", "MessagingServiceSid"),
      to: firstField(fields, "To"),
      text: firstField(fields, "Body"),
      ...(hasMedia ? { media } : {}),
      messageId: idInUrl(callback),
    };
    if (account === null) {
      this.desk.refuse(send, 401, "20003");
      return unauthorized();
    }
    const callbackUrl = callback === "" ? null : readTarget(callback);
    const fault = callback !== "" && callbackUrl === null
      ? { code: 21609, message: `The 'StatusCallback' URL ${callback} is not a valid URL.` }
      : faultOf(send, hasMedia);
    if (fault !== null) {
      this.desk.refuse(send, 400, String(fault.code));
      return problem(400, fault.code, fault.message);
    }
    const outcome = this.desk.take({
      ...send,
      makeId: (sequence) => sidOf(hasMedia ? "MM" : "SM", this.runHex, sequence),
      plan: (id) =>
        callbackUrl === null
          ? null
          : twilioReports(callbackUrl, callback, account, { sid: id, from: send.from, to: send.to }),
    }, (outcome) => outcome.kind === "taken" ? 201 : outcome.status);
    switch (outcome.kind) {
      case "silent":
        return outcome.reply;
      case "taken": {
        const status = fields.has("From") ? "queued" : "accepted";
        const resource = messageResource(sid, { ...send, providerId: outcome.providerId }, status);
        return { ...answer(201, resource), delayMs: outcome.delayMs };
      }
      case "refuse": {
        const code = typeof outcome.code === "number"
          ? outcome.code
          : Number(outcome.code) || CODES[outcome.why];
        const retry = outcome.retryAfterSeconds;
        return {
          ...problem(outcome.status, code, outcome.message),
          delayMs: outcome.delayMs,
          ...(retry === undefined ? {} : { extraHeaders: `retry-after: ${retry}\r\n` }),
        };
      }
    }
  }

  /** The newest messages first, so that a caller can look up what became of a send. */
  #list(query: string, sid: string): ServerReply {
    const fields = parseForm(query);
    const to = firstField(fields, "To");
    const from = firstField(fields, "From");
    const size = Math.min(1_000, Number(firstField(fields, "PageSize")) || 50);
    const found: string[] = [];
    for (let at = this.log.nextSequence - 1; at > 0 && found.length < size; at--) {
      const call = this.log.at(at);
      if (call === undefined) break;
      if (call.provider !== "twilio" || !call.accepted) continue;
      if ((to === "" || call.to === to) && (from === "" || call.from === from)) {
        found.push(messageResource(sid, call, "sent"));
      }
    }
    return answer(200, `{"messages":[${found.join(",")}],"page":0,"page_size":${size},"next_page_uri":null}`);
  }
}

function faultOf(
  send: { readonly from: string; readonly to: string; readonly text: string },
  hasMedia: boolean,
): { readonly code: number; readonly message: string } | null {
  if (send.to === "") return { code: 21604, message: "A 'To' phone number is required." };
  if (send.from === "") return { code: 21603, message: "A 'From' phone number is required." };
  if (send.text === "" && !hasMedia) return { code: 21602, message: "Message body is required." };
  if (send.text.length > BODY_MAX_CHARS) {
    return { code: 21617, message: "The concatenated message body exceeds the 1600 character limit." };
  }
  const code = MAGIC[send.to] ?? (PHONE.test(send.to) ? null : 21211);
  return code === null ? null : { code, message: `Invalid 'To' Phone Number: ${send.to}` };
}

/** The sender's own id as the last part of its status URL, below `/status/`. */
function idInUrl(url: string): string | null {
  return /\/status\/([^/?#]+)/.exec(url)?.[1] ?? null;
}

function answer(status: number, body: string): Extract<ServerReply, { kind: "answer" }> {
  return { kind: "answer", status, contentType: JSON_TYPE, body };
}

function problem(status: number, code: number, message: string): Extract<ServerReply, { kind: "answer" }> {
  const moreInfo = `https://www.twilio.com/docs/errors/${code}`;
  return answer(status, JSON.stringify({ code, message, more_info: moreInfo, status }));
}

function unauthorized(): ServerReply {
  return {
    ...problem(401, 20003, "Authenticate"),
    extraHeaders: 'www-authenticate: Basic realm="Twilio API"\r\n',
  };
}

function accountResource(sid: string): string {
  const date = rfc2822();
  return JSON.stringify({
    sid,
    friendly_name: "Carrier simulator",
    status: "active",
    type: "Full",
    owner_account_sid: sid,
    date_created: date,
    date_updated: date,
    uri: `${PREFIX}${sid}.json`,
    subresource_uris: { messages: `${PREFIX}${sid}/Messages.json` },
  });
}

function messageResource(
  accountSid: string,
  call: Pick<CallRecord, "from" | "to" | "text" | "providerId">,
  status: string,
): string {
  const date = rfc2822();
  const service = call.from.startsWith("MG");
  return JSON.stringify({
    sid: call.providerId,
    account_sid: accountSid,
    api_version: "2010-04-01",
    body: call.text ?? "",
    date_created: date,
    date_sent: status === "sent" ? date : null,
    date_updated: date,
    direction: "outbound-api",
    error_code: null,
    error_message: null,
    from: service ? null : call.from,
    messaging_service_sid: service ? call.from : null,
    num_media: call.providerId?.startsWith("MM") ? "1" : "0",
    num_segments: service ? "0" : "1",
    price: null,
    price_unit: "USD",
    status,
    subresource_uris: {},
    to: call.to,
    uri: `${PREFIX}${accountSid}/Messages/${call.providerId}.json`,
  });
}

let dateSecond = 0;
let dateText = "";

/** The time as Twilio writes it; made once a second. */
function rfc2822(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString().replace("GMT", "+0000");
  }
  return dateText;
}
