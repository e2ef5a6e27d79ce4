/**
 * A generic HTTP gateway: a GET or form POST with plain fields, answered `OK;<id>` or with words.
 *
 * @module
 */
import type { Carrier } from "./carrier.ts";
import { firstField, parseForm } from "./form.ts";
import type { ServerReply, ServerRequest } from "./http_server.ts";
import type { SendDesk } from "./send_desk.ts";
import { STATUS_WORDS, type StatusWords, urlsmsReports } from "./urlsms_webhooks.ts";

export interface UrlsmsSettings {
  /** With both, callers must prove them by HTTP Basic or as `user` and `password`. @default null */
  readonly user: string | null;
  readonly password: string | null;
  /** Where status calls go; may hold `{id}` and `{status}`. @default null */
  readonly reportUrl: string | null;
  readonly words: StatusWords;
}

export const URLSMS_DEFAULTS: UrlsmsSettings = {
  user: null,
  password: null,
  reportUrl: null,
  words: STATUS_WORDS,
};

const PHONE = /^\+?[0-9]{3,15}$/;
const ERRORS = {
  throttled: "ERROR;limite de envio",
  "opted-out": "ERROR;numero dado de baja",
  "invalid-number": "ERROR;numero invalido",
} as const;

export class Urlsms implements Carrier {
  constructor(
    private settings: UrlsmsSettings,
    private readonly runHex: string,
    private readonly desk: SendDesk,
  ) {}

  setReportUrl(reportUrl: string | null): void {
    this.settings = { ...this.settings, reportUrl };
  }

  owns(path: string): boolean {
    return path.endsWith(".php");
  }

  /** Answers a request to a path that ends in `.php`. */
  handle(request: ServerRequest, atMs: number): ServerReply {
    const fields = parseForm(request.query);
    if (request.method === "POST") {
      for (const [name, values] of parseForm(request.body)) fields.set(name, values);
    }
    const id = firstField(fields, "id", "message_id", "messageId");
    const send = {
      provider: "urlsms" as const,
      atMs,
      from: firstField(fields, "from", "sender", "origen"),
      to: firstField(fields, "celular", "phone", "to", "destino", "number"),
      text: firstField(fields, "mensaje", "message", "text", "texto"),
      messageId: id === "" ? null : id,
    };
    if (!this.#authorized(request, fields)) {
      this.desk.refuse(send, 401, "unauthorized");
      return answer(401, "ERROR;usuario o clave incorrectos");
    }
    const fault = !PHONE.test(send.to) ? "numero invalido" : send.text === "" ? "mensaje vacio" : null;
    if (fault !== null) {
      this.desk.refuse(send, 200, fault);
      return answer(200, `ERROR;${fault}`);
    }
    const reportUrl = this.settings.reportUrl;
    const outcome = this.desk.take({
      ...send,
      makeId: (sequence) => send.messageId ?? `${this.runHex}${sequence}`,
      plan: (id) => reportUrl === null ? null : urlsmsReports(reportUrl, this.settings.words, id),
    }, (outcome) => outcome.kind === "taken" ? 200 : statusOf(outcome));
    switch (outcome.kind) {
      case "silent":
        return outcome.reply;
      case "taken":
        return { ...answer(200, `OK;${outcome.providerId}`), delayMs: outcome.delayMs };
      case "refuse": {
        const text = outcome.why === "made-to-fail"
          ? `ERROR;${outcome.code ?? outcome.message}`
          : ERRORS[outcome.why];
        const retry = outcome.retryAfterSeconds;
        return {
          ...answer(statusOf(outcome), text),
          delayMs: outcome.delayMs,
          ...(retry === undefined ? {} : { extraHeaders: `retry-after: ${retry}\r\n` }),
        };
      }
    }
  }

  #authorized(request: ServerRequest, fields: Map<string, string[]>): boolean {
    const { user, password } = this.settings;
    if (user === null || password === null) return true;
    if (request.header("authorization") === `Basic ${btoa(`${user}:${password}`)}`) return true;
    return firstField(fields, "user") === user && firstField(fields, "password") === password;
  }
}

/** Such gateways say 200 to nearly everything; the throttle and faults made to order keep their status. */
function statusOf(outcome: { readonly why: string; readonly status: number }): number {
  return outcome.why === "made-to-fail" || outcome.why === "throttled" ? outcome.status : 200;
}

function answer(status: number, body: string): Extract<ServerReply, { kind: "answer" }> {
  return { kind: "answer", status, contentType: "text/plain", body };
}
