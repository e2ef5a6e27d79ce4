/**
 * `/v1/in-call/presets`
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { TextsSchema } from "../../../core/automated_text.ts";
import { existing } from "../../../core/configuration/change.ts";
import {
  createPreset,
  PresetInputSchema,
  PresetPatchSchema,
  presetView,
  removePreset,
  updatePreset,
} from "../../../core/configuration/in_call_presets.ts";
import { ADMINISTRATORS, ANYONE } from "../auth.ts";
import { changeConfiguration } from "../change.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { allow, IdempotencyHeader, IdParam, json, jsonBody, problems } from "../route.ts";
import { TimeSchema } from "../times.ts";

const tags = ["Calls"];

const PresetSchema = z.object({
  id: z.string(),
  label: z.string(),
  texts: TextsSchema,
  queueIds: z.array(z.string()).openapi({
    description: "The queues whose calls it is for; empty: all calls",
  }),
  createdAt: TimeSchema,
  updatedAt: TimeSchema,
}).openapi("InCallPreset");

const list = createRoute({
  method: "get",
  path: "/v1/in-call/presets",
  tags,
  summary: "List the texts that agents may send during calls",
  ...allow(...ANYONE),
  request: { query: z.object(pageQuery).strict() },
  responses: { 200: json(pageOf(PresetSchema), "One page"), ...problems() },
});

const create = createRoute({
  method: "post",
  path: "/v1/in-call/presets",
  tags,
  summary: "Add a text for calls",
  ...allow(...ADMINISTRATORS),
  request: { headers: IdempotencyHeader, ...jsonBody(PresetInputSchema) },
  responses: { 201: json(PresetSchema, "It is there"), ...problems(409, 422) },
});

const read = createRoute({
  method: "get",
  path: "/v1/in-call/presets/{id}",
  tags,
  summary: "One text for calls",
  ...allow(...ANYONE),
  request: { params: IdParam },
  responses: { 200: json(PresetSchema, "The preset"), ...problems(404) },
});

const update = createRoute({
  method: "patch",
  path: "/v1/in-call/presets/{id}",
  tags,
  summary: "Change a text for calls",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam, ...jsonBody(PresetPatchSchema) },
  responses: { 200: json(PresetSchema, "As it is now"), ...problems(404, 409) },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/in-call/presets/{id}",
  tags,
  summary: "Remove a text for calls",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam },
  responses: { 204: { description: "It is gone" }, ...problems(404) },
});

export function inCallPresetRoutes(app: App, deps: AppDeps): void {
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const rows = await deps.configuration.read((reader) =>
      reader.presets.list({ after: cursor, limit: limit + 1 })
    );
    const page = pageFrom(rows, limit);
    return c.json({ ...page, items: page.items.map(presetView) }, 200);
  });
  app.openapi(create, async (c) => {
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) => presetView(await createPreset(tx, c.req.valid("json"))),
    );
    c.header("location", `/v1/in-call/presets/${view.id}`);
    return c.json(view, 201);
  });
  app.openapi(read, async (c) => {
    const { id } = c.req.valid("param");
    const row = await deps.configuration.read((reader) => existing(reader.presets, "in-call preset", id));
    return c.json(presetView(row), 200);
  });
  app.openapi(update, async (c) => {
    const { id } = c.req.valid("param");
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) => presetView((await updatePreset(tx, id, c.req.valid("json"))).after),
    );
    return c.json(view, 200);
  });
  app.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    await changeConfiguration(c, deps, (tx) => removePreset(tx, id));
    return c.body(null, 204);
  });
}
