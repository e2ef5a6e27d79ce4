/**
 * Fetches what providers do not bring: for every enabled channel whose send lane is this process's, each of its
 * provider's polls comes round, one run of it at a time.
 *
 * What a poll brings takes the way of a webhook: it is durable in the logs first, and then the mark moves. A crash
 * in between fetches it again, and the conversation knows it by its key. Where two processes poll for a moment, both
 * marks are of what is durable, and only the one that began where the stored mark is can move it.
 *
 * @module
 */
import type { Channel } from "../channel.ts";
import type { MessageError } from "../errors.ts";
import { inboundEntry, isReceived, reportEntry } from "../from_provider.ts";
import type { Clock } from "../ports/clock.ts";
import type { DirectorySource } from "../ports/directory.ts";
import type { Ingress } from "../ports/ingress.ts";
import type { PollStore } from "../ports/poll_store.ts";
import type { CallProvider } from "../ports/provider_call.ts";
import type { PollResult, Provider, ProviderPoll } from "../ports/provider.ts";

/** Something that a provider gave and that cannot be routed. `entry`: the entry, if only its number is unknown. */
export interface PutAside {
  readonly channel: Channel;
  readonly kind: "undecodable" | "unappliable";
  readonly reason: string;
  /** JSON. */
  readonly payload: string;
}

export interface PollerOptions {
  readonly directory: DirectorySource;
  /** By kind. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly owns: (channelId: string) => boolean;
  readonly call: CallProvider;
  readonly ingress: Ingress;
  readonly store: PollStore;
  readonly clock: Clock;
  /** Resolves once it is kept. */
  readonly putAside: (what: PutAside) => Promise<void>;
  /** After each run: null when it went well. */
  readonly onPolled: (channel: Channel, poll: ProviderPoll, error: MessageError | null) => void;
}

/** How often it is looked for polls that are due, ms. */
const TICK_MS = 250;
/** Longest pause after failures, ms. */
const PAUSE_MAX_MS = 300_000;
/** Fetches in one run: what is left then has its turn at the next. */
const ROUNDS_MAX = 100;
/** How long results are asked for. */
const SENDS_MAX_AGE_MS = 86_400_000;

interface Turn {
  readonly channelId: string;
  readonly poll: ProviderPoll;
  dueMs: number;
  failures: number;
  isRunning: boolean;
}

type Polled = Extract<PollResult, { kind: "polled" }>;

/** The pause after so many failures in a row, ms. */
export function pollPauseMs(intervalMs: number, failures: number): number {
  return Math.min(intervalMs * 2 ** Math.min(failures, 20), Math.max(PAUSE_MAX_MS, intervalMs));
}

export class Poller {
  readonly #options: PollerOptions;
  readonly #turns = new Map<string, Turn>();
  readonly #running = new Set<Promise<void>>();
  #cancel: (() => void) | null = null;
  #stopped = false;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  /** Polls under way. */
  get running(): number {
    return this.#running.size;
  }

  start(): void {
    this.#tick();
  }

  /** Starts no more; waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await Promise.all(this.#running);
  }

  #tick(): void {
    if (this.#stopped) return;
    const { clock, owns, directory, providers } = this.#options;
    const nowMs = clock.monotonic();
    const current = new Set<string>();
    for (const channel of directory.current().channels.values()) {
      const polls = channel.enabled ? providers.get(channel.provider)?.polls ?? [] : [];
      if (polls.length === 0 || !owns(channel.id)) continue;
      for (const poll of polls) {
        if (poll.intervalMs(channel) === null) continue;
        const key = `${channel.id} ${poll.name}`;
        current.add(key);
        let turn = this.#turns.get(key);
        if (turn === undefined) {
          turn = { channelId: channel.id, poll, dueMs: nowMs, failures: 0, isRunning: false };
          this.#turns.set(key, turn);
        }
        if (!turn.isRunning && turn.dueMs <= nowMs) this.#run(turn, channel);
      }
    }
    for (const [key, turn] of this.#turns) if (!current.has(key) && !turn.isRunning) this.#turns.delete(key);
    this.#cancel = clock.after(TICK_MS, () => this.#tick());
  }

  #run(turn: Turn, channel: Channel): void {
    turn.isRunning = true;
    const run = this.#poll(turn.poll, channel)
      .catch((error): MessageError => ({
        class: "provider-error",
        reason: `what was fetched could not be taken: ${(error as Error).message}`,
      }))
      .then((error) => {
        turn.failures = error === null ? 0 : turn.failures + 1;
        const intervalMs = turn.poll.intervalMs(channel) ?? PAUSE_MAX_MS;
        turn.dueMs = this.#options.clock.monotonic() + pollPauseMs(intervalMs, turn.failures);
        turn.isRunning = false;
        this.#options.onPolled(channel, turn.poll, error);
      })
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #poll(poll: ProviderPoll, channel: Channel): Promise<MessageError | null> {
    const { store, clock, call } = this.#options;
    const startedMs = clock.now();
    if (poll.sends !== undefined) await store.forgetSends(channel.id, startedMs - SENDS_MAX_AGE_MS);
    for (let round = 0; round < ROUNDS_MAX && this.#isOurs(channel); round++) {
      const mark = await store.mark(channel.id, poll.name);
      const sends = poll.sends === undefined
        ? []
        : await store.openSends(channel.id, { ...poll.sends, askedBeforeMs: startedMs });
      if (poll.sends !== undefined && sends.length === 0) return null;
      const outcome = await call(channel, poll.build(channel, mark, sends));
      if (outcome.kind !== "answered") return { class: "connection", reason: outcome.reason };
      const result = poll.read(outcome.answer, channel, mark, sends);
      if (result.kind === "failed") return result.error;
      await this.#take(channel, result);
      await store.keep({
        channelId: channel.id,
        poll: poll.name,
        before: mark,
        after: result.mark,
        asked: sends.map((send) => send.number),
        news: result.sends ?? [],
        atMs: startedMs,
      });
      if (!result.more && (poll.sends === undefined || sends.length < poll.sends.max)) return null;
    }
    return null;
  }

  #isOurs(channel: Channel): boolean {
    return !this.#stopped && this.#options.owns(channel.id);
  }

  /** Resolves once everything is durable. */
  async #take(channel: Channel, result: Polled): Promise<void> {
    const { ingress, directory, clock, putAside } = this.#options;
    const at = clock.now();
    await Promise.all([
      ...result.inbound.map((message) => {
        const entry = inboundEntry(channel, message, at);
        if (isReceived(directory.current(), channel, message)) return ingress.append(entry);
        const reason = `${message.number} is not one of this channel's numbers that receive messages`;
        return putAside({ channel, kind: "unappliable", reason, payload: JSON.stringify(entry) });
      }),
      ...result.reports.map((report) => ingress.appendReport(reportEntry(channel, report, at))),
      ...(result.unreadable ?? []).map(({ reason, content }) =>
        putAside({ channel, kind: "undecodable", reason, payload: content })
      ),
    ]);
  }
}
