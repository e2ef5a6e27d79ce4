/**
 * Arrays as parameters, without the round trip by which postgres.js would look their types up.
 *
 * @module
 */
const numbers = (values: readonly number[]) => `{${values.join(",")}}`;
const texts = (values: readonly string[]) =>
  `{${values.map((value) => `"${value.replace(/["\\]/g, "\\$&")}"`).join(",")}}`;
/** Results never bring arrays of these types to where they would have to be read. */
const unread = (text: string) => text;

/** By type id, see PostgreSQL's `pg_type.dat`: int4[], int8[] and text[]. */
export const ARRAY_TYPES = {
  int4Array: { to: 1007, from: [1007], serialize: numbers, parse: unread },
  int8Array: { to: 1016, from: [1016], serialize: numbers, parse: unread },
  textArray: { to: 1009, from: [1009], serialize: texts, parse: unread },
};
