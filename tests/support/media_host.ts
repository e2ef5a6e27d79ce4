/**
 * A host of media over real HTTP: answers as told, and remembers who asked for what with which credentials.
 *
 * @module
 */
export interface HostRequest {
  readonly path: string;
  readonly authorization: string | null;
}

type Answer = (request: Request, count: number) => Response | Promise<Response>;

export class MediaHost implements AsyncDisposable {
  readonly requests: HostRequest[] = [];
  readonly #answers = new Map<string, Answer>();
  readonly #abort = new AbortController();
  readonly #over = Promise.withResolvers<Response>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve(
      {
        hostname: "127.0.0.1",
        port: 0,
        signal: this.#abort.signal,
        onListen: () => {},
        onError: () => new Response(null, { status: 500 }),
      },
      (request) => {
        const path = new URL(request.url).pathname;
        this.requests.push({ path, authorization: request.headers.get("authorization") });
        const count = this.requests.filter((one) => one.path === path).length;
        return this.#answers.get(path)?.(request, count) ?? new Response("nothing here", { status: 404 });
      },
    );
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** `count`: how often that path was asked for, this time included. */
  on(path: string, answer: Answer): string {
    this.#answers.set(path, answer);
    return this.origin + path;
  }

  /** An answer that never comes. */
  silence(): Promise<Response> {
    return this.#over.promise;
  }

  /** A file at `path`. */
  file(path: string, bytes: Uint8Array, contentType: string): string {
    return this.on(
      path,
      () => new Response(bytes as Uint8Array<ArrayBuffer>, { headers: { "content-type": contentType } }),
    );
  }

  asked(path: string): HostRequest[] {
    return this.requests.filter((one) => one.path === path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.resolve(new Response(null, { status: 500 }));
    this.#abort.abort();
    await this.#server.finished;
  }
}

/** The beginning of a PNG, and as many bytes more as it takes; no two positions of a piece look alike. */
export function png(size = 200): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + (i >> 16)) & 255;
  bytes.set([
    0x89,
    0x50,
    0x4e,
    0x47,
    0x0d,
    0x0a,
    0x1a,
    0x0a,
    0,
    0,
    0,
    13,
    0x49,
    0x48,
    0x44,
    0x52,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    1,
    8,
    6,
    0,
    0,
    0,
  ]);
  // The chunk that follows the header's CRC: file-type looks through chunks for animations.
  bytes.set([0, 0, 0, 0, 0x49, 0x44, 0x41, 0x54], 33);
  return bytes;
}

/** `bytes` as a stream of chunks of odd sizes. */
export async function* chunked(bytes: Uint8Array, chunk = 70_001): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
}

/** All of a stream. */
export async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}
