import assert from "node:assert/strict";
import { slidingWindowMax } from "../../bench/simulator/audit.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { eventually, fieldsOf, listen } from "./listener.ts";

let counter = 0;

function send(url: string, extra: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
  const sid = "AC00000000000000000000000000000001";
  return fetch(`${url}/2010-04-01/Accounts/${sid}/Messages.json`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${sid}:0123456789abcdef0123456789abcdef`)}` },
    body: new URLSearchParams({
      To: "+12025550123",
      From: "+14155550199",
      Body: `text ${++counter}`,
      ...extra,
    }),
    ...(signal ? { signal } : {}),
  });
}

async function outcome(answer: Promise<Response>): Promise<number | "broken"> {
  try {
    const response = await answer;
    await response.body?.cancel();
    return response.status;
  } catch {
    return "broken";
  }
}

Deno.test("throttle: calls above the rate get 429, 20429 and Retry-After, and what is taken keeps the rate", async () => {
  await using simulator = startSimulator({
    faults: { twilio: { throttle: { rateMps: 50, burst: 5, retryAfterSeconds: 2 } } },
  });
  const answers = await Promise.all(Array.from({ length: 40 }, () => send(simulator.url)));
  const refused = answers.filter((answer) => answer.status === 429);
  assert.ok(refused.length >= 20);
  assert.equal(refused[0]!.headers.get("retry-after"), "2");
  assert.equal((await refused[0]!.json()).code, 20429);
  await Promise.all(answers.filter((answer) => !answer.bodyUsed).map((answer) => answer.body?.cancel()));
  const taken = simulator.record().filter((call) => call.accepted).map((call) => call.atMs);
  assert.ok(slidingWindowMax(taken, 100) <= 5 + 5);
});

Deno.test("fail: the given share of calls gets the given status and code", async () => {
  await using simulator = startSimulator({
    faults: { all: { fail: [{ fraction: 0.5, status: 503, code: 20503, message: "down" }] } },
  });
  const statuses = [];
  for (let i = 0; i < 100; i++) statuses.push(await outcome(send(simulator.url)));
  const failed = statuses.filter((status) => status === 503).length;
  assert.ok(failed > 25 && failed < 75, `${failed} of 100`);
  assert.deepEqual(new Set(statuses), new Set([201, 503]));
  assert.equal(simulator.record().filter((call) => call.code === "20503").length, failed);
});

Deno.test("delay: the answer waits, the arrival is stamped at once", async () => {
  await using simulator = startSimulator({ faults: { twilio: { delayMs: [60, 90] } } });
  const startMs = performance.now();
  assert.equal(await outcome(send(simulator.url)), 201);
  assert.ok(performance.now() - startMs >= 55);
  assert.ok(simulator.record()[0]!.atMs - performance.timeOrigin - startMs < 50);
});

Deno.test("hang and cut: no answer comes; whether the message was taken is as asked", async () => {
  await using simulator = startSimulator();
  for (const line of ["hang", "cut"] as const) {
    for (const accepts of [true, false]) {
      simulator.reset();
      simulator.setFaults({ twilio: { [line]: { fraction: 1, accepts } } });
      assert.equal(await outcome(send(simulator.url, {}, AbortSignal.timeout(100))), "broken");
      const calls = simulator.record();
      assert.deepEqual(new Set(calls.map((call) => call.answer)), new Set([line]));
      assert.deepEqual(new Set(calls.map((call) => call.accepted)), new Set([accepts]));
      assert.equal(calls[0]!.providerId !== null, accepts);
    }
  }
});

Deno.test("reports: doubled, reordered, about unknown messages, undelivered, refused and tried again", async () => {
  let refusals = 2;
  await using listener = listen(() => ({
    kind: "answer",
    status: refusals-- > 0 ? 503 : 200,
    contentType: "text/plain",
    body: "",
  }));
  await using simulator = startSimulator({
    reports: { sentAfterMs: 0, deliveredAfterMs: 0, tries: 5, retryMs: 5 },
    faults: { twilio: { undelivered: 1, reorderReports: 1, duplicateReports: 1, unknownReports: 1 } },
  });
  const response = await send(simulator.url, { StatusCallback: `${listener.url}/status/msg_9` });
  const { sid } = await response.json();
  await listener.until(8);
  await eventually(() => simulator.statistics().reports.waiting === 0, "all reports answered");
  const reports = listener.requests.map((request) => fieldsOf(request.body));
  const known = reports.filter((report) => report.MessageSid === sid).map((report) => report.MessageStatus);
  assert.equal(known[0], "undelivered");
  assert.equal(known.at(-1), "sent");
  assert.equal(known.filter((status) => status === "sent").length, 2);
  assert.ok(reports.some((report) => report.MessageSid !== sid));
  assert.equal(reports.find((report) => report.MessageStatus === "undelivered")!.ErrorCode, "30003");
  const { sent, accepted, refused } = simulator.statistics().reports;
  assert.deepEqual([sent, accepted, refused], [8, 6, 2]);
});

Deno.test("faults that do not fit change nothing", async () => {
  await using simulator = startSimulator({ faults: { twilio: { delayMs: 1 } } });
  assert.throws(() => simulator.setFaults({ voicemeup: { delayMs: 5 }, urlsms: { undelivered: 7 } }));
  assert.equal(simulator.faults("voicemeup").delayMs, 0);
  assert.equal(simulator.faults("twilio").delayMs, 1);
});
