/**
 * Does what is to be done about media: fetches, tells of it, removes. Any number of processes may run one: a job
 * belongs to who claimed it, for as long as it says in time that it is still at it.
 *
 * States: *new* → *running* → *stopped* (what is under way is broken off and given back).
 *
 * @module
 */
import type { PatchbayEvent } from "../events.ts";
import type { Clock } from "../ports/clock.ts";
import type { DirectorySource } from "../ports/directory.ts";
import type { MediaJob, MediaOutcome, MediaQueue } from "../ports/media_queue.ts";
import type { Provider } from "../ports/provider.ts";
import { type FetchJob, fetchMedia, type FetchOptions, fetchPauseMs } from "./fetch.ts";
import { mediaEvent } from "./media_event.ts";
import type { MediaLinks } from "./media_links.ts";

export interface MediaWorkerOptions extends Omit<FetchOptions, "now"> {
  readonly queue: MediaQueue;
  readonly directory: DirectorySource;
  /** By kind. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly links: MediaLinks;
  /** Resolves when the event is stored. */
  readonly publish: (event: PatchbayEvent) => Promise<void>;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly onError: (error: Error, what: string) => void;
  /** Told of each fetch; `sizeBytes` is 0 where nothing was kept. */
  readonly onFetched?: (provider: string, state: MediaOutcome["state"] | "retry", sizeBytes: number) => void;
  /** Jobs under way at most. @default {16} */
  readonly concurrencyMax?: number;
}

/** Fetches of one channel under way, so that a slow provider leaves room for the others. */
const CHANNEL_MAX = 4;
const CLAIM_MAX = 4;
/** A claim lasts so long without being renewed: what a killed process was at is taken up after that. */
const LEASE_MS = 10_000;
const RENEW_MS = 3_000;
/** A net below the nudges, and what finds the jobs of other processes and of later. */
const SWEEP_MS = 1_000;
const REMOVE_AGAIN_MS = 60_000;
/** Longest fetch: 100 MB at 1 Mbit/s. */
const FETCH_MS_MAX = 900_000;

export class MediaWorker {
  readonly #options: MediaWorkerOptions;
  readonly #jobs = new Map<
    string,
    { readonly job: MediaJob; readonly abort: AbortController; done: Promise<void> }
  >();
  #state: "new" | "running" | "stopped" = "new";
  #claiming: Promise<void> | null = null;
  #again = false;
  #cancelSweep: () => void = () => {};
  #cancelRenew: () => void = () => {};

  constructor(options: MediaWorkerOptions) {
    this.#options = options;
  }

  /** Jobs under way. */
  get underWay(): number {
    return this.#jobs.size;
  }

  start(): void {
    this.#state = "running";
    this.#sweep();
    this.#renew();
  }

  /** Something may be due: looks at once. */
  nudge(): void {
    if (this.#state !== "running") return;
    if (this.#claiming !== null) {
      this.#again = true;
      return;
    }
    this.#claiming = this.#claim().catch((error) => this.#options.onError(error, "claim media")).then(() => {
      this.#claiming = null;
      if (!this.#again) return;
      this.#again = false;
      this.nudge();
    });
  }

  /** Breaks off what is under way and gives it back. */
  async stop(): Promise<void> {
    this.#state = "stopped";
    this.#cancelSweep();
    this.#cancelRenew();
    await this.#claiming;
    const jobs = [...this.#jobs.values()];
    for (const { abort } of jobs) abort.abort();
    await Promise.all(jobs.map(({ done }) => done));
  }

  #sweep(): void {
    this.nudge();
    this.#cancelSweep = this.#options.clock.after(SWEEP_MS, () => this.#sweep());
  }

