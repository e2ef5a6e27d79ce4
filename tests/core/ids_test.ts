import { deepStrictEqual as equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { type EventSubject, messageEvent } from "../../core/message_event.ts";
import { conversationId, derivedId, idBodyFloor, idTime, isId, newId } from "../../core/ids.ts";

const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes);

Deno.test("newId carries its time and sorts by it", () => {
  const early = newId("message", 1_700_000_000_000, random);
  const late = newId("message", 1_700_000_000_001, random);
  ok(isId("message", early) && !isId("channel", early));
  equal(idTime(early), 1_700_000_000_000);
  ok(early < late);
  ok(early !== newId("message", 1_700_000_000_000, random));
});

// Computed by an independent program.
Deno.test("derivedId is frozen: these vectors may never change", () => {
  const position = { partition: 31, sequence: 1_234_567, entry: 499 };
  equal(derivedId("message", 1_800_000_000_000, position, 2), "msg_01kcc5ok000v00015lk70fj002");
  equal(conversationId("+14155550199", "+14155550100"), "cnv_3uce6tc28v3pg3jpar8fs9786m");
});

Deno.test("an event about what became of a message has an id that is frozen: these vectors may never change", () => {
  const message = { id: "msg_01kcc5ok000v00015lk70fj002" } as EventSubject;
  const ids = (["sent", "delivered", "failed"] as const).map((status) =>
    messageEvent(message, { status, atMs: 0, providerId: null, error: null, uncertain: false })!.id
  );
  equal(ids, [
    "evt_01kcc5ok00s2uka91fafrbqc5o",
    "evt_01kcc5ok00tgmpjvj710agq998",
    "evt_01kcc5ok00h8kr49p1qravdrij",
  ]);
});

Deno.test("derivedId is the same for the same place, and different for any other", () => {
  const place = fc.record({
    partition: fc.integer({ min: 0, max: 1_023 }),
    sequence: fc.integer({ min: 1, max: 2 ** 40 - 1 }),
    entry: fc.integer({ min: 0, max: 32_767 }),
  });
  const effect = fc.integer({ min: 0, max: 32_767 });
  fc.assert(fc.property(place, place, effect, effect, (a, b, e, f) => {
    const same = a.partition === b.partition && a.sequence === b.sequence && a.entry === b.entry && e === f;
    const [left, right] = [
      derivedId("event", 1_800_000_000_000, a, e),
      derivedId("event", 1_800_000_000_000, b, f),
    ];
    ok(isId("event", left));
    equal(left === right, same);
  }));
});

Deno.test("idBodyFloor stands before every id of its time and after every earlier one", () => {
  const floor = `msg_${idBodyFloor(1_800_000_000_000)}`;
  ok(floor <= newId("message", 1_800_000_000_000, random));
  ok(floor > newId("message", 1_799_999_999_999, random));
});
