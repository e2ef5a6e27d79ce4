/**
 * A limit on request bodies: by `Content-Length` before anything is read, else by counting while reading.
 *
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { Problem } from "./problem.ts";

export const JSON_BODY_BYTES_MAX = 262_144;
/** For paths that take files. */
export const FILE_BODY_BYTES_MAX = 8_388_608;

function tooLarge(bytesMax: number): Problem {
  // The rest of the body is not read, so the connection cannot be used again.
  return new Problem(413, `The body may have at most ${bytesMax} bytes.`, {
    headers: { connection: "close" },
  });
}

/**
 * Reads a body of at most `bytesMax` bytes.
 *
 * @throws {Problem} 413 as soon as it is known to be longer.
 */
export async function readBody(request: Request, bytesMax: number): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > bytesMax) throw tooLarge(bytesMax);
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  if (chunks.length === 1) return chunks[0]!;
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

/**
 * Refuses bodies above `bytesMax(path)`; what passes is in memory, and the handlers read it from there. Null: the
 * handler reads and limits the body itself.
 */
export function bodyLimit(bytesMax: (path: string) => number | null): MiddlewareHandler {
  return async (c, next) => {
    const request = c.req.raw;
    const max = bytesMax(c.req.path);
    if (max !== null) {
      const declared = request.headers.get("content-length");
      if (declared !== null) {
        if (!(Number(declared) <= max)) throw tooLarge(max);
      }
      // With a length declared the server reads no further than it; without one, only counting helps. The body is
      // asked for last: making a stream of it costs a third of what receiving the request does.
      const isOpenEnded = declared === null || request.headers.has("transfer-encoding");
      if (isOpenEnded && request.body !== null) {
        const body = await readBody(request, max);
        c.req.raw = new Request(request, { body: body.slice(), signal: request.signal });
      }
    }
    await next();
  };
}
