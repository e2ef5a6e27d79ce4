/**
 * Whole HTTP/1.1 requests as text, ready for a {@link import("./http_client.ts").KeepAliveLine}.
 *
 * @module
 */
import { utf8Length } from "./utf8.ts";

export const FORM = "application/x-www-form-urlencoded";
export const JSON_TYPE = "application/json";

/** A URL taken apart once: the getters of `URL` cost more than the rest of a request. */
export interface RequestTarget {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly host: string;
  /** With the query. */
  readonly path: string;
}

/** Takes an absolute http or https URL apart; null for anything else. */
export function readTarget(url: string): RequestTarget | null {
  const parts = /^(https?:\/\/)([^\/?#@\s]+)([^#\s]*)/.exec(url);
  if (parts === null) return null;
  const path = parts[3]!;
  return { origin: parts[1]! + parts[2]!, host: parts[2]!, path: path.startsWith("/") ? path : `/${path}` };
}

/** The same with more in the query. */
export function withQuery(target: RequestTarget, query: string): RequestTarget {
  return { ...target, path: `${target.path}${target.path.includes("?") ? "&" : "?"}${query}` };
}

/** A GET; `headers` are whole lines, each ended by CRLF. */
export function getText(target: RequestTarget, headers = ""): string {
  return `GET ${target.path} HTTP/1.1\r\nhost: ${target.host}\r\n${headers}\r\n`;
}

/** A POST; `headers` are whole lines, each ended by CRLF. */
export function postText(target: RequestTarget, contentType: string, body: string, headers = ""): string {
  return `POST ${target.path} HTTP/1.1\r\nhost: ${target.host}\r\ncontent-type: ${contentType}\r\ncontent-length: ${
    utf8Length(body)
  }\r\n${headers}\r\n${body}`;
}
