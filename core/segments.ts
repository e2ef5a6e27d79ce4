/**
 * How a text is written on the air: its alphabet and the number of segments it takes.
 *
 * 3GPP TS 23.038 §6.2.1 (the default alphabet) and §6.2.1.1 (its extension, two septets a character);
 * TS 23.040 §9.2.3.24.1 for what the concatenation header leaves of a segment: 153 of 160 septets, or
 * 67 of 70 UTF-16 units. Neither an extension character nor a surrogate pair is cut in two by a segment's
 * end, so a segment may stay one unit short.
 *
 * @module
 */
import type { Encoding } from "./message.ts";

/** The default alphabet in the order of its codes; 0x1B, the escape, stands as NUL. */
const DEFAULT_ALPHABET = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u0000ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
  "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENSION = "\f^{}\\[~]|€";
const EXTENSION_CODES = [0x0a, 0x14, 0x28, 0x29, 0x2f, 0x3c, 0x3d, 0x3e, 0x40, 0x65];
const ESCAPE = 0x1b;

const SINGLE_SEPTETS = 160;
const PART_SEPTETS = 153;
const SINGLE_UNITS = 70;
const PART_UNITS = 67;

/** Septets by UTF-16 unit, 0 where GSM has none. The euro sign has the highest code of them all. */
const SEPTETS = new Uint8Array(0x20ac + 1);
for (const character of DEFAULT_ALPHABET) SEPTETS[character.charCodeAt(0)] = 1;
for (const character of EXTENSION) SEPTETS[character.charCodeAt(0)] = 2;
SEPTETS[0] = 0;

/** Different characters named in {@link TextAnalysis.unsupported} at most. */
const UNSUPPORTED_MAX = 20;

export interface TextAnalysis {
  readonly encoding: Encoding;
  /** At least 1, also for an empty text. */
  readonly segments: number;
  /** Septets (`gsm7`) or UTF-16 units (`ucs2`). */
  readonly units: number;
  /**
   * Characters outside the alphabet, each once and 20 at most, when `gsm7` was asked for; then the other
   * fields say what the text would take as `ucs2`, and the caller refuses it. Otherwise empty.
   */
  readonly unsupported: readonly string[];
}

const NONE: readonly string[] = [];

function isHighSurrogate(code: number): boolean {
  return (code & 0xfc00) === 0xd800;
}

function isLowSurrogate(code: number): boolean {
  return (code & 0xfc00) === 0xdc00;
}

/** Counts from `start` on, where everything before was one unit a character. */
function analyseUcs2(text: string, start: number, unsupported: readonly string[]): TextAnalysis {
  const units = text.length;
  if (units <= SINGLE_UNITS) return { encoding: "ucs2", segments: 1, units, unsupported };
  let full = Math.floor(start / PART_UNITS);
  let filled = start % PART_UNITS;
  for (let i = start; i < units; i++) {
    const isPair = isHighSurrogate(text.charCodeAt(i)) && i + 1 < units &&
      isLowSurrogate(text.charCodeAt(i + 1));
    const cost = isPair ? 2 : 1;
    if (filled + cost > PART_UNITS) {
      full++;
      filled = 0;
    }
    filled += cost;
    if (isPair) i++;
  }
  return { encoding: "ucs2", segments: full + (filled > 0 ? 1 : 0), units, unsupported };
}

function charactersOutside(text: string): readonly string[] {
  const outside = new Set<string>();
  for (const character of text) {
    if (!SEPTETS[character.codePointAt(0)!]) outside.add(character);
    if (outside.size === UNSUPPORTED_MAX) break;
  }
  return [...outside];
}

/**
 * The alphabet and segments of `text`. `auto` takes GSM 7-bit where every character is in it, else UCS-2.
 *
 * @example
 * ```ts
 * import { analyseText } from "./segments.ts";
 *
 * analyseText("a".repeat(161), "auto"); // { encoding: "gsm7", segments: 2, units: 161, unsupported: [] }
 * ```
 */
export function analyseText(text: string, encoding: "auto" | Encoding): TextAnalysis {
  if (encoding === "ucs2") return analyseUcs2(text, 0, NONE);
  let units = 0;
  let parts = 1;
  let filled = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const cost = code < SEPTETS.length ? SEPTETS[code]! : 0;
    if (cost === 0) return analyseUcs2(text, i, encoding === "gsm7" ? charactersOutside(text) : NONE);
    units += cost;
    filled += cost;
    if (filled > PART_SEPTETS) {
      parts++;
      filled = cost;
    }
  }
  return { encoding: "gsm7", segments: units <= SINGLE_SEPTETS ? 1 : parts, units, unsupported: NONE };
}

const CODES: ReadonlyMap<string, readonly number[]> = new Map<string, readonly number[]>([
  ...Array.from(DEFAULT_ALPHABET, (character, code) => [character, [code]] as const),
  ...Array.from(EXTENSION, (character, index) => [character, [ESCAPE, EXTENSION_CODES[index]!]] as const),
  ["\u0000", [0x3f]],
]);

/**
 * `text` in the default alphabet, one octet a septet, the escape before characters of the extension: how gateways
 * take GSM 7-bit that is not packed. What the alphabet has not becomes a question mark.
 */
export function gsmOctets(text: string): Uint8Array {
  return Uint8Array.from(Array.from(text).flatMap((character) => CODES.get(character) ?? [0x3f]));
}
