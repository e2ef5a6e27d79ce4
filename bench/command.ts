/**
 * `bench`: measures the program on this machine and says so in a table and in JSON.
 *
 * @module
 */
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { VERSION } from "../adapters/server/version.ts";
import type { Bench, BenchContext } from "./bench_context.ts";
import { e2e } from "./e2e.ts";
import { ingest } from "./ingest.ts";
import { latency } from "./latency.ts";
import { describeMachine } from "./machine.ts";
import type { BenchReport, BenchResult } from "./report.ts";
import { send } from "./send.ts";
import { stopEverything } from "./system_under_test.ts";
import { benchText, machineText } from "./table.ts";

/** In the order they are run. */
const BENCHES: readonly Bench[] = [ingest, e2e, latency, send];

const OPTIONS = {
  json: { type: "string" },
  seconds: { type: "string" },
  connections: { type: "string", default: "128" },
  profile: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

function help(): string {
  const benches = BENCHES.map(({ name, about }) => `  ${name.padEnd(14)} ${about}`).join("\n");
  return `Usage: deno task bench -- [NAME…] [options]

Measures the program on this machine: a fresh system for each bench, real HTTP, unique messages over
10,000 conversations, each figure beside its ceiling from the same run. No name: all of them.

${benches}

  --seconds N    length of the main measurements (ingest 6, e2e 30, latency 20, send 15);
                 300 shows whether memory stays flat
  --connections N of the load generator (128)
  --json FILE    also writes the report as JSON; its schema is in bench/report.ts
  --profile DIR  writes CPU profiles of the program's processes; figures are lower then
  --help

Progress goes to standard error, the table to standard output. A missed target is said, and is no failure.
`;
}

interface Arguments {
  readonly benches: readonly Bench[];
  readonly seconds: number | null;
  readonly connections: number;
  readonly json: string | undefined;
  readonly profile: string | undefined;
}

/** Resolves with the exit code: 0, 1 when a bench could not be run, 2 for wrong arguments, 130 after Ctrl-C. */
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
  const onSignal = async () => {
    console.error("Stopping …");
    await stopEverything();
    Deno.exit(130);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, onSignal);
  try {
    console.log(machineText(await runAll(read as Arguments)));
    return 0;
  } catch (error) {
    console.error(`The bench could not be run: ${error instanceof Error ? error.message : error}`);
    return 1;
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(signal, onSignal);
  }
}

async function runAll({ benches, seconds, connections, json, profile }: Arguments): Promise<BenchReport> {
  const startedAt = new Date();
  let machine = await describeMachine();
  const found = {};
  const results: BenchResult[] = [];
  const reportNow = (): BenchReport => ({
    schema: 1,
    program: "patchbay",
    version: VERSION,
    connections,
    startedAt: startedAt.toISOString(),
    tookSeconds: (Date.now() - startedAt.getTime()) / 1000,
    machine,
    benches: results,
  });
  for (const { name, about, run } of benches) {
    const context: BenchContext = {
      seconds,
      connections,
      profileFolder: profile,
      found,
      say: (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${name}: ${text}`),
      onVersions: (versions) => machine = { ...machine, ...versions },
    };
    const result = { name, about, ...await run(context) };
    results.push(result);
    console.log(`${benchText(result)}\n`);
    // After each one, so that a long run that is broken off leaves what it found.
    if (json !== undefined) await writeReport(json, reportNow());
  }
  return reportNow();
}

async function writeReport(path: string, report: BenchReport): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, JSON.stringify(report, null, 2) + "\n");
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
  const known = BENCHES.map(({ name }) => name).join(", ");
  for (const name of positionals) {
    if (!BENCHES.some((bench) => bench.name === name)) {
      faults.push(`There is no bench ${name}; there are: ${known}.`);
    }
  }
  const seconds = values.seconds === undefined ? null : Number(values.seconds);
  if (seconds !== null && !(seconds > 0 && seconds <= 86_400)) {
    faults.push("--seconds: must be a number above 0, at most 86400");
  }
  const connections = Number(values.connections);
  if (!(Number.isInteger(connections) && connections >= 1 && connections <= 1_024)) {
    faults.push("--connections: must be a whole number from 1 to 1024");
  }
  if (faults.length > 0) return faults;
  const benches = BENCHES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  return { benches, seconds, connections, json: values.json, profile: values.profile };
}
