/**
 * A subscriber of the event stream: counts what contacts wrote as it arrives, and how long it took.
 *
 * It reads the stream with a consumer, so an event counts when it is stored, and not when it passes by.
 *
 * @module
 */
import { AckPolicy, DeliverPolicy, jetstreamManager } from "@nats-io/jetstream";
import { createInbox } from "@nats-io/transport-node";
import { connectNats } from "../adapters/nats/connection.ts";
import { Names } from "../adapters/nats/topology.ts";
import { OWN_USER } from "../adapters/embedded/nats_accounts.ts";
import type { Embedded } from "../adapters/embedded/embedded.ts";
import { BrokerMessages } from "./broker_messages.ts";
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
const READ_BYTES = 262_144;
const TEXT = '"text":"';

/** The message's text in an event's JSON, found without reading the rest; what contacts write here needs no escape. */
export function textIn(json: string): string {
  const start = json.indexOf(TEXT) + TEXT.length;
  return json.slice(start, json.indexOf('"', start));
}

/** Listens from the end of the stream on. */
export async function listenToEvents(embedded: Embedded): Promise<EventListener> {
  let received = 0;
  let events = 0;
  let lastMs = 0;
  const lag = new Lag();
  const deliveries = await listenOnSocket(embedded, (subject, json) => {
    events++;
    if (!subject.endsWith(".message.received")) return;
    received++;
    lastMs = performance.now();
    lag.came(textIn(json));
  });
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
        if (deliveries.failure !== null) throw deliveries.failure;
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      return received >= wanted;
    },
    stop: deliveries.stop,
    [Symbol.asyncDispose]: deliveries.stop,
  };
}

interface Deliveries {
  /** Why nothing comes any more. */
  readonly failure: Error | null;
  stop(): Promise<void>;
}

/** A consumer of all events, delivered to a socket of our own, each after the one before. */
async function listenOnSocket(
  { natsUrl, natsToken }: Embedded,
  onEvent: (subject: string, json: string) => void,
): Promise<Deliveries> {
  const connection = await connectNats({ url: natsUrl, token: natsToken, name: "bench" });
  const jsm = await jetstreamManager(connection);
  const names = new Names(NAMESPACE);
  const { hostname, port } = new URL(natsUrl);
  const socket = await Deno.connect({ hostname, port: Number(port) });
  const inbox = createInbox();
  const encoder = new TextEncoder();
  const say = async (text: string) => {
    const bytes = encoder.encode(text);
    for (let from = 0; from < bytes.length;) from += await socket.write(bytes.subarray(from));
  };
  const options = { user: OWN_USER, pass: natsToken, headers: true, verbose: false, name: "bench events" };
  await say(`CONNECT ${JSON.stringify(options)}\r\nSUB ${inbox} 1\r\nPING\r\n`);

  let failure: Error | null = null;
  let isStopped = false;
  let delivered = 0;
  const subscribed = Promise.withResolvers<void>();
  const messages = new BrokerMessages();
  const decoder = new TextDecoder("latin1");
  const onLine = (line: string) => {
    if (line === "PING") say("PONG\r\n").catch(() => {});
    else if (line === "PONG") subscribed.resolve();
    else if (line.startsWith("-ERR")) throw new Error(`the broker said ${line}`);
  };
  const reading = (async () => {
    const bytes = new Uint8Array(READ_BYTES);
    try {
      for (let read = await socket.read(bytes); read !== null; read = await socket.read(bytes)) {
        messages.add(decoder.decode(bytes.subarray(0, read)), ({ subject, reply, payload }) => {
          if (reply === "") return;
          if (deliveryOf(reply) !== ++delivered) throw new Error(`an event before ${reply} was missed`);
          onEvent(subject, payload);
        }, onLine);
      }
      throw new Error("the broker closed the connection");
    } catch (error) {
      if (!isStopped) failure = error as Error;
      subscribed.reject(error);
    }
  })();
  await subscribed.promise;
  const info = await jsm.streams.info(names.eventStream);
  const consumer = await jsm.consumers.add(names.eventStream, {
    deliver_subject: inbox,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: info.state.last_seq + 1,
    filter_subject: names.allEvents,
    ack_policy: AckPolicy.None,
    mem_storage: true,
    num_replicas: 1,
  });
  return {
    get failure() {
      return failure;
    },
    stop: async () => {
      isStopped = true;
      await jsm.consumers.delete(names.eventStream, consumer.name).catch(() => {});
      socket.close();
      await reading;
      await connection.close();
    },
  };
}

/** $JS.ACK.<stream>.<consumer>.<tries>.<place in the stream>.<delivery>.<time>.<pending>, perhaps with a domain and an account. */
function deliveryOf(reply: string): number {
  return Number(reply.split(".").at(-3));
}
