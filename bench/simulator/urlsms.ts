/**
 * A generic HTTP gateway: a GET or form POST with plain fields, answered `OK;<id>` or with words.
 *
 * @module
 */
import type { Carrier } from "./carrier.ts";
import type { ProviderName } from "./faults.ts";
import { firstField, parseForm } from "./form.ts";
import { fieldsOfJson } from "./json_fields.ts";
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

/** One of several gateways of this make. */
export interface UrlsmsShape {
  readonly provider: ProviderName;
  /** What its paths begin with, up to the name of the page. */
  readonly folder: string;
  /** The only method that it takes; null: both. */
  readonly method: "GET" | "POST" | null;
  /** Whether the login counts as HTTP Basic alone. */
  readonly basicOnly: boolean;
  /** What replaces the settings for this gateway. */
  readonly settings: Partial<UrlsmsSettings>;
}

/** The account of gateways that want a login. */
export const GATEWAY_LOGIN = { user: "simulator", password: "simulator pass+1" };

export const URLSMS_SHAPES = {
  urlsms: { provider: "urlsms", folder: "/", method: null, basicOnly: false, settings: {} },
  urlsmsauth: {
    provider: "urlsmsauth",
    folder: "/auth/",
    method: "GET",
    basicOnly: true,
    settings: GATEWAY_LOGIN,
  },
  urlsmspost: { provider: "urlsmspost", folder: "/post/", method: "POST", basicOnly: false, settings: {} },
  urlpostsmsauth: {
    provider: "urlpostsmsauth",
    folder: "/postauth/",
    method: "POST",
    basicOnly: true,
    settings: GATEWAY_LOGIN,
  },
  quality: {
    provider: "quality",
    folder: "/quality/",
    method: null,
    basicOnly: false,
    settings: GATEWAY_LOGIN,
  },
} as const satisfies Readonly<Record<string, UrlsmsShape>>;

const PHONE = /^\+?[0-9]{3,15}$/;
const ERRORS = {
  throttled: "ERROR;limite de envio",
  "opted-out": "ERROR;numero dado de baja",
  "invalid-number": "ERROR;numero invalido",
} as const;

export class Urlsms implements Carrier {
  private settings: UrlsmsSettings;

  constructor(
    settings: UrlsmsSettings,
    private readonly runHex: string,
    private readonly desk: SendDesk,
    private readonly shape: UrlsmsShape = URLSMS_SHAPES.urlsms,
  ) {
    this.settings = { ...settings, ...shape.settings };
  }

  setReportUrl(reportUrl: string | null): void {
    this.settings = { ...this.settings, reportUrl };
  }

  owns(path: string): boolean {
    const { folder } = this.shape;
    return path.startsWith(folder) && path.endsWith(".php") && !path.slice(folder.length).includes("/");
  }

  /** Answers a request to a path that ends in `.php`; `saldo.php` tells the balance. */
  handle(request: ServerRequest, atMs: number): ServerReply {
    const fields = parseForm(request.query);
    if (request.method === "POST") {
      const isJson = /json/i.test(request.header("content-type") ?? "");
      const body = isJson ? fieldsOfJson(request.body) : parseForm(request.body);
      for (const [name, values] of body) fields.set(name, values);
    }
    if (request.path.endsWith("/saldo.php")) {
      return this.#authorized(request, fields) ? answer(200, "480") : answer(401, "ERROR;clave");
    }
    const { method } = this.shape;
    if (method !== null && request.method !== method) return answer(405, `ERROR;solo ${method}`);
    const id = firstField(fields, "id", "message_id", "messageId");
    const send = {
      provider: this.shape.provider,
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
    if (this.shape.basicOnly) return false;
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
