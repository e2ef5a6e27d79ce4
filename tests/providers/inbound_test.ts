import { ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { readContentType, storable } from "../../adapters/providers/inbound.ts";

Deno.test("what a provider sent can be stored, also where it is cut", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "á", "😀", "\ud800", "\udc00", "\0") });
  fc.assert(fc.property(text, fc.nat(20), (text, lengthMax) => {
    const stored = storable(text, lengthMax);
    ok(stored.isWellFormed() && !stored.includes("\0") && stored.length <= lengthMax);
    if (text.isWellFormed() && !text.includes("\0")) strictEqual(storable(text), text);
  }));
  strictEqual(storable("a\0\ud83d\ude00\ud83d"), "a\ufffd😀\ufffd");
  strictEqual(storable("ab😀", 3), "ab\ufffd");
  ok(readContentType(`${"x".repeat(199)}😀`)?.isWellFormed());
});
