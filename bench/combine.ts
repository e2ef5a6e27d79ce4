/**
 * Several runs as one: medians of the figures, and every target judged by them.
 *
 * @module
 */
import { type BenchResult, type BenchRow, median } from "./report.ts";
import type { LatencySummary } from "./simulator/histogram.ts";
import { judge, type Target } from "./targets.ts";

/** One bench's results, in the order of the runs. Ratios are medians of each run's own ratio. */
export function combineRuns(runs: readonly BenchResult[]): BenchResult {
  const last = runs.at(-1);
  if (last === undefined) throw new RangeError("there is no run to combine");
  if (runs.length === 1) return { ...last, runs: 1 };
  const names = [...new Set(runs.flatMap(({ rows }) => rows.map(({ what }) => what)))];
  return {
    ...last,
    runs: runs.length,
    rows: names.map((name) =>
      combineRows(runs.flatMap(({ rows }) => rows.filter(({ what }) => what === name)))
    ),
  };
}

/** The same row of several runs. Processes, and what is no number, are those of the run in the middle. */
function combineRows(all: readonly BenchRow[]): BenchRow {
  const rows = all.filter(({ notRun }) => notRun === undefined);
  if (rows.length === 0) return all.at(-1)!;
  const byRate = [...rows].sort((a, b) => (a.rateMps ?? 0) - (b.rateMps ?? 0));
  const middle = byRate[Math.floor(byRate.length / 2)]!;
  const rates = rows.flatMap(({ rateMps }) => rateMps === null ? [] : [rateMps]);
  const ceilings = rows.flatMap(({ ceiling }) => ceiling === undefined ? [] : [ceiling]);
  const latencies = rows.flatMap(({ latency }) => latency === undefined ? [] : [latency]);
  return {
    ...middle,
    ...(rates.length === 0 ? {} : {
      rateMps: median(rates),
      spread: { leastMps: Math.min(...rates), mostMps: Math.max(...rates) },
    }),
    ...(latencies.length === 0 ? {} : { latency: medianLatency(latencies) }),
    ...(middle.ceiling === undefined ? {} : {
      ceiling: {
        what: middle.ceiling.what,
        rateMps: median(ceilings.map(({ rateMps }) => rateMps)),
        ratio: median(ceilings.map(({ ratio }) => ratio)),
      },
    }),
    ...(middle.targets === undefined ? {} : { targets: combineTargets(middle, rows) }),
    ...(middle.more === undefined ? {} : { more: combineMore(middle.more, rows) }),
  };
}

function combineTargets(middle: BenchRow, rows: readonly BenchRow[]) {
  return middle.targets!.map((target) => {
    const values = rows.flatMap(({ targets = [] }) =>
      targets.filter(({ text }) => text === target.text).map(({ value }) => value)
    );
    return judge(target, target.promise ? worstOf(target, values) : median(values));
  });
}

/** The value that is furthest from what it has to be; of several within the bounds any. */
function worstOf({ atLeast = -Infinity, atMost = Infinity }: Target, values: readonly number[]): number {
  const missedBy = (value: number) => Math.max(atLeast - value, value - atMost);
  return values.reduce((worst, value) => missedBy(value) > missedBy(worst) ? value : worst);
}

function combineMore(more: NonNullable<BenchRow["more"]>, rows: readonly BenchRow[]) {
  return Object.fromEntries(
    Object.entries(more).map(([name, value]) => {
      const numbers = rows.map((row) => row.more?.[name]).filter((one) => typeof one === "number");
      return [name, typeof value === "number" ? median(numbers) : value];
    }),
  );
}

function medianLatency(latencies: readonly LatencySummary[]): LatencySummary {
  const of = (field: keyof LatencySummary) => median(latencies.map((latency) => latency[field]));
  return {
    count: of("count"),
    meanMs: of("meanMs"),
    p50Ms: of("p50Ms"),
    p90Ms: of("p90Ms"),
    p99Ms: of("p99Ms"),
    p999Ms: of("p999Ms"),
    maxMs: of("maxMs"),
  };
}
