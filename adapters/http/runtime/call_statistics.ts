/**
 * `/v1/in-call/statistics`: calls that were texted in, and what was written during them.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { CallCounts, CallStatistics } from "../../../core/ports/runtime_queries.ts";
import { READERS } from "../auth.ts";
import type { RouteModule } from "../deps.ts";
import { allow, json, problems } from "../route.ts";
import { bucketQuery, bucketsOf, inBuckets, spanOf } from "./buckets.ts";
import { idField } from "./fields.ts";

export interface CallStatisticsDeps {
  readonly statistics: CallStatistics;
}

const NONE: CallCounts = {
  calls: 0,
  textedIn: 0,
  received: 0,
  sent: 0,
  delivered: 0,
  failed: 0,
  segmentsIn: 0,
  segmentsOut: 0,
};

const CallCountsView = z.object({
  calls: z.number().int().openapi({ description: "Calls whose session opened then" }),
  textedIn: z.number().int().openapi({ description: "Those of them in which anything was written" }),
  received: z.number().int().openapi({ description: "Texts of their callers" }),
  sent: z.number().int().openapi({ description: "Texts to their callers that the provider took" }),
  delivered: z.number().int(),
  failed: z.number().int(),
  segmentsIn: z.number().int(),
  segmentsOut: z.number().int().openapi({ description: "Of what the provider took" }),
});

const route = createRoute({
  method: "get",
  path: "/v1/in-call/statistics",
  tags: ["Calls"],
  summary: "Calls that were texted in, by when they began, and what was written during them",
  description: "What is written after a call is not in it; the statistics of the number have all.",
  ...allow(...READERS),
  request: {
    query: z.object({
      ...bucketQuery,
      queueId: idField("queue").optional(),
      extensionId: idField("extension").optional(),
    }),
  },
  responses: {
    200: json(bucketsOf(CallCountsView).openapi("CallStatistics"), "The counts"),
    ...problems(422),
  },
});

export function callStatisticsRoutes({ statistics }: CallStatisticsDeps): RouteModule {
  return (app, deps) => {
    app.openapi(route, async (c) => {
      const { queueId, extensionId, ...asked } = c.req.valid("query");
      const span = spanOf(asked, deps.now());
      const of = {
        ...(queueId === undefined ? {} : { queueId }),
        ...(extensionId === undefined ? {} : { extensionId }),
      };
      return c.json(inBuckets(span, await statistics.sums({ ...span, of }), NONE), 200);
    });
  };
}
