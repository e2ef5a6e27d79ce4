/** Which conversation a running number belongs to. */
import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { conversationOf } from "../../../bench/contacts.ts";

Deno.test("a conversation keeps to one line, and a round of all of them writes in each once", () => {
  const sizes = fc.record({ lines: fc.integer({ min: 1, max: 40 }), more: fc.nat({ max: 200 }) });
  fc.assert(fc.property(sizes, ({ lines, more }) => {
    const all = { lines, conversations: lines + more };
    const round = Array.from({ length: all.conversations }, (_, index) => conversationOf(index, all));
    equal(new Set(round).size, all.conversations);
    for (let index = 0; index < all.conversations * 3; index++) {
      const conversation = conversationOf(index, all);
      ok(conversation < all.conversations);
      equal(conversation % lines, index % lines);
    }
  }));
});
