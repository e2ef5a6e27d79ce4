/**
 * Calls over connections that stay open.
 *
 * On undici rather than `fetch`, which cannot check the address that it connects to, cannot say whether a request
 * was written before it failed, and sends again when a connection breaks (denoland/deno#35610). `node:http` on Deno
 * 2.9 sends again as well (denoland/deno#36786), and costs twice as much CPU a call. Undici sends again only what
 * it had pipelined behind a request that broke: here one request is under way on a connection, and one that is to
 * begin for the second time is given up; a test holds the client to one request a call.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { buildConnector, type Dispatcher, Pool } from "undici";
import type { OutgoingCallOptions, OutgoingHttp, OutgoingResult } from "../../core/ports/outgoing_http.ts";
import type { HttpCall } from "../../core/ports/provider.ts";
import { Deadlines } from "./deadlines.ts";
import { isGuards, reasonOf } from "./failure.ts";
import type { PrivateAddressGuard } from "./private_address_guard.ts";

export interface OutgoingClientOptions {
  readonly guard: PrivateAddressGuard;
  /** Connections to one host; further calls wait. @default {256} */
  readonly socketsPerHostMax?: number;
  /**
   * A connection idle for this long is closed. Below the 5 s after which common servers close theirs: a request
   * that meets such a closing is uncertain. @default {4000}
   */
  readonly idleMs?: number;
  /** Certificates to trust besides the system's, PEM. */
  readonly ca?: string;
}

const BODY_BYTES_MAX = 65_536;
/** For one connection, whatever the calls that wait for it may take. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Hosts that connections are kept for; the one called longest ago makes room. */
const HOSTS_MAX = 1_000;

function decodeBody(
  chunks: readonly Uint8Array[],
  contentType: string | undefined,
  otherwise: HttpCall["answerCharset"],
): string {
  const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  const charset = contentType === undefined ? undefined : /charset="?([\w-]+)/i.exec(contentType)?.[1];
  const isLatin1 = charset === undefined
    ? otherwise === "latin-1"
    : /^(?:iso-8859-1|latin-?1|windows-1252)$/i.test(charset);
  return isLatin1 ? Buffer.from(bytes).toString("latin1") : UTF8.decode(bytes);
}

/** Leaves a byte order mark in its place, as servers that send one have been read so far. */
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2];

