/**
 * Requests over keep-alive lines, each line with one under way.
 *
 * @module
 */
import { pause } from "./simulator/clock.ts";
import { Histogram, type LatencySummary } from "./simulator/histogram.ts";
import { KeepAliveLine } from "./simulator/http_client.ts";

export interface HttpLoadOptions {
  readonly origin: string;
  readonly lines: number;
  /** The whole request with this running number from 0. */
  readonly request: (index: number) => string;
  /** Ends after so many requests. */
  readonly count?: number;
  /** Ends after so long. */
  readonly seconds?: number;
  /** The number of the first request. @default 0 */
  readonly firstIndex?: number;
  /** Between the openings of two lines: some servers let few wait to be accepted, and the rest try again seconds later. @default 0 */
  readonly staggerMs?: number;
}

export interface HttpLoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly rateMps: number;
  readonly latency: LatencySummary;
}

/** Sends until count or time is reached. Rejects on an answer outside 2xx. */
export async function httpLoad(options: HttpLoadOptions): Promise<HttpLoadResult> {
  const firstIndex = options.firstIndex ?? 0;
  const lastIndex = firstIndex + (options.count ?? Infinity);
  const startMs = performance.now();
  const endMs = startMs + (options.seconds ?? Infinity) * 1000;
  const latency = new Histogram();
  let next = firstIndex;
  const work = async (index: number) => {
    if (options.staggerMs !== undefined) await pause(index * options.staggerMs);
    const line = new KeepAliveLine(options.origin);
    try {
      while (next < lastIndex) {
        const sentMs = performance.now();
        if (sentMs >= endMs) break;
        const { status, body } = await line.request(options.request(next++));
        if (status < 200 || status > 299) throw new Error(`${options.origin} answered ${status}: ${body}`);
        latency.record(performance.now() - sentMs);
      }
    } finally {
      line.close();
    }
  };
  await Promise.all(Array.from({ length: options.lines }, (_, index) => work(index)));
  const seconds = (performance.now() - startMs) / 1000;
  const requests = next - firstIndex;
  return { requests, seconds, rateMps: requests / seconds, latency: latency.summary() };
}
