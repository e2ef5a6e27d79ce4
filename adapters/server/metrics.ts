/**
 * The process's metrics, in Prometheus' text format. Labels are bounded: providers, outcomes, kinds, channels; never
 * numbers or contacts.
 *
 * @module
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { SendWorkerStats } from "../../core/send/send_worker.ts";

/** One queue of the dispatcher. */
export interface QueueFigures {
  readonly queueId: string;
  /** Sessions in its line. */
  readonly waiting: number;
  /** How long the first in line has waited, ms. */
  readonly oldestMs: number;
}

/** What is read at the moment of a scrape. */
export interface LiveFigures {
  /** Entries that wait for their fsync. */
  readonly ingressPending: () => number;
  /** Events that wait for their fsync. */
  readonly eventsPending: () => number;
  /** Log messages read and not yet applied, by kind of log. */
  readonly logWaiting: () => Readonly<Record<string, number>>;
  /** How long the oldest message that could have been sent has waited in this process's channels, ms. */
  readonly oldestDueAgeMs: () => number;
  /** The channels that this process sends for. */
  readonly channels: () => SendWorkerStats["channels"];
  /** The platforms' endpoints that this process delivers to. */
  readonly platformEndpoints: () => readonly { readonly platformId: string; readonly isFailing: boolean }[];
  /** The queues, where this process has the dispatcher. */
  readonly queues: () => readonly QueueFigures[];
  /** Files being fetched, told of or removed. */
  readonly mediaUnderWay: () => number;
  /** Partitions owned, by kind. */
  readonly partitionsOwned: () => Readonly<Record<string, number>>;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** All metrics of one process, in a registry of their own. */
export function createMetrics(figures: LiveFigures) {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  const gaugeByKind = (name: string, help: string, read: () => Readonly<Record<string, number>>) =>
    new Gauge({
      name,
      help,
      registers,
      labelNames: ["kind"],
      collect() {
        for (const [kind, value] of Object.entries(read())) this.set({ kind }, value);
      },
    });
  gauge("patchbay_ingress_pending", "Entries that wait to be durable", figures.ingressPending);
  gauge("patchbay_events_pending", "Events that wait to be durable", figures.eventsPending);
  gaugeByKind("patchbay_log_waiting", "Log messages read and not yet applied", figures.logWaiting);
  gaugeByKind("patchbay_partitions_owned", "Partitions that this process applies", figures.partitionsOwned);
  gauge(
    "patchbay_send_oldest_due_seconds",
    "How long the oldest message that could have been sent has waited",
    () => figures.oldestDueAgeMs() / 1_000,
  );
  const channelGauge = (
    name: string,
    help: string,
    read: (channel: SendWorkerStats["channels"][number]) => number,
  ) =>
    new Gauge({
      name,
      help,
      registers,
      labelNames: ["channel"],
      collect() {
        // Those of lanes that went elsewhere go with them.
        this.reset();
        for (const channel of figures.channels()) this.set({ channel: channel.channelId }, read(channel));
      },
    });
  channelGauge(
    "patchbay_channel_effective_rate",
    "Units per second that may leave: the configured rate, or what the provider's throttling left of it",
    ({ effectiveMps }) => effectiveMps,
  );
  channelGauge(
    "patchbay_channel_circuit_open",
    "1 while a channel's calls fail and it is only tried now and then",
    ({ isConnected }) => isConnected ? 0 : 1,
  );
  new Gauge({
    name: "patchbay_platform_circuit_open",
    help: "1 while a platform's endpoint fails and is only tried now and then",
    registers,
    labelNames: ["platform"],
    collect() {
      this.reset();
      for (const { platformId, isFailing } of figures.platformEndpoints()) {
        this.set({ platform: platformId }, isFailing ? 1 : 0);
      }
    },
  });
  const queueGauge = (name: string, help: string, read: (queue: QueueFigures) => number) =>
    new Gauge({
      name,
      help,
      registers,
      labelNames: ["queue"],
      collect() {
        // They go with the dispatcher to another process, and queues are removed.
        this.reset();
        for (const queue of figures.queues()) this.set({ queue: queue.queueId }, read(queue));
      },
    });
  queueGauge("patchbay_queue_waiting", "Sessions in a queue's waiting line", ({ waiting }) => waiting);
  queueGauge(
    "patchbay_queue_oldest_wait_seconds",
    "How long the first in a queue's line has waited",
    ({ oldestMs }) => oldestMs / 1_000,
  );
  gauge("patchbay_media_under_way", "Files being fetched, told of or removed", figures.mediaUnderWay);
  gauge("patchbay_process_memory_bytes", "Resident memory of this process", () => Deno.memoryUsage().rss);
  return {
    registry,
    webhooks: new Counter({
      name: "patchbay_webhooks_total",
      help: "Webhooks by what became of them",
      labelNames: ["provider", "outcome"],
      registers,
    }),
    webhookSeconds: new Histogram({
      name: "patchbay_webhook_seconds",
      help: "From a webhook's arrival to its answer",
      labelNames: ["provider"],
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    commitSeconds: new Histogram({
      name: "patchbay_commit_seconds",
      help: "One batch of a lane: load, decide, write",
      labelNames: ["kind"],
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    commitFailures: new Counter({
      name: "patchbay_commit_failures_total",
      help: "Tries of a batch that failed and come again",
      labelNames: ["kind"],
      registers,
    }),
    dispatched: new Counter({
      name: "patchbay_dispatched_total",
      help:
        "What the dispatcher did: offers made, claims let through, sessions that left a line for somebody",
      labelNames: ["what"],
      registers,
    }),
    messages: new Counter({
      name: "patchbay_messages_total",
      help: "Messages received and written to be sent, by what their number is for: chat or in-call",
      labelNames: ["purpose", "direction"],
      registers,
    }),
    calls: new Counter({
      name: "patchbay_calls_total",
      help: "Calls that began and ended to be texted in: opened, ended",
      labelNames: ["event"],
      registers,
    }),
    deadLetters: new Counter({
      name: "patchbay_dead_letters_total",
      help: "Entries put aside, by kind",
      labelNames: ["kind"],
      registers,
    }),
    sends: new Counter({
      name: "patchbay_sends_total",
      help: "Results of calls to providers: accepted, or the class of the error",
      labelNames: ["provider", "result"],
      registers,
    }),
    polls: new Counter({
      name: "patchbay_polls_total",
      help: "Fetches from providers that do not call us: done, or the class of the error",
      labelNames: ["provider", "poll", "result"],
      registers,
    }),
    recovered: new Counter({
      name: "patchbay_sends_recovered_total",
      help: "Sends that a former owner left under way, by what was done with them",
      labelNames: ["policy"],
      registers,
    }),
    mediaFetches: new Counter({
      name: "patchbay_media_fetches_total",
      help: "Tries to fetch a contact's file, by what became of them: ready, failed, retry",
      labelNames: ["provider", "result"],
      registers,
    }),
    mediaBytes: new Counter({
      name: "patchbay_media_fetched_bytes_total",
      help: "Bytes of contacts' files that are kept",
      labelNames: ["provider"],
      registers,
    }),
    mediaServed: new Counter({
      name: "patchbay_media_served_total",
      help: "Answers to those who fetch files, by status",
      labelNames: ["status"],
      registers,
    }),
    platformDeliveries: new Counter({
      name: "patchbay_platform_deliveries_total",
      help: "Events for platforms' endpoints by what became of them: delivered, given-up",
      labelNames: ["platform", "result"],
      registers,
    }),
    uncertain: new Counter({
      name: "patchbay_sends_uncertain_total",
      help: "Sends of which nobody can tell whether the provider took them",
      labelNames: ["provider"],
      registers,
    }),
  };
}
