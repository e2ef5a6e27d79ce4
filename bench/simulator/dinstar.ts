/**
 * A Dinstar gateway: sends by its ports, keeps what came in for whoever asks, and posts to a URL if it is given one.
 * It asks for HTTP Digest, and leaves a body hanging that comes without.
 *
 * @module
 */
import type { Carrier } from "./carrier.ts";
import { DigestGuard } from "./digest_guard.ts";
import { deviceTime, DINSTAR_SERIAL, dinstarReports } from "./dinstar_webhooks.ts";
import { parseForm } from "./form.ts";
import type { ServerReply, ServerRequest } from "./http_server.ts";
import { JSON_TYPE, readTarget } from "./request_text.ts";
import type { SendDesk } from "./send_desk.ts";

export interface DinstarSettings {
  readonly user: string;
  readonly password: string;
  /** By port. */
  readonly numbers: readonly string[];
  /** A nonce is stale after so many uses. @default 20 */
  readonly nonceUses: number;
}

export const DINSTAR_DEFAULTS: DinstarSettings = {
  user: "apiuser",
  password: "simulator-s3cret",
  numbers: ["+14155550199"],
  nonceUses: 20,
};

/** A message in the device's inbox. */
interface Incoming {
  readonly incoming_sms_id: number;
  readonly port: number;
  readonly number: string;
  readonly smsc: string;
  readonly timestamp: string;
  readonly text: string;
  readonly imsi: string;
}

/** A message that was handed over, by its `user_id`. */
interface Task {
  readonly userId: number;
  readonly number: string;
  readonly port: number;
  readonly refId: number;
  readonly time: string;
  readonly isUndelivered: boolean;
  /** Whether the network's report is asked for. */
  readonly isReported: boolean;
}

const PATHS: ReadonlySet<string> = new Set([
  "/api/send_sms",
  "/api/query_sms_result",
  "/api/query_sms_deliver_status",
  "/api/query_sms_in_queue",
  "/api/query_incoming_sms",
  "/api/get_port_info",
]);
const PHONE = /^\+?[0-9]{3,23}$/;
/** What an answer has room for. */
const PAGE_CHARS = 8_192;
const TASKS_MAX = 10_000;

export class Dinstar implements Carrier {
  readonly #guard: DigestGuard;
  readonly #tasks = new Map<number, Task>();
  #inbox: Incoming[] = [];
  #lastId = 0;
  #refId = 0;
  #reportUrl: string | null = null;

  constructor(
    private readonly settings: DinstarSettings,
    private readonly desk: SendDesk,
    private readonly isUndelivered: () => boolean,
  ) {
    this.#guard = new DigestGuard({ ...settings, realm: "Web Server" }, settings.nonceUses);
  }

  owns(path: string): boolean {
    return PATHS.has(path);
  }

  setReportUrl(url: string | null): void {
    this.#reportUrl = url;
  }

