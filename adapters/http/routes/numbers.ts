/**
 * `/v1/numbers`
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { DestinationSchema, NUMBER_PURPOSES, NUMBER_TYPES } from "../../../core/channel.ts";
import { existing } from "../../../core/configuration/change.ts";
import {
  createNumber,
  NumberInputSchema,
  NumberPatchSchema,
  numberView,
  removeNumber,
  setVerified,
  updateNumber,
} from "../../../core/configuration/numbers.ts";
import { OptOutSettingsSchema } from "../../../core/opt_out/settings.ts";
import { ADMINISTRATORS, ANYONE } from "../auth.ts";
import { changeConfiguration } from "../change.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { Problem } from "../problem.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { allow, IdempotencyHeader, IdParam, json, jsonBody, problems } from "../route.ts";
import { TimeSchema } from "../times.ts";

const tags = ["Numbers"];

export const NumberSchema = z.object({
  id: z.string(),
  channelId: z.string(),
  number: z.string().openapi({ example: "+15550100001" }),
  type: z.enum(NUMBER_TYPES),
  label: z.string().nullable(),
  verified: z.boolean(),
  direction: z.enum(["both", "outbound"]),
  purpose: z.enum(NUMBER_PURPOSES),
  rateMps: z.number().nullable(),
  burst: z.number().nullable(),
  destination: DestinationSchema.nullable(),
  allowedExtensions: z.array(z.string()),
  allowedQueues: z.array(z.string()),
  optOut: OptOutSettingsSchema.nullable(),
  createdAt: TimeSchema,
  updatedAt: TimeSchema,
}).openapi("Number");

const list = createRoute({
  method: "get",
  path: "/v1/numbers",
  tags,
  summary: "List our numbers",
  ...allow(...ANYONE),
  request: { query: z.object(pageQuery).strict() },
  responses: { 200: json(pageOf(NumberSchema), "One page"), ...problems() },
});

const create = createRoute({
  method: "post",
  path: "/v1/numbers",
  tags,
  summary: "Add a number",
  ...allow(...ADMINISTRATORS),
  request: { headers: IdempotencyHeader, ...jsonBody(NumberInputSchema) },
  responses: { 201: json(NumberSchema, "It is there"), ...problems(409, 422) },
});

const read = createRoute({
  method: "get",
  path: "/v1/numbers/{id}",
  tags,
  summary: "One number",
  ...allow(...ANYONE),
  request: { params: IdParam },
  responses: { 200: json(NumberSchema, "The number"), ...problems(404) },
});

const update = createRoute({
  method: "patch",
  path: "/v1/numbers/{id}",
  tags,
  summary: "Change a number",
  description:
    "Its destination is for new sessions; those that are open stay where they are. What it is for " +
    "can be changed only while no open session, rule or setting relies on it.",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam, ...jsonBody(NumberPatchSchema) },
  responses: { 200: json(NumberSchema, "As it is now"), ...problems(404, 409) },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/numbers/{id}",
  tags,
  summary: "Remove a number",
  description: "Refused while a session on it is open.",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam },
  responses: { 204: { description: "It is gone" }, ...problems(404, 409) },
});

const verify = createRoute({
  method: "post",
  path: "/v1/numbers/{id}/verify",
  tags,
  summary: "Find out whether a number is its channel's account's, or attest it",
  description: "Asks the provider, where it has a call for that; else an administrator attests it. " +
    "A channel with `verifiedNumbersOnly` gives queues no others.",
  ...allow(...ADMINISTRATORS),
  request: {
    params: IdParam,
    ...jsonBody(
      z.object({
        attested: z.boolean().default(false).openapi({
          description: "The administrator knows that it is ours: nobody is asked",
        }),
      }).strict(),
    ),
  },
  responses: {
    200: json(
      z.object({ ok: z.boolean(), reason: z.string(), number: NumberSchema }).openapi("NumberVerification"),
      "What came of it",
    ),
    ...problems(404, 422, 502),
  },
});

export function numberRoutes(app: App, deps: AppDeps): void {
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const rows = await deps.configuration.read((reader) =>
      reader.numbers.list({ after: cursor, limit: limit + 1 })
    );
    const page = pageFrom(rows, limit);
    return c.json({ ...page, items: page.items.map(numberView) }, 200);
  });
  app.openapi(create, async (c) => {
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) => numberView(await createNumber(tx, c.req.valid("json"))),
    );
    c.header("location", `/v1/numbers/${view.id}`);
    return c.json(view, 201);
  });
  app.openapi(read, async (c) => {
    const { id } = c.req.valid("param");
    const row = await deps.configuration.read((reader) => existing(reader.numbers, "number", id));
    return c.json(numberView(row), 200);
  });
  app.openapi(update, async (c) => {
    const { id } = c.req.valid("param");
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) => numberView((await updateNumber(tx, id, c.req.valid("json"))).after),
    );
    return c.json(view, 200);
  });
  app.openapi(verify, async (c) => {
    const { id } = c.req.valid("param");
    const { provider } = await deps.configuration.read(async (reader) => {
      const { channelId } = await existing(reader.numbers, "number", id);
      return await existing(reader.channels, "channel", channelId);
    });
    const verification = c.req.valid("json").attested
      ? { ok: true, reason: "an administrator attested it" }
      : await deps.verifyNumber(id);
    if (verification === null) {
      const title = deps.providers.get(provider)?.title ?? provider;
      throw new Problem(422, `${title} cannot be asked about this number; attest it with "attested": true.`, {
        code: "not-supported",
      });
    }
    const { ok, reason } = verification;
    // Nobody answered: what was known before still holds.
    if ("fault" in verification) throw new Problem(502, `The provider did not tell: ${reason}.`);
    const number = await changeConfiguration(
      c,
      deps,
      async (tx) => numberView(await setVerified(tx, id, ok)),
    );
    return c.json({ ok, reason, number }, 200);
  });
  app.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    await changeConfiguration(c, deps, (tx) => removeNumber(tx, id));
    return c.body(null, 204);
  });
}
