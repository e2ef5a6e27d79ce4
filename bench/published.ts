/**
 * A report as it is published: the README's table between its two marks, and the plots.
 *
 * @module
 */
import { disturbanceText } from "./machine.ts";
import { type Plot, plotSvg } from "./plot.ts";
import type { BenchReport, BenchRow } from "./report.ts";
import { number, targetText } from "./targets.ts";

const START = "<!-- bench: written by `deno task bench:readme` -->\n<!-- deno-fmt-ignore-start -->\n";
const END = "<!-- deno-fmt-ignore-end -->\n<!-- /bench -->\n";
const WORDS = { met: "met", missed: "**missed**" };
const HEADINGS = ["bench", "figure", "held against, in the same run", "target"];

/** What the plots are called, and how their curves are shown. */
const PLOTS: readonly (Omit<Plot, "curves"> & { readonly name: string })[] = [
  {
    name: "latency",
    title: "Latency against rate",
    xLabel: "messages a second",
    yLabel: "ms from the webhook's leaving",
    yScale: "log",
  },
  {
    name: "bucket",
    title: "A bucket's use while half of the senders are killed",
    xLabel: "seconds",
    yLabel: "% of the rate in the last second",
  },
];

/** The README with the table of this report; `file` is the report's path from the README. Throws without the marks. */
export function withTable(readme: string, report: BenchReport, file: string): string {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start < 0 || end < start) throw new Error("the README has no place for the bench's table");
  return readme.slice(0, start + START.length) + `\n${published(report, file)}\n` + readme.slice(end);
}

/** The plots that the report has curves for, by file name. */
export function plotsOf(report: BenchReport): Map<string, string> {
  const series = report.benches.flatMap(({ series = [] }) => series);
  return new Map(
    PLOTS.map((plot) => ({ ...plot, curves: series.filter(({ plot: name }) => name === plot.name) }))
      .filter(({ curves }) => curves.length > 0)
      .map((plot) => [`${plot.name}.svg`, plotSvg(plot)]),
  );
}

function published(report: BenchReport, file: string): string {
  const { machine, partitions, runs, quick } = report;
  const folder = file.slice(0, file.lastIndexOf("/") + 1);
  const rows = report.benches.flatMap(({ rows }) => rows).filter(({ headline }) => headline !== undefined);
  const images = [...plotsOf(report).keys()].map((name) =>
    `![${name.replace(".svg", "")}](${folder}${name})`
  );
  return [
    `On ${machine.cores} cores of ${machine.model} that the generator, the carrier, nats-server ` +
    `${machine.natsServer ?? "-"} (fsync before every ack) and PostgreSQL ${
      machine.postgres ?? "-"
    } (fsync on) ` +
    `share with Patchbay, in ${partitions} partitions. ${
      runs === 1 ? "One run" : `Medians of ${runs} runs, ratios within each`
    }, ` +
    `in ${Math.round(report.tookSeconds / 60)} minutes on ${report.startedAt.slice(0, 10)}; ` +
    `${disturbanceText(machine)}; [everything that was measured](${file}).` +
    (quick ? " **Shortened (`--quick`): these figures only show that everything runs.**" : ""),
    table([HEADINGS, ...rows.map(cells)]),
    ...(images.length === 0 ? [] : [images.join("\n")]),
  ].join("\n\n") + "\n";
}

function cells(row: BenchRow): string[] {
  const { headline, ceiling, targets = [] } = row;
  return [
    headline!,
    row.notRun === undefined ? figure(row) : `not run: ${row.notRun}`,
    ceiling === undefined ? "" : `${mps(ceiling.rateMps)}, ${ceiling.what}: ${number(ceiling.ratio)}`,
    targets.map((target) => targetText(target, WORDS)).join("; "),
  ];
}

function figure({ rateMps, spread, latency, shows, figure }: BenchRow): string {
  if (figure !== undefined) return figure;
  if (shows === "latency" && latency !== undefined) {
    return `p50 ${number(latency.p50Ms)} ms, p99 ${number(latency.p99Ms)} ms at ${mps(rateMps ?? 0)}`;
  }
  if (rateMps === null) return "";
  if (spread === undefined || spread.leastMps === spread.mostMps) return mps(rateMps);
  return `${mps(rateMps)} (${number(Math.round(spread.leastMps))}–${number(Math.round(spread.mostMps))})`;
}

function mps(rate: number): string {
  return `${number(rate >= 100 ? Math.round(rate) : rate)}/s`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const text = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const [head, ...body] = rows;
  return [text(head!), text(widths.map((width) => "-".repeat(width))), ...body.map(text)].join("\n");
}
