/**
 * Processes that a run of the tests left behind.
 *
 * Two traces lead to them. A variable in the environment is inherited by every child, but the embedded servers
 * get an environment of their own and PostgreSQL writes over what it has; so whoever works in the run's
 * temporary folder counts too.
 *
 * @module
 */
import { join } from "node:path";

/** The variable that marks a run. Not one of the program's own, which it would warn of. */
export const RUN_MARK = "TESTS_OF_PATCHBAY";

export interface LeftoverProcess {
  readonly pid: number;
  /** Its command line, cut. */
  readonly command: string;
}

const COMMAND_CHARS_MAX = 200;

/** Living processes, other than this one, that bear the mark or work in `folder`. */
export function leftoverProcesses(mark: string, folder: string): LeftoverProcess[] {
  const found: LeftoverProcess[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === Deno.pid) continue;
    try {
      if (/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`))) continue;
      if (!bearsMark(pid, mark) && !worksIn(pid, folder)) continue;
      const command = Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
      found.push({ pid, command: command.slice(0, COMMAND_CHARS_MAX) });
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

function bearsMark(pid: number, mark: string): boolean {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/environ`).split("\0").includes(`${RUN_MARK}=${mark}`);
  } catch {
    // Another user's.
    return false;
  }
}

function worksIn(pid: number, folder: string): boolean {
  try {
    const cwd = Deno.readLinkSync(join("/proc", String(pid), "cwd"));
    return cwd === folder || cwd.startsWith(folder + "/");
  } catch {
    return false;
  }
}
