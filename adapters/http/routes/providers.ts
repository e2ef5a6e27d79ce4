/**
 * `/v1/providers`
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { ChannelSettingsSchema, NUMBER_TYPES } from "../../../core/channel.ts";
import type { Provider } from "../../../core/ports/provider.ts";
import { READERS } from "../auth.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { allow, json, problems } from "../route.ts";

const ProviderSchema = z.object({
  kind: z.string().openapi({ example: "twilio" }),
  title: z.string(),
  credentials: z.record(z.string(), z.unknown()).openapi({
    description: "JSON schema; `secret: true` marks secrets",
  }),
  settings: z.record(z.string(), z.unknown()).openapi({
    description: "JSON schema of what every provider shares",
  }),
  defaults: z.record(z.string(), z.unknown()).openapi({
    description: "Replace the shared settings' defaults",
  }),
  numberRates: z.partialRecord(
    z.enum(NUMBER_TYPES),
    z.object({ rateMps: z.number(), burst: z.number().optional() }),
  ).openapi({ description: "What one number of a type may send by itself, units of cost per second" }),
  docsUrl: z.string().openapi({ description: "The provider's own documentation" }),
  authentication: z.string().openapi({
    description: "How a webhook proves where it comes from",
  }),
  supports: z.object({
    mms: z.boolean(),
    deliveryReports: z.boolean(),
    signature: z.boolean(),
    idempotency: z.boolean(),
  }),
}).openapi("Provider");

const list = createRoute({
  method: "get",
  path: "/v1/providers",
  tags: ["Channels"],
  summary: "The kinds of providers",
  ...allow(...READERS),
  responses: {
    200: json(z.object({ items: z.array(ProviderSchema), next: z.null() }), "All of them"),
    ...problems(),
  },
});

function providerView(provider: Provider) {
  return {
    kind: provider.kind,
    title: provider.title,
    credentials: jsonSchema(provider.credentials),
    settings: jsonSchema(ChannelSettingsSchema),
    defaults: provider.defaults,
    numberRates: provider.numberRates ?? {},
    docsUrl: provider.description.docsUrl,
    authentication: provider.description.authentication,
    supports: provider.supports,
  };
}

function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  return { ...z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) };
}

export function providerRoutes(app: App, deps: AppDeps): void {
  app.openapi(
    list,
    (c) => c.json({ items: [...deps.providers.values()].map(providerView), next: null }, 200),
  );
}
