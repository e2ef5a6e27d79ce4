/**
 * Places that templates go to, and how a value is written there so that it cannot get out of its place.
 *
 * @module
 */
import { renderTemplate, type Template } from "../template.ts";
import { type GatewayCharset, toBytes } from "./text_encoding.ts";

export type BodyFormat = "json" | "xml" | "form" | "text";

/** A value, or a list of them; a list is joined with commas where the place knows no lists. */
export type Value = string | readonly string[];
export type ValueOf = (variable: string) => Value;

function joined(value: Value): string {
  return typeof value === "string" ? value : value.join(",");
}

/** Percent-encoded in `charset`: the query of an address, or a form. */
export function percentEncode(text: string, charset: GatewayCharset, space: "%20" | "+"): string {
  const escaped = charset === "utf-8"
    ? encodeURIComponent(text.toWellFormed())
    : Array.from(toBytes(text, charset), (byte) => {
      const code = byte.charCodeAt(0);
      return code < 0x80 && code > 0x1f
        ? encodeURIComponent(byte)
        : `%${code.toString(16).toUpperCase().padStart(2, "0")}`;
    }).join("");
  return space === "+" ? escaped.replaceAll("%20", "+") : escaped;
}

/** `text` as a JSON string. In another charset than UTF-8 only ASCII is left, the rest as `\uXXXX`. */
export function jsonString(text: string, charset: GatewayCharset): string {
  const json = JSON.stringify(text.toWellFormed());
  if (charset === "utf-8") return json;
  return json.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Characters that XML 1.0 knows no way to write. */
// deno-lint-ignore no-control-regex
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

function xmlText(text: string, charset: GatewayCharset): string {
  const escaped = text.toWellFormed().replace(NOT_XML, "\ufffd").replace(
    /[&<>"'\r\n]/g,
    (character) => `&#${character.charCodeAt(0)};`,
  );
  if (charset === "utf-8") return escaped;
  return escaped.replace(/[\u{80}-\u{10ffff}]/gu, (character) => `&#${character.codePointAt(0)};`);
}

/** What may not stand in a header becomes a space: no value may begin a line of its own. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, " ");
}

/** The address with its variables. Percent-encoded everywhere: a `/` in a value begins no new part of the path. */
export function renderAddress(
  template: Template,
  valueOf: ValueOf,
  charset: GatewayCharset,
  space: "%20" | "+",
): string {
  return renderTemplate(template, (variable) => percentEncode(joined(valueOf(variable)), charset, space));
}

export function renderHeader(template: Template, valueOf: ValueOf): string {
  return renderTemplate(template, (variable) => headerText(joined(valueOf(variable))));
}

/** A text that is escaped as a whole later, as a parameter is. */
export function renderPlain(template: Template, valueOf: ValueOf): string {
  return renderTemplate(template, (variable) => joined(valueOf(variable)));
}

/** Whether each variable of a JSON template stands within a string, in order. */
export function quotedVariables(template: Template): readonly boolean[] {
  const quoted: boolean[] = [];
  let within = false;
  for (const part of template) {
    if (typeof part !== "string") {
      quoted.push(within);
      continue;
    }
    for (let i = 0; i < part.length; i++) {
      if (part[i] === "\\" && within) i++;
      else if (part[i] === '"') within = !within;
    }
  }
  return quoted;
}

/** A body with its variables. JSON: a complete string, or a list of them, unless the template has the quotes. */
export function renderBody(
  template: Template,
  format: BodyFormat,
  valueOf: ValueOf,
  charset: GatewayCharset,
): string {
  switch (format) {
    case "form":
      return renderAddress(template, valueOf, charset, "+");
    case "xml":
      return renderTemplate(template, (variable) => xmlText(joined(valueOf(variable)), charset));
    case "text":
      return renderPlain(template, valueOf);
    case "json": {
      const quoted = quotedVariables(template);
      let index = 0;
      return renderTemplate(template, (variable) => {
        const value = valueOf(variable);
        if (quoted[index++]) return jsonString(joined(value), charset).slice(1, -1);
        if (typeof value === "string") return jsonString(value, charset);
        return `[${value.map((one) => jsonString(one, charset)).join(",")}]`;
      });
    }
  }
}
