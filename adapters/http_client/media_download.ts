/**
 * Fetches files from addresses that came with messages: each one, and each that it redirects to, passes the guard
 * against private addresses. Connections are not kept: a media host is called now and then.
 *
 * @module
 */
import http from "node:http";
import https from "node:https";
import type { Download, DownloadRequest, DownloadResult } from "../../core/ports/media_download.ts";
import { isGuards, reasonOf } from "./failure.ts";
import type { PrivateAddressGuard } from "./private_address_guard.ts";

const REDIRECTS_MAX = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Statuses that say the same tomorrow. Others may be due to a file that is not there yet, or to credentials. */
const FINAL: ReadonlySet<number> = new Set([400, 405, 406, 410, 414, 415, 416, 451]);

export interface MediaDownloadOptions {
  readonly guard: PrivateAddressGuard;
  /** Certificates to trust besides the system's, PEM. */
  readonly ca?: string;
}

/** The way to fetch. */
export function createDownload(options: MediaDownloadOptions): Download {
  return async (request) => {
    let address = request.url;
    for (let hop = 0; hop <= REDIRECTS_MAX; hop++) {
      const result = await fetchOne(address, request, options);
      if (result.kind !== "redirect") return result;
      if (!URL.canParse(result.to, address)) return failed("it redirects to what is no web address", true);
      address = new URL(result.to, address).href;
    }
    return failed(`it redirects more than ${REDIRECTS_MAX} times`, true);
  };
}

type HopResult = DownloadResult | { readonly kind: "redirect"; readonly to: string };

function failed(reason: string, final: boolean): DownloadResult & { kind: "failed" } {
  return { kind: "failed", reason, final };
}

function fetchOne(
  address: string,
  request: DownloadRequest,
  options: MediaDownloadOptions,
): Promise<HopResult> {
  if (request.signal.aborted) return Promise.resolve(failed("the fetch was broken off", false));
  let outgoing: http.ClientRequest;
  try {
    outgoing = open(address, request, options);
  } catch (error) {
    return Promise.resolve(failed(reasonOf(error), true));
  }
  return new Promise((resolve) => {
    const settle = (result: HopResult) => {
      clearTimeout(timer);
      resolve(result);
    };
    const timer = setTimeout(() => {
      settle(failed(`no answer within ${request.timeoutMs} ms`, false));
      outgoing.destroy();
    }, request.timeoutMs);
    const onAbort = () => {
      settle(failed("the fetch was broken off", false));
      outgoing.destroy();
    };
    request.signal.addEventListener("abort", onAbort, { once: true });
    outgoing.on("close", () => request.signal.removeEventListener("abort", onAbort));
    outgoing.on("error", (error) => settle(failed(reasonOf(error), isGuards(error))));
    outgoing.on("response", (response) => {
      const result = readAnswer(response, outgoing, request);
      if (result.kind !== "file") outgoing.destroy();
      settle(result);
    });
    outgoing.end();
  });
}

/** Throws where the address may not be called or is none. */
function open(address: string, request: DownloadRequest, options: MediaDownloadOptions): http.ClientRequest {
  const url = new URL(address);
  const isSecure = url.protocol === "https:";
  if (!isSecure && url.protocol !== "http:") throw new Error("only http and https addresses are fetched");
  const port = url.port === "" ? (isSecure ? 443 : 80) : Number(url.port);
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  options.guard.checkLiteral(hostname, port);
  return (isSecure ? https : http).request({
    agent: false,
    method: "GET",
    hostname,
    port,
    path: url.pathname + url.search,
    headers: { "user-agent": "Patchbay", "accept-encoding": "identity", ...request.headersFor(url) },
    lookup: options.guard.lookup(port),
    ...(isSecure && options.ca !== undefined ? { ca: options.ca } : {}),
  });
}

function readAnswer(
  response: http.IncomingMessage,
  outgoing: http.ClientRequest,
  request: DownloadRequest,
): HopResult {
  const status = response.statusCode ?? 0;
  const { location } = response.headers;
  if (REDIRECTS.has(status) && location !== undefined) return { kind: "redirect", to: location };
  if (status !== 200) return failed(`the media host answered HTTP ${status}`, FINAL.has(status));
  const encoding = response.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    return failed(`the media host sent it packed as ${encoding}, unasked`, false);
  }
  const length = response.headers["content-length"];
  const sizeBytes = length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : null;
  return {
    kind: "file",
    contentType: response.headers["content-type"] ?? null,
    sizeBytes,
    body: bodyOf(response, outgoing, sizeBytes, request.timeoutMs),
  };
}

/** The body, read as fast as it is asked for. Ends the connection when it is left. */
function bodyOf(
  response: http.IncomingMessage,
  outgoing: http.ClientRequest,
  sizeBytes: number | null,
  timeoutMs: number,
): AsyncIterable<Uint8Array> {
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let got = 0;
  let left = false;
  const leave = () => {
    left = true;
    outgoing.destroy();
  };
  const iterator: AsyncIterator<Uint8Array> = {
    next: async () => {
      if (left) return { done: true, value: undefined };
      let timer: ReturnType<typeof setTimeout> | undefined;
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`nothing came for ${timeoutMs} ms`)), timeoutMs);
      });
      try {
        const step = await Promise.race([chunks.next(), silence]);
        if (!step.done) {
          got += step.value.length;
          return step;
        }
        if (!response.complete || (sizeBytes !== null && got < sizeBytes)) {
          throw new Error(`the connection closed after ${got} of ${sizeBytes ?? "unknown"} bytes`);
        }
        return { done: true, value: undefined };
      } catch (error) {
        leave();
        throw new Error(reasonOf(error), { cause: error });
      } finally {
        clearTimeout(timer);
      }
    },
    return: () => {
      leave();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
