/**
 * One child process: its output goes to a bounded log file, it dies with this process, and it can be
 * stopped by ever stronger signals.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { EmbeddedStartError, reasonOf } from "./start_error.ts";

/** The user that a child runs as. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Added to PATH, TZ and LC_ALL; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Default: the user of this process. */
  readonly runAs?: RunAs | undefined;
  /** What the kernel sends to the child when this process dies, however that happens. */
  readonly deathSignal: "SIGINT" | "SIGTERM";
}

/** How a child ended, e.g. "exit code 1" or "signal SIGKILL". */
export type Ending = string;

export interface StopStep {
  readonly signal: Deno.Signal;
  /** How long the child has to go before the next step. */
  readonly waitMs: number;
}

export interface Child {
  readonly pid: number;
  readonly exited: Promise<Ending>;
  readonly running: boolean;
  /** Sends `signal` unless the child has ended. */
  kill(signal: Deno.Signal): void;
  /** Takes one step after the other until the child has ended; SIGKILL is what comes last. */
  stop(steps: readonly StopStep[]): Promise<void>;
}

const LOG_BYTES_MAX = 32 * 1024 * 1024;
const LOG_CHECK_MS = 60_000;
const SETPRIV = ["/usr/bin/setpriv", "/bin/setpriv"].find((path) => existsSync(path));

/** The environment of every child: little, so that a start from anywhere is the same. */
export function childEnv(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: Deno.env.get("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    TZ: "UTC",
    LC_ALL: "C",
    ...more,
  };
}

/** Keeps the former run's log as `<log>.old` and bounds what one run can write. */
function openLog(path: string): number {
  try {
    Deno.renameSync(path, `${path}.old`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return openSync(path, "a", 0o600);
}

function truncateWhenLarge(path: string): void {
  try {
    // Safe under the child's feet because it appends.
    if (Deno.statSync(path).size > LOG_BYTES_MAX) Deno.truncateSync(path, 0);
  } catch {
    // A log that someone removed is not worth a message.
  }
}

/** The last lines of a log, for an error message. */
export function logTail(path: string, lines = 5): string {
  try {
    return Deno.readTextFileSync(path).trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "";
  }
}

/**
 * Starts a child in a session of its own, so that Ctrl-C in a terminal reaches this process alone, which
 * then stops its children in order.
 *
 * @throws EmbeddedStartError when it cannot be started
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  // setpriv replaces itself by the command: same process id. Where it is missing, leftovers of a killed run
  // are stopped at the next start.
  const [command, ...args] = SETPRIV === undefined
    ? [options.command, ...options.args]
    : [SETPRIV, "--pdeathsig", options.deathSignal.slice(3), options.command, ...options.args];
  const log = openLog(options.logFile);
  try {
    const process = spawn(command!, args, {
      cwd: options.cwd,
      env: childEnv(options.env),
      stdio: ["ignore", log, log],
      detached: true,
      ...(options.runAs ?? {}),
    });
    const exited = new Promise<Ending>((resolve) => {
      process.once(
        "exit",
        (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`),
      );
    });
    await new Promise<void>((resolve, reject) => {
      process.once("error", reject);
      process.once("spawn", resolve);
    });
    return watch(process.pid!, exited, options.logFile);
  } catch (error) {
    throw new EmbeddedStartError(`${options.command} cannot be started: ${reasonOf(error)}`);
  } finally {
    closeSync(log);
  }
}

function watch(pid: number, exited: Promise<Ending>, logFile: string): Child {
  let running = true;
  const logCheck = setInterval(() => truncateWhenLarge(logFile), LOG_CHECK_MS);
  Deno.unrefTimer(logCheck);
  exited.then(() => {
    running = false;
    clearInterval(logCheck);
  });
  const kill = (signal: Deno.Signal) => {
    if (!running) return;
    try {
      Deno.kill(pid, signal);
    } catch (error) {
      // It ended, and the news is on its way.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  };
  return {
    pid,
    exited,
    get running() {
      return running;
    },
    kill,
    async stop(steps) {
      for (const step of steps) {
        kill(step.signal);
        if (await within(exited, step.waitMs)) return;
      }
      kill("SIGKILL");
      await exited;
    },
  };
}

/** Whether `promise` settles within `ms`. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), ms));
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
