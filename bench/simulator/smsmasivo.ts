/**
 * SMS Masivos: the service of Argentina and Uruguay, which takes forms in Latin-1 and keeps contacts' answers until
 * they are fetched, and the Mexican one, which takes JSON.
 *
 * @module
 */
import type { Carrier } from "./carrier.ts";
import { firstField, parseForm } from "./form.ts";
import type { ServerReply, ServerRequest } from "./http_server.ts";
import { type JsonWire, text } from "./json_carrier.ts";
import { JSON_TYPE, postText } from "./request_text.ts";
import type { Outcome, SendDesk } from "./send_desk.ts";

export const SMSMASIVO_LOGIN = { user: "DEMO500", password: "demo clave", apiKey: "mx-key-0123456789" };

const REFUSALS: Readonly<Record<Extract<Outcome, { kind: "refuse" }>["why"], string>> = {
  throttled: "-90;demasiados envios",
  "opted-out": "-20;numero dado de baja",
  "invalid-number": "-7;numero demasiado corto",
  "made-to-fail": "-99;error",
};

interface Answer {
  readonly line: string;
  isRead: boolean;
}

export class SmsMasivo implements Carrier {
  #inbox: Answer[] = [];
  #ids = 900;

  constructor(private readonly desk: SendDesk) {}

  owns(path: string): boolean {
    return path.endsWith(".asp") || path === "/smsmasivo/inbox";
  }

  handle(request: ServerRequest, atMs: number): ServerReply {
    const fields = parseForm(`${request.query}&${request.body}`);
    // Not the service's: a test puts a contact's answer here.
    if (request.path === "/smsmasivo/inbox") {
      const [from, words] = [firstField(fields, "from"), firstField(fields, "text")];
      this.#inbox.push({ line: `${from}\t${words}\t2026-01-02 03:04:05\t${++this.#ids}`, isRead: false });
      return answer(200, "OK");
    }
    if (!isCaller(fields)) {
      if (request.path === "/enviar_sms.asp") this.desk.refuse(readSend(fields, atMs), 200, "login");
      return answer(200, "-2;Usuario o clave incorrectos");
    }
    switch (request.path) {
      case "/enviar_sms.asp":
        return this.#send(fields, atMs);
      case "/obtener_saldo.asp":
        return answer(200, "480");
      case "/obtener_sms_entrada.asp":
        return this.#fetch(fields);
      default:
        return answer(404, "<html>404</html>");
    }
  }

  #fetch(fields: Map<string, string[]>): ServerReply {
    const found = this.#inbox.filter((one) => !one.isRead || firstField(fields, "solonoleidos") !== "1");
    if (firstField(fields, "marcarcomoleidos") === "1") { for (const one of found) one.isRead = true; }
    return answer(200, found.map((one) => `${one.line}\r\n`).join(""));
  }

  #send(fields: Map<string, string[]>, atMs: number): ServerReply {
    const send = readSend(fields, atMs);
    const fault = !/^[0-9]{8,14}$/.test(send.to)
      ? "-7;numero demasiado corto"
      : send.text.length > 160
      ? "-6;texto demasiado largo"
      : /[^A-Za-z0-9 !?#$%()*+\-./:;=@,]/.test(send.text)
      ? "-11;caracteres no validos"
      : null;
    if (fault !== null) {
      this.desk.refuse(send, 200, fault);
      return answer(200, fault);
    }
    const outcome = this.desk.take({ ...send, makeId: String, plan: () => null }, statusOf);
    switch (outcome.kind) {
      case "silent":
        return outcome.reply;
      case "taken":
        return { ...answer(200, "1;OK"), delayMs: outcome.delayMs };
      case "refuse":
        return { ...answer(statusOf(outcome), REFUSALS[outcome.why]), delayMs: outcome.delayMs };
    }
  }
}

function isCaller(fields: Map<string, string[]>): boolean {
  const { user, password, apiKey } = SMSMASIVO_LOGIN;
  return firstField(fields, "apikey") === apiKey ||
    (firstField(fields, "usuario") === user && firstField(fields, "clave") === password);
}

function readSend(fields: Map<string, string[]>, atMs: number) {
  return {
    provider: "smsmasivo" as const,
    atMs,
    from: "",
    to: firstField(fields, "tos"),
    text: firstField(fields, "texto"),
    messageId: firstField(fields, "idinterno") || null,
  };
}

function statusOf(outcome: Exclude<Outcome, { kind: "silent" }>): number {
  const isOfTransport = outcome.kind === "refuse" &&
    (outcome.why === "made-to-fail" || outcome.why === "throttled");
  return isOfTransport ? outcome.status : 200;
}

function answer(status: number, body: string): Extract<ServerReply, { kind: "answer" }> {
  return { kind: "answer", status, contentType: "text/plain", body };
}

const mxError = (status: number, code: string, message: string) => ({
  status,
  body: { success: false, message, status, code },
});

export const SMSMASIVO_MX: JsonWire = {
  provider: "smsmasivomx",
  owns: (path) => path === "/sms/send" || path === "/credits/consult",
  isAuthorized: (request) => request.header("apikey") === SMSMASIVO_LOGIN.apiKey,
  unauthorized: mxError(401, "auth_03", "invalid api key"),
  unreadable: mxError(200, "sms_01", "message is required"),
  sends: (request) => request.path === "/sms/send",
  other: () => ({ status: 200, body: { success: true, credit: 480 } }),
  read: (body) => ({
    from: text(body["sender"]),
    to: text(body["country_code"]) + text(body["numbers"]),
    text: text(body["message"]),
    media: [],
    callback: "",
    messageId: null,
  }),
  faultOf: (send, body) =>
    send.text === ""
      ? mxError(200, "sms_01", "message is required")
      : /^[0-9]{7,12}$/.test(text(body["numbers"]))
      ? null
      : mxError(200, "sms_12", "invalid number"),
  taken: (id, send) => ({
    status: 200,
    body: { success: true, total_messages: 1, references: [{ reference: id, number: send.to }], credit: 479 },
  }),
  refused(outcome) {
    if (outcome.why === "made-to-fail" || outcome.why === "throttled") {
      return mxError(outcome.status, "sms_99", "error");
    }
    return mxError(200, outcome.why === "invalid-number" ? "sms_12" : "sms_30", "refused");
  },
  id: (runHex, sequence) => `${runHex}${sequence}`,
  reports: (target, _url, id, send) => ({
    origin: target.origin,
    build(status, known) {
      const word = status === "sent" ? "pending" : status === "undelivered" ? "failed" : status;
      const reference = known ? id : crypto.randomUUID();
      return postText(target, JSON_TYPE, JSON.stringify({ reference, number: send.to, status: word }));
    },
  }),
};
