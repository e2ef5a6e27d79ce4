/**
 * Keeps out of the API what PostgreSQL's text cannot hold: NUL, and half of a surrogate pair. Where half a pair is not
 * refused it is stored as U+FFFD: another text than the one that was accepted.
 *
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { type FieldError, invalidFields, Problem } from "./problem.ts";

/** JSON in UTF-8 has neither but in an escape; most of what this finds is well-formed, and looked at in full. */
const ESCAPED = /\\u(?:0000|d[89a-f])/i;

/**
 * Refuses requests whose path, query or JSON body has such a text, and names the field. `readsBody(path)`: false where the
 * body is the handler's own, as a file is.
 */
export function onlyStorable(readsBody: (path: string) => boolean): MiddlewareHandler {
  return async (c, next) => {
    const { url } = c.req;
    if (url.includes("%00")) {
      if (url.split("?", 1)[0]!.includes("%00")) {
        throw new Problem(404, `There is nothing at ${c.req.path}.`);
      }
      refuse(unstorableFields(c.req.query()));
    }
    if (c.req.header("content-type")?.includes("json") && readsBody(c.req.path)) {
      const text = await c.req.text();
      if (ESCAPED.test(text)) refuse(unstorableFields(parsed(text)));
    }
    await next();
  };
}

/** The fields of `value` that cannot be stored, named as `a.0.b`; a name that cannot be is told of what it stands in. */
export function unstorableFields(value: unknown): FieldError[] {
  const errors: FieldError[] = [];
  const left: [field: string, value: unknown][] = [["", value]];
  for (const [field, each] of left) {
    const named = field === "" ? "body" : field;
    if (typeof each === "string") {
      if (!isStorable(each)) {
        errors.push({ field: named, message: "has a NUL or half of a surrogate pair" });
      }
    } else if (typeof each === "object" && each !== null) {
      for (const [name, inner] of Object.entries(each)) {
        if (isStorable(name)) left.push([field === "" ? name : `${field}.${name}`, inner]);
        else errors.push({ field: named, message: "has a name with a NUL or half of a surrogate pair" });
      }
    }
  }
  return errors;
}

function isStorable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidFields(errors);
}

/** Undefined for what is not JSON: whoever reads the body says so. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
