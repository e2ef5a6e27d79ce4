/**
 * Cells of a file that people open in a spreadsheet.
 *
 * @module
 */

/** What makes a spreadsheet take a cell for a formula, also in its wide form. */
const FORMULA = /^\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/u;

/**
 * `text` so that no spreadsheet runs it: an apostrophe goes before what looks like a formula.
 * https://owasp.org/www-community/attacks/CSV_Injection
 */
export function plainCell(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}
