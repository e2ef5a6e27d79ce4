/**
 * A place for the simulator to call: keeps what came and answers as told.
 *
 * @module
 */
import { serveHttp, type ServerReply, type ServerRequest } from "../../bench/simulator/http_server.ts";
import { parseForm } from "../../bench/simulator/form.ts";

export interface Listener {
  readonly url: string;
  readonly requests: (ServerRequest & { readonly atMs: number })[];
  /** Waits until so many requests came; fails after 5 s. */
  until(count: number): Promise<void>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const OK: ServerReply = { kind: "answer", status: 200, contentType: "text/xml", body: "<Response/>" };

export function listen(reply: (request: ServerRequest) => ServerReply = () => OK): Listener {
  const requests: (ServerRequest & { readonly atMs: number })[] = [];
  const server = serveHttp({ hostname: "127.0.0.1", port: 0 }, (request) => {
    requests.push({ ...request, atMs: performance.now() });
    return reply(request);
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    until: (count) => eventually(() => requests.length >= count, `${count} requests`),
    stop: () => server.stop(),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** Waits until `holds` does; fails after 5 s with what was expected. */
export async function eventually(holds: () => boolean, expected: string): Promise<void> {
  const endMs = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`did not happen within 5 s: ${expected}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A form's fields with one value each. */
export function fieldsOf(text: string): Record<string, string> {
  return Object.fromEntries([...parseForm(text)].map(([name, values]) => [name, values[0]!]));
}
