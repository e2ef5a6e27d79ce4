import { ok } from "node:assert/strict";
import fc from "fast-check";
import {
  availableAt,
  emptyBucket,
  fullBucket,
  holdUntil,
  reprice,
  take,
  tokensAt,
} from "../../core/token_bucket.ts";

const rules = fc.record({
  rateMps: fc.double({ min: 0.1, max: 2_000, noNaN: true }),
  burst: fc.integer({ min: 1, max: 50 }),
});
/** Pauses before each try, ms, and its cost. */
const tries = fc.array(
  fc.tuple(fc.double({ min: 0, max: 500, noNaN: true }), fc.integer({ min: 1, max: 5 })),
  {
    minLength: 1,
    maxLength: 200,
  },
);

/** What leaves when every try takes as soon as it may. */
function run(rule: { rateMps: number; burst: number }, steps: readonly (readonly [number, number])[]) {
  let state = fullBucket(0);
  let now = 0;
  const left: { at: number; cost: number }[] = [];
  for (const [pause, cost] of steps) {
    now = Math.max(now + pause, availableAt(rule, state, cost));
    state = take(rule, state, now, cost);
    left.push({ at: now, cost });
  }
  return left;
}

Deno.test("no window of any length sees more than burst + rate · length leave", () => {
  fc.assert(
    fc.property(rules, tries, (rule, steps) => {
      const left = run(rule, steps);
      for (let from = 0; from < left.length; from++) {
        let sum = 0;
        for (let to = from; to < left.length; to++) {
          sum += left[to]!.cost;
          const seconds = (left[to]!.at - left[from]!.at) / 1000;
          // One that costs more than the burst is let through a full bucket.
          const burst = Math.max(rule.burst, ...left.slice(from, to + 1).map(({ cost }) => cost));
          ok(sum <= burst + rule.rateMps * seconds + 1e-6 * sum, `${sum} in ${seconds} s`);
        }
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("who waits only as long as asked gets the whole rate", () => {
  fc.assert(fc.property(rules, (rule) => {
    const left = run(rule, Array.from({ length: 300 }, () => [0, 1] as const));
    const seconds = (left.at(-1)!.at - left[0]!.at) / 1000;
    ok(300 >= rule.rateMps * seconds);
  }));
});

Deno.test("an empty bucket lets the first unit leave one interval later", () => {
  fc.assert(fc.property(rules, (rule) => {
    ok(Math.abs(availableAt(rule, emptyBucket(rule, 1_000), 1) - (1_000 + 1_000 / rule.rateMps)) < 1e-6);
    ok(tokensAt(rule, emptyBucket(rule, 1_000), 1_000) < 1e-6);
    ok(tokensAt(rule, fullBucket(1_000), 1_000) === rule.burst);
  }));
});

Deno.test("a new rate applies at once: no debt outlives the new burst", () => {
  fc.assert(fc.property(rules, rules, fc.integer({ min: 1, max: 50 }), (from, to, cost) => {
    const state = take(from, fullBucket(0), 0, cost);
    ok(availableAt(to, reprice(from, to, state, 0), 1) <= 1_000 / to.rateMps + 1e-6);
  }));
});

Deno.test("holdUntil lets nothing leave before its time", () => {
  fc.assert(fc.property(rules, fc.integer({ min: 1, max: 10_000 }), (rule, until) => {
    ok(availableAt(rule, holdUntil(fullBucket(0), rule, until), 1) >= until - 1e-6);
  }));
});
