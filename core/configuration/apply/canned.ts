/**
 * Canned texts of a document.
 *
 * @module
 */
import { cannedKey, cannedView, createCanned, updateCanned } from "../canned.ts";
import { differences } from "../differences.ts";
import type { ApplyDocument } from "./document.ts";
import { type Context, step } from "./plan.ts";
import { referred } from "./references.ts";

/** Makes it, or changes the one of the same queue, label and language. */
export async function applyCanned(
  context: Context,
  { queue, ...rest }: ApplyDocument["canned"][number],
): Promise<void> {
  const { tx } = context;
  const queueId = queue === undefined ? null : (await referred(tx.queues, "queue", "queue", queue)).id;
  const input = { ...rest, queueId };
  const name = `${queue === undefined ? "" : `${queue}/`}${rest.label} (${rest.language})`;
  const found = await tx.canned.find(cannedKey(input));
  if (found === undefined) {
    await createCanned(tx, input);
    return step(context, "canned", name, null, []);
  }
  const changed = await updateCanned(tx, found.id, { text: rest.text });
  step(context, "canned", name, changed, differences(cannedView(changed.before), cannedView(changed.after)));
}
