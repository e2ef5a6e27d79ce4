/**
 * One platform's events on their way to its endpoint: a conversation's in order, conversations side by side.
 *
 * The consumer acknowledges event by event. Each conversation with events in hand has a lane, whose first event
 * is tried until it is delivered or given up; the others wait behind it. Events in hand are reported as in
 * progress, so that the server does not hand them out again. Whenever deliveries do not follow
 * each other without a gap, the run ends and the next begins where all is acknowledged.
 *
 * @module
 */
import type {
  ConsumerInfo,
  ConsumerMessages,
  JetStreamClient,
  JetStreamManager,
  JsMsg,
} from "@nats-io/jetstream";
import type { CloudEvent } from "../../core/events.ts";
import { Places } from "./places.ts";
import { type AttemptOptions, deliver, type Delivery } from "./push_attempts.ts";
import { ACK_WAIT_MS, ACKS_PENDING_MAX, openConsumer, type PushNames } from "./push_consumer.ts";

/** An event that was given up. */
export interface UndeliveredEvent {
  readonly platformId: string;
  readonly stream: string;
  readonly sequence: number;
  /** When the event was stored, ms since 1970. */
  readonly storedMs: number;
  readonly reason: string;
  readonly payload: string;
}

export interface PushFeedOptions
  extends Pick<AttemptOptions, "http" | "platform" | "now" | "pause" | "gate"> {
  readonly platformId: string;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly names: PushNames;
  /** Keeps an event that was given up; tried again until it resolves. */
  readonly bury: (event: UndeliveredEvent) => Promise<void>;
  readonly onDelivery: (platformId: string, delivery: Delivery) => void;
  readonly onFault: (platformId: string, reason: string) => void;
}

const CALLS_MAX = 32;
const PROGRESS_MS = ACK_WAIT_MS / 3;
const REOPEN_PAUSE_MS = 1_000;
const BURY_PAUSE_MS = 2_000;
/** A lost pull is noticed after two missed heartbeats. */
const PULL_EXPIRES_MS = 10_000;
const DONE_MAX = 1_024;

export class PushFeed {
  readonly #options: PushFeedOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | null = null;

  constructor(options: PushFeedOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#runOn();
  }

  /** Breaks off calls under way; what is not acknowledged comes again at the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #runOn(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const info = await openConsumer(this.#options.jsm, this.#options.names, this.#options.platformId);
        if (!signal.aborted) await new Run(this.#options, info, signal).ended();
      } catch (error) {
        if (!signal.aborted) this.#options.onFault(this.#options.platformId, (error as Error).message);
      }
      if (!signal.aborted) await this.#options.pause(REOPEN_PAUSE_MS, signal).catch(() => {});
    }
  }
}

/** One stretch of deliveries without a gap. */
class Run {
  readonly #options: PushFeedOptions;
  readonly #info: ConsumerInfo;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #places = new Places(CALLS_MAX);
  /** Events in hand by conversation, the one being delivered first. */
  readonly #lanes = new Map<string, JsMsg[]>();
  readonly #held = new Map<number, JsMsg>();
  /** Sequences acknowledged lately: one that comes again had its acknowledgement lost. */
  readonly #done = new Set<number>();
  readonly #working = new Set<Promise<void>>();
  #delivered: number;
  #fault: Error | null = null;

  constructor(options: PushFeedOptions, info: ConsumerInfo, signal: AbortSignal) {
    this.#options = options;
    this.#info = info;
    this.#delivered = info.delivered.consumer_seq;
    this.#signal = AbortSignal.any([signal, this.#abort.signal]);
  }

