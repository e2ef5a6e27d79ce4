import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { ChannelSettingsSchema } from "../../core/channel.ts";
import { checkOutgoing } from "../../core/outgoing.ts";
import { isWithin, PARTS_MAX, textParts, totalOf } from "../../core/text_parts.ts";

const settings = (over: Record<string, unknown>) => ChannelSettingsSchema.parse(over);
const texts = (text: string, over: Record<string, unknown>) =>
  textParts(text, settings({ overlong: "split", ...over })).map((part) => part.text);

Deno.test("textParts splits behind words, at the limit where there are none, and never within a character", () => {
  deepStrictEqual(texts("one two three", { maxTextLength: 8 }), ["one two ", "three"]);
  deepStrictEqual(texts("abcdefghij", { maxTextLength: 4 }), ["abcd", "efgh", "ij"]);
  deepStrictEqual(texts("ab😀cd", { maxTextLength: 3 }), ["ab", "😀c", "d"]);
  deepStrictEqual(texts("😀😀", { maxTextLength: 1 }), ["😀", "😀"]);
  deepStrictEqual(texts("xe\u0301y", { maxTextLength: 2 }), ["x", "e\u0301", "y"]);
  deepStrictEqual(texts("short", { maxTextLength: 5 }), ["short"]);
  deepStrictEqual(texts("", {}), [""]);
});

Deno.test("textParts splits by segments, each part in its own alphabet", () => {
  const parts = textParts("a".repeat(200) + "😀", settings({ overlong: "split", maxSegments: 1 }));
  deepStrictEqual(parts.map(({ analysis }) => `${analysis.encoding} ${analysis.units}`), [
    "gsm7 160",
    "ucs2 42",
  ]);
  deepStrictEqual(totalOf(parts), { encoding: "ucs2", segments: 2, units: 202, unsupported: [] });
});

Deno.test("textParts gives the whole text where the channel refuses, and where there would be too many parts", () => {
  strictEqual(textParts("abcdef", settings({ maxTextLength: 2 })).length, 1);
  strictEqual(texts("a".repeat(PARTS_MAX), { maxTextLength: 1 }).length, PARTS_MAX);
  deepStrictEqual(texts("a".repeat(PARTS_MAX + 1), { maxTextLength: 1 }), ["a".repeat(PARTS_MAX + 1)]);
});

Deno.test("textParts loses nothing, keeps the order and stays within the limits", () => {
  const unit = fc.constantFrom("a", " ", "á", "€", "😀", "e\u0301", "👨‍👩‍👧", "\ud800", "[");
  fc.assert(
    fc.property(
      fc.string({ unit, maxLength: 400 }),
      fc.integer({ min: 11, max: 200 }),
      fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      (text, maxTextLength, maxSegments) => {
        const limits = settings({ overlong: "split", maxTextLength, maxSegments });
        const parts = textParts(text, limits);
        strictEqual(parts.map((part) => part.text).join(""), text);
        if (parts.length === 1) return;
        ok(parts.length <= PARTS_MAX);
        for (const part of parts) {
          ok(part.text !== "" && isWithin(part, limits));
          // Only a half that came alone may be alone.
          ok(!/^[\udc00-\udfff]/.test(part.text));
        }
      },
    ),
  );
});

Deno.test("checkOutgoing says which limit a text is over, and counts the parts of one that is split", () => {
  const channel = {
    id: "ch_1",
    name: "Main",
    provider: "x",
    enabled: true,
    isDefault: true,
    credentials: {},
  };
  const check = (text: string, over: Record<string, unknown>) => {
    const found = checkOutgoing({ ...channel, settings: settings(over) }, false, {
      to: "+1",
      text,
      media: [],
    });
    return found.kind === "fits"
      ? found.analysis.segments
      : found.kind === "disabled"
      ? found.detail
      : found.errors[0]!.message;
  };
  strictEqual(check("abc", { maxTextLength: 2 }), "has 3 UTF-16 units; the channel Main takes 2");
  strictEqual(check("a".repeat(161), { maxSegments: 1 }), "has 2 segments; the channel Main takes 1");
  strictEqual(check("a".repeat(161), { maxSegments: 1, overlong: "split" }), 2);
  strictEqual(
    check("a".repeat(50), { maxTextLength: 2, overlong: "split" }),
    "has 50 UTF-16 units; the channel Main takes 2, and not more than 20 such parts",
  );
  strictEqual(check("“a”", { encoding: "gsm7", substitution: "smart" }), 1);
  strictEqual(
    check("…".repeat(60), { maxTextLength: 100, encoding: "gsm7", substitution: "smart" }),
    "has 180 UTF-16 units; the channel Main takes 100",
  );
});
