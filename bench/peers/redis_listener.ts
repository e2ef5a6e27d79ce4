/**
 * Listens to what the pipeline's worker publishes after each commit: the same questions as to our own event stream.
 *
 * Redis is spoken to directly: SUBSCRIBE, and then every message is an array of three bulk strings. It costs this
 * process less than a client library would, which is to the pipeline's advantage.
 *
 * @module
 */
import { type EventListener, textIn } from "../event_listener.ts";
import { Lag } from "../lag.ts";

export type PeerListener = Omit<EventListener, "events">;

const POLL_MS = 5;
const READ_BYTES = 65_536;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Subscribes to `channel` and counts from now on. */
export async function listenToRedis(port: number, channel: string): Promise<PeerListener> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(connection, encoder.encode(`SUBSCRIBE ${channel}\r\n`));
  let received = 0;
  let lastMs = 0;
  const lag = new Lag();
  let subscribed = () => {};
  const ready = new Promise<void>((resolve) => subscribed = resolve);
  const onMessage = ([kind, , payload]: readonly string[]) => {
    if (kind === "subscribe") return subscribed();
    if (kind !== "message") return;
    received++;
    lastMs = performance.now();
    lag.came(textIn(payload!));
  };
  const reading = readMessages(connection, onMessage);
  await ready;
  const stop = async () => {
    connection.close();
    await reading;
  };
  return {
    get received() {
      return received;
    },
    get lastMs() {
      return lastMs;
    },
    lag: () => lag.histogram,
    measure: (leftMs) => lag.measure(leftMs),
    until: async (wanted, timeoutMs) => {
      const endMs = performance.now() + timeoutMs;
      while (received < wanted && performance.now() < endMs) {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      return received >= wanted;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function readMessages(
  connection: Deno.TcpConn,
  onMessage: (parts: readonly string[]) => void,
): Promise<void> {
  const reader = new PushReader();
  const bytes = new Uint8Array(READ_BYTES);
  try {
    for (let read = await connection.read(bytes); read !== null; read = await connection.read(bytes)) {
      for (const parts of reader.add(bytes.subarray(0, read))) onMessage(parts);
    }
  } catch {
    // Closed by stop(), or Redis went away: whoever waits for messages says so.
  }
}

/** Takes a stream of Redis's arrays of bulk strings and integers apart (RESP 2). */
export class PushReader {
  #bytes = new Uint8Array(0);

  /** The arrays that are complete with `more`. Throws on anything else than such arrays. */
  add(more: Uint8Array): string[][] {
    const bytes = new Uint8Array(this.#bytes.length + more.length);
    bytes.set(this.#bytes);
    bytes.set(more, this.#bytes.length);
    const complete: string[][] = [];
    let at = 0;
    for (;;) {
      const found = arrayAt(bytes, at);
      if (found === null) break;
      complete.push(found.parts);
      at = found.end;
    }
    this.#bytes = bytes.slice(at);
    return complete;
  }
}

function arrayAt(bytes: Uint8Array, start: number): { parts: string[]; end: number } | null {
  const head = lineAt(bytes, start);
  if (head === null) return null;
  if (!head.text.startsWith("*")) throw new SyntaxError(`not an array of Redis: ${head.text}`);
  const parts: string[] = [];
  let at = head.end;
  for (let left = Number(head.text.slice(1)); left > 0; left--) {
    const line = lineAt(bytes, at);
    if (line === null) return null;
    if (line.text.startsWith(":")) {
      parts.push(line.text.slice(1));
      at = line.end;
      continue;
    }
    const length = Number(line.text.slice(1));
    if (!line.text.startsWith("$") || !(length >= 0)) {
      throw new SyntaxError(`not a string of Redis: ${line.text}`);
    }
    if (line.end + length + 2 > bytes.length) return null;
    parts.push(decoder.decode(bytes.subarray(line.end, line.end + length)));
    at = line.end + length + 2;
  }
  return { parts, end: at };
}

function lineAt(bytes: Uint8Array, start: number): { text: string; end: number } | null {
  const end = bytes.indexOf(13, start);
  if (end < 0 || end + 1 >= bytes.length) return null;
  return { text: decoder.decode(bytes.subarray(start, end)), end: end + 2 };
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let from = 0; from < bytes.length;) from += await connection.write(bytes.subarray(from));
}
