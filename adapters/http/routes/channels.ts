/**
 * `/v1/channels`
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { existing } from "../../../core/configuration/change.ts";
import { ChannelInputSchema, ChannelPatchSchema } from "../../../core/configuration/channel_input.ts";
import { createChannel, removeChannel, updateChannel } from "../../../core/configuration/channels.ts";
import { ADMINISTRATORS, READERS } from "../auth.ts";
import { changeConfiguration } from "../change.ts";
import { ChannelSchema, showChannel } from "../channel_view.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { allow, IdempotencyHeader, IdParam, json, jsonBody, problems } from "../route.ts";

const tags = ["Channels"];

const list = createRoute({
  method: "get",
  path: "/v1/channels",
  tags,
  summary: "List channels",
  ...allow(...READERS),
  request: { query: z.object(pageQuery).strict() },
  responses: { 200: json(pageOf(ChannelSchema), "One page"), ...problems() },
});

const create = createRoute({
  method: "post",
  path: "/v1/channels",
  tags,
  summary: "Add a channel",
  ...allow(...ADMINISTRATORS),
  request: { headers: IdempotencyHeader, ...jsonBody(ChannelInputSchema) },
  responses: { 201: json(ChannelSchema, "It is there"), ...problems(409, 422) },
});

const read = createRoute({
  method: "get",
  path: "/v1/channels/{id}",
  tags,
  summary: "One channel",
  ...allow(...READERS),
  request: { params: IdParam },
  responses: { 200: json(ChannelSchema, "The channel"), ...problems(404) },
});

const update = createRoute({
  method: "patch",
  path: "/v1/channels/{id}",
  tags,
  summary: "Change a channel",
  description:
    "What is not named stays; null brings the default back. A secret sent as (set) stays as it is.",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam, ...jsonBody(ChannelPatchSchema) },
  responses: { 200: json(ChannelSchema, "As it is now"), ...problems(404, 409) },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/channels/{id}",
  tags,
  summary: "Remove a channel",
  description:
    "Refused while it has numbers, open sessions or waiting messages, or is another one's fallback.",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam },
  responses: { 204: { description: "It is gone" }, ...problems(404, 409) },
});

export function channelRoutes(app: App, deps: AppDeps): void {
  const { providers } = deps;
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const key = c.get("key");
    const page = await deps.configuration.read(async (reader) => {
      const { items, next } = pageFrom(
        await reader.channels.list({ after: cursor, limit: limit + 1 }),
        limit,
      );
      return { items: await Promise.all(items.map((row) => showChannel(reader, deps, key, row))), next };
    });
    return c.json(page, 200);
  });
  app.openapi(create, async (c) => {
    // As it was sent: what the schema filled in would hide the provider's own defaults.
    const raw = await c.req.json<Record<string, unknown>>();
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) => showChannel(tx, deps, c.get("key"), await createChannel(tx, providers, raw)),
    );
    c.header("location", `/v1/channels/${view.id}`);
    return c.json(view, 201);
  });
  app.openapi(read, async (c) => {
    const { id } = c.req.valid("param");
    const view = await deps.configuration.read(async (reader) =>
      showChannel(reader, deps, c.get("key"), await existing(reader.channels, "channel", id))
    );
    return c.json(view, 200);
  });
  app.openapi(update, async (c) => {
    const { id } = c.req.valid("param");
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) =>
        showChannel(
          tx,
          deps,
          c.get("key"),
          (await updateChannel(tx, providers, id, c.req.valid("json"))).after,
        ),
    );
    return c.json(view, 200);
  });
  app.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    await changeConfiguration(c, deps, (tx) => removeChannel(tx, providers, id));
    return c.body(null, 204);
  });
}
