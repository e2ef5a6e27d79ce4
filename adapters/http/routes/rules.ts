/**
 * `/v1/rules`
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { existing } from "../../../core/configuration/change.ts";
import {
  createRule,
  removeRule,
  RuleInputSchema,
  RulePatchSchema,
  ruleView,
  updateRule,
} from "../../../core/configuration/rules.ts";
import { RuleActionSchema, RuleMatchSchema } from "../../../core/rules/rule.ts";
import { ADMINISTRATORS, ANYONE } from "../auth.ts";
import { changeConfiguration } from "../change.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { allow, IdempotencyHeader, IdParam, json, jsonBody, problems } from "../route.ts";
import { TimeSchema } from "../times.ts";

const tags = ["Rules"];

export const RuleSchema = z.object({
  id: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  priority: z.number().int(),
  match: RuleMatchSchema,
  action: RuleActionSchema,
  createdAt: TimeSchema,
  updatedAt: TimeSchema,
}).openapi("Rule");

const list = createRoute({
  method: "get",
  path: "/v1/rules",
  tags,
  summary: "List routing rules",
  description: "In the order of their ids. They are asked by priority, then id; the first that fits decides.",
  ...allow(...ANYONE),
  request: { query: z.object(pageQuery).strict() },
  responses: { 200: json(pageOf(RuleSchema), "One page"), ...problems() },
});

const create = createRoute({
  method: "post",
  path: "/v1/rules",
  tags,
  summary: "Add a routing rule",
  ...allow(...ADMINISTRATORS),
  request: { headers: IdempotencyHeader, ...jsonBody(RuleInputSchema) },
  responses: { 201: json(RuleSchema, "It is there"), ...problems(409, 422) },
});

const read = createRoute({
  method: "get",
  path: "/v1/rules/{id}",
  tags,
  summary: "One routing rule",
  ...allow(...ANYONE),
  request: { params: IdParam },
  responses: { 200: json(RuleSchema, "The rule"), ...problems(404) },
});

const update = createRoute({
  method: "patch",
  path: "/v1/rules/{id}",
  tags,
  summary: "Change a routing rule",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam, ...jsonBody(RulePatchSchema) },
  responses: { 200: json(RuleSchema, "As it is now"), ...problems(404, 409) },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/rules/{id}",
  tags,
  summary: "Remove a routing rule",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam },
  responses: { 204: { description: "It is gone" }, ...problems(404) },
});

export function ruleRoutes(app: App, deps: AppDeps): void {
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const rows = await deps.configuration.read((reader) =>
      reader.rules.list({ after: cursor, limit: limit + 1 })
    );
    const page = pageFrom(rows, limit);
    return c.json({ ...page, items: page.items.map(ruleView) }, 200);
  });
  app.openapi(create, async (c) => {
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) => ruleView(await createRule(tx, c.req.valid("json"))),
    );
    c.header("location", `/v1/rules/${view.id}`);
    return c.json(view, 201);
  });
  app.openapi(read, async (c) => {
    const { id } = c.req.valid("param");
    const row = await deps.configuration.read((reader) => existing(reader.rules, "rule", id));
    return c.json(ruleView(row), 200);
  });
  app.openapi(update, async (c) => {
    const { id } = c.req.valid("param");
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) => ruleView((await updateRule(tx, id, c.req.valid("json"))).after),
    );
    return c.json(view, 200);
  });
  app.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    await changeConfiguration(c, deps, (tx) => removeRule(tx, id));
    return c.body(null, 204);
  });
}
