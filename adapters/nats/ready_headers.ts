/**
 * Headers that are bytes from the start. The client library's own are a map whose names are checked letter by letter
 * and printed at the end: with three of them the headers of an event cost more than its JSON.
 *
 * @module
 */
import type { MsgHdrs } from "@nats-io/transport-node";

const encoder = new TextEncoder();

/**
 * The headers of one message, in the order given. Names are constants of ours; a value with a line break is refused
 * with a `TypeError`.
 */
export function readyHeaders(headers: readonly (readonly [name: string, value: string])[]): MsgHdrs {
  let text = "NATS/1.0\r\n";
  for (const [name, value] of headers) {
    if (/[\r\n]/.test(value)) throw new TypeError(`the header ${name} must not have a line break`);
    text += `${name}: ${value}\r\n`;
  }
  const bytes = encoder.encode(`${text}\r\n`);
  // Publishing asks headers for nothing else.
  return { encode: () => bytes } as unknown as MsgHdrs;
}
