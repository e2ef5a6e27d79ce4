/**
 * The fields of a webhook, from a form, a query or a JSON object. This runs for every message that comes in,
 * hence by hand: two thirds of the time of `URLSearchParams`, with a bound on the number of fields, and no object
 * that a field's name could reach into.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { WebhookRequest } from "../../core/ports/provider.ts";

/** More fields than any provider sends; beyond it the input is not read at all. */
const FIELDS_MAX = 500;

export type Charset = "utf-8" | "latin-1";

/** Names with their values; a name's first value counts. */
export class Fields {
  readonly #first = new Map<string, string>();
  #repeated: Map<string, Set<string>> | undefined;

  /** How many different names there are. */
  get size(): number {
    return this.#first.size;
  }

  get(name: string): string | undefined {
    return this.#first.get(name);
  }

  /** The value of the first of `names` that is there at all. */
  firstOf(names: readonly string[]): string | undefined {
    for (const name of names) {
      const value = this.#first.get(name);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  add(name: string, value: string): void {
    const before = this.#first.get(name);
    if (before === undefined) {
      this.#first.set(name, value);
      return;
    }
    this.#repeated ??= new Map();
    const values = this.#repeated.get(name);
    if (values === undefined) this.#repeated.set(name, new Set([before, value]));
    else values.add(value);
  }

  /**
   * All names in order, each followed by its value and with nothing between: what Twilio and Plivo sign. A name
   * that comes twice stands before each of its different values, these in order too.
   */
  concatenated(): string {
    let text = "";
    for (const name of [...this.#first.keys()].sort()) {
      const values = this.#repeated?.get(name);
      if (values === undefined) text += name + this.#first.get(name)!;
      else for (const value of [...values].sort()) text += name + value;
    }
    return text;
  }

  /** All names in order, each with each of its different values. */
  sortedPairs(): readonly (readonly [name: string, value: string])[] {
    return [...this.#first.keys()].sort().flatMap((name) =>
      [...this.#repeated?.get(name) ?? [this.#first.get(name)!]].sort().map((value) => [name, value] as const)
    );
  }
}

function decodeLatin1(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Bytes that are not UTF-8 become U+FFFD and a `%` without two digits stays, as the URL standard has it. */
function decodeLeniently(text: string): string {
  const bytes = Buffer.from(text, "utf8").toString("latin1");
  return Buffer.from(decodeLatin1(bytes), "latin1").toString("utf8");
}

function decode(text: string, charset: Charset): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  if (charset === "latin-1") return decodeLatin1(spaced);
  try {
    return decodeURIComponent(spaced);
  } catch {
    return decodeLeniently(spaced);
  }
}

/** Reads `a=1&b=2`; null if there are too many fields. */
export function readFormText(text: string, charset: Charset = "utf-8"): Fields | null {
  const fields = new Fields();
  let pairs = 0;
  for (let start = 0; start < text.length;) {
    let end = text.indexOf("&", start);
    if (end === -1) end = text.length;
    if (end > start) {
      if (++pairs > FIELDS_MAX) return null;
      const pair = text.slice(start, end);
      const equals = pair.indexOf("=");
      if (equals === -1) fields.add(decode(pair, charset), "");
      else fields.add(decode(pair.slice(0, equals), charset), decode(pair.slice(equals + 1), charset));
    }
    start = end + 1;
  }
  return fields;
}

/** Reads a body of `application/x-www-form-urlencoded`; null if there are too many fields. */
export function readForm(body: Uint8Array, charset: Charset = "utf-8"): Fields | null {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return readFormText(bytes.toString(charset === "latin-1" ? "latin1" : "utf8"), charset);
}

/** Reads the query of `url`, which may also be a path; null if there are too many fields. */
export function readQuery(url: string, charset: Charset = "utf-8"): Fields | null {
  const hash = url.indexOf("#");
  const end = hash === -1 ? url.length : hash;
  const mark = url.indexOf("?");
  return readFormText(mark === -1 || mark > end ? "" : url.slice(mark + 1, end), charset);
}

/**
 * Reads the top level of a JSON object: texts, numbers and truth values as text; null, lists and objects are
 * as if they were not there. Null if `body` is no JSON object or has too many fields.
 */
export function readJson(body: Uint8Array): Fields | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8"));
  } catch {
    return null;
  }
  if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) return null;
  const entries = Object.entries(parsed);
  if (entries.length > FIELDS_MAX) return null;
  const fields = new Fields();
  for (const [name, value] of entries) {
    if (typeof value === "string") fields.add(name, value);
    else if (typeof value === "number" || typeof value === "boolean") fields.add(name, String(value));
  }
  return fields;
}

/** Whether a body of this `Content-Type` is to be read as JSON. */
export function isJson(contentType: string | null): boolean {
  return contentType !== null && /^[^;]*[/+]json\b/i.test(contentType);
}

/** The fields of a webhook, wherever they are: the query of a GET, a JSON body, else a form. Null if unreadable. */
export function readFields(request: WebhookRequest): Fields | null {
  if (request.method === "GET") return readQuery(request.url);
  return isJson(request.headers.get("content-type")) ? readJson(request.body) : readForm(request.body);
}
