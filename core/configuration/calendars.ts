/**
 * Calendars: opening hours that queues and routing rules ask for.
 *
 * @module
 */
import { z } from "zod";
import { CalendarSettingsSchema } from "../calendar/calendar.ts";
import type { CalendarRecord, ConfigurationTransaction } from "../ports/configuration.ts";
import { type Changed, existing, insertRow, removeRow, replaceRow } from "./change.ts";
import { parse, taken } from "./fault.ts";
import { type Fields, mergePatch, patchSchema } from "./merge.ts";
import { NameSchema } from "./name.ts";

export const CalendarInputSchema = z.object({ name: NameSchema, ...CalendarSettingsSchema.shape }).strict();

export const CalendarPatchSchema = patchSchema(CalendarInputSchema);

export function calendarView(row: CalendarRecord) {
  return {
    id: row.id,
    ...inputOf(row),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

function inputOf({ name, timeZone, hours, holidays, exceptions }: CalendarRecord) {
  return { name, timeZone, hours: [...hours], holidays: [...holidays], exceptions: [...exceptions] };
}

function subject(tx: ConfigurationTransaction) {
  return { kind: "calendar", rows: tx.calendars, view: calendarView };
}

export async function createCalendar(tx: ConfigurationTransaction, raw: unknown): Promise<CalendarRecord> {
  const input = parse(CalendarInputSchema, raw);
  if (await tx.calendars.find(input.name)) throw taken("a calendar", "name", input.name);
  return await insertRow(tx, subject(tx), {
    id: tx.newId("calendar"),
    ...input,
    createdAt: tx.now,
    updatedAt: tx.now,
  });
}

export async function updateCalendar(
  tx: ConfigurationTransaction,
  id: string,
  patch: Fields,
): Promise<Changed<CalendarRecord>> {
  const before = await existing(tx.calendars, "calendar", id);
  const input = parse(CalendarInputSchema, mergePatch(inputOf(before), patch));
  if (input.name !== before.name && await tx.calendars.find(input.name)) {
    throw taken("a calendar", "name", input.name);
  }
  return await replaceRow(tx, subject(tx), before, { ...before, ...input });
}

export function removeCalendar(tx: ConfigurationTransaction, id: string): Promise<void> {
  return removeRow(tx, subject(tx), id);
}
