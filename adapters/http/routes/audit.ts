/**
 * `/v1/audit`
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { ADMINISTRATORS } from "../auth.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { allow, json, problems } from "../route.ts";
import { TimeQuery, TimeSchema } from "../times.ts";

const AuditSchema = z.object({
  id: z.string(),
  at: TimeSchema,
  actor: z.string().openapi({ example: "key:key_…", description: "`key:` and the key's id, or `system`" }),
  action: z.string().openapi({ example: "update" }),
  kind: z.string().openapi({ example: "channel" }),
  target: z.string().openapi({ description: "Id of what was changed" }),
  before: z.unknown().openapi({ description: "As the API showed it; null when it was made" }),
  after: z.unknown().openapi({ description: "As the API shows it; null when it was removed" }),
}).openapi("AuditEntry");

const list = createRoute({
  method: "get",
  path: "/v1/audit",
  tags: ["Audit"],
  summary: "Who changed what, newest first",
  ...allow(...ADMINISTRATORS),
  request: {
    query: z.object({
      ...pageQuery,
      kind: z.string().max(50).optional(),
      target: z.string().max(64).optional(),
      actor: z.string().max(100).optional(),
      action: z.string().max(50).optional(),
      from: TimeQuery.optional(),
      to: TimeQuery.optional(),
    }).strict(),
  },
  responses: { 200: json(pageOf(AuditSchema), "One page"), ...problems() },
});

export function auditRoutes(app: App, deps: AppDeps): void {
  app.openapi(list, async (c) => {
    const { limit, cursor, ...filters } = c.req.valid("query");
    const rows = await deps.configuration.read((reader) =>
      reader.audit({ ...filters, after: cursor, limit: limit + 1 })
    );
    const page = pageFrom(rows, limit);
    return c.json({ ...page, items: page.items.map((row) => ({ ...row, at: row.at.toISOString() })) }, 200);
  });
}
