/**
 * The sending stage of a process.
 *
 * @module
 */
import type { Channel } from "../../core/channel.ts";
import type { DirectorySource } from "../../core/ports/directory.ts";
import type { CallProvider } from "../../core/ports/provider_call.ts";
import type { Provider } from "../../core/ports/provider.ts";
import type { QueuedMessage } from "../../core/send/queued_message.ts";
import type { Health } from "../../core/send/channel_health.ts";
import type { Settlement } from "../../core/send/outcome.ts";
import { SendWorker } from "../../core/send/send_worker.ts";
import { numberedCalls } from "../../core/polling/numbered_calls.ts";
import type { EventPublisher } from "../nats/event_publisher.ts";
import { PostgresPartitionStore } from "../postgres/partition_store.ts";
import { PostgresPollStore } from "../postgres/poll_store.ts";
import { PostgresSendStore } from "../postgres/send_store.ts";
import { systemClock } from "../system/clock.ts";
import type { Log } from "../system/log.ts";
import type { Metrics } from "./metrics.ts";
import type { Parts } from "./parts.ts";
import { sendNudger } from "./send_nudger.ts";

export interface SenderOptions {
  readonly parts: Parts;
  readonly directory: DirectorySource;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly callProvider: CallProvider;
  readonly publisher: EventPublisher;
  /** Where reports about a message go. */
  readonly statusUrl: (channel: Channel, messageId: string) => string;
  /** Told of messages that the provider refused because their contacts want no more. */
  readonly onOptedOut: (message: QueuedMessage) => void;
  /** Told of what the calls say of a channel. */
  readonly onHealth: (channel: Channel, health: Health | null) => void;
  /** Whether nobody can have taken this process's lanes for ownerless. */
  readonly isSure: () => boolean;
  /** Lanes turned out to be another process's. */
  readonly onFenced: (lanes: readonly number[]) => void;
  readonly metrics: () => Metrics;
  readonly log: Log;
}

export interface Sender {
  readonly worker: SendWorker;
  stop(): Promise<void>;
}

/** Makes ready to send; the lanes are for others to bring. */
export function startSender(options: SenderOptions): Sender {
  const { parts, log } = options;
  const worker = new SendWorker({
    isSure: options.isSure,
    store: new PostgresSendStore(parts.hotSql),
    partitions: new PostgresPartitionStore(parts.hotSql),
    directory: options.directory,
    providers: options.providers,
    call: numberedCalls(options.callProvider, new PostgresPollStore(parts.hotSql), systemClock.now),
    statusUrl: options.statusUrl,
    publish: (row) => options.publisher.publish(row.payload),
    clock: systemClock,
    random: Math.random,
    onFenced: options.onFenced,
    onError: (error, what) => log.warn("sending-failed", { what, reason: error.message }),
    onSettled: (message, channel, settlement, callMs) => {
      count(options.metrics(), message, channel, settlement);
      const isRefused = settlement.kind === "end" && settlement.error.class === "opted-out";
      if (isRefused && callMs !== null) options.onOptedOut(message);
    },
    onHealth: options.onHealth,
    onMoved: sendNudger(parts),
    onRecovered: (counts) => {
      for (const [policy, n] of Object.entries(counts)) options.metrics().recovered.inc({ policy }, n);
      if (Object.values(counts).some((n) => n > 0)) log.warn("uncertain-sends-found", counts);
    },
  });
  worker.start();
  const subscription = parts.connection.subscribe(parts.names.allOut, {
    callback: (error, message) => {
      // Most are for other senders, where there are many.
      if (error || !worker.owns(parts.names.channelOfOut(message.subject))) return;
      worker.onNudge(message.json<QueuedMessage[]>());
    },
  });
  return {
    worker,
    stop: async () => {
      subscription.unsubscribe();
      await worker.stop();
    },
  };
}

function count(metrics: Metrics, message: QueuedMessage, channel: Channel, settlement: Settlement): void {
  const provider = channel.provider;
  switch (settlement.kind) {
    case "sent":
      return metrics.sends.inc({ provider, result: "accepted" });
    case "hold":
      metrics.uncertain.inc({ provider });
      return metrics.sends.inc({ provider, result: settlement.error.class });
    case "retry":
    case "end":
      // Once a message: it stays uncertain over further tries.
      if (settlement.uncertain && !message.uncertain) metrics.uncertain.inc({ provider });
      return metrics.sends.inc({ provider, result: settlement.error.class });
    case "returned":
      return;
  }
}
