/**
 * What the sending half of a process looks after now and then: messages that no nudge brought and those that have
 * expired, the channels' health, the age of the oldest message, and held messages whose report never came.
 *
 * @module
 */
import type { Channel } from "../channel.ts";
import type { Clock } from "../ports/clock.ts";
import type { SendStore } from "../ports/send_store.ts";
import type { Health } from "./channel_health.ts";
import type { ChannelSender } from "./channel_sender.ts";
import { sendLaneOf } from "./queued_message.ts";
import type { SendFeed } from "./send_feed.ts";
import type { SendLedger } from "./send_ledger.ts";

export interface SendSweepOptions {
  readonly store: SendStore;
  readonly clock: Clock;
  /** By channel id. */
  readonly senders: ReadonlyMap<string, ChannelSender>;
  readonly feed: SendFeed;
  readonly ledger: SendLedger;
  /** Called with what is known of a channel; null: nothing yet. */
  readonly onHealth?: (channel: Channel, health: Health | null) => void;
  readonly onError: (error: Error, what: string) => void;
}

const SWEEP_MS = 2_000;
/** The oldest message is looked for every so many sweeps. */
const OLDEST_EVERY_SWEEPS = 5;
/** Held messages are looked through every so many sweeps. */
const HELD_EVERY_SWEEPS = 15;
const HELD_PAGE_MAX = 500;

export class SendSweep {
  readonly #options: SendSweepOptions;
  #oldestDueAgeMs = 0;
  #sweeps = 0;
  #isStopped = false;
  #cancel: (() => void) | null = null;

  constructor(options: SendSweepOptions) {
    this.#options = options;
  }

  /** How long the oldest message has waited that could have been sent, ms; 0: none waits. As of the last look. */
  get oldestDueAgeMs(): number {
    return this.#oldestDueAgeMs;
  }

  /** Sweeps from now on, for the first time after a while. */
  start(): void {
    this.#cancel = this.#options.clock.after(SWEEP_MS, () => {
      if (this.#isStopped) return;
      this.#sweep();
      this.start();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #sweep(): void {
    const { feed, senders, onHealth, onError } = this.#options;
    feed.sweep();
    for (const sender of senders.values()) {
      sender.expire();
      onHealth?.(sender.channel, sender.health);
    }
    if (this.#sweeps % OLDEST_EVERY_SWEEPS === 0) {
      this.#lookAtOldest().catch((error) => onError(error, "look for the oldest message"));
    }
    if (this.#sweeps++ % HELD_EVERY_SWEEPS === 0) {
      this.#endHeld().catch((error) => onError(error, "look through held messages"));
    }
  }

  /** Asked of the database and not of memory: what is forgotten here is the very thing to be noticed. */
  async #lookAtOldest(): Promise<void> {
    const { clock, store, senders } = this.#options;
    const nowMs = clock.now();
    const dueMs = senders.size === 0 ? null : await store.oldestDueMs([...senders.keys()], nowMs);
    this.#oldestDueAgeMs = dueMs === null ? 0 : Math.max(0, nowMs - dueMs);
  }

  /** Held messages whose report never came end when they are too old. */
  async #endHeld(): Promise<void> {
    const { clock, store, senders, ledger } = this.#options;
    const nowMs = clock.now();
    const limits = [...senders.values()].map(({ channel }) => ({
      channelId: channel.id,
      dueBeforeMs: nowMs - channel.settings.retry.maxAgeSeconds * 1000,
    }));
    if (limits.length === 0) return;
    const reason = "nobody knows whether the provider took it: neither an answer nor a delivery report came";
    const error = { class: "unknown", reason } as const;
    const held = await store.loadHeld(limits, HELD_PAGE_MAX);
    await Promise.all(
      held.map((message) => {
        const epoch = ledger.epochOf(sendLaneOf(message.channel_id));
        return ledger.record(message, { kind: "end", status: "failed", error, uncertain: true }, epoch);
      }),
    );
  }
}
