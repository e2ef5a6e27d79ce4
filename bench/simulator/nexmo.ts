/**
 * Vonage's side of the SMS API: HTTP 200 whatever happens, a status and an id for each part of the text.
 *
 * @module
 */
import type { Carrier } from "./carrier.ts";
import { firstField, parseForm } from "./form.ts";
import { fieldsOfJson } from "./json_fields.ts";
import type { ServerReply, ServerRequest } from "./http_server.ts";
import { nexmoReports } from "./nexmo_webhooks.ts";
import { JSON_TYPE, readTarget } from "./request_text.ts";
import type { Outcome, SendDesk } from "./send_desk.ts";
import { textParts } from "./text_parts.ts";
import { balanceAnswer, isVonageCaller, type VonageAccount } from "./vonage_account.ts";

const PHONE = /^[1-9][0-9]{6,14}$/;
/** By reason of a refusal: status and error text. */
const FAULTS: Readonly<Record<Extract<Outcome, { kind: "refuse" }>["why"], readonly [string, string]>> = {
  throttled: ["1", "Throughput Rate Exceeded - please wait [ 1000 ] and retry"],
  "opted-out": ["7", "Number barred"],
  "invalid-number": ["3", "Invalid value for parameter: to"],
  "made-to-fail": ["5", "Internal Error"],
};

export class Nexmo implements Carrier {
  constructor(
    private readonly account: VonageAccount,
    private readonly runHex: string,
    private readonly desk: SendDesk,
  ) {}

  owns(path: string): boolean {
    return path === "/sms/json" || path === "/account/get-balance";
  }

  handle(request: ServerRequest, atMs: number): ServerReply {
    const isJson = /json/i.test(request.header("content-type") ?? "");
    const fields = isJson ? fieldsOfJson(request.body) : parseForm(`${request.query}&${request.body}`);
    const isCaller = isVonageCaller(this.account, request.header("authorization"), fields);
    if (request.path === "/account/get-balance") return balanceAnswer(isCaller);
    const type = firstField(fields, "type") || "text";
    const written = firstField(fields, "text");
    const { text, parts } = textParts(written, type === "unicode");
    const reference = firstField(fields, "client-ref");
    const send = {
      provider: "nexmo" as const,
      atMs,
      from: firstField(fields, "from"),
      to: firstField(fields, "to"),
      text,
      messageId: reference === "" ? null : reference,
    };
    const fault: readonly [status: string, text: string] | null = !isCaller
      ? ["4", "Bad Credentials"]
      : send.from === ""
      ? ["2", "Missing from param"]
      : send.to === ""
      ? ["2", "Missing to param"]
      : !PHONE.test(send.to)
      ? ["3", "Invalid value for parameter: to"]
      : text === ""
      ? ["2", "Missing text param"]
      : null;
    if (fault !== null) {
      this.desk.refuse(send, 200, fault[0]);
      return answer(200, [refusal(...fault)]);
    }
    const target = readTarget(firstField(fields, "callback"));
    const outcome = this.desk.take({
      ...send,
      makeId: (sequence) => this.#id(sequence, 0),
      plan: (id) => target === null ? null : nexmoReports(target, this.account, { ...send, id, reference }),
    }, statusOf);
    switch (outcome.kind) {
      case "silent":
        return outcome.reply;
      case "taken": {
        const messages = Array.from({ length: parts }, (_, part) => ({
          to: send.to,
          // The parts' ids differ in their last digits.
          "message-id": part === 0 ? outcome.providerId : `${outcome.providerId}${part}`,
          status: "0",
          "remaining-balance": "10.28000000",
          "message-price": "0.03330000",
          network: "12345",
          ...(reference === "" ? {} : { "client-ref": reference }),
        }));
        return { ...answer(200, messages), delayMs: outcome.delayMs };
      }
      case "refuse": {
        const [status, text] = FAULTS[outcome.why];
        const code = outcome.code === undefined ? status : String(outcome.code);
        return { ...answer(statusOf(outcome), [refusal(code, text)]), delayMs: outcome.delayMs };
      }
    }
  }

  #id(sequence: number, part: number): string {
    return `${this.runHex.toUpperCase()}${sequence.toString(16).toUpperCase().padStart(8, "0")}${part || ""}`;
  }
}

/** Refusals are 200; only a fault made to order keeps its status. */
function statusOf(outcome: Exclude<Outcome, { kind: "silent" }>): number {
  return outcome.kind === "refuse" && outcome.why === "made-to-fail" ? outcome.status : 200;
}

function refusal(status: string, text: string) {
  return { status, "error-text": text };
}

function answer(status: number, messages: readonly unknown[]): Extract<ServerReply, { kind: "answer" }> {
  const body = JSON.stringify({ "message-count": String(messages.length), messages });
  return { kind: "answer", status, contentType: JSON_TYPE, body };
}
