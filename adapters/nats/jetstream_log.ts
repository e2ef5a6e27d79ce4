/**
 * A partition's log as a JetStream stream.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/transport-node";
import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import type { LogState, OpenLog, PartitionLog } from "../../core/ports/partition_log.ts";
import { StreamReader } from "./stream_reader.ts";
import type { LogKind, Names } from "./topology.ts";

export interface JetStreamLogOptions {
  readonly connection: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly names: Names;
  readonly kind: LogKind;
  readonly onRestart?: (partition: number, reason: string) => void;
}

export class JetStreamLog implements PartitionLog {
  readonly #options: JetStreamLogOptions;

  constructor(options: JetStreamLogOptions) {
    this.#options = options;
  }

  async state(partition: number): Promise<LogState> {
    const { jsm, names, kind } = this.#options;
    return stateOf(await jsm.streams.info(names.logStream(kind, partition)));
  }

  async states(): Promise<ReadonlyMap<number, LogState>> {
    const { jsm, names, kind } = this.#options;
    const states = new Map<number, LogState>();
    for await (const info of jsm.streams.list(names.logSubjects(kind))) {
      const partition = names.partitionOfLog(kind, info.config.name);
      if (partition !== null) states.set(partition, stateOf(info));
    }
    return states;
  }

  async storedAt(partition: number, sequence: number): Promise<string | null> {
    const { jsm, names, kind } = this.#options;
    const message = await jsm.streams.getMessage(names.logStream(kind, partition), { seq: sequence });
    return message === null ? null : nanoseconds(message.timestamp);
  }

  async open(options: Parameters<PartitionLog["open"]>[0]): Promise<OpenLog> {
    const { connection, jsm, names, kind, onRestart } = this.#options;
    const { partition, afterSequence } = options;
    const reader = new StreamReader({
      connection,
      jsm,
      stream: names.logStream(kind, partition),
      startSequence: afterSequence + 1,
      name: `p${partition}_e${options.epoch}`,
      onMessage: ({ sequence, data, stored }) => options.onMessage({ partition, sequence, data, stored }),
      hasRoom: options.hasRoom,
      onRestart: (reason) => onRestart?.(partition, reason),
      mayRead: options.mayRead,
    });
    await reader.start();
    return reader;
  }
}

function stateOf({ created, state }: StreamInfo): LogState {
  return { created, firstSequence: state.first_seq, lastSequence: state.last_seq };
}

/**
 * Ns since 1970 as digits, as consumers give the time, of the time that the server gives with a single message: RFC
 * 3339 with up to nine decimals, those at the end left out that are 0. Both are of the same number: they are equal to
 * the nanosecond.
 */
function nanoseconds(time: string): string {
  const [, seconds, decimals = "", zone] = /^([^.Z+]+?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(time) ?? [];
  const ms = Date.parse(`${seconds}${zone}`);
  if (Number.isNaN(ms)) throw new Error(`the server gave a time that cannot be read: ${time}`);
  return `${ms / 1_000}${decimals.padEnd(9, "0")}`;
}
