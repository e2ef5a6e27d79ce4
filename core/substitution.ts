/**
 * Characters that a text can do without: a phone's typographic quotes, dashes and spaces, and accents on letters
 * that the GSM alphabet has only plain, turn 160 characters a segment into 70.
 *
 * @module
 */
import { analyseText } from "./segments.ts";

export const SUBSTITUTIONS = ["off", "smart", "ascii"] as const;

/**
 * `smart`: only where all of the text becomes GSM 7-bit by it and takes no more segments, because a text with an
 * emoji in it is UCS-2 whatever is done to its quotes. `ascii`: always, and every letter plain: for gateways that
 * know no others.
 */
export type Substitution = (typeof SUBSTITUTIONS)[number];

const PLAIN: ReadonlyMap<string, string> = new Map(
  ([
    ["'", "‘’‚‛′`´ʼ"],
    ['"', "“”„‟″«»"],
    ["-", "‐‑‒–—―−"],
    [" ", "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"],
    ["\n", "\u2028\u2029"],
    ["", "\u00ad\u200b\u2060\ufeff"],
    ["...", "…"],
    ["*", "•"],
    ["TM", "™"],
    ["(c)", "©"],
    ["(R)", "®"],
    ["o", "º"],
    ["i", "ı"],
    ["a", "ª"],
    ["oe", "œ"],
    ["OE", "Œ"],
    ["l", "ł"],
    ["L", "Ł"],
    ["d", "đ"],
    ["D", "Đ"],
  ] as const).flatMap(([plain, characters]) =>
    [...characters].map((character) => [character, plain] as const)
  ),
);
/** What the GSM alphabet has and ASCII has not, where the letter's own decomposition does not tell. */
const ASCII: ReadonlyMap<string, string> = new Map([
  ["Ø", "O"],
  ["ø", "o"],
  ["Æ", "AE"],
  ["æ", "ae"],
  ["ß", "ss"],
  ["€", "EUR"],
  ["£", "GBP"],
  ["¥", "JPY"],
  ["¡", "!"],
  ["¿", "?"],
]);
const ACCENTS = /[\u0300-\u036f]/g;

function plainOf(character: string): string {
  return PLAIN.get(character) ?? character.normalize("NFD").replace(ACCENTS, "").normalize("NFC");
}

function isAscii(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return /^[\x00-\x7f]*$/.test(text);
}

function toGsm(text: string): string {
  return Array.from(
    text.normalize("NFC"),
    (character) => analyseText(character, "auto").encoding === "gsm7" ? character : plainOf(character),
  ).join("");
}

function toAscii(text: string): string {
  return Array.from(
    text.normalize("NFC"),
    (character) => isAscii(character) ? character : ASCII.get(character) ?? plainOf(character),
  ).join("");
}

/**
 * `text` as it is to be sent and kept. `encoding`: the channel's; a text that must be GSM 7-bit is substituted at
 * any price, one that must be UCS-2 gains nothing by it.
 */
export function substitute(
  text: string,
  substitution: Substitution,
  encoding: "auto" | "gsm7" | "ucs2",
): string {
  if (substitution === "off" || (substitution === "smart" && encoding === "ucs2")) return text;
  if (substitution === "ascii") return toAscii(text);
  const before = analyseText(text, "auto");
  if (before.encoding === "gsm7") return text;
  const plain = toGsm(text);
  const after = analyseText(plain, "auto");
  const pays = encoding === "gsm7" || after.segments <= before.segments;
  return after.encoding === "gsm7" && pays ? plain : text;
}
