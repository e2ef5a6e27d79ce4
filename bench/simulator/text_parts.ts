/**
 * What becomes of a text on the air, as carriers do it that leave the alphabet to the sender.
 *
 * @module
 */

/** 3GPP TS 23.038: the default alphabet, and the characters that take two septets. */
const BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§" +
    "¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
const EXTENDED = new Set("\f^{}\\[~]|€");

/**
 * The text as the handset shows it, and how many parts it takes. Without `unicode` a character that GSM 7-bit does
 * not have is shown as a question mark: who sends it so has lost it.
 */
export function textParts(text: string, unicode: boolean): { readonly text: string; readonly parts: number } {
  if (unicode) return { text, parts: partsOf(text.length, 70, 67) };
  let septets = 0;
  let shown = "";
  for (const character of text) {
    const known = BASIC.has(character) || EXTENDED.has(character);
    septets += EXTENDED.has(character) ? 2 : 1;
    shown += known ? character : "?";
  }
  return { text: shown, parts: partsOf(septets, 160, 153) };
}

/** `text` cut as a handset cuts a long message. A pair of surrogates is never cut in two. */
export function cutText(text: string, unicode: boolean): readonly string[] {
  const [single, part] = unicode ? [70, 67] : [160, 153];
  const lengthOf = (character: string) => unicode ? character.length : EXTENDED.has(character) ? 2 : 1;
  const whole = [...text].reduce((sum, character) => sum + lengthOf(character), 0);
  if (whole <= single) return [text];
  const cut = [""];
  let filled = 0;
  for (const character of text) {
    if (filled + lengthOf(character) > part) {
      cut.push("");
      filled = 0;
    }
    filled += lengthOf(character);
    cut[cut.length - 1] += character;
  }
  return cut;
}

/** Whether GSM 7-bit has every character. */
export function isGsm(text: string): boolean {
  return [...text].every((character) => BASIC.has(character) || EXTENDED.has(character));
}

function partsOf(units: number, single: number, part: number): number {
  return units <= single ? 1 : Math.ceil(units / part);
}
