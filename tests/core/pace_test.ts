import { deepStrictEqual as equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { Pace } from "../../core/pace.ts";

const OPTIONS = { leastMs: 10, freeMs: 5, times: 3, mostMs: 100 };

Deno.test("writes are the least apart while they are fast, and the most when they are slow for long", () => {
  const pace = new Pace(OPTIONS);
  equal(pace.everyMs, 10);
  for (let i = 0; i < 50; i++) pace.took(2);
  equal(pace.everyMs, 10);
  for (let i = 0; i < 50; i++) pace.took(20);
  ok(Math.abs(pace.everyMs - 55) < 1, `${pace.everyMs}`);
  for (let i = 0; i < 50; i++) pace.took(1_000);
  equal(pace.everyMs, 100);
  for (let i = 0; i < 100; i++) pace.took(1);
  equal(pace.everyMs, 10);
});

Deno.test("one slow write among fast ones is no load", () => {
  const pace = new Pace(OPTIONS);
  for (let i = 0; i < 50; i++) pace.took(1);
  pace.took(18);
  equal(pace.everyMs, 10);
});

Deno.test("the first write is due at once, the next when its time has come", () => {
  const pace = new Pace(OPTIONS);
  ok(pace.earlyMs(0) <= 0);
  pace.started(1_000);
  equal(pace.earlyMs(1_004), 6);
  ok(pace.earlyMs(1_010) <= 0);
  equal(pace.earlyMs(1_010, 25), 15, "where its caller has another distance in mind");
});

Deno.test("however long writes take, two are never less than the least or more than the most apart", () => {
  fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true })), (tookMs) => {
    const pace = new Pace(OPTIONS);
    tookMs.forEach((ms) => pace.took(ms));
    ok(pace.everyMs >= OPTIONS.leastMs && pace.everyMs <= OPTIONS.mostMs);
  }));
});

Deno.test("the end of a load is noticed although there are few writes a second", () => {
  const pace = new Pace(OPTIONS);
  let nowMs = 0;
  const write = (tookMs: number) => {
    pace.started(nowMs);
    pace.took(tookMs);
    nowMs += pace.everyMs;
  };
  for (let i = 0; i < 50; i++) write(1_000);
  const endMs = nowMs;
  while (pace.everyMs > OPTIONS.leastMs) write(1);
  ok(nowMs - endMs < 1_500, `${nowMs - endMs} ms`);
});
