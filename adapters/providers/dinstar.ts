/**
 * Dinstar GSM and LTE gateways ("DinstarWeb", "DinstarWebPush"), the HTTP API of firmware from 2019 on.
 *
 * A gateway knows a message by a number of 32 bits that its sender chose (`user_id`), and by nothing else. Each try of
 * a message gets the channel's next number, which is kept before the call: it chooses the port too, so that ports take
 * turns.
 *
 * @module
 */
import type { Channel } from "../../core/channel.ts";
import type {
  HttpAnswer,
  HttpCall,
  OutgoingMessage,
  ParsedInbound,
  ParsedReport,
  Provider,
  SendResult,
  WebhookReply,
  WebhookRequest,
  WebhookResult,
} from "../../core/ports/provider.ts";
import { errorOfStatus, failed, isObject, jsonObject } from "./answers.ts";
import { DINSTAR_ANSWERS, DINSTAR_RESULTS } from "./dinstar_codes.ts";
import { isUnreadable, readDinstarMessage, readDinstarResult, type Unreadable } from "./dinstar_entries.ts";
import {
  dinstarDeliveries,
  dinstarInbox,
  dinstarResults,
  dinstarUrl,
  readDinstarAnswer,
} from "./dinstar_polls.ts";
import {
  dialled,
  DinstarCredentialsSchema,
  dinstarSettings,
  portFor,
  requiredDinstarSettings,
} from "./dinstar_settings.ts";
import { isInRanges } from "./generic/cidr.ts";
import { callerOf } from "./generic/webhook_auth.ts";
import { answerChallenge } from "./http_digest.ts";
import { accepted, malformed, unreadable, unsigned } from "./inbound.ts";
import { listAt, parseBody, textAt } from "./json_values.ts";

const REPLY: WebhookReply = { status: 200, contentType: "application/json", body: '{"error_code":200}' };
const ENTRIES_MAX = 1_000;
/** What the device replaces by a parameter. */
const PARAMETER = "#param#";
/** Logins that devices leave the factory with. */
const FACTORY_PASSWORDS: ReadonlySet<string> = new Set(["admin", "dinstar", "123456"]);

function buildSend(message: OutgoingMessage, channel: Channel): HttpCall {
  const settings = requiredDinstarSettings(channel);
  const text = message.text.toWellFormed();
  const call = {
    method: "POST",
    url: dinstarUrl(channel, settings, "send_sms"),
    headers: { "content-type": "application/json", accept: "application/json" },
  } as const;
  const build = (number: number): HttpCall => {
    const port = portFor(settings, message.from, number);
    const isTemplate = text.includes(PARAMETER);
    const param = {
      number: dialled(settings, message.to),
      ...(isTemplate && { text_param: [text] }),
      user_id: number,
    };
    return {
      ...call,
      body: JSON.stringify({
        text: isTemplate ? PARAMETER : text,
        ...(port !== null && { port: [port] }),
        encoding: message.encoding === "gsm7" ? "gsm-7bit" : "unicode",
        param: [param],
        request_status_report: settings.credentials.statusReports,
      }),
    };
  };
  return { ...call, numbered: { messageId: message.id, to: message.to, build } };
}

function readSend(answer: HttpAnswer, _channel: Channel): SendResult {
  const body = jsonObject(answer.body);
  const code = body === null ? undefined : textAt(body, "error_code");
  if (code === "202" || code === "200") {
    return { kind: "accepted", providerId: answer.number === undefined ? null : String(answer.number) };
  }
  const known = code === undefined ? undefined : DINSTAR_ANSWERS.find(code);
  if (known !== undefined) return failed(answer, { class: known.class, reason: known.reason, code: code! });
  if (code === undefined && answer.status >= 200 && answer.status < 300) {
    return failed(answer, { class: "bad-response", reason: "the gateway's answer cannot be read" });
  }
  const byStatus = errorOfStatus(answer.status);
  return failed(answer, code === undefined ? byStatus : { ...byStatus, code });
}

/**
 * What the device posts. Of several entries those that can be read are taken: it is not known whether a refused post
 * comes again.
 */
