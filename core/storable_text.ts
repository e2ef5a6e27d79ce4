/**
 * Text from outside as PostgreSQL can store it: neither NUL nor half a surrogate pair, and not endless.
 *
 * @module
 */
const LENGTH_MAX = 1_000;

/** `text` without what cannot be stored, cut to `lengthMax` UTF-16 units. */
export function storableText(text: string, lengthMax = LENGTH_MAX): string {
  return text.replaceAll("\0", "").slice(0, lengthMax).toWellFormed();
}
