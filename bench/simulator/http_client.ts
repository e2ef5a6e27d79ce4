/**
 * A plain keep-alive HTTP/1.1 client on `Deno.connect`: one request at a time per line, bytes prepared by the
 * caller. Costs a fifth of `fetch`, which matters because the load generator shares the machine with
 * what it measures.
 *
 * @module
 */

/** What came back. */
export interface ClientAnswer {
  readonly status: number;
  readonly body: string;
}

/** The line broke, or nothing came in time. `written`: whether the request may have reached the other side. */
export class LineBroken extends Error {
  override readonly name = "LineBroken";
  constructor(reason: string, readonly written: boolean) {
    super(reason);
  }
}

const BUFFER_START_BYTES = 4_096;
const ANSWER_MAX_BYTES = 16 * 1024 * 1024;
const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder();
const encoder = new TextEncoder();

/** One line to one origin; opened when first used, and again after it broke. Not for concurrent use. */
export class KeepAliveLine {
  readonly #url: URL;
  #conn: Deno.Conn | null = null;
  #in = new Uint8Array(BUFFER_START_BYTES);
  #filled = 0;
  #out = new Uint8Array(BUFFER_START_BYTES);
  /** When the request under way began, by `performance.now()`; 0 while there is none. */
  #sinceMs = 0;
  #timedOut = false;

  constructor(origin: string) {
    this.#url = new URL(origin);
  }

  get busy(): boolean {
    return this.#sinceMs !== 0;
  }

