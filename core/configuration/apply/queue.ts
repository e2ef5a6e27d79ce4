/**
 * A message queue of a document.
 *
 * @module
 */
import { differences } from "../differences.ts";
import { type Fields, withoutNulls } from "../merge.ts";
import { createQueue, queueView, updateQueue } from "../queues.ts";
import type { ApplyDocument } from "./document.ts";
import { type Context, step } from "./plan.ts";
import { extensionIds, referred } from "./references.ts";

/** Makes it, or changes what differs. */
export async function applyQueue(context: Context, item: ApplyDocument["queues"][number]): Promise<void> {
  const { tx } = context;
  const { members, calendar, inCall, ...rest } = item;
  // The number of its calls may stand further down.
  const { number: _later, ...ofCalls } = inCall ?? {};
  const ids = members && await extensionIds(tx, "members", members);
  const row = calendar && await referred(tx.calendars, "calendar", "calendar", calendar);
  const input: Fields = {
    ...rest,
    ...(inCall === undefined ? {} : { inCall: ofCalls }),
    ...(ids ? { members: ids } : {}),
    ...(calendar === undefined ? {} : { calendarId: row ? row.id : null }),
  };
  const found = await tx.queues.find(item.name);
  if (found === undefined) {
    await createQueue(tx, withoutNulls(input));
    return step(context, "queue", item.name, null, []);
  }
  const changed = await updateQueue(tx, found.id, input);
  step(
    context,
    "queue",
    item.name,
    changed,
    differences(queueView(changed.before), queueView(changed.after)),
  );
}
