import assert from "node:assert/strict";
import fc from "fast-check";
import { ERROR_SAMPLES } from "../support/error_samples.ts";
import { isRetryable } from "../../core/errors.ts";
import { gate } from "../../core/send/gate.ts";
import { retryPauseMs, settle, type SettleContext } from "../../core/send/outcome.ts";
import { afterRecord, recordRow } from "../../core/send/send_record.ts";
import { channelOf, ownNumber, queuedMessage } from "../support/send_fixtures.ts";

const NOW = 1_700_000_001_000;

function context(changes: Partial<SettleContext> = {}, attempts = 1): SettleContext {
  return {
    message: queuedMessage(1, { attempts }),
    settings: channelOf().settings,
    idempotent: false,
    nowMs: NOW,
    random: 0.5,
    ...changes,
  };
}

Deno.test("an accepted answer is sent", () => {
  const outcome = { kind: "answered", result: { kind: "accepted", providerId: "SM1" } } as const;
  assert.deepEqual(settle(outcome, context()), { kind: "sent", providerId: "SM1" });
});

Deno.test("an error is tried again only if its class can be helped, and ends at the last try", () => {
  for (const error of ERROR_SAMPLES) {
    const outcome = { kind: "answered", result: { kind: "failed", error } } as const;
    const first = settle(outcome, context());
    assert.equal(first.kind, isRetryable(error.class) ? "retry" : "end", error.class);
    const last = settle(outcome, context({}, 8));
    assert.equal(last.kind, error.class === "throttled" ? "retry" : "end", error.class);
    if (first.kind === "end") assert.deepEqual(first.error, error, "the provider's code and reason stay");
  }
});

Deno.test("no connection is safe to try again; an answer that never came is not", () => {
  const refused = settle({ kind: "not-connected", reason: "refused" }, context());
  assert(refused.kind === "retry" && !refused.uncertain && refused.error.class === "connection");
  const lost = { kind: "lost", cause: "timeout", reason: "no answer in 15000 ms" } as const;
  assert.deepEqual(settle(lost, context()), {
    kind: "hold",
    error: { class: "timeout", reason: "no answer in 15000 ms" },
  });
  const resend = settle(lost, context({ settings: channelOf({ uncertain: "resend" }).settings }));
  assert(resend.kind === "retry" && resend.uncertain);
  const keyed = settle(lost, context({ idempotent: true }));
  assert(keyed.kind === "retry" && !keyed.uncertain);
});

Deno.test("what may have been sent once stays uncertain until something settles it", () => {
  const message = queuedMessage(1, { attempts: 2, uncertain: true });
  const retry = settle({ kind: "not-connected", reason: "refused" }, context({ message }));
  assert(retry.kind === "retry" && retry.uncertain);
  const row = recordRow(message, 0, { kind: "sent", providerId: null }, NOW);
  assert.equal(row.uncertain, false);
});

Deno.test("pauses grow to their limit and differ by a fifth at most", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (tries, random) => {
        const { retry } = channelOf().settings;
        const pauseMs = retryPauseMs(retry, tries, random);
        const middleMs = Math.min(300_000, 2_000 * 2 ** (tries - 1));
        assert(pauseMs >= middleMs * 0.8 - 1 && pauseMs <= middleMs * 1.2 + 1, `${tries}: ${pauseMs}`);
      },
    ),
  );
});

Deno.test("throttling is no try, and the provider's own pause is kept", () => {
  const error = { class: "throttled", reason: "too many requests" } as const;
  const outcome = { kind: "answered", result: { kind: "failed", error, retryAfterMs: 60_000 } } as const;
  const settled = settle(outcome, context({}, 3));
  assert(settled.kind === "retry");
  assert.deepEqual([settled.attempts, settled.retryAtMs], [2, NOW + 60_000]);
});

Deno.test("a probe that fails is no try, and an address that may not be called ends the message", () => {
  const down = { kind: "not-connected", reason: "refused" } as const;
  const probe = settle(down, context({ probe: true }, 8));
  assert(probe.kind === "retry");
  assert.deepEqual([probe.attempts, probe.retryAtMs], [7, NOW + 2_000]);
  const first = settle(down, context({ probe: true }, 1));
  assert(first.kind === "retry" && first.attempts === 1, "never back to 0: it was called");
  const refused = settle({ kind: "refused", reason: "10.0.0.1 is a private address" }, context());
  assert(refused.kind === "end" && refused.status === "failed" && refused.error.class === "bad-request");
  assert.match(refused.error.reason, /cannot be called: 10\.0\.0\.1/);
});

Deno.test("a message too old for its next try ends", () => {
  const settings = channelOf({ retry: { maxAgeSeconds: 10 } }).settings;
  const message = queuedMessage(1, { attempts: 1, created_ms: NOW - 9_000 });
  const settled = settle({ kind: "not-connected", reason: "refused" }, context({ settings, message }));
  assert(settled.kind === "end" && settled.status === "failed" && settled.error.class === "connection");
});

Deno.test("a result is recorded with its step, its event and nothing that cannot be stored", () => {
  const message = queuedMessage(1, { attempts: 1 });
  const failed = recordRow(message, 3, {
    kind: "end",
    status: "failed",
    error: { class: "rejected", providerCode: "30007", reason: "fil\0tered\ud800" },
    uncertain: false,
  }, NOW);
  assert.equal(failed.error?.reason, "filtered\ufffd");
  assert.deepEqual(failed.step, {
    status: "failed",
    at: "2023-11-14T22:13:21.000Z",
    providerCode: "30007",
    reason: "filtered\ufffd",
  });
  assert.equal(failed.event?.type, "message.failed");
  assert.equal(
    failed.event?.id,
    recordRow(message, 3, {
      kind: "end",
      status: "expired",
      error: { class: "blocked", reason: "late" },
      uncertain: false,
    }, NOW + 5).event?.id,
    "the same fact has the same id",
  );
  const returned = recordRow(message, 3, { kind: "returned" }, NOW);
  assert.deepEqual([returned.status, returned.attempts, returned.event], ["queued", 0, null]);
  assert.equal(afterRecord(message, returned).attempts, 0);
});

Deno.test("the gate ends what is expired, too old or without its number, and waits for a disabled channel", () => {
  const channel = channelOf({ retry: { maxAgeSeconds: 60 } });
  const number = ownNumber();
  const verdict = (changes: Parameters<typeof queuedMessage>[1], at = NOW) =>
    gate(queuedMessage(1, changes), channel, number, at);
  assert.deepEqual(verdict({}), { kind: "pass" });
  const expired = verdict({ expires_ms: NOW });
  assert(expired.kind === "end" && expired.status === "expired");
  const waited = verdict({ created_ms: NOW - 3_600_000 });
  assert.equal(waited.kind, "pass", "waiting for its turn does not end a message");
  const old = verdict({
    created_ms: NOW - 61_000,
    attempts: 2,
    error: { class: "timeout", reason: "no answer", retryAt: new Date(NOW).toISOString() },
  });
  assert(old.kind === "end" && old.status === "failed" && old.error.class === "timeout");
  assert.equal(old.error.retryAt, undefined);
  assert.equal(gate(queuedMessage(1), undefined, number, NOW).kind, "wait");
  assert.equal(gate(queuedMessage(1), { ...channel, enabled: false }, number, NOW).kind, "wait");
  for (const gone of [undefined, ownNumber({ channelId: "ch_other" })]) {
    const blocked = gate(queuedMessage(1), channel, gone, NOW);
    assert(
      blocked.kind === "end" && blocked.status === "blocked" && blocked.error.class === "invalid-sender",
    );
  }
});
