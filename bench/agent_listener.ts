/**
 * An agent's view: server-sent events over HTTP, with the agent's own key. How long a stamped message took to get there.
 *
 * @module
 */
import type { ApiClient } from "./api_client.ts";
import { Lag, type LeftMs } from "./lag.ts";
import type { Histogram } from "./simulator/histogram.ts";

export interface AgentListener {
  /** Events `message.received` so far. */
  readonly received: number;
  /** From the moment a message left until the agent had it. */
  lag(): Histogram;
  /** Forgets the latencies, and counts those of messages that `leftMs` knows. */
  measure(leftMs: LeftMs): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** With the message's text; what contacts write here has nothing in it that JSON escapes. */
const RECEIVED = /^data:.*"type":"[a-z.]*message\.received".*"text":"([^"]*)"/gm;

/** Listens from now on as `extensionId`; resolves when the stream is open. */
export async function listenAsAgent(api: ApiClient, extensionId: string): Promise<AgentListener> {
  const { key } = await api.post<{ key: string }>("/v1/keys", { name: "Bench", role: "agent", extensionId });
  const response = await fetch(`${api.url}/v1/events`, { headers: { authorization: `Bearer ${key}` } });
  if (!response.ok || response.body === null) throw new Error(`/v1/events answered ${response.status}`);
  let received = 0;
  const lag = new Lag();
  const reader = response.body.getReader();
  const reading = readBlocks(reader, (blocks) => {
    for (const [, text] of blocks.matchAll(RECEIVED)) {
      received++;
      lag.came(text!);
    }
  });
  return {
    get received() {
      return received;
    },
    lag: () => lag.histogram,
    measure: (leftMs) => lag.measure(leftMs),
    [Symbol.asyncDispose]: async () => {
      await reader.cancel();
      await reading;
    },
  };
}

/** Calls back with whole blocks only. Ends when the stream does. */
async function readBlocks(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  onBlocks: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const text = rest + decoder.decode(read.value, { stream: true });
      const end = text.lastIndexOf("\n\n") + 2;
      rest = end < 2 ? text : text.slice(end);
      if (end >= 2) onBlocks(text.slice(0, end));
    }
  } catch {
    // Broken off: what is missing shows in the count.
  }
}
