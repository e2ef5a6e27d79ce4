/**
 * What the broker keeps of a run: the events that were told, and where the logs end.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/transport-node";
import type { JetStreamManager } from "@nats-io/jetstream";
import { StreamReader } from "../../adapters/nats/stream_reader.ts";
import type { LogKind, Names } from "../../adapters/nats/topology.ts";
import { DISPATCH_PARTITIONS, STATUS_PARTITIONS } from "../../core/partition.ts";
import type { CloudEvent } from "../../core/events.ts";
import type { Leftovers, Told } from "./run.ts";

export interface Broker {
  readonly nats: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly names: Names;
}

const READ_MS_MAX = 60_000;

/** Every event that is in the stream now, in its order; those on platforms' own subjects left out. Rejects after a minute. */
export async function readEvents({ nats, jsm, names }: Broker): Promise<CloudEvent[]> {
  const { state } = await jsm.streams.info(names.eventStream, { subjects_filter: names.allEvents });
  const count = Object.values(state.subjects ?? {}).reduce((sum, n) => sum + n, 0);
  const events: CloudEvent[] = [];
  if (count === 0) return events;
  const decoder = new TextDecoder();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const reader = new StreamReader({
    connection: nats,
    jsm,
    stream: names.eventStream,
    filterSubject: names.allEvents,
    startSequence: 1,
    name: "audit",
    onMessage: ({ data }) => {
      events.push(JSON.parse(decoder.decode(data)));
      if (events.length >= count) resolve();
    },
  });
  const timer = setTimeout(
    () => reject(new Error(`only ${events.length} of ${count} events could be read`)),
    READ_MS_MAX,
  );
  await reader.start();
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    reader.stop();
  }
  return events;
}

/** The events that tell of messages. */
export async function readTold(broker: Broker): Promise<Told[]> {
  // What is told of a file is no step of its message.
  return (await readEvents(broker))
    .filter(({ type }) => type.startsWith("message.") && type !== "message.media")
    .map(({ id, type, data }) => ({ id, type, messageId: String(data.messageId) }));
}

/** The last sequence of each partition's log. */
export async function readLogEnds({ jsm, names }: Broker, partitions: number): Promise<Leftovers["logEnds"]> {
  const kinds: readonly (readonly [LogKind, number])[] = [
    ["route", partitions],
    ["status", STATUS_PARTITIONS],
    ["dispatch", DISPATCH_PARTITIONS],
  ];
  return await Promise.all(
    kinds.flatMap(([kind, count]) =>
      Array.from({ length: count }, async (_, partition) => {
        const { state } = await jsm.streams.info(names.logStream(kind, partition));
        return { kind, partition, sequence: state.last_seq };
      })
    ),
  );
}
