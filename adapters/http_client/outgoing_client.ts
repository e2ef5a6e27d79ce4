/**
 * Calls over connections that stay open.
 *
 * On `node:http`, at 75 µs of CPU a call where `fetch` takes 50, because `fetch` cannot check the address that it
 * connects to, cannot say whether a request was written before it failed, and sends again when a connection
 * breaks (denoland/deno#35610). So does `node:http` on Deno 2.9, without a word, when a request breaks or is
 * given up on a connection that was used before (denoland/deno#36786): a text would go out twice. It decides
 * that by `reusedSocket`, so that every request here says no to it; a test holds the client to one request a
 * call.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import type { OutgoingCallOptions, OutgoingHttp, OutgoingResult } from "../../core/ports/outgoing_http.ts";
import type { HttpCall } from "../../core/ports/provider.ts";
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

type TlsSocket = Socket & { readonly secureConnecting?: boolean };

function decodeBody(
  chunks: readonly Uint8Array[],
  contentType: string | undefined,
  otherwise: HttpCall["answerCharset"],
): string {
  const bytes = chunks.length === 1 ? Buffer.from(chunks[0]!) : Buffer.concat(chunks);
  const charset = /charset="?([\w-]+)/i.exec(contentType ?? "")?.[1];
  const isLatin1 = charset === undefined
    ? otherwise === "latin-1"
    : /^(?:iso-8859-1|latin-?1|windows-1252)$/i.test(charset);
  return bytes.toString(isLatin1 ? "latin1" : "utf8");
}

function headersOf(response: http.IncomingMessage): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return headers;
}

/** The client; close it with {@link close} or `using`. */
export class OutgoingClient implements OutgoingHttp {
  readonly #guard: PrivateAddressGuard;
  readonly #plain: http.Agent;
  readonly #secure: https.Agent;

  constructor(options: OutgoingClientOptions) {
    this.#guard = options.guard;
    const agent = {
      keepAlive: true,
      maxSockets: options.socketsPerHostMax ?? 256,
      maxFreeSockets: options.socketsPerHostMax ?? 256,
      timeout: options.idleMs ?? 4_000,
    };
    this.#plain = new http.Agent(agent);
    this.#secure = new https.Agent(options.ca === undefined ? agent : { ...agent, ca: options.ca });
  }

  /** Closes all connections; calls under way end as broken. */
  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  call(httpCall: HttpCall, options: OutgoingCallOptions): Promise<OutgoingResult> {
    const refused = (reason: string): OutgoingResult => ({ kind: "no-connection", reason, refused: true });
    if (options.signal?.aborted) {
      return Promise.resolve({ kind: "no-connection", reason: "the call was given up", refused: false });
    }
    let request: http.ClientRequest;
    try {
      request = this.#request(httpCall);
    } catch (error) {
      return Promise.resolve(refused(reasonOf(error)));
    }
    return new Promise((resolve) => new Exchange(request, httpCall, options, resolve));
  }

  /** Throws where the call cannot be made at all: no web address, a header that is none, a private address. */
  #request({ method, url, headers, body, bodyCharset }: HttpCall): http.ClientRequest {
    const address = new URL(url);
    const isSecure = address.protocol === "https:";
    if (!isSecure && address.protocol !== "http:") {
      throw new Error("only http and https addresses are called");
    }
    const port = address.port === "" ? (isSecure ? 443 : 80) : Number(address.port);
    const hostname = address.hostname.replace(/^\[|\]$/g, "");
    this.#guard.checkLiteral(hostname, port);
    const length = method === "GET"
      ? {}
      : { "content-length": String(Buffer.byteLength(body ?? "", charsetOf(bodyCharset))) };
    return (isSecure ? https : http).request({
      agent: isSecure ? this.#secure : this.#plain,
      method,
      hostname,
      port,
      path: address.pathname + address.search,
      headers: { "user-agent": "Patchbay", ...headers, ...length },
      lookup: this.#guard.lookup(port),
    });
  }
}

/** One request and its answer; settles once. */
class Exchange {
  readonly #request: http.ClientRequest;
  readonly #answerCharset: HttpCall["answerCharset"];
  readonly #options: OutgoingCallOptions;
  readonly #resolve: (result: OutgoingResult) => void;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #onAbort = () => this.#giveUp("broken", "the call was given up");
  #isSettled = false;
  #isWritten = false;
  #isReused = false;

  constructor(
    request: http.ClientRequest,
    { body, bodyCharset, answerCharset }: HttpCall,
    options: OutgoingCallOptions,
    resolve: (result: OutgoingResult) => void,
  ) {
    this.#request = request;
    this.#answerCharset = answerCharset;
    this.#options = options;
    this.#resolve = resolve;
    this.#neverResend();
    request.on("socket", (socket) => this.#watch(socket));
    request.on("error", (error) => this.#fail(error));
    request.on("response", (response) => this.#read(response));
    this.#timer = setTimeout(
      () => this.#giveUp("timeout", `no answer within ${options.timeoutMs} ms`),
      options.timeoutMs,
    );
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
    request.end(body, charsetOf(bodyCharset));
  }

  /** See the head of this file. */
  #neverResend(): void {
    Object.defineProperty(this.#request, "reusedSocket", {
      get: () => false,
      set: (isReused: boolean) => {
        if (isReused) this.#isReused = true;
      },
    });
  }

  /** The request is written in the moment that its connection stands; until then nothing has left. */
  #watch(socket: TlsSocket): void {
    const written = () => this.#isWritten = true;
    if (!socket.connecting && (this.#isReused || socket.secureConnecting !== true)) written();
    else socket.once(this.#request.protocol === "https:" ? "secureConnect" : "connect", written);
  }

  #read(response: http.IncomingMessage): void {
    this.#isWritten = true;
    const max = this.#options.maxBodyBytes ?? BODY_BYTES_MAX;
    const chunks: Uint8Array[] = [];
    let size = 0;
    const answer = () => {
      const body = decodeBody(chunks, response.headers["content-type"], this.#answerCharset);
      this.#settle({
        kind: "answer",
        answer: { status: response.statusCode ?? 0, headers: headersOf(response), body },
      });
    };
    response.on("data", (chunk: Uint8Array) => {
      const room = max - size;
      size += chunk.length;
      chunks.push(chunk.length > room ? chunk.subarray(0, Math.max(room, 0)) : chunk);
      if (size <= max) return;
      answer();
      this.#request.destroy();
    });
    response.on("end", answer);
    response.on("error", (error) => this.#fail(error));
    response.on("close", () => this.#fail(new Error("the connection closed before the answer's end")));
  }

  #fail(error: unknown): void {
    if (this.#isWritten) {
      const reason = reasonOf(error) + (this.#isReused ? " (on a connection used before)" : "");
      this.#settle({ kind: "broken", written: true, reason });
    } else {
      this.#settle({ kind: "no-connection", reason: reasonOf(error), refused: isGuards(error) });
    }
  }

  #giveUp(kind: "timeout" | "broken", reason: string): void {
    this.#settle({ kind, written: this.#isWritten, reason });
    this.#request.destroy();
  }

  #settle(result: OutgoingResult): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#resolve(result);
  }
}

function charsetOf(charset: HttpCall["bodyCharset"]): "utf8" | "latin1" {
  return charset === "latin-1" ? "latin1" : "utf8";
}
