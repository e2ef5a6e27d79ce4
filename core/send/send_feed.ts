/**
 * Brings messages from the database into the senders' memory: whatever no nudge brought, what found no room
 * before, and what waited for its time. At the start, when memory runs low, and in a slow sweep.
 *
 * @module
 */
import { PRIORITY } from "../message.ts";
import type { Clock } from "../ports/clock.ts";
import type { SendStore } from "../ports/send_store.ts";
import type { ChannelSender } from "./channel_sender.ts";
import type { QueuedMessage } from "./queued_message.ts";
import { SCHEDULER_LIMITS } from "./scheduler.ts";

export interface SendFeedOptions {
  readonly store: SendStore;
  readonly clock: Clock;
  /** By channel id. */
  readonly senders: ReadonlyMap<string, ChannelSender>;
  readonly onError: (error: Error, what: string) => void;
}

const PRIORITIES = [PRIORITY.reply, PRIORITY.bulk] as const;
/** Messages of one channel and priority that one query brings. */
const PAGE_MAX = 1_000;
/** Messages in memory over all channels; each channel may have {@link CHANNEL_MIN} all the same. */
const MEMORY_MAX = 20_000;
const CHANNEL_MIN = 100;
/** Messages in memory that one sweep compares with the database. */
const SWEEP_KNOWN_MAX = 5_000;

export class SendFeed {
  readonly #options: SendFeedOptions;
  readonly #hungry = new Set<string>();
  #running = false;
  #stopped = false;
  #sweepFrom = 0;

  constructor(options: SendFeedOptions) {
    this.#options = options;
  }

  /** Hands over messages that were committed a moment ago. */
  nudge(sender: ChannelSender, messages: readonly QueuedMessage[]): void {
    if (!this.#isFull(sender)) sender.offer(messages);
    else for (const priority of PRIORITIES) sender.scheduler.setOverflowed(priority, true);
    sender.pump();
  }

  /** Looks in the database for messages of the channel. */
  refill(channelId: string): void {
    this.#hungry.add(channelId);
    if (!this.#running) this.#run();
  }

  /** Looks for what no nudge brought: in idle channels each time, in busy ones by turns. */
  sweep(): void {
    const senders = [...this.#options.senders.values()];
    let known = 0;
    for (let i = 0; i < senders.length; i++) {
      const sender = senders[(this.#sweepFrom + i) % senders.length]!;
      known += sender.scheduler.size;
      this.refill(sender.channel.id);
      if (known < SWEEP_KNOWN_MAX) continue;
      this.#sweepFrom = (this.#sweepFrom + i + 1) % senders.length;
      return;
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #run(): Promise<void> {
    this.#running = true;
    // Lets everything that asks in this turn share the query.
    await Promise.resolve();
    while (this.#hungry.size > 0 && !this.#stopped) {
      const senders = [...this.#hungry].flatMap((id) => this.#options.senders.get(id) ?? []);
      this.#hungry.clear();
      await this.#load(senders).catch((error) => this.#options.onError(error, "load messages to send"));
    }
    this.#running = false;
  }

  async #load(senders: readonly ChannelSender[]): Promise<void> {
    const requests = senders.flatMap((sender) => this.#isFull(sender) ? [] : this.#requestsOf(sender));
    if (requests.length === 0) return;
    const known = senders.flatMap((sender) => [...sender.scheduler.ids()]);
    // From here on a message that finds no room marks it again.
    for (const { sender, priority } of requests) sender.scheduler.setOverflowed(priority, false);
    const dueByMs = this.#options.clock.now() + SCHEDULER_LIMITS.aheadMs;
    let rows: QueuedMessage[];
    try {
      rows = await this.#options.store.loadQueued(requests, known, dueByMs);
    } catch (error) {
      // The next sweep tries again.
      for (const { sender, priority } of requests) sender.scheduler.setOverflowed(priority, true);
      throw error;
    }
    for (const { sender, channelId, priority, max } of requests) {
      const found = rows.filter((row) => row.channel_id === channelId && row.priority === priority);
      if (found.length >= max) sender.scheduler.setOverflowed(priority, true);
      sender.offer(found);
    }
    for (const sender of senders) sender.pump();
  }

  #requestsOf(sender: ChannelSender) {
    return PRIORITIES.flatMap((priority) => {
      const max = Math.min(PAGE_MAX, sender.scheduler.room(priority));
      return max === 0 ? [] : [{ sender, channelId: sender.channel.id, priority, max }];
    });
  }

  #isFull(sender: ChannelSender): boolean {
    if (sender.scheduler.size < CHANNEL_MIN) return false;
    let total = 0;
    for (const other of this.#options.senders.values()) total += other.scheduler.size;
    return total >= MEMORY_MAX;
  }
}
