import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { analyseText, gsmOctets } from "../../core/segments.ts";

const SEGMENTS: readonly [text: string, encoding: "gsm7" | "ucs2", segments: number][] = [
  ["", "gsm7", 1],
  ["a".repeat(160), "gsm7", 1],
  ["a".repeat(161), "gsm7", 2],
  ["a".repeat(306), "gsm7", 2],
  ["a".repeat(307), "gsm7", 3],
  ["a".repeat(158) + "€", "gsm7", 1],
  ["a".repeat(159) + "€", "gsm7", 2],
  ["€".repeat(80), "gsm7", 1],
  ["€".repeat(81), "gsm7", 2],
  ["a".repeat(152) + "€" + "a".repeat(152), "gsm7", 3],
  ["á".repeat(70), "ucs2", 1],
  ["á".repeat(71), "ucs2", 2],
  ["á".repeat(134), "ucs2", 2],
  ["á".repeat(135), "ucs2", 3],
  ["a".repeat(68) + "😀", "ucs2", 1],
  ["a".repeat(69) + "😀", "ucs2", 2],
  ["á".repeat(66) + "😀" + "á".repeat(66), "ucs2", 3],
  ["a".repeat(66) + "😀" + "a".repeat(66), "ucs2", 3],
  ["é".repeat(160), "gsm7", 1],
  ["ñüàö", "gsm7", 1],
  ["ç", "ucs2", 1],
  ["Ç", "gsm7", 1],
  ["`", "ucs2", 1],
  ["\u0000", "ucs2", 1],
  ["\u001b", "ucs2", 1],
  ["\f^{}\\[~]|€\r\n", "gsm7", 1],
  ["a".repeat(918), "gsm7", 6],
  ["a".repeat(1600), "gsm7", 11],
  ["á".repeat(1600), "ucs2", 24],
];

Deno.test("analyseText counts as the standard and the carriers do", () => {
  for (const [text, encoding, segments] of SEGMENTS) {
    const found = analyseText(text, "auto");
    deepStrictEqual(
      [found.encoding, found.segments],
      [encoding, segments],
      JSON.stringify(text.slice(0, 20)),
    );
  }
});

// The lengths are those of the texts as written; no calculator of a vendor known to us uses the national shift tables.
const NATIONAL: readonly [text: string, encoding: "gsm7" | "ucs2", units: number][] = [
  ["¿Cuándo llega mi pedido?", "ucs2", 24],
  ["¡Mañana sí!", "ucs2", 11],
  ["¿Mañana? ¡Señor!", "gsm7", 16],
  ["Olá, não há previsão", "ucs2", 20],
  ["Até já", "ucs2", 6],
  ["Até amanhã às 10h", "ucs2", 17],
  ["Où est le café déjà payé", "gsm7", 24],
  ["Noël, forêt, leçon", "ucs2", 18],
  ["Grüße aus Köln, 5 € [neu]", "gsm7", 28],
  ["Perché no? È già così", "ucs2", 21],
  ["Perche' e' piu' caro: costa piùà", "gsm7", 32],
  ["Blåbær på øya", "gsm7", 13],
  ["Zażółć gęślą jaźń", "ucs2", 17],
  ["İyi günler, teşekkürler", "ucs2", 23],
  ["ΓΔΘΛΞΠΣΦΨΩ", "gsm7", 10],
  ["Καλημέρα", "ucs2", 8],
  ["Привет", "ucs2", 6],
  ["שלום", "ucs2", 4],
  ["नमस्ते", "ucs2", 6],
  ["你好", "ucs2", 2],
  ["안녕하세요", "ucs2", 5],
  ["Thumbs 👍🏽", "ucs2", 11],
  ["Flag 🇺🇾", "ucs2", 9],
  ["tab\there", "ucs2", 8],
  ["price: 5¤ ~ {x} ^ | \\", "gsm7", 27],
];