  /** A contact's message comes in by the port of `to`; gives its id on the device. */
  receive(message: { readonly from: string; readonly to: string; readonly text: string }): number {
    const port = Math.max(0, this.settings.numbers.indexOf(message.to));
    this.#inbox.push({
      incoming_sms_id: ++this.#lastId,
      port,
      number: message.from,
      smsc: "+14150000000",
      timestamp: deviceTime(Date.now()),
      text: message.text,
      imsi: `74801000000000${port}`,
    });
    return this.#lastId;
  }

  /** Back to the state of the factory: the inbox is empty, and ids begin anew. */
  reset(): void {
    this.#inbox = [];
    this.#lastId = 0;
    this.#tasks.clear();
  }

  handle(request: ServerRequest, atMs: number): ServerReply {
    const challenge = this.#guard.refuse(request);
    if (challenge !== null) {
      if (request.body !== "" && request.header("authorization") === undefined) return { kind: "hang" };
      return {
        kind: "answer",
        status: 401,
        contentType: "text/html",
        body: "<html>Unauthorized</html>",
        extraHeaders: `www-authenticate: ${challenge}\r\n`,
      };
    }
    switch (request.path) {
      case "/api/send_sms":
        return this.#send(objectOf(request.body), atMs);
      case "/api/query_sms_result":
        return this.#results(objectOf(request.body));
      case "/api/query_sms_deliver_status":
        return this.#deliveries(objectOf(request.body));
      case "/api/query_incoming_sms":
        return this.#incoming(request.query);
      case "/api/get_port_info":
        return answer({
          error_code: 200,
          info: this.settings.numbers.map((number, port) => ({ port, number, reg: "REGISTER_OK" })),
        });
      default:
        return answer({ error_code: 200, in_queue: 0 });
    }
  }

  #send(body: Record<string, unknown>, atMs: number): ServerReply {
    const [param = {}] = Array.isArray(body["param"]) ? body["param"] as Record<string, unknown>[] : [];
    const [value] = Array.isArray(param["text_param"]) ? param["text_param"] as unknown[] : [];
    const text = String(body["text"] ?? "").replaceAll("#param#", () => String(value ?? ""));
    const [port = 0] = Array.isArray(body["port"]) ? body["port"] as number[] : [];
    const userId = Number(param["user_id"]);
    const send = {
      provider: "dinstarweb" as const,
      atMs,
      from: this.settings.numbers[port] ?? `port ${port}`,
      to: String(param["number"] ?? ""),
      text,
      messageId: null,
    };
    const isWellFormed = PHONE.test(send.to) && text !== "" && Number.isInteger(userId) && userId > 0 &&
      ["unicode", "gsm-7bit"].includes(String(body["encoding"]));
    if (!isWellFormed) {
      this.desk.refuse(send, 200, "400");
      return answer({ error_code: 400 });
    }
    const target = readTarget(this.#reportUrl ?? "");
    const outcome = this.desk.take({
      ...send,
      makeId: () => String(userId),
      plan: (id) =>
        target === null ? null : dinstarReports(target, { userId: Number(id), number: send.to, port }),
    }, (outcome) => outcome.kind === "refuse" && outcome.why === "made-to-fail" ? outcome.status : 200);
    switch (outcome.kind) {
      case "silent":
        this.#keep(userId, send.to, port, body);
        return outcome.reply;
      case "taken":
        this.#keep(userId, send.to, port, body);
        return {
          ...answer({ error_code: 202, sms_in_queue: 1, task_id: this.#tasks.size }),
          delayMs: outcome.delayMs,
        };
      case "refuse": {
        const code = outcome.why === "throttled" ? 550 : outcome.why === "made-to-fail" ? 500 : 400;
        const status = outcome.why === "made-to-fail" ? outcome.status : 200;
        return { ...answer({ error_code: code }), status, delayMs: outcome.delayMs };
      }
    }
  }

  #keep(userId: number, number: string, port: number, body: Record<string, unknown>): void {
    if (this.#tasks.size >= TASKS_MAX) this.#tasks.delete(this.#tasks.keys().next().value!);
    this.#refId = (this.#refId + 1) % 256;
    this.#tasks.set(userId, {
      userId,
      number,
      port,
      refId: this.#refId,
      time: deviceTime(Date.now()),
      isUndelivered: this.isUndelivered(),
      isReported: body["request_status_report"] !== false,
    });
  }

  #results(body: Record<string, unknown>): ServerReply {
    const asked = Array.isArray(body["user_id"]) ? body["user_id"] as number[] : [];
    const result = asked.slice(0, 32).flatMap((userId) => {
      const task = this.#tasks.get(userId);
      if (task === undefined) return [];
      const { number, port, refId, time } = task;
      return [{
        port,
        user_id: userId,
        number,
        time,
        status: "SENT_OK",
        count: 1,
        succ_count: 1,
        ref_id: refId,
        imsi: "748010000000001",
      }];
    });
    return answer({ error_code: 200, result });
  }

  #deliveries(body: Record<string, unknown>): ServerReply {
    const numbers = new Set(Array.isArray(body["number"]) ? body["number"] as string[] : []);
    const result = [...this.#tasks.values()].filter((task) => task.isReported && numbers.has(task.number))
      .map(({ port, number, time, refId, isUndelivered }) => ({
        port,
        number,
        time,
        ref_id: refId,
        status_code: isUndelivered ? 65 : 0,
        imsi: "748010000000001",
      }));
    return answer({ error_code: 200, result });
  }

  #incoming(query: string): ServerReply {
    const fields = parseForm(query);
    const from = Number(fields.get("incoming_sms_id")?.[0] ?? 0);
    const ports = fields.get("port")?.[0]?.split(",").map(Number);
    const sms: Incoming[] = [];
    let chars = 0;
    for (const one of this.#inbox) {
      if (one.incoming_sms_id < from || (ports !== undefined && !ports.includes(one.port))) continue;
      chars += JSON.stringify(one).length;
      if (chars > PAGE_CHARS) break;
      sms.push(one);
    }
    return answer({ error_code: 200, sms, read: 0, unread: this.#inbox.length });
  }
}

function answer(body: Record<string, unknown>): Extract<ServerReply, { kind: "answer" }> {
  const { error_code, ...rest } = body;
  const text = JSON.stringify({ error_code, sn: DINSTAR_SERIAL, ...rest });
  return { kind: "answer", status: 200, contentType: JSON_TYPE, body: text };
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return {};
  }
}
