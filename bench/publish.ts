/**
 * Writes the newest report into the README, and its plots beside it: `deno task bench:readme`.
 *
 * @module
 */
import { join } from "node:path";
import { plotsOf, withTable } from "./published.ts";
import type { BenchReport } from "./report.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const RESULTS = "bench/results";

export interface Published {
  readonly report: BenchReport;
  /** From the repository's root. */
  readonly file: string;
}

/** Where the report of a run that began then goes. */
export function resultFile(startedAt: Date, cores: number): string {
  return `${RESULTS}/${startedAt.toISOString().slice(0, 10)}-${cores}-cores.json`;
}

/** The report that was started last. Throws when there is none. */
export async function newestReport(root = ROOT): Promise<Published> {
  const published: Published[] = [];
  for await (const { name } of Deno.readDir(join(root, RESULTS))) {
    if (!name.endsWith(".json")) continue;
    const file = `${RESULTS}/${name}`;
    const report = JSON.parse(await Deno.readTextFile(join(root, file))) as BenchReport;
    if (report.schema === 2) published.push({ report, file });
  }
  const newest = published.toSorted((a, b) => a.report.startedAt < b.report.startedAt ? 1 : -1)[0];
  if (newest === undefined) throw new Error(`${RESULTS} holds no report`);
  return newest;
}

/** Rewrites the README's table and the plots. */
export async function publish(root = ROOT): Promise<Published> {
  const newest = await newestReport(root);
  const readme = join(root, "README.md");
  await Deno.writeTextFile(readme, withTable(await Deno.readTextFile(readme), newest.report, newest.file));
  for (const [name, svg] of plotsOf(newest.report)) await Deno.writeTextFile(join(root, RESULTS, name), svg);
  return newest;
}

if (import.meta.main) {
  const { file } = await publish();
  console.log(`README.md and the plots are those of ${file}.`);
}
