import { deepStrictEqual as equal, ok } from "node:assert/strict";
import { Beat } from "../../core/beat.ts";
import { GroupCommit } from "../../core/group_commit.ts";

const BEAT_MS = 10;

/** A beat that starts at 1,000 ms, with timers and turns that run when told. */
function scripted() {
  let nowMs = 1_000;
  let timers: { atMs: number; run: () => void }[] = [];
  let turn: (() => void)[] = [];
  const beat = new Beat({
    pace: { leastMs: BEAT_MS, freeMs: 0, times: 2, mostMs: 4 * BEAT_MS },
    busyFrom: 4,
    enough: 12,
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

Deno.test("a line that a beat starts writes with that beat, and does not wait for another one", async () => {
  const { beat, endTurn, pass, comes } = scripted();
  comes(60, 100);
  beat.start(() => {});
  endTurn();
  const written: string[][] = [];
  const line = new GroupCommit<string>({
    write: (items) => Promise.resolve(void written.push([...items])),
    maxItems: 10,
    maxSize: Infinity,
    sizeOf: () => 1,
    start: (run) => beat.start(run),
    linger: () => beat.linger(),
  });
  line.add("a");
  pass(BEAT_MS);
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  equal(written, [["a"]]);
  // The next write of the line waits for the next beat.
  line.add("b");
  line.add("c");
  pass(BEAT_MS);
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  equal(written, [["a"], ["b", "c"]]);
});

Deno.test("a burst after a rest is not yet load", () => {
  const { beat, pass } = scripted();
  beat.count();
  pass(5_000);
  for (let i = 0; i < 10; i++) beat.count();
  equal(beat.busy, false);
});

Deno.test("where writes take long, fewer entries are load, and beats are longer until packs are worth it", () => {
  const { beat, endTurn, pass, comes } = scripted();
  const msToNext = () => {
    const started: string[] = [];
    beat.start(() => started.push("first"));
    endTurn();
    pass(4 * BEAT_MS);
    beat.start(() => started.push("second"));
    endTurn();
    beat.start(() => started.push("third"));
    let ms = 0;
    for (; started.length < 3; ms++) pass(1);
    return ms;
  };
  comes(20, 100);
  equal(beat.busy, false);
  for (let i = 0; i < 50; i++) beat.took(4 * BEAT_MS);
  comes(20, 100);
  equal(beat.busy, true, "two in a least beat are eight in the longest one");
  equal(msToNext(), 4 * BEAT_MS);
  comes(60, 100);
  const ms = msToNext();
  ok(ms >= 2 * BEAT_MS && ms < 3 * BEAT_MS, `${ms} ms, and 12 entries come in two least beats`);
  comes(600, 100);
  equal(msToNext(), BEAT_MS);
});

Deno.test("however long writes take, a few entries start at once", () => {
  const { beat, comes } = scripted();
  for (let i = 0; i < 50; i++) beat.took(1_000);
  comes(9, 100);
  equal(beat.busy, false);
  equal(beat.linger(), null);
});
