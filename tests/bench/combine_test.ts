/** Several runs as one: medians, and targets judged by them. */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { combineRuns } from "../../bench/combine.ts";
import type { BenchResult, BenchRow } from "../../bench/report.ts";
import { median } from "../../bench/report.ts";
import { atLeast, atMost, promised } from "../../bench/targets.ts";

function result(rows: readonly BenchRow[]): BenchResult {
  return { name: "ingest", about: "about", rows, notes: [] };
}

function rowOf(rateMps: number, ratio: number, worstSecond: number): BenchRow {
  return {
    what: "accepted",
    rateMps,
    ceiling: { what: "ceiling", rateMps: rateMps / ratio, ratio },
    targets: [
      atLeast(0.35, { what: "ratio", value: ratio }),
      promised(atMost(100, { what: "worst second", value: worstSecond })),
    ],
    more: { messages: rateMps * 2, durability: "fsync" },
  };
}

Deno.test("the median is the middle one, and of an even number the mean of the two in the middle", () => {
  equal(median([5, 1, 3]), 3);
  equal(median([4, 1, 3, 2]), 2.5);
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 }), (values) => {
      const middle = median(values);
      const below = values.filter((value) => value < middle).length;
      const above = values.filter((value) => value > middle).length;
      return below <= values.length / 2 && above <= values.length / 2;
    }),
  );
});

Deno.test("combined runs give medians, and the median of each run's ratio", () => {
  const combined = combineRuns([
    result([rowOf(100, 0.3, 90)]),
    result([rowOf(300, 0.5, 90)]),
    result([rowOf(200, 0.4, 90)]),
  ]);
  const [row] = combined.rows;
  equal(combined.runs, 3);
  equal(row!.rateMps, 200);
  deepEqual(row!.spread, { leastMps: 100, mostMps: 300 });
  equal(row!.ceiling!.ratio, 0.4);
  deepEqual(row!.targets!.map(({ value, met }) => [value, met]), [[0.4, true], [90, true]]);
  deepEqual(row!.more, { messages: 400, durability: "fsync" });
});

Deno.test("of a speed the middle run is judged, of a promise the worst", () => {
  const [row] = combineRuns([
    result([rowOf(100, 0.1, 90)]),
    result([rowOf(300, 0.5, 101)]),
    result([rowOf(200, 0.4, 90)]),
  ]).rows;
  deepEqual(row!.targets!.map(({ value, met }) => [value, met]), [[0.4, true], [101, false]]);
});

Deno.test("rows of the first run alone stay as they are, and what was not run stays not run", () => {
  const once: BenchRow = { what: "once", rateMps: 7 };
  const absent: BenchRow = { what: "Kannel", rateMps: null, notRun: "needs kannel" };
  const combined = combineRuns([result([rowOf(1, 1, 1), once, absent]), result([rowOf(2, 1, 1), absent])]);
  deepEqual(combined.rows.map(({ what }) => what), ["accepted", "once", "Kannel"]);
  equal(combined.rows[1]!.rateMps, 7);
  deepEqual(combined.rows[2], absent);
});
