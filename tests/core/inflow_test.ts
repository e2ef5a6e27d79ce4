import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { Inflow } from "../../core/inflow.ts";

Deno.test("Inflow knows nothing before the second write", () => {
  const inflow = new Inflow();
  equal(inflow.perMs, 0);
  inflow.started(1_000, 50);
  equal(inflow.perMs, 0);
});

Deno.test("Inflow is what came in the time it came in, however writes are spaced, also after a standstill", () => {
  fc.assert(fc.property(
    fc.double({ min: 0.01, max: 20, noNaN: true }),
    fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 10, maxLength: 60 }),
    (perMs, intervals) => {
      const inflow = new Inflow();
      let nowMs = 0;
      inflow.started(nowMs, 1);
      for (const intervalMs of intervals) inflow.started(nowMs += intervalMs, perMs * intervalMs);
      ok(Math.abs(inflow.perMs - perMs) < perMs / 1_000, `${inflow.perMs} instead of ${perMs}`);
    },
  ));
});

Deno.test("Inflow follows what comes within some writes", () => {
  const inflow = new Inflow();
  let nowMs = 0;
  const writes = (count: number, amount: number) => {
    for (let i = 0; i < count; i++) inflow.started(nowMs += 10, amount);
  };
  writes(40, 100);
  ok(inflow.perMs > 9.5);
  writes(40, 10);
  ok(inflow.perMs < 1.5, `${inflow.perMs}`);
});
