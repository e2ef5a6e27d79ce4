import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { isE164, maskNumber, parseAddress } from "../../core/phone_number.ts";

const CASES: readonly [text: string, country: string | undefined, found: string | null][] = [
  ["+14155550100", undefined, "e164 +14155550100"],
  ["+1 (415) 555-0100", undefined, "e164 +14155550100"],
  ["14155550100", undefined, "e164 +14155550100"],
  ["0014155550100", undefined, "e164 +14155550100"],
  ["(415) 555-0100", "US", "e164 +14155550100"],
  ["011 598 99 123 456", "US", "e164 +59899123456"],
  ["099 123 456", "UY", "e164 +59899123456"],
  ["59899123456", "UY", "e164 +59899123456"],
  ["59899123456", undefined, "e164 +59899123456"],
  ["99123456", "UY", "e164 +59899123456"],
  ["99123456", undefined, "short-code 99123456"],
  ["011 15-2345-6789", "AR", "e164 +5491123456789"],
  ["+44 (0)20 7946 0018", undefined, "e164 +442079460018"],
  ["12345", undefined, "short-code 12345"],
  ["12345", "US", "short-code 12345"],
  ["123", undefined, "short-code 123"],
  ["ACME", undefined, "alphanumeric ACME"],
  ["Acme Inc.", undefined, "alphanumeric Acme Inc."],
  ["7Eleven", undefined, "alphanumeric 7Eleven"],
  ["12", undefined, null],
  ["", undefined, null],
  ["   ", undefined, null],
  ["+", undefined, null],
  ["+0123456789", undefined, null],
  ["+1234567890123456", undefined, null],
  ["A Sender Too Long", undefined, null],
  ["1-800-FLOWERS-NOW", "US", null],
  ["ACMÉ", undefined, null],
  ["hello; drop", undefined, null],
  ["whatsapp:+14155550100", undefined, null],
  ["9".repeat(65), undefined, null],
];

Deno.test("parseAddress reads numbers as providers write them", () => {
  for (const [text, defaultCountry, expected] of CASES) {
    const found = parseAddress(text, defaultCountry === undefined ? undefined : { defaultCountry });
    strictEqual(found && `${found.kind} ${found.value}`, expected, JSON.stringify([text, defaultCountry]));
  }
});

Deno.test("parseAddress answers the same from its cache, and with an unknown country as with none", () => {
  deepStrictEqual(
    parseAddress("099 123 456", { defaultCountry: "UY" }),
    parseAddress("099 123 456", {
      defaultCountry: "UY",
    }),
  );
  deepStrictEqual(parseAddress("14155550100", { defaultCountry: "XX" })?.value, "+14155550100");
});

Deno.test("parseAddress never throws, and what it calls E.164 stays as it is", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.stringMatching(/^[+0-9 ().-]{0,24}$/),
  );
  fc.assert(fc.property(text, fc.constantFrom(undefined, "US", "UY", "XX", "__proto__"), (text, country) => {
    const found = parseAddress(text, country === undefined ? undefined : { defaultCountry: country });
    if (found?.kind !== "e164") return;
    ok(isE164(found.value));
    deepStrictEqual(parseAddress(found.value), found);
  }));
});

Deno.test("isE164 agrees with its pattern", () => {
  fc.assert(fc.property(fc.stringMatching(/^\+?[0-9a]{5,17}$/), (text) => {
    strictEqual(isE164(text), /^\+[1-9]\d{6,14}$/.test(text));
  }));
});

Deno.test("maskNumber keeps the end of a number only", () => {
  strictEqual(maskNumber("+14155550100"), "***0100");
  strictEqual(maskNumber("1234567"), "***67");
  strictEqual(maskNumber("12345"), "***");
  strictEqual(maskNumber(""), "***");
});
