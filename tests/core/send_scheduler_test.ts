import assert from "node:assert/strict";
import fc from "fast-check";
import { Scheduler } from "../../core/send/scheduler.ts";
import { conversationName, messageId, queuedMessage } from "../support/send_fixtures.ts";

const GO = { kind: "go" } as const;
const AT_ONCE = { startMs: 0, retryMs: 0 };

function message(index: number, conversation: number, priority: 0 | 1, number = "num_a") {
  return queuedMessage(index, {
    conversation_id: conversationName(conversation),
    priority,
    number_id: number,
  });
}

Deno.test("a reply overtakes bulk messages that came before", () => {
  const scheduler = new Scheduler();
  for (let i = 0; i < 5; i++) scheduler.offer(message(i, i, 1), AT_ONCE, 0);
  scheduler.offer(message(9, 9, 0), AT_ONCE, 0);
  assert.equal(scheduler.take(0, () => GO)?.id, messageId(9));
  assert.equal(scheduler.take(0, () => GO)?.id, messageId(0));
});

Deno.test("a reply pulls its own conversation's bulk messages forward", () => {
  const scheduler = new Scheduler();
  for (let i = 0; i < 5; i++) scheduler.offer(message(i, i, 1), AT_ONCE, 0);
  scheduler.offer(message(9, 4, 0), AT_ONCE, 0);
  assert.equal(scheduler.take(0, () => GO)?.id, messageId(4));
  assert.equal(scheduler.take(0, () => GO)?.id, messageId(0));
  scheduler.done(messageId(4), 0);
  assert.equal(scheduler.take(0, () => GO)?.id, messageId(9));
});

Deno.test("a retry that waits holds up its own conversation only", () => {
  const scheduler = new Scheduler();
  for (const [index, conversation] of [[0, 0], [1, 0], [2, 1]] as const) {
    scheduler.offer(message(index, conversation, 0), AT_ONCE, 0);
  }
  const first = scheduler.take(0, () => GO)!;
  scheduler.retry({ ...first, attempts: 1 }, 500, 0);
  assert.equal(scheduler.take(0, () => GO)?.id, messageId(2));
  assert.equal(scheduler.take(499, () => GO), null);
  assert.equal(scheduler.nextDueMs(), 500);
  const again = scheduler.take(500, () => GO)!;
  assert.deepEqual([again.id, again.attempts], [messageId(0), 1]);
});

Deno.test("a message before its start holds up nobody and joins its conversation in order", () => {
  const scheduler = new Scheduler();
  scheduler.offer(message(0, 0, 0), { startMs: 100, retryMs: 0 }, 0);
  scheduler.offer(message(1, 0, 0), AT_ONCE, 0);
  scheduler.offer(message(2, 0, 0), AT_ONCE, 0);
  assert.equal(scheduler.take(0, () => GO)?.id, messageId(1));
  scheduler.done(messageId(1), 100);
  assert.equal(scheduler.take(100, () => GO)?.id, messageId(0));
});

Deno.test("what is due much later, and what finds no room, stays in the database", () => {
  const scheduler = new Scheduler({ messagesMax: [2, 1], reserveMax: 1, aheadMs: 1_000 });
  assert.equal(scheduler.offer(message(0, 0, 0), { startMs: 1_001, retryMs: 0 }, 0), "later");
  assert.equal(scheduler.offer(message(1, 1, 1), AT_ONCE, 0), "added");
  assert.equal(scheduler.offer(message(1, 1, 1), AT_ONCE, 0), "known");
  assert.equal(scheduler.offer(message(2, 2, 1), AT_ONCE, 0), "full");
  assert.equal(scheduler.offer(message(3, 3, 0), AT_ONCE, 0), "added");
  assert.deepEqual([scheduler.overflowed(0), scheduler.overflowed(1)], [false, true]);
  assert.equal(scheduler.offer(message(2, 2, 1), AT_ONCE, 0, true), "added");
  assert.equal(scheduler.offer(message(4, 4, 1), AT_ONCE, 0, true), "full");
});

Deno.test("an earlier message that was not here goes before the one that was refused for it", () => {
  const scheduler = new Scheduler();
  scheduler.offer(message(5, 0, 0), AT_ONCE, 0);
  const refused = scheduler.take(0, () => GO)!;
  scheduler.pause(refused.id, 1_000, 0);
  assert.equal(scheduler.take(0, () => GO), null);
  scheduler.offer(message(4, 0, 1), AT_ONCE, 0, true);
  assert.equal(scheduler.take(0, () => GO)?.id, messageId(4));
});

Deno.test("a number at its limit parks its messages and nobody else's", () => {
  const scheduler = new Scheduler();
  for (let i = 0; i < 3; i++) scheduler.offer(message(i, i, 0, "num_slow"), AT_ONCE, 0);
  scheduler.offer(message(7, 7, 1, "num_free"), AT_ONCE, 0);
  let asked = 0;
  const admit = (candidate: { number_id: string }) => {
    asked++;
    return candidate.number_id === "num_slow" ? { kind: "number", untilMs: 50 } as const : GO;
  };
  assert.equal(scheduler.take(0, admit)?.id, messageId(7));
  assert.equal(asked, 2);
  assert.equal(scheduler.take(0, admit), null);
  assert.equal(scheduler.take(50, () => GO)?.id, messageId(0));
});

