/**
 * `/v1/extensions/{id}/presence`: whether an agent is there, and free.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { ApiKey, Directory, Role } from "../../../core/directory.ts";
import { singleKey } from "../../../core/command_key.ts";
import { PRESENCES } from "../../../core/dispatch/entry.ts";
import type { DispatchLog } from "../../../core/ports/dispatch_log.ts";
import type { AgentAtWork, DispatchQueries } from "../../../core/ports/dispatch_queries.ts";
import { ANYONE } from "../auth.ts";
import type { RouteModule } from "../deps.ts";
import { invalidFields, Problem } from "../problem.ts";
import { allow, json, jsonBody, problems } from "../route.ts";
import { authorOf } from "./caller.ts";
import { idParam } from "./fields.ts";

export interface PresenceRoutesDeps {
  readonly dispatch: DispatchLog;
  readonly queries: DispatchQueries;
}

const SETTERS: readonly Role[] = ["administrator", "supervisor", "agent"];

export const PresenceView = z.object({
  extensionId: z.string(),
  presence: z.enum(PRESENCES).openapi({
    description:
      "What it amounts to: also offline when the event stream is lost, and busy when no more sessions fit",
  }),
  set: z.enum(PRESENCES).openapi({ description: "As it was set" }),
  reason: z.string().nullable(),
  since: z.iso.datetime().nullable().openapi({ description: "Of `presence`; null: it never changed" }),
  connected: z.boolean().openapi({ description: "Whether the agent has an event stream open" }),
  sessions: z.number().int().openapi({ description: "On offer, active and in wrap-up" }),
}).openapi("Presence");

const getRoute = createRoute({
  method: "get",
  path: "/v1/extensions/{id}/presence",
  tags: ["Extensions"],
  summary: "An agent's presence",
  ...allow(...ANYONE),
  request: { params: idParam("extension") },
  responses: { 200: json(PresenceView, "The presence"), ...problems(404) },
});

const putRoute = createRoute({
  method: "put",
  path: "/v1/extensions/{id}/presence",
  tags: ["Extensions"],
  summary: "Sets an agent's presence: agents their own, supervisors anybody's",
  description:
    "Offline hands the agent's sessions on by each queue's rule; an offer is withdrawn by anything but free.",
  ...allow(...SETTERS),
  request: {
    params: idParam("extension"),
    ...jsonBody(
      z.object({
        presence: z.enum(PRESENCES),
        reason: z.string().min(1).max(200)
          .optional()
          .openapi({ description: "Needed when paused" }),
      }).strict(),
    ),
  },
  responses: { 200: json(PresenceView, "As it is now"), ...problems(404) },
});

/** `/v1/extensions/{id}/presence`. */
export function presenceRoutes({ dispatch, queries }: PresenceRoutesDeps): RouteModule {
  return (app, deps) => {
    const viewOf = async (id: string) => presenceView(id, (await queries.agents([id])).get(id));

    app.openapi(getRoute, async (c) => {
      const { id } = c.req.valid("param");
      known(deps.directory.current(), id);
      return c.json(await viewOf(id), 200);
    });

    app.openapi(putRoute, async (c) => {
      const { id } = c.req.valid("param");
      const { presence, reason } = c.req.valid("json");
      const key = c.get("key");
      known(deps.directory.current(), id);
      refuseOthers(key, id);
      if (presence === "paused" && reason === undefined) {
        throw invalidFields([{ field: "reason", message: "is needed when paused" }]);
      }
      const author = authorOf(key);
      const at = deps.now();
      const reply = await dispatch.ask({
        kind: "presence",
        key: singleKey(at),
        at,
        extensionId: id,
        presence,
        ...(reason === undefined ? {} : { reason }),
        by: `${author.kind}:${author.id}`,
      });
      if (!reply.ok) throw new Problem(409, reply.detail, { code: reply.code });
      return c.json(await viewOf(id), 200);
    });
  };
}

export function presenceView(
  extensionId: string,
  row: AgentAtWork | undefined,
): z.output<typeof PresenceView> {
  return {
    extensionId,
    presence: row?.shown ?? "offline",
    set: row?.presence ?? "offline",
    reason: row?.reason ?? null,
    since: row === undefined || row.shown_since_ms === 0 ? null : new Date(row.shown_since_ms).toISOString(),
    connected: row !== undefined && row.members.length > 0,
    sessions: row?.sessions ?? 0,
  };
}

function known(directory: Directory, id: string): void {
  if (!directory.extensions.has(id)) throw new Problem(404, `There is no extension ${id}.`);
}

function refuseOthers(key: ApiKey, id: string): void {
  if (key.role === "agent" && key.extensionId !== id) {
    throw new Problem(403, "An agent sets its own presence only.");
  }
}
