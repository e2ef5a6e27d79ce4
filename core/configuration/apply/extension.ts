/**
 * An extension of a document.
 *
 * @module
 */
import { differences } from "../differences.ts";
import { createExtension, extensionView, updateExtension } from "../extensions.ts";
import { withoutNulls } from "../merge.ts";
import type { ApplyDocument } from "./document.ts";
import { type Context, step } from "./plan.ts";

/** Makes it, or changes what differs. */
export async function applyExtension(
  context: Context,
  item: ApplyDocument["extensions"][number],
): Promise<void> {
  const { tx } = context;
  const found = await tx.extensions.find(item.extension);
  if (found === undefined) {
    await createExtension(tx, withoutNulls(item));
    return step(context, "extension", item.extension, null, []);
  }
  const changed = await updateExtension(tx, found.id, item);
  const changes = differences(extensionView(changed.before), extensionView(changed.after));
  step(context, "extension", item.extension, changed, changes);
}
