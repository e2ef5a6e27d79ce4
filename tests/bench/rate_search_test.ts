/** The search for the highest rate that is kept up. */
import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { nextHold, RateSearch } from "../../bench/top_rate.ts";

Deno.test("the search ends a few per cent below what is kept up, and never above", () => {
  fc.assert(fc.property(
    fc.double({ min: 100, max: 2_900, noNaN: true }),
    fc.double({ min: 100, max: 3_000, noNaN: true }),
    (keepable, first) => {
      const search = new RateSearch(first, 3_000);
      let probes = 0;
      while (!search.near) {
        search.told(search.next <= keepable);
        ok(++probes < 60, "it does not end");
      }
      ok(search.best <= keepable);
      ok(search.best * 1.09 >= Math.min(keepable, 3_000 / 1.09));
    },
  ));
});

Deno.test("with a rate known to be kept up, one probe above it is enough", () => {
  const search = new RateSearch(1_080, 1_166.4, 1_000);
  equal(search.near, false);
  search.told(false);
  equal(search.near, true);
  equal(search.best, 1_000);
});

Deno.test("after a rate that was not held comes what was received of it, within bounds", () => {
  equal(nextHold(1_000, 870), 870);
  equal(nextHold(1_000, 999), 950, "the next must differ");
  equal(nextHold(1_000, 300), 800, "an overload receives less than what can be kept up");
});
