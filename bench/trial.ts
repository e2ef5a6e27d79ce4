/**
 * One stretch of contacts writing, watched from the webhook to the event.
 *
 * @module
 */
import { prepareContacts } from "./contacts.ts";
import type { EventListener } from "./event_listener.ts";
import type { LoadResult } from "./load/plan.ts";
import { type ProcessUsage, UsageWatch, type Watched } from "./process_usage.ts";
import type { LatencySummary } from "./simulator/histogram.ts";

export interface TrialOptions {
  readonly installation: { readonly webhookUrl: string; readonly numbers: readonly string[] };
  readonly listener: Pick<EventListener, "received" | "lastMs" | "lag" | "measure" | "until">;
  /** Where the events are listened to as well. */
  readonly alsoMeasured?: readonly Pick<EventListener, "measure">[];
  readonly watched: readonly Watched[];
  /** Null: as fast as the connections allow. */
  readonly rateMps: number | null;
  readonly seconds: number;
  readonly connections: number;
  /** @default 10000 */
  readonly conversations?: number | undefined;
}

export interface Trial {
  readonly offeredMps: number | null;
  readonly accept: LoadResult;
  /** From a webhook's leaving to its event, after the warm-up. */
  readonly toEvent: LatencySummary;
  /** Events of messages per second, from the end of the warm-up until the last one came. */
  readonly receivedMps: number;
  /** Accepted and not yet received as event: most at any time, and one second after the end. */
  readonly backlogMost: number;
  readonly backlogAfter1s: number;
  /** From the last answer to the last event. */
  readonly drainSeconds: number;
  readonly usage: readonly ProcessUsage[];
  readonly messages: number;
}

/** Before a trial's measuring begins. */
const WARMUP_MS = 1_500;
const SAMPLE_MS = 100;
const DRAIN_MS_MAX = 120_000;
/** An offered rate counts as accepted from here on: what is under way at the end is not counted. */
const KEPT_SHARE = 0.98;
/** Latency counts from when a message was due: a rate that is too high by a fiftieth shows here within 30 s. */
const LATE_MS_MAX = 500;

/** Runs it, and waits until every accepted message's event is in. Throws when one never comes. */
export async function runTrial(options: TrialOptions): Promise<Trial> {
  const { installation, listener, rateMps, seconds, connections } = options;
  const before = listener.received;
  using contacts = await prepareContacts({
    webhookUrl: installation.webhookUrl,
    numbers: installation.numbers,
    rateMps,
    seconds,
    connections,
    conversations: options.conversations,
    warmupMs: WARMUP_MS,
  });
  for (const each of [listener, ...options.alsoMeasured ?? []]) each.measure(contacts.leftMs);
  const fromMs = performance.now() + WARMUP_MS;
  const watch = new UsageWatch(options.watched);
  let receivedAtStart = before;
  const warm = setTimeout(() => receivedAtStart = listener.received, WARMUP_MS);
  let backlogMost = 0;
  const sampling = setInterval(() => {
    backlogMost = Math.max(backlogMost, contacts.accepted - (listener.received - before));
  }, SAMPLE_MS);
  const accept = await contacts.run();
  clearInterval(sampling);
  clearTimeout(warm);
  const endMs = performance.now();
  await listener.until(before + accept.accepted, 1_000);
  const backlogAfter1s = Math.max(0, accept.accepted - (listener.received - before));
  const all = await listener.until(before + accept.accepted, DRAIN_MS_MAX);
  const usage = watch.stop();
  if (!all) throw new Error(`${accept.accepted - (listener.received - before)} events never came`);
  return {
    offeredMps: rateMps,
    accept,
    toEvent: listener.lag().summary(),
    receivedMps: (listener.received - receivedAtStart) / ((listener.lastMs - fromMs) / 1000),
    backlogMost,
    backlogAfter1s,
    drainSeconds: Math.max(0, (listener.lastMs - endMs) / 1000),
    usage,
    messages: accept.accepted,
  };
}

/** Whether the offered rate was accepted and nothing lagged behind at the end. */
export function isSustained({ offeredMps, accept, backlogAfter1s, toEvent }: Trial): boolean {
  return offeredMps !== null && accept.acceptedMps >= offeredMps * KEPT_SHARE && backlogAfter1s === 0 &&
    toEvent.p99Ms < LATE_MS_MAX && accept.latency.p99Ms < LATE_MS_MAX && accept.refused === 0 &&
    accept.broken === 0;
}
