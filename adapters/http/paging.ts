/**
 * Lists come in pages: `?limit=&cursor=` → `{items, next}`. The cursor is opaque to callers; it is the id
 * of the last item, and as ids sort by time, a page never repeats or skips what was there before.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";

export const PAGE_ITEMS_MAX = 200;
export const PAGE_ITEMS_DEFAULT = 50;

/** Spread into a list's query schema. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(PAGE_ITEMS_MAX).default(PAGE_ITEMS_DEFAULT)
    .openapi({ description: "Items a page" }),
  cursor: z.string().max(200).regex(/^[A-Za-z0-9_-]+$/, "not a cursor that a list gave").optional()
    .openapi({ description: "The `next` of the former page" }),
};

/** The schema of one page of `item`. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    next: z.string().nullable().openapi({ description: "Cursor of the next page; null on the last" }),
  });
}

export interface Page<T> {
  readonly items: T[];
  readonly next: string | null;
}

/** Makes a page of `rows`, of which one more than `limit` was asked for. */
export function pageFrom<T extends { readonly id: string }>(rows: readonly T[], limit: number): Page<T> {
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? items.at(-1)!.id : null };
}
