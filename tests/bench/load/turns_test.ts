/** Whose turn it is: by the clock, for whoever has been free for longest. */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { Turns } from "../../../bench/load/turns.ts";

Deno.test("without a rate every free line takes its turn at once, in the order they became free", () => {
  const turns = new Turns(3, null, 0);
  for (const line of [2, 0, 1]) turns.free(line, 0);
  deepEqual([5, 5, 5, 5].map((nowMs) => turns.take(nowMs)?.line ?? null), [2, 0, 1, null]);
});

Deno.test("latency counts from when a turn was due if no line was free then, else from when it is taken", () => {
  const turns = new Turns(1, 100, 0);
  turns.free(0, 0);
  deepEqual(turns.take(0), { line: 0, fromMs: 0 });
  equal(turns.take(35), null);
  turns.free(0, 35);
  // Due at 10, while the line was busy.
  deepEqual(turns.take(36), { line: 0, fromMs: 10 });
  turns.free(0, 38);
  deepEqual(turns.take(38), { line: 0, fromMs: 20 });
  turns.free(0, 39);
  deepEqual(turns.take(39), { line: 0, fromMs: 30 });
  turns.free(0, 39.2);
  equal(turns.take(39.3), null);
  // The waker was late, and not the other side.
  deepEqual(turns.take(43), { line: 0, fromMs: 43 });
});

Deno.test("over any time a rate gives as many turns as are due, whatever the answers do", () => {
  const steps = fc.array(
    fc.record({ passMs: fc.double({ min: 0, max: 40, noNaN: true }), frees: fc.nat({ max: 4 }) }),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5_000 }),
      fc.integer({ min: 1, max: 8 }),
      steps,
      (rateMps, lines, all) => {
        const turns = new Turns(lines, rateMps, 0);
        const busy = Array.from({ length: lines }, (_, line) => line);
        let nowMs = 0;
        let taken = 0;
        let free = 0;
        for (const { passMs, frees } of all) {
          nowMs += passMs;
          for (const line of busy.splice(0, frees)) {
            turns.free(line, nowMs);
            free++;
          }
          for (let turn = turns.take(nowMs); turn !== null; turn = turns.take(nowMs)) {
            ok(turn.fromMs <= nowMs);
            busy.push(turn.line);
            taken++;
            free--;
          }
          const due = (nowMs + 0.5) * rateMps / 1000 + 1;
          ok(taken <= due + 1e-6, `${taken} turns of ${due}`);
          // Nobody waits while turns are due.
          ok(free === 0 || taken >= due - 1 - 1e-6, `${taken} turns of ${due} with ${free} free`);
        }
      },
    ),
  );
});
