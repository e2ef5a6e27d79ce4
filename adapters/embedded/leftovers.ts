/**
 * Processes that a killed run left behind in a folder. Normally there are none, or they are on their way
 * out (the kernel told them when their parent died); none may be there when the folder is used again.
 *
 * @module
 */
import { basename, join } from "node:path";
import { EmbeddedStartError } from "./start_error.ts";

const POLL_MS = 20;
const STEPS: readonly { readonly signal: Deno.Signal; readonly waitMs: number }[] = [
  { signal: "SIGINT", waitMs: 5_000 },
  { signal: "SIGKILL", waitMs: 5_000 },
];

/**
 * Ids of the processes that run a program named as one of `programs` with their working folder at or below
 * `folder`. Both servers stay in the folder they work on, and their backends too; an editor or a shell there
 * is not meant.
 */
export function processesIn(folder: string, programs: readonly string[]): number[] {
  const found: number[] = [];
  for (const entry of Deno.readDirSync("/proc")) {
    const pid = Number(entry.name);
    if (!Number.isInteger(pid) || pid === Deno.pid) continue;
    try {
      const cwd = Deno.readLinkSync(join("/proc", entry.name, "cwd"));
      if (cwd !== folder && !cwd.startsWith(folder + "/")) continue;
      // A replaced or removed program is shown as "path (deleted)".
      const program = basename(
        Deno.readLinkSync(join("/proc", entry.name, "exe")).replace(/ \(deleted\)$/, ""),
      );
      if (programs.includes(program)) found.push(pid);
    } catch {
      // Ended meanwhile, or another user's, which cannot have been started by us.
    }
  }
  return found;
}

/**
 * Whether a signal to end may be sent to `pid`. Not to PostgreSQL's workers (they show themselves as
 * "postgres: …"): they obey their postmaster and go when it has gone, and to some of them the same signal
 * means something else.
 */
function obeysSignals(pid: number): boolean {
  try {
    return !Deno.readTextFileSync(`/proc/${pid}/cmdline`).startsWith("postgres: ");
  } catch {
    return false;
  }
}

function signalAll(pids: readonly number[], signal: Deno.Signal): void {
  for (const pid of pids) {
    try {
      Deno.kill(pid, signal);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/**
 * Stops what a killed run left behind in `folder`. The caller holds the folder's lock, so that nothing found
 * here can belong to a live run.
 *
 * @returns how many processes there were
 * @throws EmbeddedStartError when one does not even go on SIGKILL
 */
export async function stopLeftovers(folder: string, programs: readonly string[]): Promise<number> {
  const path = await Deno.realPath(folder);
  let left = processesIn(path, programs);
  const count = left.length;
  for (const step of STEPS) {
    const deadline = performance.now() + step.waitMs;
    signalAll(step.signal === "SIGKILL" ? left : left.filter(obeysSignals), step.signal);
    while (left.length > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      left = processesIn(path, programs);
    }
  }
  if (left.length > 0) {
    throw new EmbeddedStartError(`Process ${left.join(", ")} of a former run in ${folder} does not end.`);
  }
  return count;
}