  /** Sends a whole request as text and reads the answer. Throws {@link LineBroken}. */
  async request(text: string): Promise<ClientAnswer> {
    this.#sinceMs = performance.now() || 1;
    this.#timedOut = false;
    let written = false;
    try {
      this.#conn ??= await this.#open();
      if (text.length * 3 > this.#out.length) this.#out = new Uint8Array(text.length * 3);
      const length = encoder.encodeInto(text, this.#out).written;
      this.#filled = 0;
      written = true;
      let from = 0;
      while (from < length) from += await this.#conn.write(this.#out.subarray(from, length));
      return await this.#read();
    } catch (error) {
      this.close();
      if (this.#timedOut) throw new LineBroken("no answer in time", written);
      throw new LineBroken(error instanceof Error ? error.message : String(error), written);
    } finally {
      this.#sinceMs = 0;
    }
  }

  /** Breaks off a request that has been waiting for longer than `timeoutMs`. Called from a slow sweep: no timer per request. */
  expire(nowMs: number, timeoutMs: number): void {
    if (this.#sinceMs === 0 || nowMs - this.#sinceMs < timeoutMs) return;
    this.#timedOut = true;
    this.close();
  }

  close(): void {
    try {
      this.#conn?.close();
    } catch {
      // Closed from the other side first.
    }
    this.#conn = null;
  }

  async #open(): Promise<Deno.Conn> {
    const hostname = this.#url.hostname.replace(/^\[|\]$/g, "");
    if (this.#url.protocol === "https:") {
      return await Deno.connectTls({ hostname, port: Number(this.#url.port || 443) });
    }
    const conn = await Deno.connect({ hostname, port: Number(this.#url.port || 80) });
    conn.setNoDelay(true);
    return conn;
  }

  async #fill(): Promise<void> {
    if (this.#filled === this.#in.length) {
      if (this.#in.length >= ANSWER_MAX_BYTES) throw new Error("the answer is too long");
      const larger = new Uint8Array(this.#in.length * 2);
      larger.set(this.#in);
      this.#in = larger;
    }
    const conn = this.#conn;
    if (conn === null) throw new Error("the line was closed");
    const read = await conn.read(this.#in.subarray(this.#filled));
    if (read === null) throw new Error("the line was cut before the answer was complete");
    this.#filled += read;
  }

  async #read(): Promise<ClientAnswer> {
    let head = "";
    let headChars = -1;
    while (headChars < 0) {
      await this.#fill();
      head = latin1.decode(this.#in.subarray(0, this.#filled));
      headChars = head.indexOf("\r\n\r\n");
    }
    head = head.slice(0, headChars).toLowerCase();
    const status = Number(head.slice(9, 12));
    const bodyStart = headChars + 4;
    const body = await this.#body(head, status, bodyStart);
    if (head.includes("\r\nconnection: close")) this.close();
    return { status, body };
  }

  async #body(head: string, status: number, start: number): Promise<string> {
    if (status === 204 || status === 304) return "";
    const at = head.indexOf("\r\ncontent-length:");
    if (at >= 0) {
      const end = start + parseInt(head.slice(at + 17), 10);
      while (this.#filled < end) await this.#fill();
      return end === start ? "" : utf8.decode(this.#in.subarray(start, end));
    }
    if (head.includes("\r\ntransfer-encoding: chunked")) return await this.#chunks(start);
    throw new Error("the answer does not say how long it is");
  }

  async #chunks(start: number): Promise<string> {
    let body = "";
    let at = start;
    const decoder = new TextDecoder();
    while (true) {
      let lineEnd = this.#in.subarray(at, this.#filled).indexOf(10);
      while (lineEnd < 0) {
        await this.#fill();
        lineEnd = this.#in.subarray(at, this.#filled).indexOf(10);
      }
      const size = parseInt(latin1.decode(this.#in.subarray(at, at + lineEnd)), 16);
      if (!(size >= 0)) throw new Error("a chunk without a length");
      const from = at + lineEnd + 1;
      while (this.#filled < from + size + 2) await this.#fill();
      if (size === 0) return body + decoder.decode();
      body += decoder.decode(this.#in.subarray(from, from + size), { stream: true });
      at = from + size + 2;
    }
  }
}

/** The most requests that may wait for a free line; past it the newest is refused. */
const WAITING_MAX = 200_000;
const SWEEP_MS = 250;

interface Waiting {
  readonly text: string;
  readonly resolve: (answer: ClientAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** Some lines to one origin; requests take the first free one, in the order they came. */
export class LinePool {
  readonly #idle: KeepAliveLine[] = [];
  readonly #all: KeepAliveLine[] = [];
  #waiting: Waiting[] = [];
  #waitingHead = 0;
  readonly #sweep: ReturnType<typeof setInterval>;
  #closed = false;

  constructor(
    private readonly origin: string,
    private readonly options: { readonly lines: number; readonly timeoutMs: number },
  ) {
    this.#sweep = setInterval(() => {
      const nowMs = performance.now();
      for (const line of this.#all) line.expire(nowMs, options.timeoutMs);
    }, Math.min(SWEEP_MS, options.timeoutMs));
  }

  /** Rejects with {@link LineBroken}. */
  request(text: string): Promise<ClientAnswer> {
    if (this.#closed) return Promise.reject(new LineBroken("the pool is closed", false));
    let line = this.#idle.pop();
    if (line === undefined && this.#all.length < this.options.lines) {
      line = new KeepAliveLine(this.origin);
      this.#all.push(line);
    }
    if (line !== undefined) return this.#run(line, text);
    if (this.#waiting.length - this.#waitingHead >= WAITING_MAX) {
      return Promise.reject(new LineBroken("too many requests wait for a line", false));
    }
    return new Promise((resolve, reject) => this.#waiting.push({ text, resolve, reject }));
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#sweep);
    for (const line of this.#all) line.close();
    const left = this.#waiting.slice(this.#waitingHead);
    this.#waiting = [];
    this.#waitingHead = 0;
    for (const one of left) one.reject(new LineBroken("the pool is closed", false));
  }

  async #run(line: KeepAliveLine, text: string): Promise<ClientAnswer> {
    try {
      return await line.request(text);
    } finally {
      this.#release(line);
    }
  }

  #release(line: KeepAliveLine): void {
    const next = this.#waiting[this.#waitingHead];
    if (next === undefined) {
      this.#waiting = [];
      this.#waitingHead = 0;
      this.#idle.push(line);
      return;
    }
    if (++this.#waitingHead > 1_024 && this.#waitingHead * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#waitingHead);
      this.#waitingHead = 0;
    }
    this.#run(line, next.text).then(next.resolve, next.reject);
  }
}
