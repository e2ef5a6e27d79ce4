/**
 * `/v1/distribution`: how work is given out over all queues.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import {
  OverallDistributionPatchSchema,
  updateDistribution,
} from "../../../core/configuration/distribution.ts";
import { OverallDistributionSchema } from "../../../core/dispatch/settings.ts";
import { ADMINISTRATORS, ANYONE } from "../auth.ts";
import { changeConfiguration } from "../change.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { allow, json, jsonBody, problems } from "../route.ts";

const tags = ["Queues"];
const DistributionView = z.object(OverallDistributionSchema.shape).openapi("Distribution");

const read = createRoute({
  method: "get",
  path: "/v1/distribution",
  tags,
  summary: "How work is given out over all queues",
  ...allow(...ANYONE),
  responses: { 200: json(DistributionView, "The settings"), ...problems() },
});

const update = createRoute({
  method: "patch",
  path: "/v1/distribution",
  tags,
  summary: "Change how work is given out over all queues",
  ...allow(...ADMINISTRATORS),
  request: jsonBody(OverallDistributionPatchSchema),
  responses: { 200: json(DistributionView, "As it is now"), ...problems() },
});

export function distributionRoutes(app: App, deps: AppDeps): void {
  app.openapi(
    read,
    async (c) => c.json(await deps.configuration.read((reader) => reader.distribution()), 200),
  );
  app.openapi(update, async (c) => {
    const patch = c.req.valid("json");
    const { after } = await changeConfiguration(c, deps, (tx) => updateDistribution(tx, patch));
    return c.json(after, 200);
  });
}
