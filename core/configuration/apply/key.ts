/**
 * An API key of a document.
 *
 * @module
 */
import { differences } from "../differences.ts";
import { invalid } from "../fault.ts";
import { createKey, updateKey } from "../keys.ts";
import type { KeyItem } from "./document.ts";
import { type Context, step } from "./plan.ts";
import { referred } from "./references.ts";

/**
 * Makes it, or changes when it expires. Its role and holder cannot be changed: another one has to be made under another
 * name.
 */
export async function applyKey(context: Context, item: KeyItem): Promise<void> {
  const { tx } = context;
  const extension = item.extension && await referred(tx.extensions, "extension", "extension", item.extension);
  const platform = item.platform && await referred(tx.platforms, "platform", "platform", item.platform);
  const holder = { extensionId: extension ? extension.id : null, platformId: platform ? platform.id : null };
  const found = await tx.keys.find(item.name);
  if (found === undefined) {
    const expiresAt = item.expiresAt ?? null;
    const { secret } = await createKey(tx, { name: item.name, role: item.role, ...holder, expiresAt });
    context.secrets.push({ kind: "key", name: item.name, secret });
    return step(context, "key", item.name, null, []);
  }
  if (
    found.role !== item.role || found.extensionId !== holder.extensionId ||
    found.platformId !== holder.platformId
  ) {
    throw invalid({ field: "role", message: "there is a key of this name with another role or holder" });
  }
  const changed = await updateKey(
    tx,
    found.id,
    item.expiresAt === undefined ? {} : { expiresAt: item.expiresAt },
  );
  const shown = (row: typeof found) => ({ expiresAt: row.expiresAt?.toISOString() ?? null });
  step(context, "key", item.name, changed, differences(shown(changed.before), shown(changed.after)));
}
