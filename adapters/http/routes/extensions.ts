/**
 * `/v1/extensions`
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import {
  createExtension,
  ExtensionInputSchema,
  ExtensionPatchSchema,
  extensionView,
  removeExtension,
  updateExtension,
} from "../../../core/configuration/extensions.ts";
import { existing } from "../../../core/configuration/change.ts";
import { AgentSettingsSchema } from "../../../core/dispatch/settings.ts";
import { ADMINISTRATORS, ANYONE } from "../auth.ts";
import { changeConfiguration } from "../change.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { allow, IdempotencyHeader, IdParam, json, jsonBody, problems } from "../route.ts";
import { TimeSchema } from "../times.ts";

const tags = ["Extensions"];

export const ExtensionSchema = z.object({
  id: z.string(),
  extension: z.string(),
  name: z.string(),
  ...AgentSettingsSchema.shape,
  createdAt: TimeSchema,
  updatedAt: TimeSchema,
}).openapi("Extension");

const list = createRoute({
  method: "get",
  path: "/v1/extensions",
  tags,
  summary: "List extensions",
  ...allow(...ANYONE),
  request: { query: z.object(pageQuery).strict() },
  responses: { 200: json(pageOf(ExtensionSchema), "One page"), ...problems() },
});

const create = createRoute({
  method: "post",
  path: "/v1/extensions",
  tags,
  summary: "Add an extension",
  ...allow(...ADMINISTRATORS),
  request: { headers: IdempotencyHeader, ...jsonBody(ExtensionInputSchema) },
  responses: { 201: json(ExtensionSchema, "It is there"), ...problems(409, 422) },
});

const read = createRoute({
  method: "get",
  path: "/v1/extensions/{id}",
  tags,
  summary: "One extension",
  ...allow(...ANYONE),
  request: { params: IdParam },
  responses: { 200: json(ExtensionSchema, "The extension"), ...problems(404) },
});

const update = createRoute({
  method: "patch",
  path: "/v1/extensions/{id}",
  tags,
  summary: "Change an extension",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam, ...jsonBody(ExtensionPatchSchema) },
  responses: { 200: json(ExtensionSchema, "As it is now"), ...problems(404, 409) },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/extensions/{id}",
  tags,
  summary: "Remove an extension",
  description:
    "It leaves its queues, and its keys go with it. Refused while a number or an open session names it.",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam },
  responses: { 204: { description: "It is gone" }, ...problems(404, 409) },
});

export function extensionRoutes(app: App, deps: AppDeps): void {
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const rows = await deps.configuration.read((reader) =>
      reader.extensions.list({ after: cursor, limit: limit + 1 })
    );
    const page = pageFrom(rows, limit);
    return c.json({ ...page, items: page.items.map(extensionView) }, 200);
  });
  app.openapi(create, async (c) => {
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) => extensionView(await createExtension(tx, c.req.valid("json"))),
    );
    c.header("location", `/v1/extensions/${view.id}`);
    return c.json(view, 201);
  });
  app.openapi(read, async (c) => {
    const { id } = c.req.valid("param");
    const row = await deps.configuration.read((reader) => existing(reader.extensions, "extension", id));
    return c.json(extensionView(row), 200);
  });
  app.openapi(update, async (c) => {
    const { id } = c.req.valid("param");
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) => extensionView((await updateExtension(tx, id, c.req.valid("json"))).after),
    );
    return c.json(view, 200);
  });
  app.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    await changeConfiguration(c, deps, (tx) => removeExtension(tx, id));
    return c.body(null, 204);
  });
}
