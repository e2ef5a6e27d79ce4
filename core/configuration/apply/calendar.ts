/**
 * A calendar of a document.
 *
 * @module
 */
import { calendarView, createCalendar, updateCalendar } from "../calendars.ts";
import { differences } from "../differences.ts";
import { withoutNulls } from "../merge.ts";
import type { ApplyDocument } from "./document.ts";
import { type Context, step } from "./plan.ts";

/** Makes it, or changes what differs. */
export async function applyCalendar(
  context: Context,
  item: ApplyDocument["calendars"][number],
): Promise<void> {
  const { tx } = context;
  const found = await tx.calendars.find(item.name);
  if (found === undefined) {
    await createCalendar(tx, withoutNulls(item));
    return step(context, "calendar", item.name, null, []);
  }
  const changed = await updateCalendar(tx, found.id, item);
  const changes = differences(calendarView(changed.before), calendarView(changed.after));
  step(context, "calendar", item.name, changed, changes);
}
