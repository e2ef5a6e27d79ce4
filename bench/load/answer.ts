/**
 * Where an HTTP/1.1 answer ends, read off its bytes: of thousands a second nothing else is of interest.
 *
 * @module
 */

export interface AnswerEnd {
  readonly status: number;
  /** After the last byte of the body. */
  readonly end: number;
  readonly bodyStart: number;
  /** The other side closes the line after it. */
  readonly closes: boolean;
}

const CR = 13;
const LF = 10;
const LOWER = 0x20;
const LENGTH = nameBytes("content-length:");
const CHUNKED = nameBytes("transfer-encoding: chunked");
const CLOSE = nameBytes("connection: close");
const STATUS_AT = 9;

/**
 * The answer at the start of the first `filled` of `bytes`; null while it is not complete. Throws a `SyntaxError` on what
 * is no answer, or does not say how long it is.
 */
export function readAnswer(bytes: Uint8Array, filled: number): AnswerEnd | null {
  let length = -1;
  let chunked = false;
  let closes = false;
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf(LF, at);
    if (lineEnd < 0 || lineEnd >= filled) return null;
    if (lineEnd - at <= 1 && (lineEnd === at || bytes[at] === CR)) {
      at = lineEnd + 1;
      break;
    }
    if (startsWith(bytes, at, LENGTH)) length = decimalAt(bytes, at + LENGTH.length, lineEnd);
    else if (startsWith(bytes, at, CHUNKED)) chunked = true;
    else if (startsWith(bytes, at, CLOSE)) closes = true;
    at = lineEnd + 1;
  }
  const status = decimalAt(bytes, STATUS_AT, STATUS_AT + 3);
  if (!(status >= 200 && status <= 599)) throw new SyntaxError("not an answer");
  const bodyStart = at;
  if (status === 204 || status === 304) return { status, bodyStart, end: at, closes };
  if (chunked) {
    const end = chunksEnd(bytes, at, filled);
    return end < 0 ? null : { status, bodyStart, end, closes };
  }
  if (!(length >= 0)) throw new SyntaxError("the answer does not say how long it is");
  return at + length > filled ? null : { status, bodyStart, end: at + length, closes };
}

/** Where a body in chunks ends, without trailers; -1 while it is not complete. */
function chunksEnd(bytes: Uint8Array, start: number, filled: number): number {
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf(LF, at);
    if (lineEnd < 0 || lineEnd >= filled) return -1;
    const size = parseInt(String.fromCharCode(...bytes.subarray(at, lineEnd)), 16);
    if (!(size >= 0)) throw new SyntaxError("a chunk without a length");
    at = lineEnd + 1 + size + 2;
    if (at > filled) return -1;
    if (size === 0) return at;
  }
}

/** Whether a line begins with `name`, in whatever case. */
function startsWith(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if ((bytes[at + i]! | LOWER) !== name[i]) return false;
  return true;
}

/** Digits after spaces; NaN when there are none. */
function decimalAt(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] === 0x20) at++;
  let value = NaN;
  for (; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (!(digit >= 0 && digit <= 9)) break;
    value = (Number.isNaN(value) ? 0 : value * 10) + digit;
  }
  return value;
}

/** Lower case as {@link startsWith} makes it of what it compares. */
function nameBytes(name: string): Uint8Array {
  return new TextEncoder().encode(name).map((byte) => byte | LOWER);
}
