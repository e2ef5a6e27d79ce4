/**
 * `/v1/queues/{id}/live`: who waits, for how long, and who could help.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { Directory, MessageQueue, Role } from "../../../core/directory.ts";
import { estimatedWaitMs } from "../../../core/dispatch/drain.ts";
import { judgeThresholds, THRESHOLDS } from "../../../core/dispatch/thresholds.ts";
import type { AgentAtWork, DispatchQueries, LiveQueue } from "../../../core/ports/dispatch_queries.ts";
import type { RouteModule } from "../deps.ts";
import { Problem } from "../problem.ts";
import { allow, json, problems } from "../route.ts";
import { idParam } from "./fields.ts";
import { PresenceView, presenceView } from "./presence.ts";

export interface LiveQueueRoutesDeps {
  readonly queries: DispatchQueries;
}

const VIEWERS: readonly Role[] = ["administrator", "supervisor", "read-only", "agent"];
const LINE_MAX = 1_000;

const Seconds = z.number().int().nullable();

const LiveView = z.object({
  queueId: z.string(),
  waiting: z.number().int(),
  offered: z.number().int().openapi({ description: "Offered to somebody, or about to be" }),
  active: z.number().int(),
  wrapUp: z.number().int(),
  oldestWaitSeconds: Seconds,
  estimatedWaitSeconds: Seconds.openapi({
    description: "Of whoever comes next: from how fast the line moved of late; null: nobody left it yet",
  }),
  line: z.array(z.object({
    position: z.number().int(),
    sessionId: z.string(),
    contact: z.string(),
    priority: z.number().int(),
    waitingSince: z.iso.datetime(),
    waitSeconds: z.number().int(),
    estimatedWaitSeconds: Seconds,
    skills: z.record(z.string(), z.number()).nullable(),
    language: z.string().nullable(),
  })),
  agents: z.array(PresenceView.extend({
    extension: z.string(),
    name: z.string(),
    capacity: z.number().int().nullable().openapi({ description: "Sessions at once; null: any number" }),
  })),
  thresholds: z.array(z.object({
    threshold: z.enum(THRESHOLDS),
    limit: z.number(),
    value: z.number(),
    crossed: z.boolean(),
  })).openapi({ description: "Those that are set: percentages of the last hour, the others of now" }),
}).openapi("LiveQueue");

const route = createRoute({
  method: "get",
  path: "/v1/queues/{id}/live",
  tags: ["Queues"],
  summary: "A queue as it stands: its line with position and estimated wait, and its agents",
  ...allow(...VIEWERS),
  request: {
    params: idParam("queue"),
    query: z.object({
      limit: z.coerce.number().int().min(0).max(LINE_MAX).default(100).openapi({
        description: "Of the line",
      }),
    }).strict(),
  },
  responses: { 200: json(LiveView, "As it stands"), ...problems(404) },
});

/** `/v1/queues/{id}/live`. */
export function liveQueueRoutes({ queries }: LiveQueueRoutesDeps): RouteModule {
  return (app, deps) => {
    app.openapi(route, async (c) => {
      const { id } = c.req.valid("param");
      const directory = deps.directory.current();
      const queue = directory.queues.get(id);
      const key = c.get("key");
      // Agents see the queues that they serve.
      if (queue === undefined || (key.role === "agent" && !queue.members.has(key.extensionId ?? ""))) {
        throw new Problem(404, `There is no queue ${id}.`);
      }
      const [live, agents, figures] = await Promise.all([
        queries.queue(id, c.req.valid("query").limit),
        queries.agents([...queue.members]),
        queries.service(id, queue.thresholds, deps.now()),
      ]);
      return c.json({
        ...liveView(queue, directory, live, agents, deps.now()),
        thresholds: judgeThresholds(queue.thresholds, figures),
      }, 200);
    });
  };
}

function liveView(
  queue: MessageQueue,
  directory: Directory,
  live: LiveQueue,
  agents: ReadonlyMap<string, AgentAtWork>,
  nowMs: number,
): Omit<z.output<typeof LiveView>, "thresholds"> {
  const estimate = (position: number) => {
    const waitMs = live.drain === null ? null : estimatedWaitMs(live.drain, position, nowMs);
    return waitMs === null ? null : seconds(waitMs);
  };
  return {
    queueId: queue.id,
    waiting: live.waiting,
    offered: live.offered,
    active: live.active,
    wrapUp: live.wrapUp,
    oldestWaitSeconds: live.oldestMs === null ? null : seconds(nowMs - live.oldestMs),
    estimatedWaitSeconds: estimate(live.waiting + 1),
    line: live.line.map((row, index) => ({
      position: index + 1,
      sessionId: row.id,
      contact: row.contact,
      priority: row.priority,
      waitingSince: new Date(row.waiting_since_ms).toISOString(),
      waitSeconds: seconds(nowMs - row.waiting_since_ms),
      estimatedWaitSeconds: estimate(index + 1),
      skills: row.skills,
      language: row.language,
    })),
    agents: [...queue.members].flatMap((id) => {
      const extension = directory.extensions.get(id);
      return extension === undefined ? [] : [{
        ...presenceView(id, agents.get(id)),
        extension: extension.extension,
        name: extension.name,
        capacity: extension.capacity ?? directory.distribution.agentCapacity,
      }];
    }),
  };
}

function seconds(ms: number): number {
  return Math.max(0, Math.round(ms / 1_000));
}
