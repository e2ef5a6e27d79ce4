import assert from "node:assert/strict";
import fc from "fast-check";
import { EMPTY_DIRECTORY } from "../../core/directory.ts";
import { type Fallback, fallbackOf, placeAt } from "../../core/send/fallback.ts";
import { FallbackMover, type Move } from "../../core/send/fallback_mover.ts";
import { Scheduler } from "../../core/send/scheduler.ts";
import { fakeProvider } from "../support/fake_provider.ts";
import { channelOf, conversationName, ownNumber, queuedMessage } from "../support/send_fixtures.ts";

const SPARE = "ch_spare";
const providers = new Map([["test", fakeProvider]]);
const number = (id: string, own: string) => ownNumber({ id, channelId: SPARE, number: own });

function spare(settings: Record<string, unknown> = {}, changes: Partial<Fallback> = {}): Fallback {
  return {
    channel: channelOf({ rateMps: 10, ...settings }, { id: SPARE, name: "spare" }),
    supportsMedia: true,
    numbers: [number("num_1", "+15145550111"), number("num_2", "+15145550112")],
    purposeOf: () => "chat",
    ...changes,
  };
}

Deno.test("a fallback needs to be there, to be enabled and to have a number; its oldest one comes first", () => {
  const channel = channelOf({ fallbackChannelId: SPARE });
  const { channel: other, numbers } = spare();
  const directory = {
    ...EMPTY_DIRECTORY,
    channels: new Map([[SPARE, other]]),
    numbers: new Map(numbers.toReversed().map((own) => [own.id, own])),
  };
  assert.deepEqual(fallbackOf(channel, directory, providers)?.numbers.map(({ id }) => id), [
    "num_1",
    "num_2",
  ]);
  assert.equal(fallbackOf(channelOf(), directory, providers), null);
  assert.equal(fallbackOf(channel, { ...directory, numbers: new Map() }, providers), null);
  assert.equal(fallbackOf(channel, directory, new Map()), null);
  const off = new Map([[SPARE, { ...other, enabled: false }]]);
  assert.equal(fallbackOf(channel, { ...directory, channels: off }, providers), null);
});

Deno.test("a message goes from its own number where that moved along, else from the oldest", () => {
  assert.deepEqual(placeAt(queuedMessage(1), spare(), false), {
    channelId: SPARE,
    numberId: "num_1",
    number: "+15145550111",
    encoding: "gsm7",
    segments: 1,
  });
  assert.equal(placeAt(queuedMessage(1, { number: "+15145550112" }), spare(), false)?.numberId, "num_2");
});

Deno.test("CH-6: what is said during a call leaves from a number for calls, and nothing else does", () => {
  const forCalls = ownNumber({
    id: "num_3",
    channelId: SPARE,
    number: "+15145550113",
    purpose: "in-call",
  });
  const { numbers } = spare();
  const mixed = { numbers: [forCalls, ...numbers] };
  assert.equal(placeAt(queuedMessage(1), spare({}, mixed), false)?.numberId, "num_1");
  const ofCall = { purposeOf: () => "in-call" as const };
  assert.equal(placeAt(queuedMessage(1), spare({}, { ...mixed, ...ofCall }), false)?.numberId, "num_3");
  assert.equal(placeAt(queuedMessage(1), spare({}, ofCall), false), null);
});

Deno.test("only what no provider can have moves, and only where it fits", () => {
  const tried = queuedMessage(1, { attempts: 2 });
  assert.notEqual(placeAt(tried, spare(), false), null);
  assert.equal(placeAt(tried, spare(), true), null, "its provider may have it under its key");
  assert.equal(placeAt(queuedMessage(1, { attempts: 1, uncertain: true }), spare(), false), null);
  const picture = queuedMessage(1, { media: [{ url: "https://example.com/a.png" }] });
  assert.notEqual(placeAt(picture, spare(), false), null);
  assert.equal(placeAt(picture, spare({}, { supportsMedia: false }), false), null);
  assert.equal(placeAt(queuedMessage(1), spare({ maxTextLength: 3 }), false), null);
  assert.equal(placeAt(queuedMessage(1), spare({ destinationPattern: "^\\+33" }), false), null);
  assert.equal(placeAt(queuedMessage(1), spare({ encoding: "ucs2" }), false)?.encoding, "ucs2");
});

Deno.test("messages move no faster than the fallback sends, in the order of each conversation", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.record({ conversation: fc.nat(5), fits: fc.boolean() }), { minLength: 1, maxLength: 150 }),
      async (rateMps, wanted) => {
        const scheduler = new Scheduler();
        let nowMs = 0;
        const moves: { atMs: number; id: string; position: number; conversation: string }[] = [];
        const fallback = spare({ rateMps });
        const mover = new FallbackMover({
          scheduler,
          now: () => nowMs,
          idempotent: false,
          admit: () => true,
          move: (list: readonly Move[]) => {
            for (const { message } of list) {
              const { id, position, conversation_id } = message;
              moves.push({ atMs: nowMs, id, position, conversation: conversation_id });
            }
            return Promise.resolve(new Set(list.map(({ message }) => message.id)));
          },
          onMoved: () => {},
        });
        for (const [index, { conversation, fits }] of wanted.entries()) {
          const message = queuedMessage(index, {
            conversation_id: conversationName(conversation),
            uncertain: !fits,
          });
          scheduler.offer(message, { startMs: 0, retryMs: 0 }, 0);
        }
        for (; nowMs < 20_000; nowMs += 250) {
          mover.pump(fallback);
          await Promise.resolve();
          await Promise.resolve();
          await Promise.resolve();
        }
        const burst = Math.max(10, rateMps * 2);
        for (const [index, { atMs }] of moves.entries()) {
          assert(index + 1 <= burst + (rateMps * atMs) / 1_000 + 1, `${index + 1} moved by ${atMs} ms`);
        }
        for (const list of Map.groupBy(moves, ({ conversation }) => conversation).values()) {
          const positions = list.map(({ position }) => position);
          assert.deepEqual(positions, positions.toSorted((a, b) => a - b));
        }
        // What stands behind one that has to stay stays as well, and nothing is lost.
        assert.equal(scheduler.size + moves.length, wanted.length);
        const firstStaying = new Map<number, number>();
        wanted.forEach(({ conversation, fits }, index) => {
          if (!fits && !firstStaying.has(conversation)) firstStaying.set(conversation, index);
        });
        const mayMove = wanted.filter(({ conversation }, index) =>
          index < (firstStaying.get(conversation) ?? Infinity)
        );
        assert.equal(moves.length, Math.min(mayMove.length, moves.length));
        if (rateMps * 19 > mayMove.length) assert.equal(moves.length, mayMove.length);
      },
    ),
    { numRuns: 60 },
  );
});
