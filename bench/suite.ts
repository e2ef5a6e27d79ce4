/**
 * Runs benches, some of them several times in turn, and makes one report of it.
 *
 * @module
 */
import { dirname } from "node:path";
import { VERSION } from "../adapters/server/version.ts";
import type { Bench, BenchContext, Found } from "./bench_context.ts";
import { combineRuns } from "./combine.ts";
import { describeMachine } from "./machine.ts";
import { machineTicks } from "./process_usage.ts";
import type { BenchReport, BenchResult } from "./report.ts";
import { benchText } from "./table.ts";

export interface SuiteOptions {
  /** Those asked for, in the order they are run. */
  readonly benches: readonly Bench[];
  readonly runs: number;
  /** Whether benches that are run once in the whole suite are repeated too. */
  readonly repeatAll: boolean;
  readonly quick: boolean;
  readonly seconds: number | null;
  readonly messages: number | null;
  readonly connections: number;
  readonly partitions: number;
  /** Where the report goes; after each bench, so that a long run that is broken off leaves what it found. */
  readonly json: string | undefined;
  readonly profile: string | undefined;
}

/** Runs them. Progress goes to standard error, each bench's table to standard output when its last run is done. */
export async function runSuite(options: SuiteOptions): Promise<BenchReport> {
  const { benches, runs, quick, seconds, messages, connections, partitions } = options;
  const startedAt = new Date();
  let machine = await describeMachine();
  const startTicks = machineTicks();
  const results = new Map<string, BenchResult[]>();
  const report = (): BenchReport => ({
    schema: 2,
    program: "patchbay",
    version: VERSION,
    connections,
    partitions,
    runs,
    quick,
    startedAt: startedAt.toISOString(),
    tookSeconds: (Date.now() - startedAt.getTime()) / 1000,
    machine: { ...machine, stolenShare: stolenSince(startTicks) },
    benches: [...results.values()].map(combineRuns),
  });
  const found: Found = {};
  if (!quick && seconds === null) {
    console.error(`This takes about ${Math.ceil(estimateSeconds(options) / 60)} minutes.`);
  }
  for (let run = 1; run <= runs; run++) {
    for (const bench of benches) {
      const { name, about } = bench;
      const runsOfIt = runsOf(bench, options);
      if (run > runsOfIt) continue;
      const which = runsOfIt === 1 ? name : `${name} ${run}/${runsOfIt}`;
      const context: BenchContext = {
        run,
        quick,
        seconds,
        messages,
        connections,
        partitions,
        profileFolder: options.profile,
        found,
        say: (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${which}: ${text}`),
        onVersions: (versions) => machine = { ...machine, ...versions },
      };
      const soFar = results.get(name) ?? [];
      results.set(name, soFar);
      soFar.push({ name, about, ...await runOrSay(bench, context) });
      if (run === runsOfIt) console.log(`${benchText(combineRuns(soFar))}\n`);
      if (options.json !== undefined) await writeReport(options.json, report());
    }
  }
  return report();
}

/** Of what was used or wanted since `start`. */
function stolenSince(start: ReturnType<typeof machineTicks>): number {
  const now = machineTicks();
  const stolen = now.stolen - start.stolen;
  const busy = now.busy - start.busy;
  return stolen === 0 ? 0 : stolen / (busy + stolen);
}

function runsOf(bench: Bench, { runs, repeatAll }: Pick<SuiteOptions, "runs" | "repeatAll">): number {
  return bench.once && !repeatAll ? 1 : runs;
}

/** How long the whole takes on a quiet machine. */
export function estimateSeconds(options: Pick<SuiteOptions, "benches" | "runs" | "repeatAll">): number {
  return options.benches.reduce(
    (sum, bench) => sum + bench.takes.firstSeconds + (runsOf(bench, options) - 1) * bench.takes.laterSeconds,
    0,
  );
}

/** One that breaks off does not end the others: a long run keeps what it found. */
async function runOrSay(bench: Bench, context: BenchContext): ReturnType<Bench["run"]> {
  try {
    return await bench.run(context);
  } catch (error) {
    // It stands in a table's cell.
    const reason = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ");
    context.say(`broke off: ${reason}`);
    const what = "broke off";
    return {
      rows: [{ what, headline: `\`${bench.name}\``, rateMps: null, notRun: reason, broken: true }],
      notes: [],
    };
  }
}

/** The names of all that has to be run for those asked for, in the order of `all`. */
export function withNeeded<B extends Pick<Bench, "name" | "needs">>(
  all: readonly B[],
  names: readonly string[],
): B[] {
  const wanted = new Set<string>();
  const want = (name: string) => {
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const needed of all.find((bench) => bench.name === name)?.needs ?? []) want(needed);
  };
  names.forEach(want);
  return all.filter(({ name }) => wanted.has(name));
}

async function writeReport(path: string, report: BenchReport): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, JSON.stringify(report, null, 2) + "\n");
}
