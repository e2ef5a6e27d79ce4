import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { type CalendarSettings, CalendarSettingsSchema, DAYS } from "../../core/calendar/calendar.ts";
import { isOpen, nextChange } from "../../core/calendar/hours.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const calendar = (settings: Partial<Record<keyof CalendarSettings, unknown>>): CalendarSettings =>
  CalendarSettingsSchema.parse({ timeZone: "Europe/Madrid", ...settings });

const at = (text: string) => Date.parse(text);
const WORKDAYS = ["mon", "tue", "wed", "thu", "fri"];
const SHOP = {
  hours: [{ days: WORKDAYS, from: "09:00", to: "13:00" }, { days: WORKDAYS, from: "15:00", to: "19:00" }],
};

Deno.test("RT-7: several spans a day, on the clocks of the calendar's zone", () => {
  const shop = calendar(SHOP);
  // A Wednesday in winter: UTC+1.
  deepEqual(
    ["07:59", "08:00", "11:59", "12:00", "13:59", "14:00", "17:59", "18:00"].map((time) =>
      isOpen(shop, at(`2026-01-14T${time}Z`))
    ),
    [false, true, true, false, false, true, true, false],
  );
  equal(isOpen(shop, at("2026-01-17T10:00Z")), false, "a Saturday");
  equal(isOpen(shop, at("2026-07-15T07:00Z")), true, "an hour earlier in summer");
  equal(nextChange(shop, at("2026-01-16T18:00Z")), at("2026-01-19T08:00Z"), "over the weekend");
});

Deno.test("RT-7: holidays are days off, of one year or of every year; exceptions have hours of their own", () => {
  const shop = calendar({
    ...SHOP,
    holidays: [{ date: "12-25", name: "Christmas" }, { date: "2026-04-03" }, { date: "2027-01-06" }],
    exceptions: [
      { date: "2026-12-24", hours: [{ from: "09:00", to: "12:00" }] },
      { date: "2027-01-06", hours: [{ from: "10:00", to: "11:00" }] },
      { date: "2026-12-26", hours: [{ from: "10:00", to: "14:00" }], name: "sales" },
    ],
  });
  const open = (text: string) => isOpen(shop, at(text));
  deepEqual([open("2026-12-25T10:00Z"), open("2029-12-25T10:00Z")], [false, false]);
  deepEqual([open("2026-04-03T10:00Z"), open("2028-04-03T10:00Z")], [false, true]);
  deepEqual([open("2026-12-24T10:00Z"), open("2026-12-24T15:00Z")], [true, false]);
  deepEqual([open("2026-12-26T10:00Z"), open("2026-12-27T10:00Z")], [true, false], "a Saturday and a Sunday");
  deepEqual([open("2027-01-06T09:30Z"), open("2027-01-06T11:30Z")], [true, false], "more than the holiday");
});

Deno.test("RT-7: a span over midnight belongs to the day it begins on and ends where a holiday begins", () => {
  const bar = calendar({
    hours: [{ days: ["fri", "sat"], from: "20:00", to: "03:00" }],
    holidays: [{ date: "2026-01-24" }],
  });
  deepEqual(
    ["2026-01-16T22:00Z", "2026-01-17T01:59Z", "2026-01-17T02:00Z", "2026-01-18T01:00Z", "2026-01-19T01:00Z"]
      .map((text) => isOpen(bar, at(text))),
    [true, true, false, true, false],
  );
  equal(nextChange(bar, at("2026-01-23T20:00Z")), at("2026-01-23T23:00Z"), "the holiday begins at midnight");
  const day = calendar({ hours: [{ days: ["mon"], from: "00:00", to: "24:00" }] });
  equal(nextChange(day, at("2026-01-12T12:00Z")), at("2026-01-12T23:00Z"));
});

Deno.test("RT-7: what falls into the hour that is left out begins behind it; the hour that comes twice is open twice", () => {
  const night = calendar({ hours: [{ days: ["sun"], from: "02:30", to: "05:00" }] });
  // Madrid goes from 02:00 to 03:00 at 01:00 UTC, and from 03:00 back to 02:00 at 01:00 UTC.
  equal(nextChange(night, at("2026-03-29T00:00Z")), at("2026-03-29T01:00Z"));
  const early = calendar({ hours: [{ days: ["sun"], from: "01:00", to: "02:30" }] });
  const changes = [];
  for (let change = at("2026-10-24T12:00Z"), i = 0; i < 4; i++) {
    change = nextChange(early, change)!;
    changes.push(new Date(change).toISOString().slice(5, 16));
  }
  deepEqual(changes, ["10-24T23:00", "10-25T00:30", "10-25T01:00", "10-25T01:30"]);
  // St. John's went from a minute past midnight back to the evening before, at 02:31 UTC.
  const evening = calendar({
    timeZone: "America/St_Johns",
    hours: [{ days: ["sat"], from: "23:30", to: "24:00" }],
  });
  equal(nextChange(evening, at("2010-11-07T02:30:30Z")), at("2010-11-07T03:00Z"));
});

Deno.test("RT-7: the next change may be years away, or never come", () => {
  equal(nextChange(calendar({}), at("2026-01-01T00:00Z")), null);
  const always = { hours: [{ days: [...DAYS], from: "00:00", to: "24:00" }], timeZone: "UTC" };
  equal(nextChange(calendar(always), at("2026-01-01T00:00Z")), null);
  equal(
    nextChange(calendar({ ...always, holidays: [{ date: "02-29" }] }), at("2096-03-01T00:00Z")),
    at("2104-02-29T00:00Z"),
  );
  const once = calendar({ exceptions: [{ date: "2031-05-01", hours: [{ from: "10:00", to: "11:00" }] }] });
  equal(nextChange(once, at("2026-01-01T00:00Z")), at("2031-05-01T08:00Z"));
});