function parseWebhook(request: WebhookRequest, channel: Channel): WebhookResult {
  const settings = dinstarSettings(channel);
  if (settings === null) return unreadable("the channel's settings are incomplete");
  const { callers } = settings;
  if (callers !== null && !isInRanges(callers, callerOf(request, settings.credentials.webhookProxies))) {
    return unsigned("the caller's address is not one of those that this channel knows");
  }
  const body = parseBody(request.body);
  if (!isObject(body)) return unreadable("the body is no JSON object");
  const sn = textAt(body, "sn") ?? "";
  const { serial } = settings.credentials;
  if (serial !== undefined && sn !== serial) {
    return unsigned("the serial number is not this channel's device's");
  }
  const messages = listAt(body, "sms");
  const results = listAt(body, "sms_result");
  if (messages.length + results.length > ENTRIES_MAX) {
    return unreadable(`there are more than ${ENTRIES_MAX} entries`);
  }
  const inbound: ParsedInbound[] = [];
  let fault: { at: string; unreadable: Unreadable } | undefined;
  for (const [index, item] of messages.entries()) {
    const message = readDinstarMessage(isObject(item) ? item : {}, sn, settings);
    if (isUnreadable(message)) fault ??= { at: `sms[${index}].${message.field}`, unreadable: message };
    else inbound.push(message);
  }
  const reports = results.filter(isObject).flatMap((item): ParsedReport[] => {
    const result = readDinstarResult(item);
    return result === null ? [] : [{ providerId: String(result.number), ...result.outcome }];
  });
  if (fault !== undefined && inbound.length === 0 && reports.length === 0) {
    return malformed(fault.at, fault.unreadable.reason);
  }
  return accepted({ inbound, reports }, REPLY);
}

function probe(channel: Channel): HttpCall {
  return {
    method: "GET",
    url: dinstarUrl(channel, requiredDinstarSettings(channel), "query_sms_in_queue"),
    // Some devices close it after a refusal, which must not meet the next request.
    headers: { accept: "application/json", connection: "close" },
  };
}

function authenticate(challenge: HttpAnswer, call: HttpCall, channel: Channel, use: number): HttpCall | null {
  const settings = dinstarSettings(channel);
  if (settings === null) return null;
  const { user, password, authentication } = settings.credentials;
  return answerChallenge(challenge, call, { user, password }, authentication, use);
}

function buildVerify(channel: Channel): HttpCall {
  return {
    method: "GET",
    url: dinstarUrl(channel, requiredDinstarSettings(channel), "get_port_info?info_type=reg%2Cnumber"),
    headers: { accept: "application/json" },
  };
}

/** "port 0 registered, port 1 not": what an administrator wants to know of a gateway. */
function portsIn(body: Readonly<Record<string, unknown>>): string {
  return listAt(body, "info").filter(isObject).slice(0, 32).map((info) => {
    const isRegistered = /^REGISTER_OK$/i.test(textAt(info, "reg") ?? "");
    return `port ${textAt(info, "port") ?? "?"} ${isRegistered ? "registered" : "not registered"}`;
  }).join(", ");
}

function readVerify(answer: HttpAnswer, channel: Channel): { ok: boolean; reason: string } {
  const settings = dinstarSettings(channel);
  if (settings === null) return { ok: false, reason: "the channel's settings are incomplete" };
  const read = readDinstarAnswer(answer, settings);
  if ("kind" in read) return { ok: false, reason: read.error.reason };
  const ports = portsIn(read.body);
  const warning = FACTORY_PASSWORDS.has(settings.credentials.password.toLowerCase())
    ? "; its password is a well-known one of the factory, change it"
    : "";
  return { ok: true, reason: `the gateway accepts the credentials${ports && `: ${ports}`}${warning}` };
}

export const dinstarweb: Provider = {
  kind: "dinstarweb",
  title: "Dinstar gateway (DinstarWeb, DinstarWebPush)",
  credentials: DinstarCredentialsSchema,
  // Ten a minute, for one port: networks block SIMs that send much.
  defaults: { rateMps: 0.16, burst: 1, costUnit: "message", maxTextLength: 500 },
  description: {
    docsUrl: "https://www.dinstar.com/",
    authentication:
      "the secret in the address and, where they are set, the device's address and serial number; the device signs nothing",
    facts: [
      {
        fact:
          "calls are answered with HTTP Digest (MD5), or Basic where the device asks for it or it is set so",
        source: "documented",
      },
      {
        fact:
          "a message is known by a number of 32 bits, which counts up by channel and is kept before the call",
        source: "documented",
      },
      {
        fact: "text of about 1,500 bytes, split by the device; 500 characters are allowed here",
        source: "assumed",
      },
      { fact: "no media", source: "documented" },
      {
        fact:
          "incoming messages are polled with flag=all from the last id on; one that is missing there means that ids began anew",
        source: "assumed",
      },
      {
        fact: "a message that came in does not name our number: the table of ports does",
        source: "documented",
      },
      { fact: "10 messages a minute and port", source: "assumed" },
      {
        fact: "results are asked for during a day; sent parts fewer than all parts count as failed",
        source: "assumed",
      },
      { fact: "numbers are dialled in E.164 unless set otherwise", source: "assumed" },
    ],
    errors: [...DINSTAR_ANSWERS.described, ...DINSTAR_RESULTS.described],
  },
  supports: { mms: false, deliveryReports: true, signature: false, idempotency: false },
  parseWebhook,
  buildSend,
  readSend,
  authenticate,
  probe,
  polls: [dinstarInbox, dinstarResults, dinstarDeliveries],
  buildVerify,
  readVerify,
};
