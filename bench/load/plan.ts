/**
 * What a load is to do, and what came of it: plain data, which goes from thread to thread.
 *
 * @module
 */
import type { LatencySummary } from "../simulator/histogram.ts";
import type { RequestSource } from "./requests.ts";

export interface LoadPlan {
  /** `http://127.0.0.1:port`. */
  readonly origin: string;
  /** Keep-alive lines, each with one request under way. Request `i` goes over line `i % lines`, in their order. */
  readonly lines: number;
  readonly requests: RequestSource;
  /** Null: as fast as the lines allow. */
  readonly rateMps: number | null;
  /** Sent, but not counted in rate and latency. @default 0 */
  readonly warmupMs?: number;
  /** Ends so long after the warm-up. */
  readonly seconds?: number;
  /** Ends after the first so many requests. */
  readonly count?: number;
  /** Between the openings of two lines: some servers let few wait to be accepted. @default 0 */
  readonly staggerMs?: number;
}

export interface LoadResult {
  /** Requests answered 2xx, answered otherwise, and never answered. */
  readonly accepted: number;
  readonly refused: number;
  readonly broken: number;
  /** Every answer by its HTTP status. */
  readonly statuses: Readonly<Record<number, number>>;
  /** The body of the first answer that was not 2xx. */
  readonly firstRefusal: string | null;
  /** Why lines broke, with how often. */
  readonly breaks: Readonly<Record<string, number>>;
  /** From the first request to the last answer, warm-up included. */
  readonly seconds: number;
  /** Accepted after the warm-up and before the end, per second. */
  readonly acceptedMps: number;
  /** From when a request was due (at a rate) or sent until its 2xx; after the warm-up. */
  readonly latency: LatencySummary;
}

/** Refuses a run in which anything but the wanted answers came: its figures would not mean what they say. */
export function assertClean({ refused, broken, statuses, breaks, firstRefusal }: LoadResult): void {
  if (refused === 0 && broken === 0) return;
  const answers = JSON.stringify({ statuses, breaks, firstRefusal });
  throw new Error(`${refused} requests were refused and ${broken} got no answer: ${answers}`);
}
