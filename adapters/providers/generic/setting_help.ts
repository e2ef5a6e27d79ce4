/**
 * Titles, help and examples of settings: the form for a channel is drawn from them.
 *
 * @module
 */
import type { z } from "zod";

/** `schema` with what a person is told of it. */
export function told<S extends z.ZodType>(
  schema: S,
  title: string,
  description: string,
  ...examples: unknown[]
): S {
  return schema.meta({ title, description, ...(examples.length > 0 && { examples }) });
}

/** The same for what is never shown again. */
export function secret<S extends z.ZodType>(
  schema: S,
  title: string,
  description: string,
  example: string,
): S {
  return schema.meta({ title, description, examples: [example], secret: true });
}