  /** Resolves when stopped; rejects with what broke the run. All its calls are over then. */
  async ended(): Promise<void> {
    const { js, names } = this.#options;
    const consumer = await js.consumers.get(names.eventStream, this.#info.name);
    const messages = await consumer.consume({
      max_messages: ACKS_PENDING_MAX,
      expires: PULL_EXPIRES_MS,
      callback: (message) => this.#take(message),
    });
    const progress = setInterval(() => {
      for (const message of this.#held.values()) message.working();
    }, PROGRESS_MS);
    this.#signal.addEventListener("abort", () => messages.stop(), { once: true });
    if (this.#signal.aborted) messages.stop();
    this.#watch(messages).catch((error) => this.#break((error as Error).message));
    try {
      await messages.closed();
      if (!this.#signal.aborted) this.#break("the consumer was closed");
      await Promise.all(this.#working);
    } finally {
      clearInterval(progress);
    }
    if (this.#fault !== null) throw this.#fault;
  }

  async #watch(messages: ConsumerMessages): Promise<void> {
    for await (const { type } of messages.status()) {
      if (type === "consumer_deleted" || type === "consumer_not_found" || type === "stream_not_found") {
        this.#break(type.replaceAll("_", " "));
      }
    }
  }

  #break(reason: string): void {
    this.#fault ??= new Error(reason);
    this.#abort.abort();
  }

  #take(message: JsMsg): void {
    if (this.#signal.aborted) return;
    const { deliverySequence } = message.info;
    if (deliverySequence !== this.#delivered + 1) {
      this.#break(`delivery ${deliverySequence} came after ${this.#delivered}`);
      return;
    }
    this.#delivered = deliverySequence;
    if (this.#done.has(message.seq)) return message.ack();
    if (this.#held.has(message.seq)) return;
    this.#held.set(message.seq, message);
    const conversation = conversationOf(message);
    const lane = this.#lanes.get(conversation);
    if (lane !== undefined) {
      lane.push(message);
      return;
    }
    const opened = [message];
    this.#lanes.set(conversation, opened);
    const work: Promise<void> = this.#work(conversation, opened)
      .catch((error) => this.#signal.aborted ? undefined : this.#break((error as Error).message))
      .finally(() => this.#working.delete(work));
    this.#working.add(work);
  }

  async #work(conversation: string, lane: JsMsg[]): Promise<void> {
    for (let message = lane[0]; message !== undefined; message = lane[0]) {
      await this.#finish(message);
      this.#acknowledge(message);
      lane.shift();
    }
    this.#lanes.delete(conversation);
  }

  async #finish(message: JsMsg): Promise<void> {
    const { http, platform, now, pause, gate, platformId, names } = this.#options;
    const payload = message.string();
    const delivery = await deliver(payload, {
      http,
      platform,
      now,
      pause,
      gate,
      place: () => this.#places.take(),
      signal: this.#signal,
    });
    this.#options.onDelivery(platformId, delivery);
    if (delivery.kind === "delivered") return;
    const reason = `not delivered to ${platformId} in ${delivery.tries} tries: ${delivery.reason}`;
    await this.#bury({
      platformId,
      stream: names.eventStream,
      sequence: message.seq,
      storedMs: Math.trunc(message.info.timestampNanos / 1e6),
      reason,
      payload,
    });
  }

  /** A database that is away must not lose the event: it waits here, and its conversation with it. */
  async #bury(event: UndeliveredEvent): Promise<void> {
    for (;;) {
      try {
        return await this.#options.bury(event);
      } catch (error) {
        this.#signal.throwIfAborted();
        this.#options.onFault(event.platformId, `the dead letter is not stored: ${(error as Error).message}`);
        await this.#options.pause(BURY_PAUSE_MS, this.#signal);
      }
    }
  }

  #acknowledge(message: JsMsg): void {
    message.ack();
    this.#held.delete(message.seq);
    this.#done.add(message.seq);
    if (this.#done.size > DONE_MAX) {
      for (const oldest of this.#done) {
        this.#done.delete(oldest);
        break;
      }
    }
  }
}

/** The event's conversation; what has none, or is no event, shares one lane. */
function conversationOf(message: JsMsg): string {
  try {
    const event = message.json<CloudEvent | null>();
    const conversation = event?.data?.conversationId;
    return typeof conversation === "string" ? conversation : "";
  } catch {
    return "";
  }
}
