/**
 * What processes use: CPU time and memory, read from /proc (Linux).
 *
 * @module
 */
import { readDirNames, readText } from "./proc_files.ts";

/** A process to watch; with `tree` its descendants too. */
export interface Watched {
  readonly name: string;
  readonly pid: number;
  readonly tree: boolean;
}

export interface ProcessUsage {
  readonly name: string;
  readonly cpuSeconds: number;
  /** Mean number of cores kept busy. */
  readonly cores: number;
  readonly peakMb: number;
  readonly endMb: number;
  /** Over the last two thirds of the time; null when there were too few samples. */
  readonly slopeMbPerMinute: number | null;
}

/** Everything that is not watched, the kernel's own work included: it disturbs the figures. */
export const OTHERS = "rest of the machine";
/** What a hypervisor gave to other machines while something here wanted to run: it disturbs them more. */
export const STOLEN = "taken by other machines";

const TICKS_PER_SECOND = 100;
const SAMPLE_MS = 1_000;
const SAMPLES_MIN = 8;
const KB_PER_MB = 1_024;

/** CPU milliseconds for each of `messages`, of the processes with these names. */
export function cpuMsEach(
  usage: readonly ProcessUsage[],
  names: readonly string[],
  messages: number,
): number {
  const seconds = usage.filter(({ name }) => names.includes(name))
    .reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  return messages === 0 ? 0 : (seconds / messages) * 1_000;
}

interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  /** Its own, in ticks. */
  readonly own: number;
  /** Of children that ended, in ticks. */
  readonly ended: number;
}

/** Watches processes from now on. */
export class UsageWatch {
  readonly #watched: readonly Watched[];
  readonly #startMs = performance.now();
  readonly #startTicks: ReadonlyMap<string, number>;
  readonly #start = machineTicks();
  readonly #samples = new Map<string, { atMs: number; mb: number }[]>();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(watched: readonly Watched[]) {
    this.#watched = watched;
    this.#startTicks = ticksOf(watched);
    for (const { name } of watched) this.#samples.set(name, []);
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** Ends the watch and gives what was used, and last what {@link OTHERS} used and what was {@link STOLEN}. */
  stop(): ProcessUsage[] {
    clearInterval(this.#timer);
    this.#sample();
    const now = machineTicks();
    const busySeconds = (now.busy - this.#start.busy) / TICKS_PER_SECOND;
    const stolen = (now.stolen - this.#start.stolen) / TICKS_PER_SECOND;
    const seconds = (performance.now() - this.#startMs) / 1000;
    const ticks = ticksOf(this.#watched);
    const ours = this.#watched.map(({ name }) => {
      const cpuSeconds = ((ticks.get(name) ?? 0) - (this.#startTicks.get(name) ?? 0)) / TICKS_PER_SECOND;
      const samples = this.#samples.get(name)!;
      return {
        name,
        cpuSeconds,
        cores: cpuSeconds / seconds,
        peakMb: Math.max(0, ...samples.map(({ mb }) => mb)),
        endMb: samples.at(-1)?.mb ?? 0,
        slopeMbPerMinute: slopeOf(samples.slice(Math.floor(samples.length / 3))),
      };
    });
    const others = Math.max(0, busySeconds - ours.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0));
    const memory = { peakMb: 0, endMb: 0, slopeMbPerMinute: null };
    return [
      ...ours,
      { name: OTHERS, cpuSeconds: others, cores: others / seconds, ...memory },
      { name: STOLEN, cpuSeconds: stolen, cores: stolen / seconds, ...memory },
    ];
  }

  #sample(): void {
    const atMs = performance.now();
    const all = allProcesses();
    for (const watched of this.#watched) {
      this.#samples.get(watched.name)!.push({ atMs, mb: memoryOf(pidsOf(watched, all)) });
    }
  }
}

/** Of all cores since the machine started: at work, not idling nor waiting for the disk; and taken from them. */
export function machineTicks(): { readonly busy: number; readonly stolen: number } {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = readText("/proc/stat")
    .split("\n", 1)[0]!.trim().split(/\s+/).slice(1).map(Number);
  return { busy: user + nice + system + irq + softirq, stolen: steal };
}

function ticksOf(watched: readonly Watched[]): Map<string, number> {
  const all = allProcesses();
  return new Map(watched.map((one) => {
    const pids = new Set(pidsOf(one, all));
    let ticks = 0;
    for (const process of all) {
      if (pids.has(process.pid)) ticks += process.own;
      if (process.pid === one.pid && one.tree) ticks += process.ended;
    }
    return [one.name, ticks];
  }));
}

function pidsOf({ pid, tree }: Watched, all: readonly ProcessTimes[]): number[] {
  const pids = [pid];
  if (!tree) return pids;
  for (let i = 0; i < pids.length; i++) {
    for (const process of all) if (process.parent === pids[i]) pids.push(process.pid);
  }
  return pids;
}

/** Private memory of all, and what is shared once: adding up resident memory would count shared buffers many times. */
function memoryOf(pids: readonly number[]): number {
  let privateKb = 0;
  let fileKb = 0;
  let sharedKb = 0;
  for (const pid of pids) {
    const status = readText(`/proc/${pid}/status`);
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
    privateKb += field("RssAnon");
    fileKb = Math.max(fileKb, field("RssFile"));
    sharedKb = Math.max(sharedKb, field("RssShmem"));
  }
  return (privateKb + fileKb + sharedKb) / KB_PER_MB;
}

function allProcesses(): ProcessTimes[] {
  return readDirNames("/proc").filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    const stat = readText(`/proc/${name}/stat`);
    // The name in brackets may hold anything; the fields after it are numbers.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
    if (fields.length < 15) return [];
    return [{
      pid: Number(name),
      parent: fields[1]!,
      own: fields[11]! + fields[12]!,
      ended: fields[13]! + fields[14]!,
    }];
  });
}

/** Least squares, MB a minute. */
function slopeOf(samples: readonly { readonly atMs: number; readonly mb: number }[]): number | null {
  if (samples.length < SAMPLES_MIN) return null;
  const meanAt = samples.reduce((sum, { atMs }) => sum + atMs, 0) / samples.length;
  const meanMb = samples.reduce((sum, { mb }) => sum + mb, 0) / samples.length;
  let above = 0;
  let below = 0;
  for (const { atMs, mb } of samples) {
    above += (atMs - meanAt) * (mb - meanMb);
    below += (atMs - meanAt) ** 2;
  }
  return below === 0 ? null : (above / below) * 60_000;
}
