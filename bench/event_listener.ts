/**
 * A subscriber of the event stream: counts what contacts wrote as it arrives, and how long it took.
 *
 * It reads the stream with a consumer, so an event counts when it is stored, and not when it passes by.
 *
 * @module
 */
import { jetstreamManager } from "@nats-io/jetstream";
import { connectNats } from "../adapters/nats/connection.ts";
import { StreamReader } from "../adapters/nats/stream_reader.ts";
import { Names } from "../adapters/nats/topology.ts";
import type { Embedded } from "../adapters/embedded/embedded.ts";
import { Lag, type LeftMs } from "./lag.ts";
import type { Histogram } from "./simulator/histogram.ts";

export interface EventListener {
  /** Events `message.received` so far. */
  readonly received: number;
  /** All events so far. */
  readonly events: number;
  /** When the last one came, by `performance.now()`. */
  readonly lastMs: number;
  /** From the moment a message left until its event came. */
  lag(): Histogram;
  /** Forgets the latencies, and counts those of messages that `leftMs` knows. */
  measure(leftMs: LeftMs): void;
  /** Waits until so many `message.received` came; false when they did not in time. */
  until(received: number, timeoutMs: number): Promise<boolean>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const NAMESPACE = "patchbay";
const POLL_MS = 5;
const TEXT = '"text":"';

/** The message's text in an event's JSON, found without reading the rest; what contacts write here needs no escape. */
export function textIn(json: string): string {
  const start = json.indexOf(TEXT) + TEXT.length;
  return json.slice(start, json.indexOf('"', start));
}

/** Listens from the end of the stream on. */
export async function listenToEvents(embedded: Embedded): Promise<EventListener> {
  const connection = await connectNats({ url: embedded.natsUrl, token: embedded.natsToken, name: "bench" });
  const jsm = await jetstreamManager(connection);
  const names = new Names(NAMESPACE);
  const decoder = new TextDecoder();
  let received = 0;
  let events = 0;
  let lastMs = 0;
  const lag = new Lag();
  const info = await jsm.streams.info(names.eventStream);
  const reader = new StreamReader({
    connection,
    jsm,
    stream: names.eventStream,
    filterSubject: names.allEvents,
    startSequence: info.state.last_seq + 1,
    name: "bench",
    onMessage: ({ subject, data }) => {
      events++;
      if (!subject.endsWith(".message.received")) return;
      received++;
      lastMs = performance.now();
      lag.came(textIn(decoder.decode(data)));
    },
  });
  await reader.start();
  const stop = async () => {
    reader.stop();
    await connection.close();
  };
  return {
    get received() {
      return received;
    },
    get events() {
      return events;
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
