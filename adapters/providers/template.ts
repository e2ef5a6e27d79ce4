/**
 * Texts with variables, `${phone}` or `{phone}`. Values are put in as they are: escaping is for the place
 * where the text goes.
 *
 * @module
 */

/** Fixed text and variables in turn. */
export type Template = readonly (string | { readonly variable: string })[];

const VARIABLE = /\$?\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Takes `text` apart. Braces around anything but a name are text. */
export function parseTemplate(text: string): Template {
  const parts: (string | { variable: string })[] = [];
  let end = 0;
  for (const match of text.matchAll(VARIABLE)) {
    if (match.index > end) parts.push(text.slice(end, match.index));
    parts.push({ variable: match[1]! });
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

/** The names of the variables in `template`, in order. */
export function variablesOf(template: Template): readonly string[] {
  return template.flatMap((part) => typeof part === "string" ? [] : [part.variable]);
}

/** The text with `value` of each variable in its place. */
export function renderTemplate(template: Template, value: (variable: string) => string): string {
  let text = "";
  for (const part of template) text += typeof part === "string" ? part : value(part.variable);
  return text;
}
