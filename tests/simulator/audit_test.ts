import assert from "node:assert/strict";
import fc from "fast-check";
import { acceptedMoreThanOnce, callsByConversation, slidingWindowMax } from "../../bench/simulator/audit.ts";
import { Histogram } from "../../bench/simulator/histogram.ts";
import { CallLog, type NewCall } from "../../bench/simulator/record.ts";

const CALL: NewCall = {
  atMs: 0,
  provider: "twilio",
  from: "+14155550199",
  to: "+12025550100",
  text: "x",
  textHash: 0,
  messageId: "msg_1",
  providerId: "SM1",
  accepted: true,
  answer: 201,
  code: null,
};

Deno.test("slidingWindowMax agrees with counting every window", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 300 })),
      fc.integer({ min: 1, max: 100 }),
      (times, windowMs) => {
        const counts = times.map((start) => times.filter((t) => t >= start && t < start + windowMs).length);
        assert.equal(slidingWindowMax(times, windowMs), Math.max(0, ...counts));
      },
    ),
  );
});

Deno.test("slidingWindowMax sums costs where there are some", () => {
  assert.equal(slidingWindowMax([0, 500, 999, 1_000], 1_000, [3, 1, 1, 1]), 5);
  assert.equal(slidingWindowMax([0, 500, 999, 1_000], 1_000), 3);
});

Deno.test("the log keeps order, forgets the oldest past its bound, and says so", () => {
  const log = new CallLog(3);
  for (let i = 1; i <= 8; i++) log.add({ ...CALL, atMs: i });
  assert.deepEqual([...log.after()].map((call) => call.sequence), [6, 7, 8]);
  assert.deepEqual([...log.after(7)].map((call) => call.atMs), [8]);
  assert.equal(log.at(5), undefined);
  assert.equal(log.at(6)?.atMs, 6);
  assert.equal(log.dropped, 5);
  log.clear();
  assert.equal(log.add(CALL).sequence, 9);
  assert.deepEqual([...log.after()].map((call) => call.sequence), [9]);
});

Deno.test("calls by conversation, and ids taken more than once", () => {
  const log = new CallLog(10);
  log.add(CALL);
  log.add({ ...CALL, to: "+12025550101", messageId: "msg_2" });
  log.add({ ...CALL, messageId: "msg_1" });
  log.add({ ...CALL, messageId: "msg_2", accepted: false });
  assert.deepEqual([...acceptedMoreThanOnce(log.after())], [["msg_1", 2]]);
  const conversations = callsByConversation(log.after());
  assert.deepEqual(conversations.get("+14155550199|+12025550100")?.map((call) => call.sequence), [1, 3, 4]);
});

Deno.test("histogram: quantiles are within 1.6 % of the truth", () => {
  fc.assert(fc.property(
    fc.array(fc.double({ min: 0.001, max: 60_000, noNaN: true }), { minLength: 1 }),
    fc.double({ min: 0.01, max: 1, noNaN: true }),
    (values, share) => {
      const histogram = new Histogram();
      for (const value of values) histogram.record(value);
      const sorted = values.toSorted((a, b) => a - b);
      const truth = sorted[Math.max(1, Math.ceil(share * values.length)) - 1]!;
      assert.ok(Math.abs(histogram.quantile(share) - truth) <= truth * 0.016 + 0.001);
    },
  ));
});

Deno.test("histogram: halves add up to the whole", () => {
  const [whole, left, right] = [new Histogram(), new Histogram(), new Histogram()];
  for (let i = 0; i < 1_000; i++) {
    whole.record(i / 7);
    (i % 2 ? left : right).record(i / 7);
  }
  left.add(right);
  const { meanMs, ...rest } = left.summary();
  const { meanMs: wholeMeanMs, ...wholeRest } = whole.summary();
  assert.deepEqual(rest, wholeRest);
  assert.ok(Math.abs(meanMs - wholeMeanMs) < 1e-9);
  assert.equal(new Histogram().quantile(0.5), 0);
});
