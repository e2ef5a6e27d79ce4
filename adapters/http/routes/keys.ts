/**
 * `/v1/keys`
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { existing } from "../../../core/configuration/change.ts";
import {
  createKey,
  KeyInputSchema,
  KeyPatchSchema,
  keyView,
  removeKey,
  updateKey,
} from "../../../core/configuration/keys.ts";
import { ROLES } from "../../../core/directory.ts";
import { ADMINISTRATORS } from "../auth.ts";
import { changeConfiguration } from "../change.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { allow, IdempotencyHeader, IdParam, json, jsonBody, problems } from "../route.ts";
import { TimeSchema } from "../times.ts";

const tags = ["Keys"];

const KeySchema = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
  extensionId: z.string().nullable(),
  platformId: z.string().nullable(),
  expiresAt: TimeSchema.nullable(),
  createdAt: TimeSchema,
}).openapi("Key");

const WithKey = KeySchema.extend({
  key: z.string().openapi({ description: "The key itself; shown only this once" }),
}).openapi("KeyWithSecret");

const list = createRoute({
  method: "get",
  path: "/v1/keys",
  tags,
  summary: "List API keys",
  ...allow(...ADMINISTRATORS),
  request: { query: z.object(pageQuery).strict() },
  responses: { 200: json(pageOf(KeySchema), "One page"), ...problems() },
});

const create = createRoute({
  method: "post",
  path: "/v1/keys",
  tags,
  summary: "Make an API key",
  ...allow(...ADMINISTRATORS),
  request: { headers: IdempotencyHeader, ...jsonBody(KeyInputSchema) },
  responses: { 201: json(WithKey, "It is there"), ...problems(422) },
});

const read = createRoute({
  method: "get",
  path: "/v1/keys/{id}",
  tags,
  summary: "One API key",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam },
  responses: { 200: json(KeySchema, "The key, without its secret"), ...problems(404) },
});

const update = createRoute({
  method: "patch",
  path: "/v1/keys/{id}",
  tags,
  summary: "Rename an API key or let it expire",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam, ...jsonBody(KeyPatchSchema) },
  responses: { 200: json(KeySchema, "As it is now"), ...problems(404, 409) },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/keys/{id}",
  tags,
  summary: "Revoke an API key",
  description: "At once. The last administrator's key that does not expire cannot be revoked.",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam },
  responses: { 204: { description: "It is gone" }, ...problems(404, 409) },
});

export function keyRoutes(app: App, deps: AppDeps): void {
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const rows = await deps.configuration.read((reader) =>
      reader.keys.list({ after: cursor, limit: limit + 1 })
    );
    const page = pageFrom(rows, limit);
    return c.json({ ...page, items: page.items.map(keyView) }, 200);
  });
  app.openapi(create, async (c) => {
    const view = await changeConfiguration(c, deps, async (tx) => {
      const { row, secret } = await createKey(tx, c.req.valid("json"));
      return { ...keyView(row), key: secret };
    });
    c.header("location", `/v1/keys/${view.id}`);
    return c.json(view, 201);
  });
  app.openapi(read, async (c) => {
    const { id } = c.req.valid("param");
    const row = await deps.configuration.read((reader) => existing(reader.keys, "key", id));
    return c.json(keyView(row), 200);
  });
  app.openapi(update, async (c) => {
    const { id } = c.req.valid("param");
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) => keyView((await updateKey(tx, id, c.req.valid("json"))).after),
    );
    return c.json(view, 200);
  });
  app.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    await changeConfiguration(c, deps, (tx) => removeKey(tx, id));
    return c.body(null, 204);
  });
}
