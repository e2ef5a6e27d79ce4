/** The README's table is what the newest report says. */
import { equal, match, ok, throws } from "node:assert/strict";
import { newestReport, resultFile } from "../../bench/publish.ts";
import { plotsOf, withTable } from "../../bench/published.ts";
import type { BenchReport } from "../../bench/report.ts";
import { atLeast, atMost } from "../../bench/targets.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const PLACE =
  "# Title\n\n<!-- bench: written by `deno task bench:readme` -->\n<!-- deno-fmt-ignore-start -->\n" +
  "old\n<!-- deno-fmt-ignore-end -->\n<!-- /bench -->\n\nend\n";

const REPORT: BenchReport = {
  schema: 2,
  program: "patchbay",
  version: "1",
  connections: 1,
  partitions: 8,
  runs: 5,
  quick: false,
  startedAt: "2026-01-02T03:04:05Z",
  tookSeconds: 1_500,
  machine: {
    cores: 2,
    model: "Some CPU",
    memoryMb: 1,
    kernel: "1",
    deno: "1",
    v8: "1",
    allocator: "jemalloc",
    natsServer: "2.15.1",
    postgres: "18.4",
    loadBefore: 0.04,
    stolenShare: 0.0316,
    fsyncMs: { p50: 1, p99: 1 },
    commit: null,
  },
  benches: [{
    name: "ingest",
    about: "",
    notes: [],
    rows: [
      {
        what: "accepted",
        headline: "`ingest`",
        rateMps: 8_110.6,
        spread: { leastMps: 7_900, mostMps: 8_400 },
        ceiling: { what: "without the durable write", rateMps: 17_875, ratio: 0.4537 },
        targets: [atLeast(0.35, { what: "ratio", value: 0.4537 })],
      },
      {
        what: "half",
        headline: "… half",
        shows: "latency",
        rateMps: 4_000,
        latency: { count: 1, meanMs: 1, p50Ms: 2.3, p90Ms: 3, p99Ms: 68, p999Ms: 70, maxMs: 71 },
        targets: [atMost(50, { what: "p99", value: 68, unit: " ms" })],
      },
      { what: "hidden", rateMps: 1 },
      { what: "Kannel", headline: "Kannel", rateMps: null, notRun: "needs bearerbox" },
    ],
    series: [{ plot: "latency", name: "p50", points: [[1, 1], [2, 2]] }],
  }],
};

Deno.test("the README's table and the plots are those of the newest report", async () => {
  const { report, file } = await newestReport();
  const readme = await Deno.readTextFile(`${ROOT}README.md`);
  equal(withTable(readme, report, file), readme, "run: deno task bench:readme");
  for (const [name, svg] of plotsOf(report)) {
    equal(await Deno.readTextFile(`${ROOT}bench/results/${name}`), svg, "run: deno task bench:readme");
  }
});

Deno.test("a table says what was reached, missed and not run, and nothing of rows without a headline", () => {
  const text = withTable(PLACE, REPORT, "bench/results/x.json");
  match(
    text,
    /\| 8,111\/s \(7,900–8,400\) +\| 17,875\/s, without the durable write: 0\.45 \| ratio ≥ 0\.35: 0\.45 met/,
  );
  match(text, /\| p50 2\.3 ms, p99 68 ms at 4,000\/s +\| +\| p99 ≤ 50 ms: 68 ms \*\*missed\*\*/);
  match(text, /\| not run: needs bearerbox/);
  match(text, /Medians of 5 runs/);
  match(text, /!\[latency\]\(bench\/results\/latency\.svg\)/);
  ok(!text.includes("hidden") && !text.includes("old"));
  ok(text.startsWith("# Title") && text.endsWith("end\n"));
  equal(withTable(text, REPORT, "bench/results/x.json"), text, "writing it again changes nothing");
});

Deno.test("shortened runs say so", () => {
  match(withTable(PLACE, { ...REPORT, quick: true }, "x.json"), /only show that everything runs/);
});

Deno.test("a README without the place for it is refused", () => {
  throws(() => withTable("# Title\n", REPORT, "x.json"), /no place/);
});

Deno.test("a report is named by its day and its cores", () => {
  equal(resultFile(new Date("2026-01-02T23:59:59Z"), 2), "bench/results/2026-01-02-2-cores.json");
});
