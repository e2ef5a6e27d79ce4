/**
 * A report as text.
 *
 * @module
 */
import { disturbanceText } from "./machine.ts";
import { OTHERS, STOLEN } from "./process_usage.ts";
import type { BenchReport, BenchResult, BenchRow, ProcessCost } from "./report.ts";
import { number, targetText } from "./targets.ts";

const HEADINGS = ["", "rate/s", "p50 ms", "p99 ms", "p99.9 ms", "of ceiling", "target"] as const;

/** One bench's table. */
export function benchText({ name, about, rows, notes, runs = 1 }: BenchResult): string {
  const lines = [
    `${name}: ${about}${runs === 1 ? "" : `; medians of ${runs} runs`}`,
    "",
    ...aligned([HEADINGS, ...rows.map(cells)]).map((line) => `  ${line}`),
  ];
  const details = rows.flatMap((row) => detailLines(row));
  if (details.length > 0) lines.push("", ...details.map((line) => `  ${line}`));
  if (notes.length > 0) lines.push("", ...notes.map((note) => `  · ${note}`));
  return lines.join("\n");
}

/** What the run was made on and with. */
export function machineText(report: BenchReport): string {
  const { machine, version, connections, partitions, startedAt, tookSeconds, runs, quick } = report;
  return [
    `Patchbay ${version}${machine.commit === null ? "" : ` (${machine.commit})`}, ${startedAt}, ` +
    `${Math.round(tookSeconds)} s, ${connections} connections, ${partitions} partitions, ${
      runs === 1 ? "one run" : `${runs} runs`
    }` +
    (quick ? ", --quick: the figures only show that everything runs" : ""),
    `${machine.cores} cores of ${machine.model}, ${machine.memoryMb} MB, Linux ${machine.kernel}, ` +
    disturbanceText(machine),
    `Deno ${machine.deno} (memory: ${machine.allocator}), nats-server ${
      machine.natsServer ?? "-"
    }, PostgreSQL ${machine.postgres ?? "-"}, ` +
    `fsync of 4 KB p50 ${machine.fsyncMs.p50.toFixed(2)} ms, p99 ${machine.fsyncMs.p99.toFixed(2)} ms`,
  ].join("\n");
}

/** One line for each target that was missed, and each bench that broke off. */
export function missedText({ benches }: BenchReport): string[] {
  return benches.flatMap(({ name, rows }) =>
    rows.flatMap(({ what, targets = [], broken, notRun }) => [
      ...(broken ? [`${name}: ${what}: ${notRun}`] : []),
      ...targets.filter(({ met }) => !met).map((target) => `${name}: ${what}: ${targetText(target, WORDS)}`),
    ])
  );
}

const WORDS = { met: "met", missed: "MISSED" };

function cells(row: BenchRow): string[] {
  const latency = (value: number | undefined) => value === undefined ? "" : value.toFixed(1);
  return [
    row.what,
    row.notRun !== undefined ? "not run" : row.rateMps === null ? "" : rate(row.rateMps),
    latency(row.latency?.p50Ms),
    latency(row.latency?.p99Ms),
    latency(row.latency?.p999Ms),
    row.ceiling === undefined ? "" : `${row.ceiling.ratio.toFixed(2)} × ${rate(row.ceiling.rateMps)}`,
    row.notRun ?? (row.targets ?? []).map((target) => targetText(target, WORDS)).join("; "),
  ];
}

function rate(mps: number): string {
  return mps < 1_000 ? mps.toFixed(1) : number(mps);
}

function detailLines(row: BenchRow): string[] {
  const lines: string[] = [];
  if (row.spread !== undefined) {
    lines.push(`from ${rate(row.spread.leastMps)} to ${rate(row.spread.mostMps)}/s in the runs`);
  }
  const more = Object.entries(row.more ?? {});
  if (more.length > 0) lines.push(more.map(([name, value]) => `${name} ${shown(value)}`).join(", "));
  if (row.processes !== undefined && row.processes.length > 0) lines.push(...row.processes.map(processText));
  return lines.length === 0 ? [] : [`${row.what}:`, ...lines.map((line) => `    ${line}`)];
}

function processText(cost: ProcessCost): string {
  const cores = `${cost.cores.toFixed(2)} cores`;
  if (cost.name === OTHERS || cost.name === STOLEN) return `${cost.name.padEnd(20)} ${cores}`;
  const slope = cost.slopeMbPerMinute;
  return `${cost.name.padEnd(20)} ${cores}, ${cost.cpuSecondsPer1000.toFixed(3)} CPU s per 1,000, ` +
    `memory ${Math.round(cost.peakMb)} MB at most, ${Math.round(cost.endMb)} MB at the end` +
    (slope === null ? "" : `, ${slope >= 0 ? "+" : ""}${slope.toFixed(1)} MB/min`);
}

function shown(value: number | string | boolean): string {
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toFixed(2);
  return typeof value === "boolean" ? (value ? "yes" : "no") : value;
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) =>
      column === 0 || column === row.length - 1
        ? cell.padEnd(widths[column]!)
        : cell.padStart(widths[column]!)
    ).join("  ").trimEnd()
  );
}
