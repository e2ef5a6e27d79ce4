/** Targets and how they are said. */
import { equal } from "node:assert/strict";
import fc from "fast-check";
import { atLeast, atMost, judge, number, targetText, within } from "../../bench/targets.ts";

const WORDS = { met: "met", missed: "missed" };

Deno.test("a target is met from its bound on, and never by what is no number", () => {
  fc.assert(fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (bound, value) => {
    equal(atLeast(bound, { what: "", value }).met, value >= bound);
    equal(atMost(bound, { what: "", value }).met, value <= bound);
    equal(within(bound, bound + 1, { what: "", value }).met, value >= bound && value <= bound + 1);
  }));
  equal(atLeast(1, { what: "", value: NaN }).met, false);
  equal(judge(atMost(1, { what: "", value: 0 }), 2).met, false);
});

Deno.test("a target is said with its figure", () => {
  const ratio = atLeast(0.35, { what: "ratio", value: 0.4537 });
  equal(targetText(ratio, WORDS), "ratio ≥ 0.35: 0.45 met");
  const p99 = atMost(15, { what: "p99", value: 23.04, unit: " ms" });
  equal(targetText(p99, WORDS), "p99 ≤ 15 ms: 23.04 ms missed");
});

Deno.test("numbers have their thousands apart and only digits that tell something", () => {
  equal(number(1_234_567), "1,234,567");
  equal(number(1_234.5678), "1,235");
  equal(number(999.96), "1,000");
  equal(number(498.04), "498");
  equal(number(498.25), "498.3");
  equal(number(0.4), "0.4");
  equal(number(100), "100");
  equal(number(0), "0");
  equal(number(-12_345), "-12,345");
});
