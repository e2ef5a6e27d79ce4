/** Plots as SVG. */
import { equal, match, ok } from "node:assert/strict";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import fc from "fast-check";
import { niceStep, plotSvg } from "../../bench/plot.ts";

const LABELS = { title: "p99 < 25 ms & more", xLabel: "rate", yLabel: "ms" };

interface Line {
  readonly points: string;
}

function linesOf(svg: string): [number, number][][] {
  const { svg: { polyline = [] } } = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "" })
    .parse(svg) as { svg: { polyline?: Line | Line[] } };
  return [polyline].flat().map(({ points }) =>
    points.split(" ").map((point) => point.split(",").map(Number) as [number, number])
  );
}

Deno.test("every plot is well-formed and keeps its curves within the frame", () => {
  // Milliseconds and counts; nothing is measured in less than thousandths.
  const value = fc.oneof(fc.constant(0), fc.double({ min: 1e-3, max: 1e6, noNaN: true }));
  const curve = fc.record({
    name: fc.string({ minLength: 1 }),
    points: fc.array(fc.tuple(value, value), { maxLength: 20 }),
    dashed: fc.boolean(),
  });
  fc.assert(fc.property(
    fc.array(curve, { maxLength: 8 }),
    fc.constantFrom("linear" as const, "log" as const),
    (curves, yScale) => {
      const svg = plotSvg({ ...LABELS, yScale, curves });
      equal(XMLValidator.validate(svg), true);
      for (const [x, y] of linesOf(svg).flat()) ok(x >= 62 && x <= 740 && y >= 30 && y <= 336, `${x},${y}`);
    },
  ));
});

Deno.test("a larger value lies higher and a later one further right, on both scales", () => {
  for (const yScale of ["linear", "log"] as const) {
    const [line] = linesOf(plotSvg({
      ...LABELS,
      yScale,
      curves: [{ name: "p50", points: [[10, 1], [20, 10], [30, 100]] }],
    }));
    const [[x1, y1], [x2, y2], [x3, y3]] = line as [[number, number], [number, number], [number, number]];
    ok(x1 < x2 && x2 < x3 && y1 > y2 && y2 > y3);
    if (yScale === "log") ok(Math.abs((y1 - y2) - (y2 - y3)) < 0.3, "ten times is the same step everywhere");
  }
});

Deno.test("titles are escaped, and a log axis leaves out what has no logarithm", () => {
  const svg = plotSvg({
    ...LABELS,
    yScale: "log",
    curves: [{ name: "a", points: [[0, 0], [1, 5], [2, 6]] }],
  });
  match(svg, /p99 &lt; 25 ms &amp; more/);
  equal(linesOf(svg)[0]!.length, 2);
});

Deno.test("steps of an axis are 1, 2 or 5 times a power of ten", () => {
  equal(niceStep(0.3), 0.5);
  equal(niceStep(1), 1);
  equal(niceStep(11), 20);
  equal(niceStep(600), 1_000);
  equal(niceStep(0), 1);
});
