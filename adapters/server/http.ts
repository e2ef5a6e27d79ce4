/**
 * The listening socket.
 *
 * @module
 */
export interface HttpServer {
  readonly url: string;
  readonly port: number;
  /** Takes nothing new, waits for what is under way (bounded), then ends what is left. */
  stop(): Promise<void>;
}

const STOP_GRACE_MS = 5_000;

/** Answers a request; `remoteAddress`: of whoever connected. */
export type HttpHandler = (request: Request, remoteAddress: () => string) => Response | Promise<Response>;

/** Listens; rejects in plain words when the port is taken. */
export function serveHttp(
  options: { readonly host: string; readonly port: number },
  handler: HttpHandler,
): HttpServer {
  const abort = new AbortController();
  const server = listen(options, abort.signal, handler);
  const { port } = server.addr;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return {
    url: `http://${options.host === "0.0.0.0" || options.host === "::" ? "localhost" : host}:${port}`,
    port,
    stop: async () => {
      const timer = setTimeout(() => abort.abort(), STOP_GRACE_MS);
      await server.shutdown().catch(() => {});
      clearTimeout(timer);
    },
  };
}

/** Thrown when the port cannot be had. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

function listen(
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
  handler: HttpHandler,
) {
  try {
    return Deno.serve(
      { hostname: host, port, signal, onListen: () => {} },
      (request, info) => handler(request, () => info.remoteAddr.hostname),
    );
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new ListenError(`port ${port} on ${host} is in use; choose another with --port or PATCHBAY_PORT`);
    }
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.AddrNotAvailable) {
      throw new ListenError(`cannot listen on ${host}:${port}: ${error.message}`);
    }
    throw error;
  }
}
