import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { analyseText } from "../../core/segments.ts";
import { substitute, SUBSTITUTIONS } from "../../core/substitution.ts";

const SMART: readonly [text: string, result: string][] = [
  ["“Hi” – it’s…", '"Hi" - it\'s...'],
  ["a\u00a0b\u2009c", "a b c"],
  ["Olá, coração", "Ola, coracao"],
  ["café à côté", "café à coté"],
  ["e\u0301", "é"],
  ["Łódź, œuvre", "Lodz, oeuvre"],
  ["ñ Ñ ü ß", "ñ Ñ ü ß"],
  ["“Hi” 😀", "“Hi” 😀"],
  ["“你好”", "“你好”"],
  ["zero\u200bwidth", "zerowidth"],
  ["plain", "plain"],
];

Deno.test("substitute makes GSM texts of those that nearly are, and leaves all others alone", () => {
  for (const [text, expected] of SMART) strictEqual(substitute(text, "smart", "auto"), expected, text);
  strictEqual(substitute("“Hi”", "off", "auto"), "“Hi”");
  strictEqual(substitute("“Hi”", "smart", "ucs2"), "“Hi”");
});

Deno.test("substitute leaves a text that would take more segments, unless it must be GSM", () => {
  const dots = "…".repeat(70);
  strictEqual(substitute(dots, "smart", "auto"), dots);
  strictEqual(substitute(dots, "smart", "gsm7"), ".".repeat(210));
});

Deno.test("substitute writes plain letters for gateways that know no others", () => {
  strictEqual(
    substitute("¿Cuánto? Señor, 5 € – à bientôt", "ascii", "auto"),
    "?Cuanto? Senor, 5 EUR - a bientot",
  );
  strictEqual(substitute("😀 á", "ascii", "auto"), "😀 a");
});

Deno.test("substitute never costs a segment, never changes twice, and never touches ASCII", () => {
  const unit = fc.constantFrom(..."aé'\"áãç…–“’\u00a0😀中€ñ\n", "e\u0301");
  const encoding = fc.constantFrom("auto", "gsm7", "ucs2" as const);
  fc.assert(
    fc.property(
      fc.string({ unit, maxLength: 300 }),
      fc.constantFrom(...SUBSTITUTIONS),
      encoding,
      (text, substitution, encoding) => {
        const once = substitute(text, substitution, encoding);
        strictEqual(substitute(once, substitution, encoding), once);
        if (substitution === "smart" && encoding === "auto") {
          ok(analyseText(once, "auto").segments <= analyseText(text, "auto").segments);
        }
      },
    ),
  );
  fc.assert(fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
    deepStrictEqual(SUBSTITUTIONS.map((one) => substitute(text.replace(/[`\t]/g, ""), one, "auto")), [
      ...Array(3).fill(text.replace(/[`\t]/g, "")),
    ]);
  }));
});
