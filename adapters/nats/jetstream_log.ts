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
    const { partition, afterSequence } = options;
    // An older copy that was restored and has grown since cannot be told by its length, but by its entries.
    let last: Place | null = afterSequence === 0 ? null : await this.#placeOf(partition, afterSequence);
    const reader = new StreamReader({
      connection,
      jsm,
      stream: names.logStream(kind, partition),
      startSequence: afterSequence + 1,
      name: `p${partition}_e${options.epoch}`,
      onMessage: ({ sequence, data, stored }) => {
        last = { sequence, storedMs: Number(BigInt(stored) / 1_000_000n) };
        options.onMessage({ partition, sequence, data });
      },
      hasRoom: options.hasRoom,
      onRestart: (reason) => onRestart?.(partition, reason),
      // The stream may be another one than before: its consumers would begin in the middle of it.
      mayRestart: async (nextSequence) => {
        const reason = replacement(options.created, nextSequence - 1, await this.state(partition)) ??
          await this.#whyOther(partition, last);
        if (reason !== null) options.onReplaced(reason);
        return reason === null;
      },
    });
    await reader.start();
    return reader;
  }

  /** Why the log is not the one that had `last`; null when it may be. */
  async #whyOther(partition: number, last: Place | null): Promise<string | null> {
    const now = last === null ? null : await this.#placeOf(partition, last.sequence);
    // The two times come in different notations; in the other history the same place was stored seconds apart.
    if (last === null || now === null || Math.abs(now.storedMs - last.storedMs) <= 1) return null;
    return `its entry ${last.sequence} is another one, stored at ${new Date(now.storedMs).toISOString()}`;
  }

  /** Null when the log does not have it, or not any more. */
  async #placeOf(partition: number, sequence: number): Promise<Place | null> {
    const { jsm, names, kind } = this.#options;
    const message = await jsm.streams.getMessage(names.logStream(kind, partition), { seq: sequence });
    return message === null ? null : { sequence, storedMs: message.time.getTime() };
  }
}

/** Something that the log stored, and when. */
interface Place {
  readonly sequence: number;
  readonly storedMs: number;
}