type Step =
  | { readonly kind: "offer"; readonly index: number; readonly conversation: number; readonly bulk: boolean }
  | { readonly kind: "take" | "done" | "retry" | "refuse"; readonly pick: number; readonly ms: number };

Deno.test("a number that is closed to bulk is open to replies, and one closed to replies is to both", () => {
  const scheduler = new Scheduler();
  const asked: string[] = [];
  scheduler.offer(message(0, 0, 1), AT_ONCE, 0);
  scheduler.take(0, () => ({ kind: "number", untilMs: 1_000 }));
  scheduler.offer(message(1, 1, 0), AT_ONCE, 0);
  scheduler.offer(message(2, 2, 1), AT_ONCE, 0);
  const taken = scheduler.take(1, ({ id }, priority) => {
    asked.push(`${id} ${priority}`);
    return { kind: "number", untilMs: 500 };
  });
  assert.equal(taken, null);
  assert.deepEqual(asked, [`${messageId(1)} 0`]);
  assert.equal(scheduler.take(500, () => GO)?.id, messageId(1));
  assert.equal(scheduler.take(1_000, () => GO)?.id, messageId(0));
  assert.equal(scheduler.take(1_000, () => GO)?.id, messageId(2));
});

Deno.test("takeWhere finds the first of a conversation wherever it waits, and nothing that is in flight", () => {
  const scheduler = new Scheduler();
  for (let i = 0; i < 3; i++) scheduler.offer(message(i, 0, 1), AT_ONCE, 0);
  scheduler.offer(message(3, 1, 1), { startMs: 0, retryMs: 5_000 }, 0);
  assert.equal(scheduler.takeWhere(({ id }) => id === messageId(1)), null);
  assert.equal(scheduler.takeWhere(({ id }) => id === messageId(3))?.id, messageId(3));
  assert.equal(scheduler.takeWhere(({ id }) => id === messageId(3)), null);
  scheduler.done(messageId(3), 0);
  assert.equal(scheduler.take(0, () => GO)?.id, messageId(0));
  assert.equal(scheduler.size, 3);
});

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("offer" as const),
    index: fc.nat(200),
    conversation: fc.nat(6),
    bulk: fc.boolean(),
  }),
  fc.record({
    kind: fc.constantFrom(
      "take" as const,
      "take" as const,
      "done" as const,
      "retry" as const,
      "refuse" as const,
    ),
    pick: fc.nat(20),
    ms: fc.nat(30),
  }),
);

Deno.test("whatever happens: order in each conversation, one in flight, nothing lost, replies first", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const scheduler = new Scheduler({ messagesMax: [1_000, 1_000], reserveMax: 0, aheadMs: 1_000 });
      const waiting = new Map<string, ReturnType<typeof message>>();
      const inFlight = new Map<string, ReturnType<typeof message>>();
      let nowMs = 0;
      const take = () => {
        const taken = scheduler.take(nowMs, () => GO);
        if (taken === null) return null;
        const known = waiting.get(taken.id);
        assert(known !== undefined, "took what does not wait");
        for (const other of inFlight.values()) assert.notEqual(other.conversation_id, known.conversation_id);
        for (const other of waiting.values()) {
          if (other.conversation_id === known.conversation_id) assert(other.position >= known.position);
        }
        waiting.delete(taken.id);
        inFlight.set(taken.id, known);
        return known;
      };
      for (const one of steps) {
        if (one.kind === "offer") {
          const offered = message(
            one.index,
            one.conversation,
            one.bulk ? 1 : 0,
            `num_${one.conversation % 3}`,
          );
          const isNew = !waiting.has(offered.id) && !inFlight.has(offered.id);
          assert.equal(scheduler.offer(offered, AT_ONCE, nowMs), isNew ? "added" : "known");
          if (isNew) waiting.set(offered.id, offered);
          continue;
        }
        nowMs += one.ms;
        if (one.kind === "take") {
          take();
          continue;
        }
        const chosen = [...inFlight.values()][one.pick % Math.max(1, inFlight.size)];
        if (chosen === undefined) continue;
        inFlight.delete(chosen.id);
        if (one.kind === "done") scheduler.done(chosen.id, nowMs);
        else {
          waiting.set(chosen.id, chosen);
          if (one.kind === "retry") scheduler.retry(chosen, nowMs + one.ms, nowMs);
          else scheduler.pause(chosen.id, nowMs + one.ms, nowMs);
        }
      }
      assert.equal(scheduler.size, waiting.size + inFlight.size);
      for (const chosen of inFlight.values()) scheduler.done(chosen.id, nowMs);
      inFlight.clear();
      nowMs += 1_000;
      let bulkSeen = false;
      while (waiting.size > 0) {
        const conversationsWithReply = new Set(
          [...waiting.values()].filter((other) => other.priority === 0).map((other) => other.conversation_id),
        );
        const taken = take();
        assert(taken !== null, "something was lost");
        const urgent = conversationsWithReply.has(taken.conversation_id);
        assert(urgent || conversationsWithReply.size === 0, "bulk went before a reply");
        bulkSeen ||= !urgent;
        inFlight.delete(taken.id);
        scheduler.done(taken.id, nowMs);
      }
      assert.equal(scheduler.size, 0);
      assert.equal(scheduler.nextDueMs(), Infinity);
    }),
    { numRuns: 500 },
  );
});
