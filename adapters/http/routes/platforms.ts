/**
 * `/v1/platforms`
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { existing } from "../../../core/configuration/change.ts";
import {
  createPlatform,
  issuePlatformCredentials,
  PlatformInputSchema,
  PlatformPatchSchema,
  platformView,
  removePlatform,
  revokePlatformCredentials,
  rotatePlatformSecret,
  updatePlatform,
} from "../../../core/configuration/platforms.ts";
import { PLATFORM_STATUSES } from "../../../core/directory.ts";
import { ADMINISTRATORS, READERS } from "../auth.ts";
import { changeConfiguration } from "../change.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { allow, IdempotencyHeader, IdParam, json, jsonBody, problems } from "../route.ts";
import { Problem } from "../problem.ts";
import { TimeSchema } from "../times.ts";

const tags = ["Platforms"];

const PlatformSchema = z.object({
  id: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  endpoint: z.string().nullable(),
  deadlineSeconds: z.number().int().nullable(),
  holdSeconds: z.number().int().nullable(),
  fallback: z.object({ kind: z.enum(["queue", "extension"]), id: z.string() }).nullable(),
  credentials: z.object({ publicKey: z.string(), issuedAt: TimeSchema.nullable() }).nullable().openapi({
    description: "Its user at the broker; null: it has none",
  }),
  status: z.enum([...PLATFORM_STATUSES, "disabled"]).openapi({
    description: "failing: calls to its endpoint fail, and it is only tried now and then",
  }),
  statusReason: z.string().nullable(),
  statusAt: TimeSchema.openapi({ description: "Since when it is like that" }),
  createdAt: TimeSchema,
  updatedAt: TimeSchema,
}).openapi("Platform");

const WithSecret = PlatformSchema.extend({
  secret: z.string().openapi({ description: "Signs what is posted to the endpoint; shown only this once" }),
}).openapi("PlatformWithSecret");

const list = createRoute({
  method: "get",
  path: "/v1/platforms",
  tags,
  summary: "List analysis platforms",
  ...allow(...READERS),
  request: { query: z.object(pageQuery).strict() },
  responses: { 200: json(pageOf(PlatformSchema), "One page"), ...problems() },
});

const create = createRoute({
  method: "post",
  path: "/v1/platforms",
  tags,
  summary: "Add a platform",
  ...allow(...ADMINISTRATORS),
  request: { headers: IdempotencyHeader, ...jsonBody(PlatformInputSchema) },
  responses: { 201: json(WithSecret, "It is there"), ...problems(409, 422) },
});

const read = createRoute({
  method: "get",
  path: "/v1/platforms/{id}",
  tags,
  summary: "One platform",
  ...allow(...READERS),
  request: { params: IdParam },
  responses: { 200: json(PlatformSchema, "The platform"), ...problems(404) },
});

const update = createRoute({
  method: "patch",
  path: "/v1/platforms/{id}",
  tags,
  summary: "Change a platform",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam, ...jsonBody(PlatformPatchSchema) },
  responses: { 200: json(PlatformSchema, "As it is now"), ...problems(404, 409) },
});

const rotate = createRoute({
  method: "post",
  path: "/v1/platforms/{id}/rotate-secret",
  tags,
  summary: "Give a platform a new secret",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam, headers: IdempotencyHeader },
  responses: { 200: json(WithSecret, "With the new secret"), ...problems(404, 422) },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/platforms/{id}",
  tags,
  summary: "Remove a platform",
  description: "Its keys go with it. Refused while a number or an open session names it.",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam },
  responses: { 204: { description: "It is gone" }, ...problems(404, 409) },
});

const Credentials = z.object({
  platformId: z.string(),
  publicKey: z.string(),
  seed: z.string().openapi({ description: "The secret half of the key (nkey, SU…); shown only this once" }),
  servers: z.array(z.string()),
  events: z.string().openapi({ description: "Subject of what is told to it" }),
  command: z.string().openapi({ description: "Subject that takes its requests" }),
  stream: z.string().openapi({ description: "Stream that its consumers read" }),
  consumers: z.array(z.string()).openapi({ description: "Names that its consumers may have" }),
  apiPrefix: z.string().openapi({ description: "In place of $JS.API" }),
}).openapi("PlatformCredentials");

const issue = createRoute({
  method: "post",
  path: "/v1/platforms/{id}/credentials",
  tags,
  summary: "Give a platform credentials for NATS",
  description: "They work when this is answered. Former ones end, and their connections are closed.",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam, headers: IdempotencyHeader },
  responses: { 201: json(Credentials, "Shown only this once"), ...problems(404, 409, 422, 501) },
});

const revoke = createRoute({
  method: "delete",
  path: "/v1/platforms/{id}/credentials",
  tags,
  summary: "Take a platform's credentials for NATS away",
  description: "They are of no use any more when this is answered, and their connections are closed.",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam },
  responses: { 204: { description: "They are gone" }, ...problems(404) },
});

export function platformRoutes(app: App, deps: AppDeps): void {
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const rows = await deps.configuration.read((reader) =>
      reader.platforms.list({ after: cursor, limit: limit + 1 })
    );
    const page = pageFrom(rows, limit);
    return c.json({ ...page, items: page.items.map(platformView) }, 200);
  });
  app.openapi(create, async (c) => {
    const view = await changeConfiguration(c, deps, async (tx) => {
      const { row, secret } = await createPlatform(tx, c.req.valid("json"));
      return { ...platformView(row), secret };
    });
    c.header("location", `/v1/platforms/${view.id}`);
    return c.json(view, 201);
  });
  app.openapi(read, async (c) => {
    const { id } = c.req.valid("param");
    const row = await deps.configuration.read((reader) => existing(reader.platforms, "platform", id));
    return c.json(platformView(row), 200);
  });
  app.openapi(update, async (c) => {
    const { id } = c.req.valid("param");
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) => platformView((await updatePlatform(tx, id, c.req.valid("json"))).after),
    );
    return c.json(view, 200);
  });
  app.openapi(rotate, async (c) => {
    const { id } = c.req.valid("param");
    const view = await changeConfiguration(c, deps, async (tx) => {
      const { row, secret } = await rotatePlatformSecret(tx, id);
      return { ...platformView(row), secret };
    });
    return c.json(view, 200);
  });
  app.openapi(issue, async (c) => {
    const { id } = c.req.valid("param");
    const { newUser, access, grant } = deps.platformBroker;
    if (newUser === null) {
      await deps.configuration.read((reader) => existing(reader.platforms, "platform", id));
      throw new Problem(
        501,
        "The NATS server is not this program's own: its operator gives the platform a user with the rights in `grant`.",
        { code: "foreign-broker", members: { grant: grant(id) } },
      );
    }
    const made = await changeConfiguration(c, deps, async (tx) => {
      const user = newUser();
      await issuePlatformCredentials(tx, id, user.publicKey);
      return user;
    });
    await inForce(deps);
    return c.json({ platformId: id, ...made, ...access(id) }, 201);
  });
  app.openapi(revoke, async (c) => {
    const { id } = c.req.valid("param");
    await changeConfiguration(c, deps, (tx) => revokePlatformCredentials(tx, id));
    await inForce(deps);
    return c.body(null, 204);
  });
  app.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    await changeConfiguration(c, deps, (tx) => removePlatform(tx, id));
    return c.body(null, 204);
  });
}

/** Waits until the broker knows. The change is committed all the same, and takes effect when the broker is back. */
async function inForce({ platformBroker }: AppDeps): Promise<void> {
  try {
    await platformBroker.settled();
  } catch (error) {
    throw new Problem(
      503,
      `The change is stored, but the broker does not act on it yet: ${(error as Error).message}`,
      { code: "broker-unavailable", headers: { "retry-after": "5" } },
    );
  }
}
