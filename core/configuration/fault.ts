/**
 * Short ways to refuse a change, and to parse what came for one.
 *
 * @module
 */
import type { z } from "zod";
import { type FieldError, fieldErrors } from "../fields.ts";
import { ConfigurationFault } from "../ports/configuration.ts";

/** Fields that do not fit. */
export function invalid(...errors: readonly FieldError[]): ConfigurationFault {
  const text = errors.map((error) => `${error.field}: ${error.message}`).join("; ");
  return new ConfigurationFault("invalid", text, errors);
}

export function notFound(what: string, id: string): ConfigurationFault {
  return new ConfigurationFault("not-found", `There is no ${what} ${id}.`);
}

export function conflict(message: string, ...errors: readonly FieldError[]): ConfigurationFault {
  return new ConfigurationFault("conflict", message, errors);
}

/** Something of this kind with this value of `field` exists already. */
export function taken(what: string, field: string, value: string): ConfigurationFault {
  return conflict(`There is ${what} ${value} already.`, { field, message: `${value} is in use already` });
}

/**
 * Parses `value`, with the names of fields below `prefix` in errors.
 *
 * @throws {ConfigurationFault} `invalid`, with all fields that do not fit.
 */
export function parse<T>(schema: z.ZodType<T>, value: unknown, prefix = ""): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(...fieldErrors(result.error, prefix));
}