  #renew(): void {
    const { clock, queue, onError } = this.#options;
    this.#cancelRenew = clock.after(RENEW_MS, () => {
      if (this.#jobs.size > 0) {
        queue.renew([...this.#jobs.keys()], clock.now() + LEASE_MS).catch((error) =>
          onError(error, "keep media")
        );
      }
      this.#renew();
    });
  }

  async #claim(): Promise<void> {
    const { queue, clock, concurrencyMax = 16 } = this.#options;
    for (;;) {
      const max = Math.min(CLAIM_MAX, concurrencyMax - this.#jobs.size);
      if (max <= 0 || this.#state !== "running") return;
      const nowMs = clock.now();
      const jobs = await queue.claim({
        nowMs,
        untilMs: nowMs + LEASE_MS,
        max,
        underWay: [...this.#jobs.keys()],
        busyChannels: this.#busyChannels(),
      });
      for (const job of jobs) this.#begin(job);
      if (jobs.length < max) return;
    }
  }

  #busyChannels(): string[] {
    const counts = new Map<string, number>();
    for (const { job } of this.#jobs.values()) {
      if (job.kind === "fetch" && job.channelId !== null) {
        counts.set(job.channelId, (counts.get(job.channelId) ?? 0) + 1);
      }
    }
    return [...counts].filter(([, count]) => count >= CHANNEL_MAX).map(([id]) => id);
  }

  #begin(job: MediaJob): void {
    const abort = new AbortController();
    const running = { job, abort, done: Promise.resolve() };
    this.#jobs.set(job.id, running);
    running.done = this.#work(job, abort).catch(async (error) => {
      if (this.#state === "running") this.#options.onError(error, `${job.kind} media`);
      if (abort.signal.aborted) {
        await this.#options.queue.release([job.id], this.#options.clock.now()).catch(() => {});
      }
    }).then(() => {
      this.#jobs.delete(job.id);
      this.nudge();
    });
  }

  async #work(job: MediaJob, abort: AbortController): Promise<void> {
    const { queue, store, clock } = this.#options;
    switch (job.kind) {
      case "fetch":
        return await this.#fetch(job, abort);
      case "tell":
        return await this.#tell(job, job.outcome);
      case "remove":
        try {
          await store.remove(job.id);
        } catch (error) {
          await queue.retry(job.id, clock.now() + REMOVE_AGAIN_MS, "");
          throw error;
        }
        return await queue.removed(job.id);
    }
  }

  async #fetch(job: FetchJob, abort: AbortController): Promise<void> {
    const { queue, clock, random, onFetched } = this.#options;
    const cancel = clock.after(FETCH_MS_MAX, () => abort.abort(new Error("the fetch took too long")));
    let result;
    const channel = this.#options.directory.current().channels.get(job.channelId ?? "");
    const provider = channel === undefined ? undefined : this.#options.providers.get(channel.provider);
    try {
      if (channel === undefined || provider === undefined) {
        result = { state: "failed", reason: "the channel is not there any more" } as const;
      } else {
        const options = { ...this.#options, now: () => clock.now() };
        result = await fetchMedia(job, channel, provider, options, abort.signal);
      }
    } finally {
      cancel();
    }
    if (result.state === "retry") {
      if (this.#state === "stopped") throw new Error(result.reason);
      const pauseMs = fetchPauseMs(job, clock.now(), random());
      if (pauseMs !== null) {
        onFetched?.(provider!.kind, "retry", 0);
        return await queue.retry(job.id, clock.now() + pauseMs, result.reason);
      }
      result = { state: "failed", reason: `given up after ${job.attempts} tries: ${result.reason}` } as const;
    }
    if (!await queue.settle(job.id, result, clock.now())) return;
    onFetched?.(provider?.kind ?? "none", result.state, result.state === "ready" ? result.sizeBytes : 0);
    await this.#tell(job, result);
  }

  async #tell(job: MediaJob, outcome: MediaOutcome): Promise<void> {
    const { queue, links, publish, clock } = this.#options;
    const message = job.messageId === null ? null : await queue.subject(job.messageId);
    if (message !== null) {
      const url = outcome.state === "ready"
        ? links.url({ id: job.id, expiresMs: outcome.expiresMs, use: "file" })
        : null;
      await publish(mediaEvent(job.id, outcome, message, clock.now(), url));
    }
    await queue.told(job.id);
  }
}
