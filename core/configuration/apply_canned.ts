/**
 * Canned texts of a document.
 *
 * @module
 */
import type { ConfigurationTransaction } from "../ports/configuration.ts";
import type { PlanStep } from "./apply.ts";
import type { ApplyDocument } from "./apply_document.ts";
import { referred } from "./apply_references.ts";
import { cannedKey, cannedView, createCanned, updateCanned } from "./canned.ts";
import { differences } from "./differences.ts";

/** Makes it, or changes the one of the same queue, label and language. */
export async function applyCanned(
  tx: ConfigurationTransaction,
  { queue, ...rest }: ApplyDocument["canned"][number],
): Promise<PlanStep> {
  const queueId = queue === undefined ? null : (await referred(tx.queues, "queue", "queue", queue)).id;
  const input = { ...rest, queueId };
  const name = `${queue === undefined ? "" : `${queue}/`}${rest.label} (${rest.language})`;
  const found = await tx.canned.find(cannedKey(input));
  if (found === undefined) {
    await createCanned(tx, input);
    return { action: "create", kind: "canned", name, changes: [] };
  }
  const { before, after, changed } = await updateCanned(tx, found.id, { text: rest.text });
  const changes = differences(cannedView(before), cannedView(after));
  return { action: changed ? "update" : "unchanged", kind: "canned", name, changes };
}
