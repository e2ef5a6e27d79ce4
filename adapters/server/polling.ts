/**
 * Polling of providers in a process that sends.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Channel } from "../../core/channel.ts";
import { ID_PREFIX, idBodyFloor } from "../../core/ids.ts";
import { Poller, type PutAside } from "../../core/polling/poller.ts";
import type { DeadLetterStore } from "../../core/ports/dead_letters.ts";
import type { DirectorySource } from "../../core/ports/directory.ts";
import type { Ingress } from "../../core/ports/ingress.ts";
import type { CallProvider } from "../../core/ports/provider_call.ts";
import type { Provider } from "../../core/ports/provider.ts";
import type { Health } from "../../core/send/channel_health.ts";
import { PostgresPollStore } from "../postgres/poll_store.ts";
import { systemClock } from "../system/clock.ts";
import type { Log } from "../system/log.ts";
import type { Metrics } from "./metrics.ts";
import type { Parts } from "./parts.ts";

export interface PollingOptions {
  readonly parts: Parts;
  readonly directory: DirectorySource;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly ingress: Ingress;
  readonly callProvider: CallProvider;
  /** Whether the channel's send lane is this process's. */
  readonly owns: (channelId: string) => boolean;
  readonly deadLetters: DeadLetterStore;
  /** Told of what the polls say of a channel. */
  readonly onHealth: (channel: Channel, health: Health | null) => void;
  readonly metrics: () => Metrics;
  readonly log: Log;
}

/** What a stop waits for polls under way, ms; what they fetched and is not durable is fetched again. */
const STOP_GRACE_MS = 3_000;
const DAY_MS = 86_400_000;

/** Starts to poll; returns the way to stop. */
export function startPolling(options: PollingOptions): () => Promise<void> {
  const { parts, log } = options;
  const failing = new Set<string>();
  const poller = new Poller({
    directory: options.directory,
    providers: options.providers,
    owns: options.owns,
    call: options.callProvider,
    ingress: options.ingress,
    store: new PostgresPollStore(parts.sql),
    clock: systemClock,
    putAside: async (what) => {
      log.warn("polled-put-aside", { channelId: what.channel.id, reason: what.reason });
      await options.deadLetters.add(letterOf(what, systemClock.now()));
    },
    onPolled: (channel, poll, error) => {
      const result = error?.class ?? "done";
      options.metrics().polls.inc({ provider: channel.provider, poll: poll.name, result });
      const key = `${channel.id} ${poll.name}`;
      if (error === null) failing.delete(key);
      else {
        if (!failing.has(key)) log.warn("poll-failed", { channelId: channel.id, poll: poll.name, ...error });
        failing.add(key);
      }
      const others = [...failing].some((one) => one.startsWith(`${channel.id} `) && one !== key);
      if (error !== null || !others) options.onHealth(channel, healthOf(poll.name, error));
    },
  });
  poller.start();
  return () =>
    Promise.race([poller.stop(), new Promise<void>((resolve) => systemClock.after(STOP_GRACE_MS, resolve))]);
}

function healthOf(
  poll: string,
  error: { readonly class: string; readonly reason: string } | null,
): Health {
  if (error === null) return { status: "connected", reason: "the provider answers polls" };
  const isAuth = error.class === "auth" || error.class === "account";
  return { status: isAuth ? "auth-failed" : "degraded", reason: `polling ${poll} fails: ${error.reason}` };
}

/** The same thing put aside twice in a day is one letter: what was fetched before a crash is fetched again. */
function letterOf({ channel, kind, reason, payload }: PutAside, nowMs: number) {
  const content = payload.replace(/"at":\d+/, "");
  const digest = createHash("sha256").update(`${channel.id}\0${reason}\0${content}`).digest();
  const day = idBodyFloor(nowMs - nowMs % DAY_MS).slice(0, 10);
  const body = [...digest.subarray(0, 16)].map((byte) => (byte & 31).toString(32)).join("");
  return {
    id: `${ID_PREFIX.deadLetter}_${day}${body}`,
    at_ms: nowMs,
    kind,
    stream: `poll ${channel.provider}`,
    partition: 0,
    sequence: 0,
    reason,
    payload,
  };
}
