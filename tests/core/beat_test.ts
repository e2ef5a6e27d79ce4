import { deepStrictEqual as equal } from "node:assert/strict";
import { Beat } from "../../core/beat.ts";

const BEAT_MS = 10;

/** A beat that starts at 1,000 ms, with timers and turns that run when told. */
function scripted() {
  let nowMs = 1_000;
  let timers: { atMs: number; run: () => void }[] = [];
  let turn: (() => void)[] = [];
  const beat = new Beat({
    beatMs: BEAT_MS,
    busyFrom: 4,
    soon: (run) => turn.push(run),
    clock: {
      now: () => nowMs,
      monotonic: () => nowMs,
      after: (delayMs, run) => {
        timers.push({ atMs: nowMs + delayMs, run });
        return () => {};
      },
    },
  });
  const endTurn = () => {
    const runs = turn;
    turn = [];
    for (const run of runs) run();
  };
  const pass = (ms: number) => {
    nowMs += ms;
    const due = timers.filter(({ atMs }) => atMs <= nowMs);
    timers = timers.filter(({ atMs }) => atMs > nowMs);
    for (const { run } of due) run();
  };
  const comes = (entries: number, overMs: number) => {
    for (let i = 0; i < entries; i++) {
      pass(overMs / entries);
      beat.count();
    }
  };
  return { beat, endTurn, pass, comes };
}

Deno.test("under light load a line starts in the same turn and never waits between its writes", () => {
  const { beat, endTurn, comes } = scripted();
  comes(20, 100);
  equal(beat.busy, false);
  const started: string[] = [];
  beat.start(() => started.push("a"));
  beat.start(() => started.push("b"));
  endTurn();
  equal(started, ["a", "b"]);
  equal(beat.linger(), null);
});

Deno.test("under load all lines write together, a beat apart", async () => {
  const { beat, endTurn, pass, comes } = scripted();
  comes(60, 100);
  equal(beat.busy, true);
  const started: string[] = [];
  beat.start(() => started.push("a"));
  endTurn();
  equal(started, ["a"], "the first beat is due at once");
  beat.start(() => started.push("b"));
  beat.linger()!.then(() => started.push("a again"));
  endTurn();
  pass(BEAT_MS - 1);
  await Promise.resolve();
  equal(started, ["a"]);
  pass(1);
  await Promise.resolve();
  equal(started, ["a", "b", "a again"]);
});

Deno.test("a line that waits for a beat gets it when nothing more comes, and the next one need not wait", () => {
  const { beat, endTurn, pass, comes } = scripted();
  comes(60, 100);
  beat.start(() => {});
  endTurn();
  let started = false;
  beat.start(() => started = true);
  pass(BEAT_MS);
  equal(started, true);
  pass(1_000);
  beat.count();
  equal(beat.busy, false);
  equal(beat.linger(), null);
});

Deno.test("a burst after a rest is not yet load", () => {
  const { beat, pass } = scripted();
  beat.count();
  pass(5_000);
  for (let i = 0; i < 10; i++) beat.count();
  equal(beat.busy, false);
});
