/**
 * `multipart/form-data` (RFC 7578): the fields; what a part brings as a file is left out.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type Charset, Fields } from "../fields.ts";

const PARTS_MAX = 500;

/** The boundary that a `Content-Type` names, or null where it is no multipart form. */
export function boundaryOf(contentType: string | null): string | null {
  if (contentType === null || !/^multipart\/form-data\b/i.test(contentType)) return null;
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType) ?? [];
  return quoted ?? plain ?? null;
}

/** Reads a body; null where it has too many parts or is not made of parts at all. */
export function readMultipart(body: Uint8Array, boundary: string, charset: Charset): Fields | null {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1");
  const delimiter = `--${boundary}`;
  const fields = new Fields();
  let parts = 0;
  let start = text.indexOf(delimiter);
  if (start === -1) return null;
  for (;;) {
    start += delimiter.length;
    if (text.startsWith("--", start)) return fields;
    const end = text.indexOf(`\r\n${delimiter}`, start);
    if (end === -1) return null;
    if (++parts > PARTS_MAX) return null;
    const headersEnd = text.indexOf("\r\n\r\n", start);
    if (headersEnd === -1 || headersEnd > end) return null;
    const headers = text.slice(start, headersEnd);
    const disposition = /^content-disposition:(.*)$/im.exec(headers)?.[1] ?? "";
    const name = /;\s*name="([^"]*)"/i.exec(disposition)?.[1];
    if (name !== undefined && !/;\s*filename/i.test(disposition)) {
      fields.add(decode(name, charset), decode(text.slice(headersEnd + 4, end), charset));
    }
    start = end + 2;
  }
}

function decode(bytes: string, charset: Charset): string {
  return charset === "latin-1" ? bytes : Buffer.from(bytes, "latin1").toString("utf8");
}
