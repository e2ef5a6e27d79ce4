/**
 * `/v1/canned`, and `/v1/queues/{id}/canned`: texts that agents send by their label.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { ownPlaceholders } from "../../../core/canned/placeholders.ts";
import {
  CannedInputSchema,
  CannedPatchSchema,
  cannedView,
  createCanned,
  removeCanned,
  updateCanned,
} from "../../../core/configuration/canned.ts";
import { existing } from "../../../core/configuration/change.ts";
import type { CannedRecord } from "../../../core/ports/configuration.ts";
import { ADMINISTRATORS, ANYONE } from "../auth.ts";
import { changeConfiguration } from "../change.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { allow, IdempotencyHeader, IdParam, json, jsonBody, problems } from "../route.ts";
import { TimeSchema } from "../times.ts";

const tags = ["Canned texts"];

const CannedSchema = z.object({
  id: z.string(),
  queueId: z.string().nullable().openapi({ description: "Null: of all queues" }),
  label: z.string(),
  language: z.string(),
  text: z.string(),
  values: z.array(z.string()).openapi({ description: "What whoever sends it has to fill in" }),
  createdAt: TimeSchema,
  updatedAt: TimeSchema,
}).openapi("CannedText");

const list = createRoute({
  method: "get",
  path: "/v1/canned",
  tags,
  summary: "List all canned texts",
  ...allow(...ANYONE),
  request: { query: z.object(pageQuery).strict() },
  responses: { 200: json(pageOf(CannedSchema), "One page"), ...problems() },
});

const create = createRoute({
  method: "post",
  path: "/v1/canned",
  tags,
  summary: "Add a canned text, for one queue or for all",
  ...allow(...ADMINISTRATORS),
  request: { headers: IdempotencyHeader, ...jsonBody(CannedInputSchema) },
  responses: { 201: json(CannedSchema, "It is there"), ...problems(409, 422) },
});

const read = createRoute({
  method: "get",
  path: "/v1/canned/{id}",
  tags,
  summary: "One canned text",
  ...allow(...ANYONE),
  request: { params: IdParam },
  responses: { 200: json(CannedSchema, "The text"), ...problems(404) },
});

const update = createRoute({
  method: "patch",
  path: "/v1/canned/{id}",
  tags,
  summary: "Change a canned text",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam, ...jsonBody(CannedPatchSchema) },
  responses: { 200: json(CannedSchema, "As it is now"), ...problems(404, 409) },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/canned/{id}",
  tags,
  summary: "Remove a canned text",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam },
  responses: { 204: { description: "It is gone" }, ...problems(404) },
});

const listOfQueue = createRoute({
  method: "get",
  path: "/v1/queues/{id}/canned",
  tags,
  summary: "What agents of a queue can send: its own texts, and those of all queues",
  ...allow(...ANYONE),
  request: { params: IdParam, query: z.object(pageQuery).strict() },
  responses: { 200: json(pageOf(CannedSchema), "One page"), ...problems(404) },
});

const createForQueue = createRoute({
  method: "post",
  path: "/v1/queues/{id}/canned",
  tags,
  summary: "Add a canned text to a queue",
  ...allow(...ADMINISTRATORS),
  request: {
    params: IdParam,
    headers: IdempotencyHeader,
    ...jsonBody(CannedInputSchema.omit({ queueId: true })),
  },
  responses: { 201: json(CannedSchema, "It is there"), ...problems(404, 409, 422) },
});

const view = (row: CannedRecord) => ({ ...cannedView(row), values: ownPlaceholders(row.text) });

export function cannedRoutes(app: App, deps: AppDeps): void {
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const rows = await deps.configuration.read((reader) =>
      reader.canned.list({ ...(cursor === undefined ? {} : { after: cursor }), limit: limit + 1 })
    );
    return c.json(pageFrom(rows.map(view), limit), 200);
  });
  app.openapi(create, async (c) => {
    const made = await changeConfiguration(
      c,
      deps,
      async (tx) => view(await createCanned(tx, c.req.valid("json"))),
    );
    c.header("location", `/v1/canned/${made.id}`);
    return c.json(made, 201);
  });
  app.openapi(read, async (c) => {
    const { id } = c.req.valid("param");
    const row = await deps.configuration.read((reader) => existing(reader.canned, "canned text", id));
    return c.json(view(row), 200);
  });
  app.openapi(update, async (c) => {
    const { id } = c.req.valid("param");
    const changed = await changeConfiguration(
      c,
      deps,
      async (tx) => view((await updateCanned(tx, id, c.req.valid("json"))).after),
    );
    return c.json(changed, 200);
  });
  app.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    await changeConfiguration(c, deps, (tx) => removeCanned(tx, id));
    return c.body(null, 204);
  });
  app.openapi(listOfQueue, async (c) => {
    const { id } = c.req.valid("param");
    const { limit, cursor } = c.req.valid("query");
    const rows = await deps.configuration.read(async (reader) => {
      await existing(reader.queues, "queue", id);
      return await reader.cannedTexts({
        queueId: id,
        ...(cursor === undefined ? {} : { after: cursor }),
        limit: limit + 1,
      });
    });
    return c.json(pageFrom(rows.map(view), limit), 200);
  });
  app.openapi(createForQueue, async (c) => {
    const { id } = c.req.valid("param");
    const made = await changeConfiguration(c, deps, async (tx) => {
      await existing(tx.queues, "queue", id);
      return view(await createCanned(tx, { ...c.req.valid("json"), queueId: id }));
    });
    c.header("location", `/v1/canned/${made.id}`);
    return c.json(made, 201);
  });
}
