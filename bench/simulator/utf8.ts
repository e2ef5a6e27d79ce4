/**
 * How long a text is on the wire.
 *
 * @module
 */

const encoder = new TextEncoder();

/** The bytes of `text` in UTF-8. Plain ASCII, nearly all of the traffic, is counted without encoding. */
export function utf8Length(text: string): number {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return encoder.encode(text).length;
  }
  return text.length;
}
