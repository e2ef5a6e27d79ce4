import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { EndpointGate } from "../../adapters/platforms/endpoint_gate.ts";
import { LINE_FAILURES, PROBE_PAUSE } from "../../core/send/circuit.ts";

const FAULT = { class: "timeout", reason: "no answer" } as const;

/** A clock that stands until it is moved. */
class HandClock {
  ms = 0;
  #timers = new Set<{ readonly atMs: number; readonly run: () => void }>();

  monotonic = () => this.ms;

  after = (delayMs: number, run: () => void) => {
    const timer = { atMs: this.ms + delayMs, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  async forward(ms: number): Promise<void> {
    this.ms += ms;
    for (const timer of [...this.#timers]) {
      if (timer.atMs > this.ms) continue;
      this.#timers.delete(timer);
      timer.run();
    }
    await settle();
  }
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

function newGate() {
  const clock = new HandClock();
  const changes: (string | null)[] = [];
  const gate = new EndpointGate({
    clock,
    random: () => 0.5,
    onChange: (fault) => changes.push(fault?.reason ?? null),
  });
  return { clock, changes, gate };
}

Deno.test("EndpointGate: failures in a row close the way; then one call at a time probes, after pauses that grow", async () => {
  const { clock, changes, gate } = newGate();
  const { signal } = new AbortController();
  for (let i = 0; i < LINE_FAILURES; i++) (await gate.enter(signal))(FAULT);
  deepEqual([gate.isOpen, changes], [true, ["no answer"]]);
  const inside: ((fault: typeof FAULT | null) => void)[] = [];
  for (let i = 0; i < 3; i++) gate.enter(signal).then((leave) => inside.push(leave));
  await clock.forward(PROBE_PAUSE.firstMs - 1);
  equal(inside.length, 0);
  await clock.forward(1);
  equal(inside.length, 1, "one probe and no more");
  await clock.forward(600_000);
  equal(inside.length, 1, "not while it is under way");
  inside[0]!(FAULT);
  await clock.forward(PROBE_PAUSE.firstMs * PROBE_PAUSE.factor - 1);
  equal(inside.length, 1, "the second pause is longer");
  await clock.forward(1);
  equal(inside.length, 2);
  inside[1]!(null);
  await settle();
  equal(inside.length, 3, "open for all");
  deepEqual([gate.isOpen, changes], [false, ["no answer", null]]);
});

Deno.test("EndpointGate: who gives up waiting leaves the place to the next; the first answer is told", async () => {
  const { clock, changes, gate } = newGate();
  const { signal } = new AbortController();
  (await gate.enter(signal))(null);
  deepEqual(changes, [null]);
  for (let i = 0; i < LINE_FAILURES; i++) (await gate.enter(signal))(FAULT);
  const leaving = new AbortController();
  const gone = gate.enter(leaving.signal);
  let isIn = false;
  gate.enter(signal).then(() => isIn = true);
  leaving.abort(new Error("stopped"));
  await rejects(gone, /stopped/);
  await clock.forward(PROBE_PAUSE.firstMs);
  ok(isIn);
});