/** Clocks turned by an hour, by half an hour, at midnight, not at all; Samoa left out a whole day in 2011. */
const ZONES = [
  "Europe/Madrid",
  "America/New_York",
  "America/Santiago",
  "America/Havana",
  "Australia/Lord_Howe",
  "Africa/Casablanca",
  "Asia/Beirut",
  "Pacific/Apia",
  "America/St_Johns",
  "America/Montevideo",
  "UTC",
] as const;

const time = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 1, 15, 30, 59))
  .map(([hour, minute]) => `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`);
const span = fc.record({ from: time, to: fc.oneof(time, fc.constant("24:00")) })
  .filter(({ from, to }) => from !== to);
/** Days around which clocks are turned, and others. */
const START = fc.constantFrom(
  "2026-03-27",
  "2026-10-23",
  "2026-04-03",
  "2026-09-04",
  "2026-03-06",
  "2026-10-30",
  "2026-02-14",
  "2011-12-28",
  "2010-11-05",
  "2028-02-27",
).chain((date) => fc.integer({ min: 0, max: 3 * 24 * 60 }).map((minutes) => at(date) + minutes * MINUTE_MS));
const dayNear = START.map((ms) => new Date(ms).toISOString().slice(0, 10));
const settings = fc.record({
  timeZone: fc.constantFrom(...ZONES),
  hours: fc.array(
    span.chain((one) => fc.subarray([...DAYS], { minLength: 1 }).map((days) => ({ days, ...one }))),
    { maxLength: 4 },
  ),
  holidays: fc.array(
    fc.oneof(dayNear, dayNear.map((date) => date.slice(5))).map((date) => ({ date })),
    { maxLength: 3 },
  ),
  exceptions: fc.uniqueArray(fc.record({ date: dayNear, hours: fc.array(span, { maxLength: 2 }) }), {
    selector: ({ date }) => date,
    maxLength: 2,
  }),
}).map((raw) => calendar(raw));

/** The wall's clock as `Intl` has it, and the rules told once more in another way: day by day, minute by minute. */
function isOpenByIntl(of: CalendarSettings, ms: number): boolean {
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone: of.timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const date = `${part.year}-${part.month}-${part.day}`;
  const clock = `${part.hour}:${part.minute}`;
  const before = new Date(at(date) - DAY_MS).toISOString().slice(0, 10);
  const isOff = (day: string) =>
    !of.exceptions.some((one) => one.date === day) &&
    of.holidays.some((one) => one.date === day || one.date === day.slice(5));
  const spans = (day: string): readonly { from: string; to: string }[] => {
    const exception = of.exceptions.find((one) => one.date === day);
    if (exception) return exception.hours;
    if (isOff(day)) return [];
    const name = DAYS[(new Date(at(day)).getUTCDay() + 6) % 7]!;
    return of.hours.filter(({ days }) => days.includes(name));
  };
  const today = spans(date).some(({ from, to }) => to > from ? clock >= from && clock < to : clock >= from);
  return today || (!isOff(date) && spans(before).some(({ from, to }) => to <= from && clock < to));
}

Deno.test("RT-7: open is what the clock on the wall says, whatever is done to the clock", () => {
  fc.assert(
    fc.property(settings, START, (of, ms) => isOpen(of, ms) === isOpenByIntl(of, ms)),
    { numRuns: 3_000 },
  );
});

Deno.test("RT-7: the next change is a change, and nothing changes before it", () => {
  let changes = 0;
  fc.assert(
    fc.property(settings, START, (of, ms) => {
      const open = isOpen(of, ms);
      const next = nextChange(of, ms);
      if (next !== null) {
        changes++;
        ok(next > ms);
        equal(isOpen(of, next), !open, "it is a change");
        equal(isOpen(of, next - 1), open, "it is no later than the change");
      }
      // Times of calendars are whole minutes, so are all offsets of these years.
      const until = Math.min(next ?? Infinity, ms + 2 * DAY_MS);
      for (let look = ms; look < until; look += 5 * MINUTE_MS) equal(isOpen(of, look), open, "before it");
    }),
    { numRuns: 300 },
  );
  ok(changes > 100, "the calendars hardly ever change");
});

Deno.test("RT-7: what is no calendar is refused", () => {
  const refused = [
    { timeZone: "Europe/Nix" },
    { timeZone: "+02:00" },
    { hours: [{ days: ["mon"], from: "09:00", to: "09:00" }] },
    { hours: [{ days: [], from: "09:00", to: "10:00" }] },
    { hours: [{ days: ["mon"], from: "24:00", to: "10:00" }] },
    { holidays: [{ date: "02-30" }] },
    { holidays: [{ date: "2026-02-29" }] },
    { exceptions: [{ date: "12-24", hours: [] }] },
    { exceptions: [{ date: "2026-12-24", hours: [] }, { date: "2026-12-24", hours: [] }] },
  ];
  for (const raw of refused) {
    const { success } = CalendarSettingsSchema.safeParse({ timeZone: "UTC", ...raw });
    equal(success, false, JSON.stringify(raw));
  }
  equal(CalendarSettingsSchema.safeParse({ timeZone: "UTC", holidays: [{ date: "02-29" }] }).success, true);
});
