/**
 * Times in answers and queries: RFC 3339, UTC in answers.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";

export const TimeSchema = z.iso.datetime().openapi({ example: "2026-01-31T12:00:00.000Z" });

/** A time in a query. */
export const TimeQuery = z.iso.datetime({ offset: true }).transform((text) => new Date(text))
  .openapi({ type: "string", format: "date-time" });
