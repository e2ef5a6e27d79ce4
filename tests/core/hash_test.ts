/** The hashes that nothing is left of are those that everybody knows. */
import { equal } from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { sha256Base64url, sha256Hex } from "../../core/hash.ts";

Deno.test("SHA-256 of any text, in both forms, is node:crypto's", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    // Longer than what the hasher takes at once, in letters of one byte and of more.
    fc.tuple(fc.constantFrom("a", "é", "语", "😀"), fc.integer({ min: 10_000, max: 20_000 }))
      .map(([letter, times]) => letter.repeat(times)),
    // Halves of surrogate pairs become U+FFFD.
    fc.string({ unit: fc.constantFrom("\ud83d", "\ude00", "x"), maxLength: 10 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const expected = () => createHash("sha256").update(text);
      equal(sha256Hex(text), expected().digest("hex"));
      equal(sha256Base64url(text), expected().digest("base64url"));
    }),
    { numRuns: 500 },
  );
});