function headersOf(headers: Headers): Record<string, string | undefined> {
  const result: Record<string, string | undefined> = {};
  for (const name in headers) {
    const value = headers[name];
    result[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return result;
}

/** The client; close it with {@link close} or `using`. */
export class OutgoingClient implements OutgoingHttp {
  readonly #options: OutgoingClientOptions;
  /** By origin, the one called longest ago first. */
  readonly #pools = new Map<string, Pool>();
  readonly #deadlines = new Deadlines();

  constructor(options: OutgoingClientOptions) {
    this.#options = options;
  }

  /** Closes all connections; calls under way end as broken. */
  close(): void {
    for (const pool of this.#pools.values()) pool.destroy(new Error("the client was closed"), () => {});
    this.#pools.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  call(httpCall: HttpCall, options: OutgoingCallOptions): Promise<OutgoingResult> {
    const refused = (reason: string): OutgoingResult => ({ kind: "no-connection", reason, refused: true });
    if (options.signal?.aborted) {
      return Promise.resolve({ kind: "no-connection", reason: "the call was given up", refused: false });
    }
    const { method, headers, body, bodyCharset, answerCharset } = httpCall;
    let address: URL;
    let pool: Pool;
    try {
      address = new URL(httpCall.url);
      pool = this.#poolOf(address);
    } catch (error) {
      return Promise.resolve(refused(reasonOf(error)));
    }
    return new Promise((resolve) => {
      const exchange = new Exchange(answerCharset, options, this.#deadlines, resolve);
      try {
        pool.dispatch({
          method,
          path: address.pathname + address.search,
          headers: { "user-agent": "Patchbay", ...headers },
          body: body === undefined || method === "GET"
            ? null
            : bodyCharset === "latin-1"
            ? Buffer.from(body, "latin1")
            : body,
          // The exchange has a limit for the whole call.
          headersTimeout: 0,
          bodyTimeout: 0,
        }, exchange);
      } catch (error) {
        exchange.onResponseError(null, error as Error);
      }
    });
  }

  /** Throws where the address may not be called at all: no web address, a private one. */
  #poolOf(address: URL): Pool {
    const { origin } = address;
    let pool = this.#pools.get(origin);
    if (pool === undefined) pool = this.#open(address);
    else this.#pools.delete(origin);
    this.#pools.set(origin, pool);
    return pool;
  }

  #open({ origin, protocol, hostname, port }: URL): Pool {
    if (protocol !== "http:" && protocol !== "https:") {
      throw new Error("only http and https addresses are called");
    }
    const { guard, ca, socketsPerHostMax = 256, idleMs = 4_000 } = this.#options;
    const number = port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
    guard.checkLiteral(hostname.replace(/^\[|\]$/g, ""), number);
    for (const [oldest, pool] of this.#pools) {
      if (this.#pools.size < HOSTS_MAX) break;
      this.#pools.delete(oldest);
      pool.close(() => {});
    }
    return new Pool(origin, {
      connections: socketsPerHostMax,
      pipelining: 1,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
      // Names are checked on what they resolve to, with each connection.
      connect: buildConnector({
        timeout: CONNECT_TIMEOUT_MS,
        lookup: guard.lookup(number),
        ...(ca === undefined ? {} : { ca }),
      }),
    });
  }
}

/** One request and its answer; settles once. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #answerCharset: HttpCall["answerCharset"];
  readonly #options: OutgoingCallOptions;
  readonly #resolve: (result: OutgoingResult) => void;
  readonly #cancelDeadline: () => void;
  readonly #onAbort = () => this.#giveUp("broken", "the call was given up");
  readonly #chunks: Uint8Array[] = [];
  #controller: Dispatcher.DispatchController | null = null;
  #status = 0;
  #headers: Headers = {};
  #bytes = 0;
  #isSettled = false;

  constructor(
    answerCharset: HttpCall["answerCharset"],
    options: OutgoingCallOptions,
    deadlines: Deadlines,
    resolve: (result: OutgoingResult) => void,
  ) {
    this.#answerCharset = answerCharset;
    this.#options = options;
    this.#resolve = resolve;
    this.#cancelDeadline = deadlines.after(
      options.timeoutMs,
      () => this.#giveUp("timeout", `no answer within ${options.timeoutMs} ms`),
    );
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Called when a connection stands, right before the request is written to it. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Nothing is sent twice, and nothing that was given up while it waited.
    if (this.#controller !== null || this.#isSettled) controller.abort(new Error("not to be sent"));
    else this.#controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    const room = (this.#options.maxBodyBytes ?? BODY_BYTES_MAX) - this.#bytes;
    this.#bytes += chunk.length;
    this.#chunks.push(chunk.length > room ? chunk.subarray(0, Math.max(room, 0)) : chunk);
    if (chunk.length <= room) return;
    this.#answer();
    controller.abort(new Error("the answer is too long"));
  }

  onResponseEnd(): void {
    this.#answer();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#controller !== null) {
      this.#settle({ kind: "broken", written: true, reason: reasonOf(error) });
      return;
    }
    const isInvalid = (error as { code?: unknown }).code === "UND_ERR_INVALID_ARG";
    this.#settle({ kind: "no-connection", reason: reasonOf(error), refused: isInvalid || isGuards(error) });
  }

  #answer(): void {
    const headers = headersOf(this.#headers);
    const body = decodeBody(this.#chunks, headers["content-type"], this.#answerCharset);
    this.#settle({ kind: "answer", answer: { status: this.#status, headers, body } });
  }

  #giveUp(kind: "timeout" | "broken", reason: string): void {
    this.#settle({ kind, written: this.#controller !== null, reason });
    this.#controller?.abort(new Error(reason));
  }

  #settle(result: OutgoingResult): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#cancelDeadline();
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#resolve(result);
  }
}
