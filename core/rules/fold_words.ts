/**
 * A text as a row of plain words, for comparing.
 *
 * @module
 */

/** Small letters without accents, one blank between words, nothing else: `¿Está ABIERTO?` is `esta abierto`. */
export function foldWords(text: string): string {
  const plain = text.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase();
  return (plain.match(/[\p{L}\p{N}]+/gu) ?? []).join(" ");
}

/** Whether the words of `part` stand in `text`, side by side and whole. Both as {@link foldWords} makes them. */
export function hasWords(text: string, part: string): boolean {
  return ` ${text} `.includes(` ${part} `);
}
