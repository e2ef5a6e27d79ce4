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
import { invalidFields, Problem } from "../problem.ts";
import { allow, IdParam, json, problems } from "../route.ts";
import { idParam, TimeField } from "./fields.ts";

export interface StatisticsRoutesDeps {
  readonly statistics: StatisticsQueries;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const BUCKET_MS = { hour: HOUR_MS, day: DAY_MS } as const;
const DEFAULT_SPAN_MS = { hour: DAY_MS, day: 30 * DAY_MS } as const;
const BUCKETS_MAX = 2_000;

const NONE: Counts = { received: 0, sent: 0, delivered: 0, failed: 0, segmentsIn: 0, segmentsOut: 0 };

const CountsView = z.object({
  received: z.number().int(),
  sent: z.number().int().openapi({ description: "Taken by the provider" }),
  delivered: z.number().int(),
  failed: z.number().int(),
  segmentsIn: z.number().int(),
  segmentsOut: z.number().int(),
});

const StatisticsView = z.object({
  bucket: z.enum(["hour", "day"]),
  from: z.string().openapi({ format: "date-time", description: "Beginning of the first bucket" }),
  to: z.string().openapi({ format: "date-time", description: "End of the last bucket" }),
  buckets: z.array(CountsView.extend({ start: z.string().openapi({ format: "date-time" }) })),
  total: CountsView,
}).openapi("Statistics");

const query = z.object({
  from: TimeField.optional().openapi({ description: "Default: 24 hours before `to`, 30 days for days" }),
  to: TimeField.optional().openapi({ description: "Default: now" }),
  bucket: z.enum(["hour", "day"]).default("hour").openapi({ description: "Hours or days of UTC" }),
});

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
      const { bucket } = asked;
      const bucketMs = BUCKET_MS[bucket];
      const to = asked.to ?? deps.now();
      const from = asked.from ?? to - DEFAULT_SPAN_MS[bucket];
      if (from >= to) throw invalidFields([{ field: "from", message: "must lie before `to`" }]);
      const fromMs = Math.floor(from / bucketMs) * bucketMs;
      const toMs = Math.ceil(to / bucketMs) * bucketMs;
      const count = (toMs - fromMs) / bucketMs;
      if (count > BUCKETS_MAX) {
        throw new Problem(
          422,
          `The time from \`from\` to \`to\` has ${count} buckets; ${BUCKETS_MAX} is the most.`,
          {
            errors: [{ field: "from", message: `makes ${count} buckets; ${BUCKETS_MAX} is the most` }],
          },
        );
      }
      const sums = new Map(
        (await statistics.sums({ of, fromMs, toMs, bucketMs })).map((
          { startMs, ...counts },
        ) => [startMs, counts]),
      );
      const buckets = Array.from({ length: count }, (_, index) => {
        const startMs = fromMs + index * bucketMs;
        return { start: new Date(startMs).toISOString(), ...(sums.get(startMs) ?? NONE) };
      });
      return {
        bucket,
        from: new Date(fromMs).toISOString(),
        to: new Date(toMs).toISOString(),
        buckets,
        total: [...sums.values()].reduce(add, NONE),
      };
    }
  };
}

function add(a: Counts, b: Counts): Counts {
  return {
    received: a.received + b.received,
    sent: a.sent + b.sent,
    delivered: a.delivered + b.delivered,
    failed: a.failed + b.failed,
    segmentsIn: a.segmentsIn + b.segmentsIn,
    segmentsOut: a.segmentsOut + b.segmentsOut,
  };
}
