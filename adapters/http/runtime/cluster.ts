/**
 * `/v1/cluster`: which processes there are and what each of them works on.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { ClusterSource } from "../../../core/ports/cluster.ts";
import { ADMINISTRATORS } from "../auth.ts";
import type { RouteModule } from "../deps.ts";
import { allow, json, problems } from "../route.ts";

const MemberView = z.object({
  id: z.string().openapi({ description: "Of this run of the process" }),
  roles: z.array(z.string()),
  host: z.string(),
  port: z.number().int().openapi({ description: "Of its HTTP server" }),
  version: z.string(),
  since: z.string().openapi({ format: "date-time" }),
  lastHeartbeatAgeMs: z.number().int(),
  leaving: z.boolean().openapi({ description: "It gives back what it owns and then ends" }),
  answers: z.boolean().openapi({ description: "It is the one that gave this answer" }),
});

const PartitionView = z.object({
  partition: z.number().int(),
  owner: z.string().nullable().openapi({ description: "A member; null while nobody has it" }),
  epoch: z.number().int().openapi({
    description: "Raised with every take-over; what carries an older one is refused",
  }),
  cursor: z.number().int().nullable().openapi({
    description: "The last log message applied; null without a log",
  }),
  lastSequence: z.number().int().nullable().openapi({ description: "The last log message there is" }),
  waiting: z.number().int().openapi({
    description:
      "Log messages not applied (each may hold several entries); for `send`, messages due and not sent",
  }),
  oldestAgeMs: z.number().int().nullable().openapi({
    description: "Of the oldest that waits; null: none does",
  }),
});

const ClusterView = z.object({
  members: z.array(MemberView),
  kinds: z.array(z.object({
    kind: z.enum(["route", "status", "dispatch", "send", "singleton"]).openapi({
      description:
        "Conversations, delivery reports, the dispatcher, send lanes, and what exactly one router does",
    }),
    waiting: z.number().int(),
    oldestAgeMs: z.number().int().nullable(),
    partitions: z.array(PartitionView),
  })),
}).openapi("Cluster");

const route = createRoute({
  method: "get",
  path: "/v1/cluster",
  tags: ["Operations"],
  summary: "The processes that are alive, and the partitions with their owners and what waits in them",
  ...allow(...ADMINISTRATORS),
  responses: { 200: json(ClusterView, "As this process sees it now"), ...problems() },
});

export function clusterRoutes({ cluster }: { readonly cluster: ClusterSource }): RouteModule {
  return (app) => {
    app.openapi(route, async (c) => {
      const { me, members, kinds } = await cluster.view();
      return c.json({
        members: members.map(({ info, ageMs }) => ({
          id: info.id,
          roles: [...info.roles],
          host: info.host,
          port: info.port,
          version: info.version,
          since: new Date(info.startedMs).toISOString(),
          lastHeartbeatAgeMs: Math.max(0, Math.round(ageMs)),
          leaving: info.leaving,
          answers: info.id === me,
        })),
        kinds: kinds.map(({ kind, partitions }) => {
          const ages = partitions.flatMap(({ oldestAgeMs }) => oldestAgeMs ?? []);
          return {
            kind,
            waiting: partitions.reduce((sum, { waiting }) => sum + waiting, 0),
            oldestAgeMs: ages.length === 0 ? null : Math.max(...ages),
            partitions: [...partitions],
          };
        }),
      }, 200);
    });
  };
}
