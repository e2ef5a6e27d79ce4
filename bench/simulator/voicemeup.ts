/**
 * VoiceMeUp's side of `queue_sms`: HTTP 200 whatever happens, the truth in the body, `message` an array or a
 * single object in turn, identical messages refused for a while.
 *
 * @module
 */
import type { Carrier } from "./carrier.ts";
import { firstField, parseForm } from "./form.ts";
import type { ServerReply, ServerRequest } from "./http_server.ts";
import { uuidOf } from "./ids.ts";
import { JSON_TYPE, readTarget } from "./request_text.ts";
import type { SendDesk } from "./send_desk.ts";
import { voicemeupReports } from "./voicemeup_webhooks.ts";

export interface VoicemeupSettings {
  readonly username: string;
  readonly authToken: string;
  /** How long an identical message is refused. @default 60000 */
  readonly duplicateWindowMs: number;
  /** Where reports go; null: none, as the provider documents none. @default null */
  readonly reportUrl: string | null;
}

export const VOICEMEUP_DEFAULTS: VoicemeupSettings = {
  username: "simulator",
  authToken: "simulator-token",
  duplicateWindowMs: 60_000,
  reportUrl: null,
};

const PREFIX = "/api/v1.1/json/";
const DIGITS = /^1[2-9][0-9]{2}[2-9][0-9]{6}$/;
const CODES = {
  throttled: "too_many_requests",
  "opted-out": "destination_opted_out",
  "invalid-number": "invalid_destination_number",
  "made-to-fail": "internal_error",
} as const;

export class Voicemeup implements Carrier {
  #answers = 0;
  readonly #recent: RecentKeys;

  constructor(
    private settings: VoicemeupSettings,
    private readonly runHex: string,
    private readonly desk: SendDesk,
  ) {
    this.#recent = new RecentKeys(settings.duplicateWindowMs);
  }

  setReportUrl(reportUrl: string | null): void {
    this.settings = { ...this.settings, reportUrl };
  }

  owns(path: string): boolean {
    return path.startsWith(PREFIX);
  }

  /** Answers a request below `/api/v1.1/json/`. */
  handle(request: ServerRequest, atMs: number): ServerReply {
    if (request.path !== `${PREFIX}queue_sms`) {
      return this.#error("unknown_method", "The method does not exist");
    }
    if (request.method !== "POST") return this.#error("invalid_request", "POST is expected");
    const fields = parseForm(request.body);
    const attachment = firstField(fields, "attachment");
    const send = {
      provider: "voicemeup" as const,
      atMs,
      from: firstField(fields, "source_number"),
      to: firstField(fields, "destination_number"),
      text: firstField(fields, "message"),
      ...(attachment === "" ? {} : { media: [attachment] }),
      messageId: null,
    };
    const fault = this.#faultOf(fields, send.from, send.to, send.text + attachment);
    if (fault !== null) {
      this.desk.refuse(send, 200, fault);
      return this.#error(fault, fault.replaceAll("_", " "));
    }
    const key = `${send.from}|${send.to}|${attachment}|${send.text}`;
    if (this.#recent.has(key, atMs)) {
      this.desk.refuse(send, 200, "duplicate_entry");
      return this.#error("duplicate_entry", "The same message was queued a moment ago");
    }
    const target = readTarget(this.settings.reportUrl ?? "");
    const outcome = this.desk.take({
      ...send,
      makeId: (sequence) => {
        this.#recent.add(key, atMs);
        return uuidOf(this.runHex, sequence);
      },
      plan: (id) =>
        target === null
          ? null
          : voicemeupReports(target, { id, from: send.from, to: send.to, text: send.text }),
    }, (outcome) => outcome.kind === "taken" ? 200 : outcome.why === "throttled" ? 429 : statusOf(outcome));
    switch (outcome.kind) {
      case "silent":
        return outcome.reply;
      case "taken":
        return this.#answer(200, "success", "queued_sms_hash", outcome.providerId, outcome.delayMs);
      case "refuse": {
        const code = outcome.code === undefined ? CODES[outcome.why] : String(outcome.code);
        const status = outcome.why === "throttled" ? 429 : statusOf(outcome);
        const reply = this.#answer(status, "error", code, outcome.message, outcome.delayMs);
        const retry = outcome.retryAfterSeconds;
        return retry === undefined ? reply : { ...reply, extraHeaders: `retry-after: ${retry}\r\n` };
      }
    }
  }

  #faultOf(fields: Map<string, string[]>, from: string, to: string, content: string): string | null {
    const { username, authToken } = this.settings;
    if (firstField(fields, "username") !== username || firstField(fields, "auth_token") !== authToken) {
      return "permission_refused";
    }
    if (!DIGITS.test(from)) return "invalid_source_number";
    if (!DIGITS.test(to)) return "invalid_destination_number";
    return content === "" ? "empty_message" : null;
  }

  #error(code: string, text: string): ServerReply {
    return this.#answer(200, "error", code, text, 0);
  }

  #answer(
    status: number,
    responseStatus: "success" | "error",
    code: string,
    text: string,
    delayMs: number,
  ): Extract<ServerReply, { kind: "answer" }> {
    const one = `{"code":${JSON.stringify(code)},"_content":${JSON.stringify(text)}}`;
    const message = this.#answers++ % 2 === 0 ? `[${one}]` : one;
    const body =
      `{"response_details":{"response_status":"${responseStatus}","response_messages":{"message":${message}}}}`;
    return { kind: "answer", status, contentType: JSON_TYPE, body, delayMs };
  }
}

/** A fault made to order keeps its status where it is one of the transport; the provider's own refusals are 200. */
function statusOf(outcome: { readonly why: string; readonly status: number }): number {
  return outcome.why === "made-to-fail" ? outcome.status : 200;
}

/** Keys seen within a window, in two halves that take turns: no sweep, bounded by two windows' traffic. */
class RecentKeys {
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #turnedMs = 0;

  constructor(private readonly windowMs: number) {}

  has(key: string, nowMs: number): boolean {
    this.#turn(nowMs);
    const atMs = this.#young.get(key) ?? this.#old.get(key);
    return atMs !== undefined && nowMs - atMs < this.windowMs;
  }

  add(key: string, nowMs: number): void {
    this.#turn(nowMs);
    this.#young.set(key, nowMs);
  }

  #turn(nowMs: number): void {
    if (nowMs - this.#turnedMs < this.windowMs) return;
    this.#old = nowMs - this.#turnedMs < 2 * this.windowMs ? this.#young : new Map();
    this.#young = new Map();
    this.#turnedMs = nowMs;
  }
}
