/**
 * What a run of the bench suite gives: the JSON file's schema. Rates are messages per second, latencies ms,
 * memory MB (of 2^20 bytes).
 *
 * @module
 */
import type { Machine } from "./machine.ts";
import type { ProcessUsage } from "./process_usage.ts";
import type { LatencySummary } from "./simulator/histogram.ts";
import type { Target } from "./targets.ts";

/** The file written with `--json`. */
export interface BenchReport {
  readonly schema: 2;
  readonly program: "patchbay";
  readonly version: string;
  /** Of the load generator. */
  readonly connections: number;
  /** `PATCHBAY_PARTITIONS` of the systems under test. */
  readonly partitions: number;
  /** How often the repeated benches were run; figures are medians, ratios medians of each run's ratio. */
  readonly runs: number;
  /** Whether measurements were shortened: the figures then only show that everything runs. */
  readonly quick: boolean;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly tookSeconds: number;
  readonly machine: Machine;
  readonly benches: readonly BenchResult[];
}

/** One bench. */
export interface BenchResult {
  readonly name: string;
  readonly about: string;
  readonly rows: readonly BenchRow[];
  /** What has to be known to read the rows. */
  readonly notes: readonly string[];
  /** How many runs the figures are medians of; set by the suite. */
  readonly runs?: number;
  /** Curves for the plots; of the last run. */
  readonly series?: readonly Series[];
}

/** A curve. */
export interface Series {
  /** Curves of the same plot share it: "latency" or "bucket". */
  readonly plot: string;
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** No measurement, but a limit or a moment. */
  readonly dashed?: true;
}

/** One measurement. */
export interface BenchRow {
  /** Tells it apart within its bench, in every run. */
  readonly what: string;
  /** How the README's table calls it; without it, it is in the JSON alone. */
  readonly headline?: string;
  /** What the README's table shows of it. @default "rate" */
  readonly shows?: "rate" | "latency";
  /** What the README's table shows instead. */
  readonly figure?: string;
  /** Why there are no figures. */
  readonly notRun?: string;
  /** It was begun and could not be ended. */
  readonly broken?: true;
  /** Null where the row is about latency at a given rate that was kept. */
  readonly rateMps: number | null;
  /** The least and the most of several runs. */
  readonly spread?: { readonly leastMps: number; readonly mostMps: number };
  readonly latency?: LatencySummary;
  /** What the rate is held against, from the same run. */
  readonly ceiling?: { readonly what: string; readonly rateMps: number; readonly ratio: number };
  readonly targets?: readonly Target[];
  readonly processes?: readonly ProcessCost[];
  /** Figures of this measurement alone. */
  readonly more?: Readonly<Record<string, number | string | boolean>>;
}

export interface ProcessCost extends ProcessUsage {
  /** CPU seconds for 1,000 of the row's messages. */
  readonly cpuSecondsPer1000: number;
}

/** Puts what was used in relation to what was done. */
export function costs(usage: readonly ProcessUsage[], messages: number): ProcessCost[] {
  return usage.map((one) => ({
    ...one,
    cpuSecondsPer1000: messages === 0 ? 0 : (one.cpuSeconds / messages) * 1000,
  }));
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
