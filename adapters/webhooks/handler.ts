/**
 * Receives providers' webhooks: authenticate, parse, make durable, and only then answer with what the provider
 * expects. The hottest path of the product: it reads nothing but the directory in memory and the request.
 *
 * @module
 */
import type { Channel } from "../../core/channel.ts";
import type { Directory } from "../../core/directory.ts";
import { inboundEntry, isReceived, reportEntry } from "../../core/from_provider.ts";
import { sha256Hex } from "../../core/hash.ts";
import type { DirectorySource } from "../../core/ports/directory.ts";
import { type Ingress, UnavailableError } from "../../core/ports/ingress.ts";
import type { Provider, WebhookRequest, WebhookResult } from "../../core/ports/provider.ts";
import { readBounded } from "./bounded_body.ts";
import { refusal } from "./refusal.ts";

/** What became of a webhook: the metric's label. */
export type WebhookOutcome =
  | "accepted"
  | "unknown"
  | "unsigned"
  | "malformed"
  | "too-large"
  | "unavailable"
  | "method";

export interface WebhookHandlerOptions {
  readonly directory: DirectorySource;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly ingress: Ingress;
  /** What providers reach, without a slash at the end: what signatures cover. */
  readonly publicUrl: string;
  readonly now: () => number;
  readonly onOutcome: (provider: string, outcome: WebhookOutcome, durationMs: number) => void;
  /** Keeps a webhook whose signature did not fit, for a person to look at. Must not throw or wait. */
  readonly quarantine: (channel: Channel, reason: string, request: WebhookRequest) => void;
}

/** Largest webhook body: providers send forms of a few KB; media come as links. */
const MAX_BODY_BYTES = 1_048_576;
/** More than an installation has; what expired goes with the rest. */
const SECRETS_KEPT_MAX = 10_000;
const PATH =
  /^\/webhooks\/([a-z0-9-]{1,40})\/([A-Za-z0-9_-]{16,128})(?:\/(status(?:\/[A-Za-z0-9_-]{1,64})?))?\/?$/;

/** The handler of everything below `/webhooks/`. Never rejects. */
export function createWebhookHandler(
  options: WebhookHandlerOptions,
): (request: Request, remoteAddress?: () => string) => Promise<Response> {
  const hashes = new SecretHashes();
  return async (request, remoteAddress) => {
    const started = performance.now();
    let kind = "unknown";
    const done = (outcome: WebhookOutcome, response: Response) => {
      options.onOutcome(kind, outcome, performance.now() - started);
      return response;
    };
    const unavailable = options.ingress.refusal();
    if (unavailable !== null) return done("unavailable", refusal.unavailable(unavailable));

    const url = splitUrl(request.url);
    const match = PATH.exec(url.path);
    const found = match === null
      ? null
      : channelOf(options.directory.current(), hashes, match[1]!, match[2]!, options.now());
    const provider = found === null ? undefined : options.providers.get(found.provider);
    if (found === null || provider === undefined) return done("unknown", refusal.unknownUrl());
    kind = provider.kind;
    if (request.method !== "GET" && request.method !== "POST") return done("method", refusal.method());

    const body = await readBounded(request, MAX_BODY_BYTES);
    if (body === null) return done("too-large", refusal.tooLarge(MAX_BODY_BYTES));
    const webhook: WebhookRequest = {
      method: request.method,
      url: options.publicUrl + url.path + url.search,
      path: match![3] ?? "",
      query: new URLSearchParams(url.search),
      headers: request.headers,
      body,
      receivedMs: options.now(),
      ...(remoteAddress !== undefined && { remoteAddress }),
    };
    const result = provider.parseWebhook(webhook, found);
    if (result.kind === "refused") {
      if (result.why === "unsigned") options.quarantine(found, result.reason, webhook);
      return done(result.why, refusal.refused(result));
    }
    return await store(options, found, result, done);
  };
}

async function store(
  options: WebhookHandlerOptions,
  channel: Channel,
  result: Extract<WebhookResult, { kind: "accepted" }>,
  done: (outcome: WebhookOutcome, response: Response) => Response,
): Promise<Response> {
  const at = options.now();
  const directory = options.directory.current();
  const known = result.inbound.filter((message) => isReceived(directory, channel, message));
  if (known.length === 0 && result.inbound.length > 0) {
    return done("unknown", refusal.unknownNumber(result.inbound[0]!.number));
  }
  try {
    const writes = [
      ...known.map((message) => options.ingress.append(inboundEntry(channel, message, at))),
      ...result.reports.map((report) => options.ingress.appendReport(reportEntry(channel, report, at))),
    ];
    if (writes.length === 1) await writes[0];
    else await Promise.all(writes);
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return done("unavailable", refusal.unavailable(error));
  }
  const { status, contentType, body } = result.reply;
  return done("accepted", new Response(body, { status, headers: { "content-type": contentType } }));
}

/** Hashes of secrets. Those of channels are kept, since a busy channel's comes thousands of times a second; a guess is not. */
class SecretHashes {
  readonly #kept = new Map<string, string>();

  of(secret: string): string {
    return this.#kept.get(secret) ?? sha256Hex(secret);
  }

  keep(secret: string, hash: string): void {
    if (this.#kept.has(secret)) return;
    if (this.#kept.size >= SECRETS_KEPT_MAX) this.#kept.clear();
    this.#kept.set(secret, hash);
  }
}

function channelOf(
  directory: Directory,
  hashes: SecretHashes,
  provider: string,
  secret: string,
  nowMs: number,
): Channel | null {
  // Looked up by hash: neither the time of the look-up nor the stored value tells anything about a secret.
  const hash = hashes.of(secret);
  const webhook = directory.webhooks.get(hash);
  if (webhook === undefined || (webhook.expiresMs !== null && webhook.expiresMs <= nowMs)) return null;
  hashes.keep(secret, hash);
  const channel = directory.channels.get(webhook.channelId);
  return channel !== undefined && channel.enabled && channel.provider === provider ? channel : null;
}

/** Path and query of an absolute URL, as they were written: signatures cover every byte. */
function splitUrl(url: string): { path: string; search: string } {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const rest = start === -1 ? "/" : url.slice(start);
  const question = rest.indexOf("?");
  return question === -1
    ? { path: rest, search: "" }
    : { path: rest.slice(0, question), search: rest.slice(question) };
}
