import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ACCOUNT_FAILURES,
  answered,
  called,
  type Circuit,
  type Fault,
  faultOf,
  LINE_FAILURES,
  mayCall,
  newCircuit,
  PROBE_PAUSE,
} from "../../core/send/circuit.ts";
import { healthOf } from "../../core/send/channel_health.ts";
import { isRetryable } from "../../core/errors.ts";
import { ERROR_SAMPLES } from "../support/error_samples.ts";

const LINE: Fault = { class: "connection", reason: "refused" };
const AUTH: Fault = { class: "auth", reason: "wrong token" };

/** One call after the other, each `stepMs` later. */
function after(faults: readonly (Fault | null)[], circuit = newCircuit(0), fromMs = 0): Circuit {
  return faults.reduce<Circuit>((state, fault, index) => {
    const nowMs = fromMs + index + 1;
    return answered(called(state, nowMs), { fault, calledMs: nowMs, nowMs, random: 0.5 });
  }, circuit);
}

Deno.test("it opens after failures in a row: few of the account, some of the line", () => {
  assert.equal(after(Array(LINE_FAILURES - 1).fill(LINE)).kind, "closed");
  assert.equal(after(Array(LINE_FAILURES).fill(LINE)).kind, "open");
  assert.equal(after(Array(ACCOUNT_FAILURES - 1).fill(AUTH)).kind, "closed");
  assert.equal(after(Array(ACCOUNT_FAILURES).fill(AUTH)).kind, "open");
  assert.equal(after([...Array(LINE_FAILURES - 1).fill(LINE), null, LINE]).kind, "closed");
});

Deno.test("it opens when half of the last calls failed, in whatever order", () => {
  const alternating = Array.from({ length: 19 }, (_, i) => i % 2 === 0 ? LINE : null);
  assert.equal(after(alternating).kind, "open");
  const third = Array.from({ length: 300 }, (_, i) => i % 3 === 0 ? LINE : null);
  assert.equal(after(third).kind, "closed");
});

Deno.test("while it is open no call is made; then one, and its answer decides", () => {
  const open = after(Array(LINE_FAILURES).fill(LINE));
  assert(open.kind === "open");
  assert.equal(mayCall(open, open.untilMs - 1), false);
  assert.equal(mayCall(open, open.untilMs), true);
  const probing = called(open, open.untilMs);
  assert.equal(mayCall(probing, open.untilMs + 100_000), false, "one probe at a time");
  const result = { calledMs: open.untilMs, nowMs: open.untilMs + 50, random: 0.5 };
  const closed = answered(probing, { ...result, fault: null });
  assert.equal(closed.kind, "closed");
  assert.equal(mayCall(closed, 0), true);
  const again = answered(probing, { ...result, fault: LINE });
  assert(again.kind === "open");
  assert.equal(again.untilMs - result.nowMs, PROBE_PAUSE.firstMs * PROBE_PAUSE.factor);
  assert.equal(again.sinceMs, open.sinceMs, "it is the same outage");
});

Deno.test("the ends of calls made before a change of state change nothing", () => {
  const open = after(Array(LINE_FAILURES).fill(LINE));
  assert(open.kind === "open");
  const late = { calledMs: 1, nowMs: open.untilMs - 1, random: 0.5 };
  assert.equal(answered(open, { ...late, fault: null }), open);
  const probing = called(open, open.untilMs);
  assert.equal(answered(probing, { ...late, fault: null }), probing);
  const closed = answered(probing, {
    fault: null,
    calledMs: open.untilMs,
    nowMs: open.untilMs + 5,
    random: 0.5,
  });
  assert.equal(answered(closed, { ...late, fault: LINE }), closed);
});

Deno.test("pauses grow to their limit; one good call closes it, whatever came before", () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (results, random) => {
        let circuit = newCircuit(0);
        let nowMs = 0;
        for (const ok of results) {
          if (circuit.kind === "open") nowMs = Math.max(nowMs, circuit.untilMs);
          nowMs += 1;
          assert(mayCall(circuit, nowMs), "after its pause a call may be made");
          const calledMs = nowMs;
          const before = called(circuit, calledMs);
          circuit = answered(before, { fault: ok ? null : LINE, calledMs, nowMs: calledMs, random });
          if (ok) assert.equal(circuit.kind, "closed");
          if (circuit.kind === "open") {
            const pauseMs = circuit.untilMs - nowMs;
            assert(
              pauseMs >= PROBE_PAUSE.firstMs * 0.79 && pauseMs <= PROBE_PAUSE.maxMs * 1.21,
              `${pauseMs}`,
            );
          }
        }
      },
    ),
  );
});

Deno.test("what counts are faults of the line, the account and the configuration, not refusals of a message", () => {
  const counted = ERROR_SAMPLES.filter((error) =>
    faultOf({ kind: "answered", result: { kind: "failed", error } }) !== null
  ).map((error) => error.class);
  assert.deepEqual(
    new Set(counted),
    new Set([
      "timeout",
      "connection",
      "provider-error",
      "bad-response",
      "auth",
      "account",
      "no-credit",
    ]),
  );
  assert.equal(faultOf({ kind: "answered", result: { kind: "accepted", providerId: null } }), null);
  assert.equal(faultOf({ kind: "lost", cause: "timeout", reason: "none" })?.class, "timeout");
  assert.equal(faultOf({ kind: "not-connected", reason: "refused" })?.class, "connection");
  const refused = faultOf({ kind: "refused", reason: "a private address" });
  assert(refused !== null && !isRetryable(refused.class));
});

Deno.test("the status follows: nothing before the first call, then what the calls say", () => {
  const health = (circuit: Circuit, nowMs = 10) => healthOf(circuit, null, nowMs, 1_700_000_000_000 + nowMs);
  assert.equal(health(newCircuit(0)), null);
  assert.equal(health(after([null]))?.status, "connected");
  assert.deepEqual(health(after([null, LINE])), {
    status: "degraded",
    reason: "the last call failed: refused",
  });
  assert.equal(health(after([AUTH]))?.status, "auth-failed");
  const open = health(after(Array(LINE_FAILURES).fill(LINE)));
  assert.equal(open?.status, "degraded");
  assert.equal(open?.reason, "only tried now and then since 2023-11-14T22:13:20.005Z: refused");
  assert.equal(health(after(Array(ACCOUNT_FAILURES).fill(AUTH)))?.status, "auth-failed");
  const slow = { rateMps: 5, ceilingMps: 10, atMs: 0, holdMs: 0 };
  const throttled = healthOf(after([null]), slow, 10, 1_700_000_000_010);
  assert.equal(throttled?.status, "degraded");
  assert.match(throttled!.reason, /10 a second as too many/);
});
