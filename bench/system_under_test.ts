/**
 * A fresh system for one measurement: the embedded nats-server and PostgreSQL on a folder of their own, and the
 * program as child processes by role, as `start` runs it.
 *
 * The two servers are started here, by the program's own code and with its settings, and not by the program's process:
 * so several processes can share them, and each one's CPU and memory can be told from the others'.
 *
 * @module
 */
import { join } from "node:path";
import { type Child, logTail, startChild } from "../adapters/embedded/child.ts";
import { type Embedded, startEmbedded } from "../adapters/embedded/embedded.ts";
import { freePort } from "../adapters/embedded/free_port.ts";
import { removeDataFolder } from "../adapters/embedded/postgres_place.ts";
import { connectDatabase } from "../adapters/postgres/database.ts";
import { ApiClient } from "./api_client.ts";
import { untilWritten } from "./disk.ts";
import type { Watched } from "./process_usage.ts";

/** One running process of the program. */
export interface Program {
  readonly roles: string;
  readonly url: string;
  readonly pid: number;
  readonly api: ApiClient;
  stop(): Promise<void>;
  /** kill -9. */
  killNow(): Promise<void>;
}

export interface SystemUnderTest {
  readonly embedded: Embedded;
  readonly postgresVersion: string;
  /** Starts the program with these roles, e.g. "all" or "ingress"; resolves when it is ready. */
  start(roles: string): Promise<Program>;
  /** Starts another script of this repository on the same folder; resolves when `url` answers. */
  startScript(script: string, args: readonly string[], url: string): Promise<Child>;
  /** The two servers and `programs`. */
  watched(...programs: readonly Program[]): Watched[];
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface SystemOptions {
  /** `PATCHBAY_PARTITIONS` of the programs. */
  readonly partitions: number;
  /** Where CPU profiles of the program go; none without it. */
  readonly profileFolder?: string | undefined;
  readonly say: (text: string) => void;
}

const ADMIN_KEY = "pbk_bench-administrator-0123456789abcdefghijklmnop";
const READY_MS_MAX = 60_000;
const READY_POLL_MS = 50;
const ROOT = new URL("..", import.meta.url).pathname;
/** What a child needs of our environment beside what every child gets. */
const PASSED_ON = [
  "HOME",
  "DENO_DIR",
  "XDG_CACHE_HOME",
  "NPM_CONFIG_CACHE",
  "DENO_V8_FLAGS",
  "LD_PRELOAD",
  "PATCHBAY_ALLOCATOR",
  "PATCHBAY_CACHE_DIR",
];

const running = new Set<() => Promise<void>>();

/** Stops every system and carrier that still runs, for a run that is broken off. */
export async function stopEverything(): Promise<void> {
  await Promise.allSettled([...running].map((stop) => stop()));
}

/** Remembers how to stop something until it is stopped; gives a stop that runs once. */
export function stoppedAtLast(stop: () => Promise<void>): () => Promise<void> {
  let stopping: Promise<void> | null = null;
  const once = () =>
    stopping ??= stop().finally(() => {
      running.delete(once);
    });
  running.add(once);
  return once;
}

/** Starts the two servers. Rejects with an `EmbeddedStartError` in plain words. */
export async function startSystem(options: SystemOptions): Promise<SystemUnderTest> {
  await untilWritten();
  const dataDir = await Deno.makeTempDir({ prefix: "patchbay-bench-" });
  const programs = new Set<Program | Child>();
  let embedded: Embedded | null = null;
  const stop = stoppedAtLast(async () => {
    await Promise.all([...programs].map((program) => "url" in program ? program.stop() : endChild(program)));
    await embedded?.stop();
    await removeDataFolder(dataDir);
  });
  try {
    const parts = embedded = await startEmbedded({ dataDir, say: options.say });
    const postgresVersion = await versionOf(parts.databaseUrl);
    const launch = async (args: readonly string[], url: string): Promise<Child> => {
      const child = await startProgram(parts, dataDir, options, args, programs.size);
      programs.add(child.child);
      await untilReady(url, child.child, child.logFile);
      return child.child;
    };
    return {
      embedded: parts,
      postgresVersion,
      start: async (roles) => {
        const port = freePort();
        const url = `http://127.0.0.1:${port}`;
        const args = ["main.ts", "start", `--role=${roles}`, `--port=${port}`, `--public-url=${url}`];
        const child = await launch(args, `${url}/readyz`);
        const program: Program = {
          roles,
          url,
          pid: child.pid,
          api: new ApiClient(url, ADMIN_KEY),
          stop: async () => {
            await endChild(child);
            programs.delete(child);
          },
          killNow: async () => {
            await child.stop([{ signal: "SIGKILL", waitMs: 20_000 }]);
            programs.delete(child);
          },
        };
        return program;
      },
      startScript: (script, args, url) => launch([script, ...args], url),
      watched: (...these) => [
        ...these.map((program, index) => ({
          name: nameOf(program, index, these),
          pid: program.pid,
          tree: false,
        })),
        { name: "nats-server", pid: parts.pids.nats, tree: false },
        { name: "PostgreSQL", pid: parts.pids.postgres, tree: true },
        { name: "bench", pid: Deno.pid, tree: false },
      ],
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Tells processes of the same roles apart. */
function nameOf({ roles }: Program, index: number, all: readonly Program[]): string {
  const same = all.flatMap((program, at) => program.roles === roles ? [at] : []);
  return same.length === 1 ? `Patchbay (${roles})` : `Patchbay (${roles} ${same.indexOf(index) + 1})`;
}

/** Asks a child to end, and does not wait for ever. */
export async function endChild(child: Child): Promise<void> {
  await child.stop([{ signal: "SIGINT", waitMs: 20_000 }]);
}

/** Starts Deno on a script of this repository; it dies with this process. */
export function startDeno(
  args: readonly string[],
  options: { readonly logFile: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Child> {
  const passed = PASSED_ON.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return startChild({
    command: Deno.execPath(),
    args: ["run", "-A", ...args],
    cwd: ROOT,
    env: { ...Object.fromEntries(passed), ...options.env },
    logFile: options.logFile,
    deathSignal: "SIGINT",
  });
}

/** Waits until `url` answers 200. Rejects with the end of the log when the child ends before, or takes too long. */
export async function untilReady(url: string, child: Child, logFile: string): Promise<void> {
  const endMs = performance.now() + READY_MS_MAX;
  while (performance.now() < endMs && child.running) {
    const ready = await fetch(url).then(async (response) => {
      await response.body?.cancel();
      return response.ok;
    }, () => false);
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
  throw new Error(`${url} did not become ready:\n${logTail(logFile, 20)}`);
}

async function startProgram(
  parts: Embedded,
  dataDir: string,
  { partitions, profileFolder }: Pick<SystemOptions, "partitions" | "profileFolder">,
  args: readonly string[],
  index: number,
): Promise<{ child: Child; logFile: string }> {
  const logFile = join(dataDir, "logs", `program-${index}-${Date.now()}.log`);
  const profile = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
  const child = await startDeno([...profile, ...args], {
    logFile,
    env: {
      NATS_URL: parts.natsUrl,
      NATS_TOKEN: parts.natsToken,
      DATABASE_URL: parts.databaseUrl,
      PATCHBAY_MASTER_KEY: parts.masterKey,
      PATCHBAY_ADMIN_KEY: ADMIN_KEY,
      PATCHBAY_PARTITIONS: String(partitions),
      PATCHBAY_ALLOW_PRIVATE: "127.0.0.1",
      PATCHBAY_LOG: "warn",
    },
  });
  return { child, logFile };
}

async function versionOf(databaseUrl: string): Promise<string> {
  const sql = connectDatabase(databaseUrl, { max: 1, applicationName: "patchbay bench" });
  try {
    const [row] = await sql<{ server_version: string }[]>`show server_version`;
    return row?.server_version ?? "unknown";
  } finally {
    await sql.end({ timeout: 2 });
  }
}
