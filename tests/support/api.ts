/**
 * A caller of the HTTP API over a real socket.
 *
 * @module
 */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 20_000;

export class Api {
  readonly url: string;
  readonly key: string;

  constructor(url: string, key: string) {
    this.url = url;
    this.key = key;
  }

  /** The same system, as somebody else. */
  as(key: string): Api {
    return new Api(this.url, key);
  }

  /** Rejects only when no answer came. */
  async call(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<ApiAnswer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...options.headers,
      },
      signal: options.signal ?? AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : undefined,
    };
  }

  /** The body of a 2xx answer; throws on any other. */
  // deno-lint-ignore no-explicit-any
  async ok(method: string, path: string, body?: unknown, options?: CallOptions): Promise<any> {
    const answer = await this.call(method, path, body, options);
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  }

  // deno-lint-ignore no-explicit-any
  get(path: string): Promise<any> {
    return this.ok("GET", path);
  }

  // deno-lint-ignore no-explicit-any
  post(path: string, body?: unknown): Promise<any> {
    return this.ok("POST", path, body);
  }

  /**
   * Posts until there is an answer other than 5xx, under one idempotency key: what it asks for happens once,
   * whatever is killed meanwhile.
   */
  async insist(path: string, body: unknown, msMax: number): Promise<ApiAnswer> {
    const headers = { "idempotency-key": crypto.randomUUID() };
    const deadline = performance.now() + msMax;
    for (;;) {
      const answer = await this.call("POST", path, body, { headers }).catch(() => null);
      if (answer !== null && answer.status < 500) return answer;
      if (performance.now() > deadline) throw new Error(`POST ${path}: no answer in ${msMax} ms`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** All items of a list, page after page. */
  // deno-lint-ignore no-explicit-any
  async list(path: string): Promise<any[]> {
    const items = [];
    let cursor = "";
    do {
      const join = path.includes("?") ? "&" : "?";
      const page = await this.get(`${path}${join}limit=200${cursor === "" ? "" : `&cursor=${cursor}`}`);
      items.push(...page.items);
      cursor = page.next ?? "";
    } while (cursor !== "");
    return items;
  }

  /** The sum of a metric's samples whose labels include `labels`. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`, { signal: AbortSignal.timeout(TIMEOUT_MS) }))
      .text();
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return text.split("\n")
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => wanted.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  }
}
