/**
 * `/v1/in-call`: how calls are texted in.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { InCallPatchSchema, updateInCall } from "../../../core/configuration/in_call.ts";
import { InCallSettingsSchema } from "../../../core/in_call/settings.ts";
import { ADMINISTRATORS, ANYONE } from "../auth.ts";
import { changeConfiguration } from "../change.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { allow, json, jsonBody, problems } from "../route.ts";

const tags = ["Calls"];
const InCallView = z.object(InCallSettingsSchema.shape).openapi("InCall");

const read = createRoute({
  method: "get",
  path: "/v1/in-call",
  tags,
  summary: "What is set for texting during calls",
  ...allow(...ANYONE),
  responses: { 200: json(InCallView, "The settings"), ...problems() },
});

const update = createRoute({
  method: "patch",
  path: "/v1/in-call",
  tags,
  summary: "Change what is set for texting during calls",
  description: "Texts are replaced by language; null takes one away. Queues may differ: their field inCall.",
  ...allow(...ADMINISTRATORS),
  request: jsonBody(InCallPatchSchema),
  responses: { 200: json(InCallView, "As it is now"), ...problems() },
});

export function inCallRoutes(app: App, deps: AppDeps): void {
  app.openapi(read, async (c) => c.json(await deps.configuration.read((reader) => reader.inCall()), 200));
  app.openapi(update, async (c) => {
    const patch = c.req.valid("json");
    const { after } = await changeConfiguration(c, deps, (tx) => updateInCall(tx, patch));
    return c.json(after, 200);
  });
}
