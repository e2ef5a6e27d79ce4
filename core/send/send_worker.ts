/**
 * The sending half of one process: works on send lanes as they come and go, and with them on the channels that
 * belong to them; keeps one {@link ChannelSender} for each, in step with the configuration.
 *
 * A channel has one sender anywhere, so its buckets are exact; they start empty, since the former owner may have
 * used them up a moment ago. A sender makes no calls while others may take this process for dead.
 *
 * States: *new* → *running* → *stopped*.
 *
 * @module
 */
import type { Channel } from "../channel.ts";
import type { Directory } from "../directory.ts";
import { PRIORITY } from "../message.ts";
import type { LossReason, PartitionHolder } from "../membership/partition_keeper.ts";
import type { DirectorySource } from "../ports/directory.ts";
import type { OwnedPartition } from "../ports/partition_store.ts";
import type { CallProvider } from "../ports/provider_call.ts";
import type { Provider } from "../ports/provider.ts";
import type { RecoveryPolicy } from "../ports/send_store.ts";
import type { Health } from "./channel_health.ts";
import { ChannelSender } from "./channel_sender.ts";
import { Fallbacks } from "./fallback.ts";
import type { Settlement } from "./outcome.ts";
import { type QueuedMessage, SEND_LANES, sendLaneOf } from "./queued_message.ts";
import { RateGate } from "./rate_gate.ts";
import { recoveryPolicies } from "./recovery.ts";
import { SendFeed } from "./send_feed.ts";
import { SendLedger, type SendLedgerOptions } from "./send_ledger.ts";
import { SendSweep } from "./send_sweep.ts";
import type { SenderPort } from "./sender_port.ts";

export interface SendWorkerOptions extends SendLedgerOptions {
  /** Whether nobody else can have taken the lanes for ownerless. */
  readonly isSure: () => boolean;
  readonly directory: DirectorySource;
  /** By kind. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly call: CallProvider;
  /** Where reports about a message go. */
  readonly statusUrl: (channel: Channel, messageId: string) => string;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Called with each settlement and the duration of the call, ms; null without a call. */
  readonly onSettled?: (
    message: QueuedMessage,
    channel: Channel,
    settlement: Settlement,
    callMs: number | null,
  ) => void;
  /** Called now and then, and at once when it changes much, with what is known of a channel; null: nothing yet. */
  readonly onHealth?: (channel: Channel, health: Health | null) => void;
  /** Called with messages that other channels are to send from now on: a nudge for whoever has those. */
  readonly onMoved?: (messages: readonly QueuedMessage[]) => void;
  /** Called for new lanes with what a former owner left under way, by what was done with it. */
  readonly onRecovered?: (counts: Readonly<Record<RecoveryPolicy["policy"], number>>) => void;
  /** Calls under way for one channel at most. @default {64} */
  readonly channelConcurrencyMax?: number;
  /** Calls under way at most; each channel may have a few all the same. @default {512} */
  readonly concurrencyMax?: number;
  /** What `lose` waits for calls under way, ms. @default {10_000} */
  readonly graceMs?: number;
}

/** What waits and what is under way, for the metrics. */
export interface SendWorkerStats {
  /** Messages in memory that are not under way. */
  readonly waiting: number;
  readonly inFlight: number;
  readonly lanes: number;
  /** How long the oldest message has waited that could have been sent, ms; 0: none waits. As of the last look. */
  readonly oldestDueAgeMs: number;
  /** Each channel that this process sends for. */
  readonly channels: readonly {
    readonly channelId: string;
    /** Units per second that may leave now. */
    readonly effectiveMps: number;
    /** False: only probes are sent. */
    readonly isConnected: boolean;
  }[];
}

/** Calls that each channel may have under way whatever the others do. */
const CALLS_MIN = 4;
/** Between two looks whether others may still take this process for dead, while messages wait for that. */
const DOUBT_LOOK_MS = 100;
const DAY_MS = 86_400_000;
const GRACE_MS = 10_000;
/** Above the grace: a lane that is taken while calls are under way makes them uncertain. */
const HAND_OFF_MS_MAX = 12_000;

export class SendWorker implements PartitionHolder {
  readonly kind = "send";
  readonly partitions = SEND_LANES;
  readonly role = "sender";
  readonly handOffMsMax = HAND_OFF_MS_MAX;
  readonly #options: SendWorkerOptions;
  readonly #ledger: SendLedger;
  readonly #feed: SendFeed;
  readonly #sweep: SendSweep;
  readonly #fallbacks: Fallbacks;
  readonly #senders = new Map<string, ChannelSender>();
  /** Senders that found all slots taken. */
  readonly #starved = new Set<ChannelSender>();
  /** Senders that found that others may take this process for dead. */
  readonly #doubtful = new Set<ChannelSender>();
  /** Lanes whose channels are to have senders. */
  readonly #lanes = new Set<number>();
  #state: "new" | "running" | "stopped" = "new";
  #inFlight = 0;
  #following: Promise<void> = Promise.resolve();
  #cancelDoubtLook: (() => void) | null = null;
  #unwatch: (() => void) | null = null;

