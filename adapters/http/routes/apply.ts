/**
 * `/v1/apply`
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { applyDocument } from "../../../core/configuration/apply/apply.ts";
import { ApplyDocumentSchema } from "../../../core/configuration/apply/document.ts";
import { ADMINISTRATORS } from "../auth.ts";
import { changeConfiguration } from "../change.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { allow, IdempotencyHeader, json, jsonBody, problems } from "../route.ts";

const PlanStep = z.object({
  action: z.enum(["create", "update", "unchanged"]),
  kind: z.string(),
  name: z.string(),
  changes: z.array(z.string()).openapi({ example: ["rateMps: 1 → 5"] }),
}).openapi("PlanStep");

const MadeSecret = z.object({
  kind: z.enum(["platform", "key"]),
  name: z.string(),
  secret: z.string().openapi({ description: "Shown only this once" }),
}).openapi("MadeSecret");

const apply = createRoute({
  method: "post",
  path: "/v1/apply",
  tags: ["Configuration"],
  summary: "Create or change many things at once",
  description:
    "All or nothing, and nothing is removed. Names stand in place of ids; fields that are not named stay.",
  ...allow(...ADMINISTRATORS),
  request: {
    headers: IdempotencyHeader,
    ...jsonBody(
      z.object({
        document: z.record(z.string(), z.unknown()).openapi("ApplyBody", {
          description: `Lists of ${
            Object.keys(ApplyDocumentSchema.shape).join(", ")
          }; see the ApplyDocument schema`,
        }),
        dryRun: z.boolean().default(false).openapi({ description: "Only tell what would change" }),
      }).strict(),
    ),
  },
  responses: {
    200: json(
      z.object({ dryRun: z.boolean(), plan: z.array(PlanStep), secrets: z.array(MadeSecret) }),
      "What was done, or would be",
    ),
    ...problems(409, 422),
  },
});

export function applyRoutes(app: App, deps: AppDeps): void {
  app.openAPIRegistry.register("ApplyDocument", ApplyDocumentSchema);
  app.openapi(apply, async (c) => {
    const { document, dryRun } = c.req.valid("json");
    const { plan, secrets } = await changeConfiguration(
      c,
      deps,
      (tx) => applyDocument(tx, deps.providers, document),
      { dryRun },
    );
    // Those of a dry run belong to nothing.
    const steps = plan.map((step) => ({ ...step, changes: [...step.changes] }));
    return c.json({ dryRun, plan: steps, secrets: dryRun ? [] : [...secrets] }, 200);
  });
}
