/**
 * Fetching one file of a message into the store.
 *
 * @module
 */
import type { Channel } from "../channel.ts";
import type { Download } from "../ports/media_download.ts";
import type { MediaJob, MediaOutcome } from "../ports/media_queue.ts";
import type { MediaStore } from "../ports/media_store.ts";
import type { Provider } from "../ports/provider.ts";
import { MediaRefusedError, type Sniff, takeIn, tooLarge, watch } from "./intake.ts";

export type FetchJob = Extract<MediaJob, { kind: "fetch" }>;

export type FetchResult = MediaOutcome | { readonly state: "retry"; readonly reason: string };

export interface FetchOptions {
  readonly download: Download;
  readonly store: MediaStore;
  readonly sniff: Sniff;
  /** Wall clock, ms since 1970. */
  readonly now: () => number;
}

const HOUR_MS = 3_600_000;
/** A file is not tried for longer: providers keep media for days, but nobody looks for it a day later. */
const AGE_MS_MAX = 24 * HOUR_MS;
const PAUSE_MS = { first: 1_000, max: 900_000 } as const;
const JITTER = 0.2;

/** Fetches once. Rejects when the store is away; that is no fault of the file. */
export async function fetchMedia(
  job: FetchJob,
  channel: Channel,
  provider: Provider,
  options: FetchOptions,
  signal: AbortSignal,
): Promise<FetchResult> {
  const { media, timeoutMs } = channel.settings;
  const { origin } = new URL(job.sourceUrl);
  const found = await options.download({
    url: job.sourceUrl,
    // A redirect to another host gets no credentials, whoever's host it is.
    headersFor: (url) => url.origin === origin ? provider.mediaAuthorization?.(url, channel) ?? {} : {},
    timeoutMs,
    signal,
  });
  if (found.kind === "failed") {
    return { state: found.final ? "failed" : "retry", reason: found.reason };
  }
  const watched = watch(found.body);
  try {
    if (found.sizeBytes !== null && found.sizeBytes > media.maxBytes) throw tooLarge(media.maxBytes);
    const intake = await takeIn(watched.bytes, {
      declaredType: found.contentType ?? job.declaredType,
      types: job.types ?? media.types,
      maxBytes: media.maxBytes,
      sniff: options.sniff,
    });
    await options.store.put(job.id, intake.bytes, intake.contentType);
    return {
      state: "ready",
      contentType: intake.contentType,
      sizeBytes: intake.sizeBytes(),
      expiresMs: options.now() + media.retentionHours * HOUR_MS,
    };
  } catch (error) {
    if (error instanceof MediaRefusedError) return { state: "failed", reason: error.message };
    const broken = watched.failure();
    if (broken !== null) return { state: "retry", reason: broken.message };
    throw error;
  } finally {
    // What was refused before it was read is let go of.
    await found.body[Symbol.asyncIterator]().return?.();
  }
}

/** The pause before the next try, ms; null when it is given up. `random`: from 0 to 1. */
export function fetchPauseMs(job: FetchJob, nowMs: number, random: number): number | null {
  if (nowMs - job.createdMs >= AGE_MS_MAX) return null;
  const pauseMs = Math.min(PAUSE_MS.max, PAUSE_MS.first * 2 ** Math.min(job.attempts - 1, 30));
  return Math.round(pauseMs * (1 - JITTER + 2 * JITTER * random));
}
