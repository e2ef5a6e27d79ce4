/**
 * `bench`: measures the program on this machine and says so in a table and in JSON.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { fetchAllocator } from "../adapters/embedded/allocator_fetch.ts";
import { beginAnewOn } from "../adapters/embedded/begin_anew.ts";
import type { Bench } from "./bench_context.ts";
import { backlog } from "./backlog.ts";
import { bucket } from "./bucket.ts";
import { dispatch } from "./dispatch.ts";
import { e2e } from "./e2e.ts";
import { ingest } from "./ingest.ts";
import { latency } from "./latency.ts";
import { peers } from "./peers/peers.ts";
import { publish, resultFile } from "./publish.ts";
import type { BenchReport } from "./report.ts";
import { providers } from "./providers.ts";
import { scale } from "./scale.ts";
import { search } from "./search.ts";
import { send } from "./send.ts";
import { state } from "./state.ts";
import { runSuite, type SuiteOptions, withNeeded } from "./suite.ts";
import { stopEverything } from "./system_under_test.ts";
import { machineText, missedText } from "./table.ts";

/** In the order they are run. */
const BENCHES: readonly Bench[] = [
  ingest,
  e2e,
  latency,
  send,
  peers,
  bucket,
  scale,
  backlog,
  state,
  providers,
  search,
  dispatch,
];

const OPTIONS = {
  json: { type: "string" },
  publish: { type: "boolean", default: false },
  runs: { type: "string" },
  quick: { type: "boolean", default: false },
  seconds: { type: "string" },
  messages: { type: "string" },
  connections: { type: "string", default: "256" },
  partitions: { type: "string", default: "4" },
  profile: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

const QUICK = { seconds: 3, messages: 20_000 };
const RUNS_MAX = 99;
const PUBLISHED_RUNS = 5;

interface Arguments extends SuiteOptions {
  readonly publishing: boolean;
}

function help(): string {
  const benches = BENCHES.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join("\n");
  return `Usage: deno task bench -- [NAME…] [options]

Measures the program on this machine: a fresh system for each bench, real HTTP, unique messages over
10,000 conversations, each figure beside its ceiling from the same run. No name: all of them. What a
bench is held against is run with it.

${benches}

  --runs N       figures are medians of so many runs, ratios medians of each run's ratio (1)
  --quick        short measurements: shows that everything runs, in a few minutes
  --seconds N    length of the main measurements instead of each bench's own;
                 300 shows whether memory stays flat
  --messages N   waiting in backlog, archived in search
  --connections N of the load generator (256)
  --partitions N  PATCHBAY_PARTITIONS of the systems under test (4, as docs/operations.md advises for two
                 cores; the program's own default is 32)
  --json FILE    also writes the report as JSON; its schema is in bench/report.ts
  --publish      into bench/results, and its table and plots into the README; --runs 5
  --profile DIR  writes CPU profiles of the program's processes; figures are lower then
  --help

Progress goes to standard error, the tables to standard output. Exit code 1 when a target is missed.
`;
}

/** Resolves with the exit code: 0, 1 when a target was missed or a bench could not be run, 2 for wrong arguments, 130 after Ctrl-C. */
export async function bench(args: string[]): Promise<number> {
  const read = readArguments(args);
  if (read === null) {
    console.log(help());
    return 0;
  }
  if (Array.isArray(read)) {
    for (const fault of read) console.error(fault);
    return 2;
  }
  const library = await fetchAllocator({ dataDir: ".data", say: console.error });
  if (library !== null) beginAnewOn(library);
  const onSignal = async () => {
    console.error("Stopping …");
    await stopEverything();
    Deno.exit(130);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, onSignal);
  try {
    const { publishing, ...options } = read as Arguments;
    const report = await runSuite(options);
    if (publishing) await publish();
    return conclude(report);
  } catch (error) {
    console.error(`The bench could not be run: ${error instanceof Error ? error.message : error}`);
    return 1;
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(signal, onSignal);
  }
}

function conclude(report: BenchReport): number {
  console.log(machineText(report));
  const missed = missedText(report);
  if (missed.length === 0) return 0;
  console.log(`\nMissed:\n${missed.map((line) => `  ${line}`).join("\n")}`);
  return 1;
}

/** Null when help is asked for; one line per fault when they do not fit. */
function readArguments(args: string[]): Arguments | string[] | null {
  let parsed;
  try {
    parsed = parseArgs({ args, options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    return [(error as Error).message];
  }
  const { values, positionals } = parsed;
  if (values.help) return null;
  const faults: string[] = [];
  const known = BENCHES.map(({ name }) => name);
  for (const name of positionals) {
    if (!known.includes(name)) faults.push(`There is no bench ${name}; there are: ${known.join(", ")}.`);
  }
  const whole = (name: "runs" | "messages" | "connections" | "partitions", most: number): number | null => {
    const text = values[name];
    if (text === undefined) return null;
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    faults.push(`--${name}: must be a whole number from 1 to ${most}`);
    return null;
  };
  const seconds = values.seconds === undefined ? null : Number(values.seconds);
  if (seconds !== null && !(seconds > 0 && seconds <= 86_400)) {
    faults.push("--seconds: must be a number above 0, at most 86400");
  }
  const { quick } = values;
  const publishing = values.publish;
  if (publishing && (positionals.length > 0 || values.json !== undefined)) {
    faults.push("--publish: all benches, into a file of its own name");
  }
  const options: Arguments = {
    benches: withNeeded(BENCHES, positionals.length === 0 ? known : positionals),
    runs: whole("runs", RUNS_MAX) ?? (publishing && !quick ? PUBLISHED_RUNS : 1),
    repeatAll: positionals.length > 0,
    quick,
    seconds: seconds ?? (quick ? QUICK.seconds : null),
    messages: whole("messages", 10_000_000) ?? (quick ? QUICK.messages : null),
    connections: whole("connections", 1_024) ?? 1,
    partitions: whole("partitions", 256) ?? 1,
    json: values.json ?? (publishing ? resultFile(new Date(), navigator.hardwareConcurrency) : undefined),
    profile: values.profile,
    publishing,
  };
  return faults.length > 0 ? faults : options;
}
