/**
 * Figures by hour or day: which span of time is asked for, and its buckets, empty ones included.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { invalidFields, Problem } from "../problem.ts";
import { TimeField } from "./fields.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const BUCKET_MS = { hour: HOUR_MS, day: DAY_MS } as const;
const DEFAULT_SPAN_MS = { hour: DAY_MS, day: 30 * DAY_MS } as const;
const BUCKETS_MAX = 2_000;

export const bucketQuery = {
  from: TimeField.optional().openapi({ description: "Default: 24 hours before `to`, 30 days for days" }),
  to: TimeField.optional().openapi({ description: "Default: now" }),
  bucket: z.enum(["hour", "day"]).default("hour").openapi({ description: "Hours or days of UTC" }),
};

const asked = z.object(bucketQuery);

/** The answer's fields, with `counts` in each bucket. */
export function bucketsOf<T extends z.ZodRawShape>(counts: z.ZodObject<T>) {
  return z.object({
    bucket: z.enum(["hour", "day"]),
    from: z.string().openapi({ format: "date-time", description: "Beginning of the first bucket" }),
    to: z.string().openapi({ format: "date-time", description: "End of the last bucket" }),
    buckets: z.array(z.object({ start: z.string().openapi({ format: "date-time" }), ...counts.shape })),
    total: counts,
  });
}

/** Whole buckets, ms since 1970. */
export interface BucketSpan {
  readonly bucket: "hour" | "day";
  readonly bucketMs: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The buckets that what is asked for touches.
 *
 * @throws {Problem} where it ends before it begins, or has too many
 */
export function spanOf({ bucket, ...span }: z.output<typeof asked>, nowMs: number): BucketSpan {
  const bucketMs = BUCKET_MS[bucket];
  const to = span.to ?? nowMs;
  const from = span.from ?? to - DEFAULT_SPAN_MS[bucket];
  if (from >= to) throw invalidFields([{ field: "from", message: "must lie before `to`" }]);
  const fromMs = Math.floor(from / bucketMs) * bucketMs;
  const toMs = Math.ceil(to / bucketMs) * bucketMs;
  const count = (toMs - fromMs) / bucketMs;
  if (count > BUCKETS_MAX) {
    throw new Problem(
      422,
      `The time from \`from\` to \`to\` has ${count} buckets; ${BUCKETS_MAX} is the most.`,
      { errors: [{ field: "from", message: `makes ${count} buckets; ${BUCKETS_MAX} is the most` }] },
    );
  }
  return { bucket, bucketMs, fromMs, toMs };
}

/** The sums in their buckets; `none` is what an empty one has. */
export function inBuckets<T extends object>(
  { bucket, bucketMs, fromMs, toMs }: BucketSpan,
  sums: readonly (T & { readonly startMs: number })[],
  none: T,
) {
  const names = Object.keys(none) as (keyof T)[];
  const pick = (row: T) => Object.fromEntries(names.map((name) => [name, row[name]])) as T;
  const byStart = new Map(sums.map((row) => [row.startMs, pick(row)]));
  const total = sums.reduce(
    (sum, row) => Object.fromEntries(names.map((name) => [name, Number(sum[name]) + Number(row[name])])) as T,
    none,
  );
  const buckets = Array.from({ length: (toMs - fromMs) / bucketMs }, (_, index) => {
    const startMs = fromMs + index * bucketMs;
    return { start: new Date(startMs).toISOString(), ...(byStart.get(startMs) ?? none) };
  });
  return {
    bucket,
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    buckets,
    total,
  };
}
