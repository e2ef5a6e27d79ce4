import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { Pattern, PatternError } from "../../core/pattern.ts";

const MATCHES: readonly [source: string, text: string, match: readonly (string | undefined)[] | null][] = [
  ["^OK;(.+)$", "OK;77", ["OK;77", "77"]],
  ["^OK;(.+)$", "ERROR", null],
  ["(?i)\\b(ok|success|0)\\b", "Status: OK.", ["OK", "OK"]],
  ["\\b0\\b", "10", null],
  ["saldo|cr[eé]dito", "sin crédito", ["crédito"]],
  ["(a+)(b?)", "xaaab", ["aaab", "aaa", "b"]],
  ["(a+?)(a*)", "aaa", ["aaa", "a", "aa"]],
  ["a{2,3}", "aaaa", ["aaa"]],
  ["a{2}", "aaa", ["aa"]],
  ["a{2,}", "aaaa", ["aaaa"]],
  ["(x)|(y)", "y", ["y", undefined, "y"]],
  ["[^0-9]+", "12ab3", ["ab"]],
  ["[\\d.-]+", "v1.2-3", ["1.2-3"]],
  ["[a-]", "-", ["-"]],
  ["\\x41\\u00e1\\n", "Aá\n", ["Aá\n"]],
  ["(?:ab)+", "xababx", ["abab"]],
  ["", "x", [""]],
  [".", "😀", ["😀"]],
  ["a.c", "a\nc", null],
  ["(a|ab)(c|bcd)", "abcd", ["abcd", "a", "bcd"]],
];

Deno.test("Pattern finds what JavaScript's regular expressions find", () => {
  for (const [source, text, expected] of MATCHES) {
    deepStrictEqual(new Pattern(source).exec(text), expected, `${source} in ${text}`);
    if (source.startsWith("(?i)")) continue;
    const native = new RegExp(source, "u").exec(text);
    deepStrictEqual(native === null ? null : [...native], expected, `${source}: the table is wrong`);
  }
});

Deno.test("Pattern ignores case where told to", () => {
  strictEqual(new Pattern("número|[A-C]x", { ignoreCase: true }).test("NÚMERO"), true);
  strictEqual(new Pattern("[A-C]x", { ignoreCase: true }).test("bX"), true);
  strictEqual(new Pattern("[^a]", { ignoreCase: true }).test("A"), false);
  strictEqual(new Pattern("a").test("A"), false);
});

const FAULTS: readonly [source: string, reason: RegExp][] = [
  ["(", /\(/],
  [")", /\)/],
  ["[a", /\[/],
  ["a**", /two repetitions/],
  ["*a", /repeats nothing/],
  ["a{x}", /no repetition/],
  ["a{3,2}", /ends before/],
  ["a{9999}", /more than/],
  ["(?=a)", /looks ahead/],
  ["(?<n>a)", /name/],
  ["(a)\\1", /\\1/],
  ["\\p{L}", /\\p/],
  ["a\\", /backslash/],
  ["\\x4", /hex/],
  ["[z-a]", /range/],
  ["^*", /place/],
  ["((a{50}){50}){50}", /too large/],
  ["(".repeat(60) + ")".repeat(60), /within groups/],
];

Deno.test("Pattern refuses what it cannot match, and says why", () => {
  for (const [source, reason] of FAULTS) {
    throws(
      () => new Pattern(source),
      (error) => error instanceof PatternError && reason.test(error.message),
      source,
    );
  }
});

Deno.test("Pattern replaces the first match, with its groups", () => {
  strictEqual(new Pattern("^598(9\\d{7})$").replace("59899123456", "0$1"), "099123456");
  strictEqual(new Pattern("^0?(9\\d+)$").replace("x", "$1"), "x");
  strictEqual(new Pattern("(a)|b").replace("b", "<$1$0>"), "<b>");
});

/** Patterns as people write them, and worse. */
const source = fc.letrec((tie) => ({
  atom: fc.oneof(
    fc.constantFrom("a", "b", "á", ".", "[ab]", "[^a]", "\\d", "\\w", "x"),
    tie("node").map((node) => `(${node})`),
    tie("node").map((node) => `(?:${node})`),
  ),
  repeated: fc.tuple(tie("atom"), fc.constantFrom("", "", "*", "+", "?", "{1,3}", "*?", "+?")).map((parts) =>
    parts.join("")
  ),
  sequence: fc.array(tie("repeated"), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("")),
  node: fc.oneof(
    { maxDepth: 4 },
    tie("sequence"),
    fc.tuple(tie("sequence"), tie("sequence")).map((all) => all.join("|")),
  ),
})).node as fc.Arbitrary<string>;

// Not on how much: in JavaScript a repeated group that may be empty is not entered once more for nothing.
Deno.test("Pattern agrees with JavaScript on what matches at all and as a whole", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "á", "1", "x", " "), maxLength: 12 });
  fc.assert(fc.property(source, text, fc.boolean(), (source, text, ignoreCase) => {
    for (const whole of [source, `^(?:${source})$`]) {
      let pattern: Pattern;
      try {
        pattern = new Pattern(whole, { ignoreCase });
      } catch (error) {
        ok(error instanceof PatternError && /large|within/.test(error.message), String(error));
        return;
      }
      strictEqual(pattern.test(text), new RegExp(whole, ignoreCase ? "iu" : "u").test(text), whole);
    }
  }));
});

Deno.test("Pattern never throws anything but a PatternError, whatever it is given", () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.oneof(
          fc.constantFrom(..."()[]{}*+?|\\^$.-,0a"),
          fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
        ),
        maxLength: 40,
      }),
      fc.string({ unit: "binary", maxLength: 30 }),
      (source, text) => {
        try {
          new Pattern(source).exec(text);
        } catch (error) {
          ok(error instanceof PatternError, String(error));
        }
      },
    ),
  );
});

Deno.test("Pattern comes to an end on what takes RegExp for ever", () => {
  const text = "a".repeat(8_192);
  for (const hard of ["(a+)+b", "(a|a)*b", "(a|aa)+b", "(.*a){20}b", "a*a*a*a*a*a*b", "((a*)*)*b"]) {
    strictEqual(new Pattern(hard).test(text), false, hard);
  }
});
