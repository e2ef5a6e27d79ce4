/**
 * `/v1/queues`
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { QueueTextsSchema } from "../../../core/automated_text.ts";
import { QueueInCallSchema } from "../../../core/in_call/settings.ts";
import { existing } from "../../../core/configuration/change.ts";
import {
  createQueue,
  QueueInputSchema,
  QueuePatchSchema,
  queueView,
  removeQueue,
  updateQueue,
} from "../../../core/configuration/queues.ts";
import { DistributionSchema } from "../../../core/dispatch/settings.ts";
import { ADMINISTRATORS, ANYONE } from "../auth.ts";
import { changeConfiguration } from "../change.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { allow, IdempotencyHeader, IdParam, json, jsonBody, problems } from "../route.ts";
import { TimeSchema } from "../times.ts";

const tags = ["Queues"];

export const QueueSchema = z.object({
  id: z.string(),
  name: z.string(),
  members: z.array(z.string()).openapi({ description: "Ids of extensions" }),
  calendarId: z.string().nullable().openapi({ description: "When it is served; null: always" }),
  texts: QueueTextsSchema,
  ...DistributionSchema.shape,
  inCall: QueueInCallSchema,
  createdAt: TimeSchema,
  updatedAt: TimeSchema,
}).openapi("Queue");

const list = createRoute({
  method: "get",
  path: "/v1/queues",
  tags,
  summary: "List message queues",
  ...allow(...ANYONE),
  request: { query: z.object(pageQuery).strict() },
  responses: { 200: json(pageOf(QueueSchema), "One page"), ...problems() },
});

const create = createRoute({
  method: "post",
  path: "/v1/queues",
  tags,
  summary: "Add a message queue",
  ...allow(...ADMINISTRATORS),
  request: { headers: IdempotencyHeader, ...jsonBody(QueueInputSchema) },
  responses: { 201: json(QueueSchema, "It is there"), ...problems(409, 422) },
});

const read = createRoute({
  method: "get",
  path: "/v1/queues/{id}",
  tags,
  summary: "One message queue",
  ...allow(...ANYONE),
  request: { params: IdParam },
  responses: { 200: json(QueueSchema, "The queue"), ...problems(404) },
});

const update = createRoute({
  method: "patch",
  path: "/v1/queues/{id}",
  tags,
  summary: "Change a message queue",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam, ...jsonBody(QueuePatchSchema) },
  responses: { 200: json(QueueSchema, "As it is now"), ...problems(404, 409) },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/queues/{id}",
  tags,
  summary: "Remove a message queue",
  description: "Refused while a number or an open session names it.",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam },
  responses: { 204: { description: "It is gone" }, ...problems(404, 409) },
});

export function queueRoutes(app: App, deps: AppDeps): void {
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const rows = await deps.configuration.read((reader) =>
      reader.queues.list({ after: cursor, limit: limit + 1 })
    );
    const page = pageFrom(rows, limit);
    return c.json({ ...page, items: page.items.map(queueView) }, 200);
  });
  app.openapi(create, async (c) => {
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) => queueView(await createQueue(tx, c.req.valid("json"))),
    );
    c.header("location", `/v1/queues/${view.id}`);
    return c.json(view, 201);
  });
  app.openapi(read, async (c) => {
    const { id } = c.req.valid("param");
    const row = await deps.configuration.read((reader) => existing(reader.queues, "queue", id));
    return c.json(queueView(row), 200);
  });
  app.openapi(update, async (c) => {
    const { id } = c.req.valid("param");
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) => queueView((await updateQueue(tx, id, c.req.valid("json"))).after),
    );
    return c.json(view, 200);
  });
  app.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    await changeConfiguration(c, deps, (tx) => removeQueue(tx, id));
    return c.body(null, 204);
  });
}
