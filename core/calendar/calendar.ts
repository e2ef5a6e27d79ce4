/**
 * A calendar: when somebody is there. Hours of a week on the clocks of one time zone, days off, and days with
 * hours of their own.
 *
 * @module
 */
import { z } from "zod";

/** In the order of ISO 8601: Monday is 1. */
export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

const DAYS_OFF_MAX = 1_000;

const From = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time from 00:00 to 23:59");
const To = z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, "must be a time from 00:00 to 24:00");
const span = { from: From, to: To.describe("At or before `from`: on the day after") };

/** The same time twice could mean all day or nothing. */
const isSpan = ({ from, to }: { readonly from: string; readonly to: string }) => from !== to;
const NO_SPAN = "`from` and `to` are the same; all day is 00:00 to 24:00";

const SpanSchema = z.object(span).strict().refine(isSpan, NO_SPAN);
const WeeklySchema = z.object({ days: z.array(z.enum(DAYS)).min(1).max(7), ...span }).strict()
  .refine(isSpan, NO_SPAN);

const DateSchema = z.iso.date("must be a date such as 2026-12-24");
/** In 2000, which is a leap year. */
const isYearly = (text: string) => /^\d\d-\d\d$/.test(text) && z.iso.date().safeParse(`2000-${text}`).success;
const Label = z.string().max(100).optional();

const HolidaySchema = z.object({
  date: z.string().refine(
    (text) => isYearly(text) || DateSchema.safeParse(text).success,
    "must be a date such as 2026-12-24, or 12-24 for every year",
  ),
  name: Label,
}).strict();

const ExceptionSchema = z.object({
  date: DateSchema,
  hours: z.array(SpanSchema).max(20).describe("In place of the day's usual ones; empty: none"),
  name: Label,
}).strict();

/** Whether clocks of that name are known, e.g. `Europe/Madrid`. A bare offset knows no daylight saving: refused. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}

export const CalendarSettingsSchema = z.object({
  timeZone: z.string().max(100).refine(isTimeZone, "must be a time zone such as America/Montevideo"),
  hours: z.array(WeeklySchema).max(100).default([]),
  holidays: z.array(HolidaySchema).max(DAYS_OFF_MAX).default([])
    .describe("Closed for the whole day, unless an exception is of that date"),
  exceptions: z.array(ExceptionSchema).max(DAYS_OFF_MAX)
    .refine((list) => new Set(list.map(({ date }) => date)).size === list.length, "a date stands there twice")
    .default([]),
}).strict();

export type CalendarSettings = z.output<typeof CalendarSettingsSchema>;

export interface Calendar extends CalendarSettings {
  readonly id: string;
  readonly name: string;
}
