/**
 * A provider whose messages are posted as JSON, with what is the same in all of them; the provider's file says
 * the rest.
 *
 * @module
 */
import type { Carrier } from "./carrier.ts";
import type { ProviderName } from "./faults.ts";
import type { ServerReply, ServerRequest } from "./http_server.ts";
import type { ReportPlan } from "./reports.ts";
import { JSON_TYPE, readTarget, type RequestTarget } from "./request_text.ts";
import type { Outcome, SendDesk } from "./send_desk.ts";

export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A send as it stands in the body. */
export interface JsonSend {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly media: readonly string[];
  /** Where its reports are to go; "" where the body does not say. */
  readonly callback: string;
  /** The sender's own id, where the body shows it. */
  readonly messageId: string | null;
}

export type RefuseOutcome = Extract<Outcome, { kind: "refuse" }>;

/** What is particular to one provider. */
export interface JsonWire {
  readonly provider: ProviderName;
  owns(path: string): boolean;
  isAuthorized(request: ServerRequest): boolean;
  readonly unauthorized: JsonAnswer;
  /** Whether this request is a send. */
  sends(request: ServerRequest): boolean;
  /** The answer to anything else that was authorized. */
  other(request: ServerRequest): JsonAnswer;
  read(body: Readonly<Record<string, unknown>>): JsonSend;
  /** What the provider's own rules say against it; null: nothing. */
  faultOf(send: JsonSend, body: Readonly<Record<string, unknown>>): JsonAnswer | null;
  taken(id: string, send: JsonSend): JsonAnswer;
  refused(outcome: RefuseOutcome): JsonAnswer;
  readonly unreadable: JsonAnswer;
  id(runHex: string, sequence: number): string;
  /** `url`: the callback as it was given, which some sign. */
  reports(target: RequestTarget, url: string, id: string, send: JsonSend): ReportPlan;
}

export class JsonCarrier implements Carrier {
  #reportUrl: string | null = null;

  constructor(
    private readonly wire: JsonWire,
    private readonly runHex: string,
    private readonly desk: SendDesk,
  ) {}

  owns(path: string): boolean {
    return this.wire.owns(path);
  }

  setReportUrl(url: string | null): void {
    this.#reportUrl = url;
  }

  handle(request: ServerRequest, atMs: number): ServerReply {
    const { wire } = this;
    if (!wire.sends(request)) {
      return reply(wire.isAuthorized(request) ? wire.other(request) : wire.unauthorized);
    }
    const body = objectOf(request.body);
    if (body === null) return reply(wire.unreadable);
    const send = wire.read(body);
    const seen = {
      provider: wire.provider,
      atMs,
      from: send.from,
      to: send.to,
      text: send.text,
      ...(send.media.length > 0 && { media: send.media }),
      messageId: send.messageId,
    };
    const fault = wire.isAuthorized(request) ? wire.faultOf(send, body) : wire.unauthorized;
    if (fault !== null) {
      this.desk.refuse(seen, fault.status, "refused");
      return reply(fault);
    }
    const url = send.callback === "" ? this.#reportUrl ?? "" : send.callback;
    const target = readTarget(url);
    const outcome = this.desk.take({
      ...seen,
      makeId: (sequence) => wire.id(this.runHex, sequence),
      plan: (id) => target === null ? null : wire.reports(target, url, id, send),
    }, (outcome) => outcome.kind === "taken" ? wire.taken("", send).status : wire.refused(outcome).status);
    switch (outcome.kind) {
      case "silent":
        return outcome.reply;
      case "taken":
        return { ...reply(wire.taken(outcome.providerId, send)), delayMs: outcome.delayMs };
      case "refuse": {
        const retry = outcome.retryAfterSeconds;
        return {
          ...reply(wire.refused(outcome)),
          delayMs: outcome.delayMs,
          ...(retry === undefined ? {} : { extraHeaders: `retry-after: ${retry}\r\n` }),
        };
      }
    }
  }
}

function reply({ status, body }: JsonAnswer): Extract<ServerReply, { kind: "answer" }> {
  return { kind: "answer", status, contentType: JSON_TYPE, body: JSON.stringify(body) };
}

function objectOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : null;
  } catch {
    return null;
  }
}

/** A field's text; "" where it is none. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A field's list of texts; empty where it is none. */
export function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

/** The sender's own id as the last part of its status URL, below `/status/`. */
export function idInUrl(url: string): string | null {
  return /\/status\/([^/?#]+)/.exec(url)?.[1] ?? null;
}
