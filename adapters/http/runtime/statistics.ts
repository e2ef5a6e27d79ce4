/**
 * `/v1/channels/{id}/statistics` and `/v1/numbers/{id}/statistics`: counts by hour or day, empty buckets included.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { isId } from "../../../core/ids.ts";
import { parseAddress } from "../../../core/phone_number.ts";
import type { Counts, StatisticsQueries } from "../../../core/ports/runtime_queries.ts";
import { READERS } from "../auth.ts";
import type { RouteModule } from "../deps.ts";
import { Problem } from "../problem.ts";
import { allow, IdParam, json, problems } from "../route.ts";
import { bucketQuery, bucketsOf, inBuckets, spanOf } from "./buckets.ts";
import { idParam } from "./fields.ts";

export interface StatisticsRoutesDeps {
  readonly statistics: StatisticsQueries;
}

const NONE: Counts = { received: 0, sent: 0, delivered: 0, failed: 0, segmentsIn: 0, segmentsOut: 0 };

const CountsView = z.object({
  received: z.number().int(),
  sent: z.number().int().openapi({ description: "Taken by the provider" }),
  delivered: z.number().int(),
  failed: z.number().int(),
  segmentsIn: z.number().int(),
  segmentsOut: z.number().int(),
});

const StatisticsView = bucketsOf(CountsView).openapi("Statistics");

const query = z.object(bucketQuery);

const responses = { 200: json(StatisticsView, "The counts"), ...problems(404, 422) };

const channelRoute = createRoute({
  method: "get",
  path: "/v1/channels/{id}/statistics",
  tags: ["Statistics"],
  summary: "What a channel received and sent; a deleted one's counts are kept",
  ...allow(...READERS),
  request: { params: idParam("channel"), query },
  responses,
});

const numberRoute = createRoute({
  method: "get",
  path: "/v1/numbers/{id}/statistics",
  tags: ["Statistics"],
  summary: "What a number received and sent; `id` may be the number itself, as for one that was deleted",
  ...allow(...READERS),
  request: { params: IdParam, query },
  responses,
});

/** The statistics of channels and numbers. */
export function statisticsRoutes({ statistics }: StatisticsRoutesDeps): RouteModule {
  return (app, deps) => {
    app.openapi(channelRoute, async (c) => {
      const { id } = c.req.valid("param");
      const of = { channelId: id };
      const known = deps.directory.current().channels.has(id);
      if (!known && !await statistics.hasAny(of)) throw new Problem(404, `There is no channel ${id}.`);
      return c.json(await collect(of, c.req.valid("query")), 200);
    });

    app.openapi(numberRoute, async (c) => {
      const { id } = c.req.valid("param");
      const directory = deps.directory.current();
      const known = directory.numbers.get(id) ?? directory.numbersByAddress.get(id);
      const number = known?.number ?? (isId("number", id) ? undefined : parseAddress(id)?.value);
      if (number === undefined || (known === undefined && !await statistics.hasAny({ number }))) {
        throw new Problem(404, `There is no number ${id}.`);
      }
      return c.json(await collect({ number }, c.req.valid("query")), 200);
    });

    async function collect(
      of: { readonly channelId: string } | { readonly number: string },
      asked: z.output<typeof query>,
    ): Promise<z.output<typeof StatisticsView>> {
      const span = spanOf(asked, deps.now());
      return inBuckets(span, await statistics.sums({ of, ...span }), NONE);
    }
  };
}
