/**
 * `/v1/queues/{id}/members`
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { existing } from "../../../core/configuration/change.ts";
import { extensionView } from "../../../core/configuration/extensions.ts";
import { addMember, MembersSchema, removeMember, updateQueue } from "../../../core/configuration/queues.ts";
import type { ConfigurationReader, QueueRecord } from "../../../core/ports/configuration.ts";
import { ADMINISTRATORS, ANYONE } from "../auth.ts";
import { changeConfiguration } from "../change.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { allow, IdempotencyHeader, IdParam, json, jsonBody, problems } from "../route.ts";
import { ExtensionSchema } from "./extensions.ts";

const tags = ["Queues"];
const path = "/v1/queues/{id}/members";

/** All of them: there are at most a thousand. */
const Members = z.object({ items: z.array(ExtensionSchema), next: z.null() });

const list = createRoute({
  method: "get",
  path,
  tags,
  summary: "A queue's members",
  ...allow(...ANYONE),
  request: { params: IdParam },
  responses: { 200: json(Members, "The members"), ...problems(404) },
});

const replace = createRoute({
  method: "put",
  path,
  tags,
  summary: "Replace a queue's members",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam, ...jsonBody(z.object({ members: MembersSchema }).strict()) },
  responses: { 200: json(Members, "The members now"), ...problems(404) },
});

const add = createRoute({
  method: "post",
  path,
  tags,
  summary: "Add a member",
  ...allow(...ADMINISTRATORS),
  request: {
    params: IdParam,
    headers: IdempotencyHeader,
    ...jsonBody(z.object({ extensionId: z.string().min(1).max(64) }).strict()),
  },
  responses: { 200: json(Members, "The members now"), ...problems(404, 422) },
});

const remove = createRoute({
  method: "delete",
  path: `${path}/{extensionId}`,
  tags,
  summary: "Remove a member",
  ...allow(...ADMINISTRATORS),
  request: {
    params: IdParam.extend({
      extensionId: z.string().min(1).max(64).openapi({ param: { name: "extensionId", in: "path" } }),
    }),
  },
  responses: { 204: { description: "It is out" }, ...problems(404) },
});

async function view(reader: ConfigurationReader, queue: QueueRecord) {
  const items = [];
  for (const id of queue.members) {
    items.push(extensionView(await existing(reader.extensions, "extension", id)));
  }
  return { items, next: null };
}

export function queueMemberRoutes(app: App, deps: AppDeps): void {
  app.openapi(list, async (c) => {
    const { id } = c.req.valid("param");
    const members = await deps.configuration.read(async (reader) =>
      view(reader, await existing(reader.queues, "queue", id))
    );
    return c.json(members, 200);
  });
  app.openapi(replace, async (c) => {
    const { id } = c.req.valid("param");
    const patch = c.req.valid("json");
    const members = await changeConfiguration(
      c,
      deps,
      async (tx) => view(tx, (await updateQueue(tx, id, patch)).after),
    );
    return c.json(members, 200);
  });
  app.openapi(add, async (c) => {
    const { id } = c.req.valid("param");
    const { extensionId } = c.req.valid("json");
    const members = await changeConfiguration(
      c,
      deps,
      async (tx) => view(tx, await addMember(tx, id, extensionId)),
    );
    return c.json(members, 200);
  });
  app.openapi(remove, async (c) => {
    const { id, extensionId } = c.req.valid("param");
    await changeConfiguration(c, deps, async (tx) => void await removeMember(tx, id, extensionId));
    return c.body(null, 204);
  });
}