  constructor(options: SendWorkerOptions) {
    this.#options = options;
    this.#ledger = new SendLedger({ ...options, onFenced: (lanes) => this.#fenced(lanes) });
    this.#feed = new SendFeed({ ...options, senders: this.#senders });
    this.#sweep = new SendSweep({
      ...options,
      senders: this.#senders,
      feed: this.#feed,
      ledger: this.#ledger,
    });
    this.#fallbacks = new Fallbacks(options.providers);
  }

  get stats(): SendWorkerStats {
    let waiting = -this.#inFlight;
    for (const sender of this.#senders.values()) waiting += sender.scheduler.size;
    const channels = [...this.#senders.values()].map(({ channel, effectiveMps, isConnected }) => ({
      channelId: channel.id,
      effectiveMps,
      isConnected,
    }));
    return {
      waiting,
      inFlight: this.#inFlight,
      lanes: this.#ledger.lanes,
      oldestDueAgeMs: this.#sweep.oldestDueAgeMs,
      channels,
    };
  }

  /** Follows the configuration from now on; lanes are for {@link gain} to bring. */
  start(): void {
    this.#state = "running";
    this.#unwatch = this.#options.directory.onChange((changed) => this.#followLater(changed));
    this.#sweep.start();
  }

  owns(channelId: string): boolean {
    return this.#lanes.has(sendLaneOf(channelId));
  }

  /** Settles what a former owner left under way, and starts to send. Rejects when the store is away. */
  gain(owned: readonly OwnedPartition[]): Promise<void> {
    const lanes = owned.map(({ partition }) => partition);
    return this.#inTurn(async () => {
      this.#ledger.add(owned);
      await this.#recover(lanes);
      for (const lane of lanes) this.#lanes.add(lane);
      await this.#follow(this.#options.directory.current());
    });
  }

  /** Claims no more in these lanes, waits a while for the calls under way, and records them. */
  async lose(lanes: readonly number[], reason: LossReason): Promise<void> {
    const senders = await this.#inTurn(() => Promise.resolve(this.#silence(lanes)));
    const isBusy = () => this.#ledger.unrecorded(lanes) > 0 || senders.some((sender) => sender.unsettled > 0);
    const untilMs = this.#options.clock.monotonic() + (this.#options.graceMs ?? GRACE_MS);
    const isInTime = () => this.#state !== "stopped" && this.#options.clock.monotonic() < untilMs;
    while (reason === "released" && isBusy() && isInTime()) await this.#ledger.sleep(10);
    this.#ledger.remove(lanes);
  }

  /** Messages that were committed a moment ago: the fast path. Those of other lanes are left alone. */
  onNudge(messages: readonly QueuedMessage[]): void {
    if (this.#state !== "running") return;
    const byChannel = Map.groupBy(messages, (message) => message.channel_id);
    for (const [channelId, list] of byChannel) {
      const sender = this.#senders.get(channelId);
      if (sender !== undefined) this.#feed.nudge(sender, list);
    }
  }

  /** Publishes what can be published. The lanes are to be lost before. */
  async stop(): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#unwatch?.();
    this.#sweep.stop();
    this.#cancelDoubtLook?.();
    this.#feed.stop();
    for (const sender of this.#senders.values()) sender.stop();
    await this.#ledger.close();
  }

  async #recover(lanes: readonly number[]): Promise<void> {
    const { directory, providers } = this.#options;
    const policies = recoveryPolicies(lanes, directory.current(), providers);
    if (policies.length === 0) return;
    const counts = await this.#ledger.recover(lanes, policies);
    this.#options.onRecovered?.(counts);
  }

  /** Changes of what there is to send for are carried out one after the other. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#following.then(run);
    this.#following = result.then(() => {}, () => {});
    return result;
  }

  #followLater(directory: Directory): void {
    this.#inTurn(() => this.#follow(directory))
      .catch((error) => this.#options.onError(error, "follow a change of the configuration"));
  }

  /** Makes the senders match the configuration. */
  async #follow(directory: Directory): Promise<void> {
    const added: Channel[] = [];
    for (const channel of directory.channels.values()) {
      if (!this.owns(channel.id)) continue;
      const sender = this.#senders.get(channel.id);
      if (sender === undefined) added.push(channel);
      else if (sender.channel !== channel) sender.change(channel);
    }
    for (const id of [...this.#senders.keys()]) if (!directory.channels.has(id)) this.#drop(id);
    if (added.length > 0) await this.#add(added);
    for (const number of directory.numbers.values()) {
      this.#senders.get(number.channelId)?.changeNumber(number);
    }
    for (const { id } of added) if (this.#senders.has(id)) this.#feed.refill(id);
    for (const sender of this.#senders.values()) sender.pump();
  }

  async #add(channels: readonly Channel[]): Promise<void> {
    const { clock, store, providers } = this.#options;
    const wallMs = clock.now();
    const capped = channels.filter((channel) => channel.settings.dailyCap !== undefined).map(({ id }) => id);
    const usage = capped.length === 0 ? null : await store.loadUsage(capped, wallMs - wallMs % DAY_MS);
    if (this.#state !== "running") return;
    for (const channel of channels) {
      const provider = providers.get(channel.provider);
      if (provider === undefined) continue;
      const used = usage?.get(channel.id);
      const units = channel.settings.costUnit === "segment" ? used?.segments : used?.messages;
      const rate = new RateGate(channel.settings, clock.monotonic(), wallMs, units ?? 0);
      const sender: ChannelSender = new ChannelSender(
        this.#portOf(channel.id, () => sender),
        channel,
        provider,
        rate,
      );
      for (const priority of Object.values(PRIORITY)) sender.scheduler.setOverflowed(priority, true);
      this.#senders.set(channel.id, sender);
    }
  }

  /** Ends the senders of those lanes; what they have under way goes on. */
  #silence(lanes: readonly number[]): ChannelSender[] {
    for (const lane of lanes) this.#lanes.delete(lane);
    const ids = [...this.#senders.keys()].filter((id) => lanes.includes(sendLaneOf(id)));
    const senders = ids.map((id) => this.#senders.get(id)!);
    for (const id of ids) this.#drop(id);
    return senders;
  }

  #drop(channelId: string): void {
    const sender = this.#senders.get(channelId);
    if (sender === undefined) return;
    this.#senders.delete(channelId);
    this.#starved.delete(sender);
    this.#doubtful.delete(sender);
    sender.stop();
  }

  #fenced(lanes: readonly number[]): void {
    this.#silence(lanes);
    this.#options.onFenced(lanes);
  }

  #portOf(channelId: string, self: () => ChannelSender): SenderPort {
    const epoch = this.#ledger.epochOf(sendLaneOf(channelId));
    const { clock, random, statusUrl, directory, onSettled, onHealth } = this.#options;
    return {
      clock,
      random,
      statusUrl,
      concurrencyMax: this.#options.channelConcurrencyMax ?? 64,
      numberOf: (id) => directory.current().numbers.get(id),
      isSure: () => {
        const isSure = this.#options.isSure();
        if (!isSure) this.#pumpLater(self());
        return isSure;
      },
      mayCall: (inFlight) => {
        const may = inFlight < CALLS_MIN || this.#inFlight < (this.#options.concurrencyMax ?? 512);
        if (!may) this.#starved.add(self());
        return may;
      },
      call: async (channel, request) => {
        this.#inFlight++;
        try {
          return await this.#options.call(channel, request);
        } finally {
          this.#inFlight--;
          this.#feedStarved();
        }
      },
      claim: (message) => this.#ledger.claim(message, epoch),
      record: (message, settlement) => this.#ledger.record(message, settlement, epoch),
      fallback: () => this.#fallbacks.of(self().channel, directory.current()),
      move: async (moves, reason) => {
        const messages = await this.#ledger.move(moves, reason);
        if (messages.length > 0) this.#options.onMoved?.(messages);
        this.onNudge(messages);
        return new Set(messages.map(({ id }) => id));
      },
      refill: () => this.#feed.refill(self().channel.id),
      onSettled: (...settled) => onSettled?.(...settled),
      onCircuit: () => onHealth?.(self().channel, self().health),
    };
  }

  /** Before long its lane is lost, or nobody doubts any more. */
  #pumpLater(sender: ChannelSender): void {
    this.#doubtful.add(sender);
    this.#cancelDoubtLook ??= this.#options.clock.after(DOUBT_LOOK_MS, () => {
      this.#cancelDoubtLook = null;
      const doubtful = [...this.#doubtful];
      this.#doubtful.clear();
      for (const one of doubtful) one.pump();
    });
  }

  #feedStarved(): void {
    const [sender] = this.#starved;
    if (sender === undefined) return;
    this.#starved.delete(sender);
    queueMicrotask(() => sender.pump());
  }
}
