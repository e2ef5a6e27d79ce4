/**
 * How far the logs are ahead of what is applied.
 *
 * @module
 */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { LogKind, Names } from "./topology.ts";

export interface LogBacklog {
  readonly lastSequence: number;
  /** When the oldest log message that is not applied was stored, ms since 1970 on the server's clock; null: none. */
  readonly oldestMs: number | null;
}

/** By partition; `cursors` are the last sequences applied. */
export async function logBacklogs(
  jsm: JetStreamManager,
  names: Names,
  kind: LogKind,
  cursors: ReadonlyMap<number, number>,
): Promise<ReadonlyMap<number, LogBacklog>> {
  const last = new Map<number, number>();
  for await (const { config, state } of jsm.streams.list(names.logSubjects(kind))) {
    const partition = names.partitionOfLog(kind, config.name);
    if (partition !== null) last.set(partition, state.last_seq);
  }
  const backlogs = await Promise.all([...last].map(async ([partition, lastSequence]) => {
    const cursor = cursors.get(partition) ?? 0;
    const oldest = cursor >= lastSequence ? null : await jsm.streams
      .getMessage(names.logStream(kind, partition), { seq: cursor + 1 })
      // It has expired: the log was not applied for longer than it is kept.
      .catch(() => null);
    return [partition, {
      lastSequence,
      oldestMs: oldest === null ? null : Date.parse(oldest.timestamp),
    }] as const;
  }));
  return new Map(backlogs);
}
