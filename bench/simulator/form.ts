/**
 * Form bodies and query strings, read and written by hand: the hot paths of sink and generator.
 *
 * @module
 */

/** Reads `a=1&b=2`. Repeated names keep all their values. Sequences that are not UTF-8 are read as Latin-1. */
export function parseForm(text: string): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  let from = 0;
  while (from < text.length) {
    let end = text.indexOf("&", from);
    if (end < 0) end = text.length;
    if (end > from) {
      const equals = text.indexOf("=", from);
      const nameEnd = equals < 0 || equals > end ? end : equals;
      const name = decodeField(text.slice(from, nameEnd));
      const value = nameEnd === end ? "" : decodeField(text.slice(nameEnd + 1, end));
      const values = fields.get(name);
      if (values === undefined) fields.set(name, [value]);
      else values.push(value);
    }
    from = end + 1;
  }
  return fields;
}

/** The first value of the first of `names` that is there and not empty; "" when none is. */
export function firstField(fields: Map<string, string[]>, ...names: string[]): string {
  for (const name of names) {
    const value = fields.get(name)?.[0];
    if (value !== undefined && value !== "") return value;
  }
  return "";
}

function decodeField(raw: string): string {
  const spaced = raw.includes("+") ? raw.replaceAll("+", " ") : raw;
  try {
    // Also where nothing is encoded: the copy lets go of the request that the slice would keep in memory.
    return decodeURIComponent(spaced);
  } catch {
    return spaced.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  }
}

/** Writes fields in their order as a form body; a space becomes `+`. */
export function formBody(fields: readonly (readonly [name: string, value: string])[]): string {
  let body = "";
  for (const [name, value] of fields) {
    body += `${body === "" ? "" : "&"}${encodeField(name)}=${encodeField(value)}`;
  }
  return body;
}

/** Most names and values are plain: looking is cheaper than encoding. */
function encodeField(text: string): string {
  return /[^\w.~-]/.test(text) ? encodeURIComponent(text).replaceAll("%20", "+") : text;
}
