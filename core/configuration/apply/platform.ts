/**
 * A platform of a document.
 *
 * @module
 */
import { differences } from "../differences.ts";
import { type Fields, withoutNulls } from "../merge.ts";
import { createPlatform, platformView, updatePlatform } from "../platforms.ts";
import type { ApplyDocument } from "./document.ts";
import { type Context, step } from "./plan.ts";
import { destinationId } from "./references.ts";

/** Makes it, or changes what differs. */
export async function applyPlatform(
  context: Context,
  item: ApplyDocument["platforms"][number],
): Promise<void> {
  const { tx } = context;
  const { fallback, ...rest } = item;
  const input: Fields = {
    ...rest,
    ...(fallback === undefined
      ? {}
      : { fallback: fallback && await destinationId(tx, fallback, "fallback") }),
  };
  const found = await tx.platforms.find(item.name);
  if (found === undefined) {
    const { secret } = await createPlatform(tx, withoutNulls(input));
    context.secrets.push({ kind: "platform", name: item.name, secret });
    return step(context, "platform", item.name, null, []);
  }
  const changed = await updatePlatform(tx, found.id, input);
  step(
    context,
    "platform",
    item.name,
    changed,
    differences(platformView(changed.before), platformView(changed.after)),
  );
}
