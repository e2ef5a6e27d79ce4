/** HMAC with a key that is prepared once is HMAC. */
import { deepEqual } from "node:assert/strict";
import { createHmac } from "node:crypto";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { KeyedHmac } from "../../adapters/providers/keyed_hmac.ts";

const texts = fc.string({ unit: "binary", maxLength: 400 });

Deno.test("the same code as createHmac, for any key and text, as often as it is asked", () => {
  const keys = fc.oneof(texts, fc.constantFrom("k".repeat(63), "k".repeat(64), "k".repeat(65)));
  fc.assert(fc.property(keys, texts, texts, (key, one, other) => {
    for (const algorithm of ["sha1", "sha256"] as const) {
      const hmac = new KeyedHmac(algorithm, key);
      for (const text of [one, other, one]) {
        deepEqual(Buffer.from(hmac.digest(text)), createHmac(algorithm, key).update(text).digest());
      }
    }
  }));
});

Deno.test("RFC 2202, test case 2", () => {
  const hex = (key: string, text: string) =>
    Buffer.from(new KeyedHmac("sha1", key).digest(text)).toString("hex");
  deepEqual(hex("Jefe", "what do ya want for nothing?"), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
});
