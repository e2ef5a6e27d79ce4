/**
 * Delivers platforms' events to their HTTPS endpoints, each platform by itself: a slow one delays no other.
 *
 * Run it in one process at a time: two would each deliver a part, and the order within a conversation would
 * be lost (nothing else would). Every event is delivered at least once; its `id` tells a repeat.
 *
 * @module
 */
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { Directory, Platform } from "../../core/directory.ts";
import { derivedId } from "../../core/ids.ts";
import type { Clock } from "../../core/ports/clock.ts";
import type { DeadLetterStore } from "../../core/ports/dead_letters.ts";
import type { DirectorySource } from "../../core/ports/directory.ts";
import type { OutgoingHttp } from "../../core/ports/outgoing_http.ts";
import { EndpointGate } from "./endpoint_gate.ts";
import type { Delivery } from "./push_attempts.ts";
import { consumersPlatforms, forgetPlatform, type PushNames } from "./push_consumer.ts";
import { PushFeed, type UndeliveredEvent } from "./push_feed.ts";

export interface PlatformPushOptions {
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly names: PushNames;
  readonly directory: DirectorySource;
  readonly http: OutgoingHttp;
  readonly deadLetters: Pick<DeadLetterStore, "add">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told when an endpoint begins to fail, and, with null, when it answers again. */
  readonly onHealth?: (platformId: string, reason: string | null) => void;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly clock: Pick<Clock, "monotonic" | "after">;
  readonly onDelivery?: (platformId: string, delivery: Delivery) => void;
  /** Told of what is tried again by itself, e.g. a broker that is away. */
  readonly onFault?: (platformId: string, reason: string) => void;
  /** Rejects when the signal is aborted. @default by timer */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A number that no log's partition has, so that ids of dead letters never meet. */
const NO_PARTITION = 1_023;

export class PlatformPush {
  readonly #options: PlatformPushOptions;
  readonly #feeds = new Map<string, PushFeed>();
  readonly #gates = new Map<string, EndpointGate>();
  /** Platforms that were in the directory when it was last looked at. */
  #known: ReadonlySet<string> = new Set();
  #unwatch: (() => void) | null = null;
  /** Changes are carried out one after the other. */
  #changing: Promise<void> = Promise.resolve();

  constructor(options: PlatformPushOptions) {
    this.#options = options;
  }

  /** Starts the feeds and follows the directory from now on. */
  start(): void {
    if (this.#unwatch !== null) return;
    const { directory } = this.#options;
    this.#unwatch = directory.onChange(() => this.#follow());
    this.#change(() => this.#forgetLeftovers());
    this.#follow();
  }

  /** Ends all feeds; calls under way are broken off and made again at the next start. */
  async stop(): Promise<void> {
    this.#unwatch?.();
    this.#unwatch = null;
    await this.#changing;
    await Promise.all([...this.#feeds.values()].map((feed) => feed.stop()));
    this.#feeds.clear();
    this.#gates.clear();
  }

  /** Platforms whose endpoints are being delivered to, and whether they fail. */
  get endpoints(): readonly { readonly platformId: string; readonly isFailing: boolean }[] {
    return [...this.#gates].map(([platformId, gate]) => ({ platformId, isFailing: gate.isOpen }));
  }

  #follow(): void {
    this.#change(async () => {
      if (this.#unwatch === null) return;
      const directory = this.#options.directory.current();
      for (const [id, feed] of this.#feeds) {
        if (endpointOf(directory.platforms.get(id)) !== null) continue;
        this.#feeds.delete(id);
        this.#gates.delete(id);
        await feed.stop();
      }
      for (const id of this.#known) {
        if (directory.platforms.has(id)) continue;
        await forgetPlatform(this.#options.jsm, this.#options.names, id)
          .catch((error) => this.#options.onFault?.(id, (error as Error).message));
      }
      this.#known = new Set(directory.platforms.keys());
      for (const platform of directory.platforms.values()) {
        if (endpointOf(platform) !== null && !this.#feeds.has(platform.id)) this.#begin(platform.id);
      }
    });
  }

  #begin(platformId: string): void {
    const { js, jsm, names, directory, http, now, clock, random, onDelivery, onFault, onHealth, pause } =
      this.#options;
    const gate = new EndpointGate({
      clock,
      random,
      onChange: (fault) => onHealth?.(platformId, fault?.reason ?? null),
    });
    this.#gates.set(platformId, gate);
    const feed = new PushFeed({
      platformId,
      js,
      jsm,
      names,
      http,
      now,
      gate,
      platform: () => enabled(directory.current(), platformId),
      bury: (event) => this.#bury(event),
      onDelivery: onDelivery ?? (() => {}),
      onFault: onFault ?? (() => {}),
      pause: pause ?? pauseByTimer,
    });
    this.#feeds.set(platformId, feed);
    feed.start();
  }

  /** Consumers of platforms that were deleted while nobody watched. */
  async #forgetLeftovers(): Promise<void> {
    const { directory, jsm, names, onFault } = this.#options;
    // Before the first load everything would look deleted.
    if (directory.current().version === 0) return;
    try {
      for (const id of await consumersPlatforms(jsm, names)) {
        if (!directory.current().platforms.has(id)) await forgetPlatform(jsm, names, id);
      }
    } catch (error) {
      onFault?.("", `consumers of deleted platforms stay for now: ${(error as Error).message}`);
    }
  }

  async #bury(event: UndeliveredEvent): Promise<void> {
    const { sequence, stream, reason, payload } = event;
    await this.#options.deadLetters.add({
      // From its place in the stream: a repeat after a crash is the same dead letter.
      id: derivedId("deadLetter", event.storedMs, { partition: NO_PARTITION, sequence, entry: 0 }, 0),
      at_ms: this.#options.now(),
      kind: "poisoned",
      stream,
      partition: 0,
      sequence,
      reason,
      // What is no JSON may hold the one character that PostgreSQL cannot store.
      payload: payload.replaceAll("\0", "\ufffd"),
    });
  }

  #change(work: () => Promise<void>): void {
    this.#changing = this.#changing.then(work);
  }
}

function enabled(directory: Directory, platformId: string): Platform | undefined {
  const platform = directory.platforms.get(platformId);
  return platform?.enabled === true ? platform : undefined;
}

function endpointOf(platform: Platform | undefined): string | null {
  return platform?.enabled === true ? platform.endpoint : null;
}

function pauseByTimer(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
