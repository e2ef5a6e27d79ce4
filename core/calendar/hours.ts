/**
 * Whether a calendar is open, and until when. Open is what the clock on the wall says: where clocks are turned
 * back, the hour that comes twice is open twice; where they are turned forward, what falls into the gap is not there.
 *
 * @module
 */
import { type CalendarSettings, DAYS } from "./calendar.ts";

/** Minutes since midnight; an end at or before the beginning is on the day after. */
interface Minutes {
  readonly from: number;
  readonly to: number;
}

/** With a week's hours, a change comes within a week, or two where clocks are turned or a date is left out. */
const LOOK_AHEAD_DAYS = 16;
/** The 29th of February of 2096 and the next one are that far apart. */
const YEARS_MAX = 8;

/** Whether it is open at `atMs` (ms since 1970). */
export function isOpen(calendar: CalendarSettings, atMs: number): boolean {
  const { hour, minute: minuteOfHour, ...wall } = wallAt(calendar, atMs);
  const minute = 60 * hour + minuteOfHour;
  const today = beginningOn(calendar, wall.date);
  if (today.some(({ from, to }) => from <= minute && (to <= from || minute < to))) return true;
  if (isDayOff(calendar, wall.date.toString())) return false;
  const yesterday = beginningOn(calendar, wall.date.subtract({ days: 1 }));
  return yesterday.some(({ from, to }) => to <= from && minute < to);
}

/** When it next opens or closes after `atMs`, ms since 1970; null: never again. */
export function nextChange(calendar: CalendarSettings, atMs: number): number | null {
  const open = isOpen(calendar, atMs);
  const { date: today } = wallAt(calendar, atMs);
  for (const first of [today, ...specialDates(calendar, today)]) {
    // Clocks that are turned back over midnight bring the day before once more.
    const from = first.subtract({ days: 1 });
    const change = boundaries(calendar, from).find((at) => at > atMs && isOpen(calendar, at) !== open);
    if (change !== undefined) return change;
  }
  return null;
}

function wallAt({ timeZone }: CalendarSettings, atMs: number) {
  const zoned = Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)).toZonedDateTimeISO(timeZone);
  return { date: zoned.toPlainDate(), hour: zoned.hour, minute: zoned.minute };
}

/** The spans that begin on `date`. */
function beginningOn(calendar: CalendarSettings, date: Temporal.PlainDate): Minutes[] {
  const text = date.toString();
  const exception = calendar.exceptions.find((one) => one.date === text);
  if (exception !== undefined) return exception.hours.map(minutesOf);
  if (isDayOff(calendar, text)) return [];
  const day = DAYS[date.dayOfWeek - 1]!;
  return calendar.hours.filter(({ days }) => days.includes(day)).map(minutesOf);
}

/** Whether nothing is open on `date`, not even what began the day before. */
function isDayOff({ holidays, exceptions }: CalendarSettings, date: string): boolean {
  const yearly = date.slice(-"12-24".length);
  return holidays.some((one) => one.date === date || one.date === yearly) &&
    !exceptions.some((one) => one.date === date);
}

function minutesOf({ from, to }: { readonly from: string; readonly to: string }): Minutes {
  return { from: minuteOf(from), to: minuteOf(to) };
}

function minuteOf(time: string): number {
  return 60 * Number(time.slice(0, 2)) + Number(time.slice(3));
}

/** Holidays and exceptions from `from` on, in order: what comes after them is looked at anew. */
function specialDates(
  { holidays, exceptions }: CalendarSettings,
  from: Temporal.PlainDate,
): Temporal.PlainDate[] {
  const years = Array.from({ length: YEARS_MAX + 1 }, (_, index) => from.year + index);
  const dates = new Set(exceptions.map(({ date }) => date));
  for (const { date } of holidays) {
    if (date.length > "12-24".length) dates.add(date);
    else for (const year of years) if (date !== "02-29" || isLeap(year)) dates.add(`${year}-${date}`);
  }
  return [...dates].filter((date) => date >= from.toString()).sort().map((date) =>
    Temporal.PlainDate.from(date)
  );
}

function isLeap(year: number): boolean {
  return Temporal.PlainDate.from({ year, month: 1, day: 1 }).inLeapYear;
}

/** Every instant in some weeks from `from` on at which the answer may change, in order, ms since 1970. */
function boundaries(calendar: CalendarSettings, from: Temporal.PlainDate): number[] {
  const { timeZone } = calendar;
  const instants = new Set<number>();
  for (let day = 0; day <= LOOK_AHEAD_DAYS; day++) {
    const date = from.add({ days: day });
    const minutes = [
      0,
      ...beginningOn(calendar, date).flatMap(({ from, to }) => [from, to]),
      ...beginningOn(calendar, date.subtract({ days: 1 })).map(({ to }) => to),
    ];
    for (const minute of new Set(minutes)) {
      const wall = date.toPlainDateTime().add({ minutes: minute });
      // A time that comes twice is a boundary twice.
      for (const disambiguation of ["earlier", "later"] as const) {
        instants.add(wall.toZonedDateTime(timeZone, { disambiguation }).epochMilliseconds);
      }
    }
  }
  const end = from.add({ days: LOOK_AHEAD_DAYS + 1 }).toZonedDateTime(timeZone).epochMilliseconds;
  let turned = from.toZonedDateTime(timeZone).getTimeZoneTransition("next");
  while (turned !== null && turned.epochMilliseconds < end) {
    instants.add(turned.epochMilliseconds);
    turned = turned.getTimeZoneTransition("next");
  }
  return [...instants].sort((a, b) => a - b);
}
