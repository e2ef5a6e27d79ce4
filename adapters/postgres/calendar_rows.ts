/**
 * Calendars as rows.
 *
 * @module
 */
import type { Selectable } from "kysely";
import type { Calendar } from "../../core/calendar/calendar.ts";
import type { CalendarRecord } from "../../core/ports/configuration.ts";
import { changeableRows, type Executor } from "./configuration_rows.ts";
import type { Schema } from "./schema.ts";

/** The calendar as the running system holds it. */
export function calendarOf(row: Selectable<Schema["calendars"]>): Calendar {
  return {
    id: row.id,
    name: row.name,
    timeZone: row.time_zone,
    hours: row.hours,
    holidays: row.holidays,
    exceptions: row.exceptions,
  };
}

export function calendarRows(db: Executor) {
  const values = (row: CalendarRecord) => ({
    id: row.id,
    name: row.name,
    time_zone: row.timeZone,
    hours: row.hours,
    holidays: row.holidays,
    exceptions: row.exceptions,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
  });
  return changeableRows<CalendarRecord>({
    select: async ({ id, key, after, limit }) => {
      let query = db.selectFrom("calendars").selectAll().orderBy("id").limit(limit);
      if (id !== undefined) query = query.where("id", "=", id);
      if (key !== undefined) query = query.where("name", "=", key);
      if (after !== undefined) query = query.where("id", ">", after);
      const rows = await query.execute();
      return rows.map((row) => ({
        ...calendarOf(row),
        createdAt: row.created_at,
        updatedAt: row.updated_at,
      }));
    },
    insert: async (row) => void await db.insertInto("calendars").values(values(row)).execute(),
    update: async (row) =>
      void await db.updateTable("calendars").set(values(row)).where("id", "=", row.id).execute(),
    remove: async (id) => void await db.deleteFrom("calendars").where("id", "=", id).execute(),
  });
}
