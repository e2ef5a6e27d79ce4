import { deepEqual, equal, rejects } from "node:assert/strict";
import { createHmac } from "node:crypto";
import { deliver, outcomeOf, pauseMs, TRIES_MAX } from "../../adapters/platforms/push_attempts.ts";
import { signatureHeaders } from "../../adapters/platforms/signature.ts";
import type { OutgoingResult } from "../../core/ports/outgoing_http.ts";
import type { HttpCall } from "../../core/ports/provider.ts";
import { DIRECTORY, PLATFORM } from "../routing/directory.ts";

const answer = (status: number, headers: Record<string, string> = {}): OutgoingResult => ({
  kind: "answer",
  answer: { status, headers, body: "" },
});

/** Delivers one event to an endpoint that gives these results, the last one for ever. */
async function tryWith(results: readonly OutgoingResult[], signal = new AbortController().signal) {
  const calls: HttpCall[] = [];
  const pauses: number[] = [];
  const delivery = await deliver("{}", {
    http: {
      call: (call) => Promise.resolve(results[Math.min(calls.push(call), results.length) - 1]!),
    },
    platform: () => ({
      ...DIRECTORY.platforms.get(PLATFORM)!,
      endpoint: "https://bot.example/in",
      secret: "s",
    }),
    gate: { enter: () => Promise.resolve(() => {}), isOpen: false },
    now: () => 1_767_000_000_999,
    place: () => Promise.resolve(() => {}),
    pause: (ms) => Promise.resolve(void pauses.push(ms)),
    signal,
  });
  return { delivery, calls, pauses };
}

Deno.test("signatureHeaders: timestamp in seconds, HMAC-SHA256 of it and the body", () => {
  const expected = createHmac("sha256", "s").update('1767000000.{"a":1}').digest("hex");
  deepEqual(signatureHeaders("s", '{"a":1}', 1_767_000_000_999), {
    "Patchbay-Timestamp": "1767000000",
    "Patchbay-Signature": `v1=${expected}`,
  });
});

Deno.test("deliver: posts a signed CloudEvent", async () => {
  const { delivery, calls, pauses } = await tryWith([answer(204)]);
  deepEqual(delivery, { kind: "delivered", tries: 1 });
  deepEqual(pauses, []);
  deepEqual(calls, [{
    method: "POST",
    url: "https://bot.example/in",
    headers: {
      "content-type": "application/cloudevents+json",
      ...signatureHeaders("s", "{}", 1_767_000_000_000),
    },
    body: "{}",
  }]);
});

Deno.test("deliver: what may pass is tried again, after pauses that grow and that the endpoint may lengthen", async () => {
  const { delivery, pauses } = await tryWith([
    answer(500),
    { kind: "timeout", written: true, reason: "no answer" },
    answer(429, { "retry-after": "30" }),
    { kind: "no-connection", reason: "refused", refused: false },
    answer(200),
  ]);
  deepEqual(delivery, { kind: "delivered", tries: 5 });
  deepEqual(pauses, [1_000, 2_000, 30_000, 8_000]);
});

Deno.test("deliver: gives up after its tries, with the last reason", async () => {
  const { delivery, calls, pauses } = await tryWith([answer(503)]);
  deepEqual(delivery, { kind: "given-up", tries: TRIES_MAX, reason: "the endpoint answered 503" });
  equal(calls.length, TRIES_MAX);
  equal(pauses.at(-1), 300_000);
});

Deno.test("deliver: stops at once when it is to stop", async () => {
  await rejects(tryWith([answer(500)], AbortSignal.abort(new Error("stop"))), /stop/);
});

Deno.test("outcomeOf: only what may pass by itself is tried again", () => {
  const kindOf = (result: OutgoingResult) => outcomeOf(result).kind;
  for (const status of [200, 201, 204]) equal(kindOf(answer(status)), "taken");
  for (const status of [408, 425, 429, 500, 502, 503, 599]) equal(kindOf(answer(status)), "again");
  for (const status of [301, 302, 400, 401, 403, 404, 410, 422]) equal(kindOf(answer(status)), "refused");
  equal(kindOf({ kind: "no-connection", reason: "inside", refused: true }), "refused");
  deepEqual(outcomeOf(answer(503, { "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" })), {
    kind: "again",
    reason: "the endpoint answered 503",
    isAway: true,
  });
});

Deno.test("pauseMs: a second, doubled each time, five minutes at most", () => {
  deepEqual([1, 2, 3, 9, 10, 14].map(pauseMs), [1_000, 2_000, 4_000, 256_000, 300_000, 300_000]);
});
