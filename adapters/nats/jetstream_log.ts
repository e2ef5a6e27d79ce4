/**
 * A partition's log as a JetStream stream.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/transport-node";
import type { JetStreamManager } from "@nats-io/jetstream";
import {
  type LogState,
  type OpenLog,
  type PartitionLog,
  replacement,
} from "../../core/ports/partition_log.ts";
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
    const info = await jsm.streams.info(names.logStream(kind, partition));
    return { created: info.created, lastSequence: info.state.last_seq };
  }

  async states(): Promise<ReadonlyMap<number, LogState>> {
    const { jsm, names, kind } = this.#options;
    const states = new Map<number, LogState>();
    for await (const { config, created, state } of jsm.streams.list(names.logSubjects(kind))) {
      const partition = names.partitionOfLog(kind, config.name);
      if (partition !== null) states.set(partition, { created, lastSequence: state.last_seq });
    }
    return states;
  }

  async open(options: Parameters<PartitionLog["open"]>[0]): Promise<OpenLog> {
    const { connection, jsm, names, kind, onRestart } = this.#options;
    const { partition } = options;
    const reader = new StreamReader({
      connection,
      jsm,
      stream: names.logStream(kind, partition),
      startSequence: options.afterSequence + 1,
      name: `p${partition}_e${options.epoch}`,
      onMessage: ({ sequence, data }) => options.onMessage({ partition, sequence, data }),
      hasRoom: options.hasRoom,
      onRestart: (reason) => onRestart?.(partition, reason),
      // The stream may be another one than before: its consumers would begin in the middle of it.
      mayRestart: async (nextSequence) => {
        const reason = replacement(options.created, nextSequence - 1, await this.state(partition));
        if (reason !== null) options.onReplaced(reason);
        return reason === null;
      },
    });
    await reader.start();
    return reader;
  }
}
