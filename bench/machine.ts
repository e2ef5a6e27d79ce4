/**
 * The machine that a run was made on.
 *
 * @module
 */
import { join } from "node:path";
import { allocatorInUse } from "../adapters/embedded/allocator.ts";
import { readText } from "./proc_files.ts";

export interface Machine {
  readonly cores: number;
  readonly model: string;
  readonly memoryMb: number;
  readonly kernel: string;
  readonly deno: string;
  readonly v8: string;
  /** Whose memory allocator the program and the load generator run on. */
  readonly allocator: string;
  /** Null until a system was started. */
  readonly natsServer: string | null;
  readonly postgres: string | null;
  /** One minute's load before the run: above a few tenths somebody else was at work. */
  readonly loadBefore: number;
  /** Of the time that something here used or wanted, the share that a hypervisor gave to other machines. */
  readonly stolenShare?: number;
  /** Appending 4 KB and fsyncing it, one after the other, where the systems' data are. */
  readonly fsyncMs: { readonly p50: number; readonly p99: number };
  /** Of the program, if it is a git checkout; with `+` when files were changed. */
  readonly commit: string | null;
}

/** "load before it 0.1, 3.2 % of the CPU taken by other machines": what disturbed the run. */
export function disturbanceText({ loadBefore, stolenShare }: Machine): string {
  const load = `load before it ${loadBefore.toFixed(1)}`;
  return stolenShare === undefined
    ? load
    : `${load}, ${(stolenShare * 100).toFixed(1)} % of the CPU taken by other machines`;
}

const FSYNCS = 200;
const BLOCK_BYTES = 4_096;

/** Looks at the machine; takes about a second. */
export async function describeMachine(): Promise<Machine> {
  const memoryKb = Number(/^MemTotal:\s+(\d+)/m.exec(readText("/proc/meminfo"))?.[1] ?? 0);
  return {
    cores: navigator.hardwareConcurrency,
    model: /^model name\s*:\s*(.+)$/m.exec(readText("/proc/cpuinfo"))?.[1] ?? "unknown",
    memoryMb: Math.round(memoryKb / 1_024),
    kernel: Deno.osRelease(),
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    allocator: allocatorInUse(),
    natsServer: null,
    postgres: null,
    loadBefore: Deno.loadavg()[0]!,
    fsyncMs: await timeFsync(),
    commit: await commitOf(),
  };
}

async function timeFsync(): Promise<{ p50: number; p99: number }> {
  const folder = await Deno.makeTempDir({ prefix: "patchbay-bench-" });
  try {
    using file = await Deno.open(join(folder, "fsync"), { append: true, create: true });
    const block = new Uint8Array(BLOCK_BYTES);
    const times: number[] = [];
    for (let i = 0; i < FSYNCS; i++) {
      const startMs = performance.now();
      await file.write(block);
      await file.syncData();
      times.push(performance.now() - startMs);
    }
    times.sort((a, b) => a - b);
    return { p50: times[Math.floor(FSYNCS / 2)]!, p99: times[Math.floor(FSYNCS * 0.99)]! };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function commitOf(): Promise<string | null> {
  const git = async (...args: string[]) => {
    const cwd = new URL("..", import.meta.url);
    const { success, stdout } = await new Deno.Command("git", { args, cwd, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  };
  try {
    const commit = await git("rev-parse", "--short=12", "HEAD");
    return commit === null ? null : commit + (await git("status", "--porcelain", "-uno") === "" ? "" : "+");
  } catch {
    return null;
  }
}
