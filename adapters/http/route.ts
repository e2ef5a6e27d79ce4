/**
 * Parts that the routes' descriptions share.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import type { Role } from "../../core/directory.ts";
import { requireRole } from "./auth.ts";
import { ProblemSchema } from "./problem.ts";

const PROBLEMS = {
  400: "A field does not fit",
  401: "No valid API key",
  403: "The key's role may not do this",
  404: "There is no such thing",
  409: "It stands against something else",
  413: "The body is too large",
  422: "It cannot be carried out",
  501: "Not possible with the parts that this installation runs on",
  502: "The provider did not answer as expected",
  503: "Not available now; come again",
} as const;

/** Responses of these statuses, each a problem document; 400, 401, 403 and 503 are always among them. */
export function problems(...statuses: readonly (keyof typeof PROBLEMS)[]) {
  const all = new Set([400, 401, 403, 503, ...statuses] as (keyof typeof PROBLEMS)[]);
  const entries = [...all].map((status) => [status, {
    description: PROBLEMS[status],
    content: { "application/problem+json": { schema: ProblemSchema } },
  }]);
  return Object.fromEntries(entries) as Record<never, never>;
}

/** A JSON body or answer of this schema. */
export function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** A required JSON body of this schema. */
export function jsonBody<T extends z.ZodType>(schema: T) {
  return { body: { required: true, content: { "application/json": { schema } } } };
}

/** The parts of a route that only these roles may use. */
export function allow(...roles: readonly Role[]) {
  return { security: [{ key: [] }], middleware: [requireRole(...roles)] };
}

/** `/{id}` in a path. */
export const IdParam = z.object({
  id: z.string().min(1).max(64).openapi({ param: { name: "id", in: "path" } }),
});

/** The header of POSTs that create something. */
export const IdempotencyHeader = z.object({
  "idempotency-key": z.string().min(1).max(200).regex(/^[\x20-\x7e]+$/, "only printable ASCII").optional()
    .openapi({ description: "The same key again gets the same answer, and nothing is done twice" }),
});