Deno.test("analyseText knows the alphabets of the countries", () => {
  for (const [text, encoding, units] of NATIONAL) {
    const found = analyseText(text, "auto");
    deepStrictEqual([found.encoding, found.units, found.segments], [encoding, units, 1], text);
  }
});

Deno.test("analyseText knows 127 characters of the default alphabet and 10 of the extension", () => {
  let single = 0;
  let escaped = 0;
  for (let code = 0; code < 0x10000; code++) {
    const found = analyseText(String.fromCharCode(code), "auto");
    if (found.encoding === "gsm7") found.units === 1 ? single++ : escaped++;
  }
  deepStrictEqual([single, escaped], [127, 10]);
});

Deno.test("analyseText names what a forced GSM alphabet cannot write, and 20 characters at most", () => {
  deepStrictEqual(analyseText("Olá, pão 😀 á", "gsm7").unsupported, ["á", "ã", "😀"]);
  deepStrictEqual(analyseText("plain €", "gsm7"), {
    encoding: "gsm7",
    segments: 1,
    units: 8,
    unsupported: [],
  });
  const cyrillic = Array.from({ length: 60 }, (_, i) => String.fromCharCode(0x410 + i)).join("");
  strictEqual(analyseText(cyrillic, "gsm7").unsupported.length, 20);
});

Deno.test("analyseText writes a plain text as UCS-2 when told to", () => {
  deepStrictEqual(analyseText("a".repeat(71), "ucs2"), {
    encoding: "ucs2",
    segments: 2,
    units: 71,
    unsupported: [],
  });
});

Deno.test("gsmOctets writes the codes of the standard, and as many as there are septets", () => {
  const hex = (text: string) =>
    [...gsmOctets(text)].map((code) => code.toString(16).padStart(2, "0")).join("");
  strictEqual(hex("@£$ Az ñ à"), "000102" + "20417a" + "207d" + "207f");
  strictEqual(hex("€[]{}\\^~|\f"), "1b651b3c1b3e1b281b291b2f1b141b3d1b401b0a");
  strictEqual(hex("á😀\u0000"), "3f3f3f");
  const gsm = fc.string({ unit: fc.constantFrom("a", "€", "é", "[", "\n", "Δ"), maxLength: 100 });
  fc.assert(fc.property(gsm, (text) => strictEqual(gsmOctets(text).length, analyseText(text, "gsm7").units)));
});

/** Builds the segments instead of counting them. */
function segmentsByHand(text: string, encoding: "gsm7" | "ucs2"): string[] {
  const cost = (character: string) =>
    encoding === "ucs2" ? character.length : analyseText(character, "gsm7").units;
  const [single, part] = encoding === "gsm7" ? [160, 153] : [70, 67];
  const characters = [...text];
  if (characters.reduce((sum, character) => sum + cost(character), 0) <= single) return [text];
  const segments: string[] = [];
  let current = "";
  let filled = 0;
  for (const character of characters) {
    if (filled + cost(character) > part) {
      segments.push(current);
      current = "";
      filled = 0;
    }
    current += character;
    filled += cost(character);
  }
  return [...segments, current];
}

Deno.test("analyseText agrees with segments built character by character", () => {
  const gsm = fc.string({ unit: fc.constantFrom("a", "€", "é", "[", "\n"), maxLength: 700 });
  const any = fc.string({ unit: fc.constantFrom("a", "á", "€", "😀", "\ud800", "中"), maxLength: 400 });
  fc.assert(fc.property(fc.oneof(gsm, any, fc.string({ unit: "binary", maxLength: 300 })), (text) => {
    const found = analyseText(text, "auto");
    strictEqual(found.segments, segmentsByHand(text, found.encoding).length);
  }));
});

Deno.test("analyseText never takes fewer segments for a longer text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), fc.string({ maxLength: 20 }), (a, b) => {
      ok(analyseText(a + b, "auto").segments >= analyseText(a, "auto").segments);
    }),
  );
});
