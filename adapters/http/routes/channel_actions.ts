/**
 * `/v1/channels/{id}/verify` and `/v1/channels/{id}/rotate-webhook`
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { CHANNEL_STATUSES, type ChannelStatus } from "../../../core/channel.ts";
import { existing } from "../../../core/configuration/change.ts";
import { rotateWebhook } from "../../../core/configuration/channels.ts";
import { ADMINISTRATORS } from "../auth.ts";
import { changeConfiguration } from "../change.ts";
import { ChannelSchema, showChannel } from "../channel_view.ts";
import type { App } from "../context.ts";
import type { AppDeps, Verification } from "../deps.ts";
import { allow, IdempotencyHeader, IdParam, json, jsonBody, problems } from "../route.ts";

const tags = ["Channels"];
/** A month. */
const GRACE_SECONDS_MAX = 2_678_400;

const verify = createRoute({
  method: "post",
  path: "/v1/channels/{id}/verify",
  tags,
  summary: "Try a channel's credentials at its provider",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam },
  responses: {
    200: json(
      z.object({ ok: z.boolean(), reason: z.string(), status: z.enum(CHANNEL_STATUSES) }).openapi(
        "Verification",
      ),
      "What came of it",
    ),
    ...problems(404),
  },
});

const rotate = createRoute({
  method: "post",
  path: "/v1/channels/{id}/rotate-webhook",
  tags,
  summary: "Give a channel a new webhook URL",
  ...allow(...ADMINISTRATORS),
  request: {
    params: IdParam,
    headers: IdempotencyHeader,
    ...jsonBody(
      z.object({
        graceSeconds: z.number().int().min(0).max(GRACE_SECONDS_MAX).default(86_400)
          .openapi({ description: "For so long the former URL still works" }),
      }).strict(),
    ),
  },
  responses: { 200: json(ChannelSchema, "With both URLs"), ...problems(404, 422) },
});

function statusAfter({ ok, fault }: Verification): ChannelStatus {
  if (ok) return "connected";
  return fault === "auth" ? "auth-failed" : "degraded";
}

export function channelActionRoutes(app: App, deps: AppDeps): void {
  app.openapi(verify, async (c) => {
    const { id } = c.req.valid("param");
    const { enabled } = await deps.configuration.read((reader) => existing(reader.channels, "channel", id));
    const verification = await deps.verifyChannel(id);
    const status = enabled ? statusAfter(verification) : "disabled";
    if (enabled) await deps.configuration.setChannelStatus(id, status, verification.reason);
    return c.json({ ok: verification.ok, reason: verification.reason, status }, 200);
  });
  app.openapi(rotate, async (c) => {
    const { id } = c.req.valid("param");
    const { graceSeconds } = c.req.valid("json");
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) => showChannel(tx, deps, c.get("key"), await rotateWebhook(tx, id, graceSeconds)),
    );
    return c.json(view, 200);
  });
}
