/**
 * Texting during calls as a document has it.
 *
 * @module
 */
import { parseAddress } from "../phone_number.ts";
import type { ConfigurationTransaction } from "../ports/configuration.ts";
import type { PlanStep } from "./apply.ts";
import type { InCallItem, PresetItem } from "./apply_document.ts";
import { referred } from "./apply_references.ts";
import { differences } from "./differences.ts";
import { updateInCall } from "./in_call.ts";
import { createPreset, presetView, updatePreset } from "./in_call_presets.ts";
import { type Fields, withoutNulls } from "./merge.ts";
import { updateQueue } from "./queues.ts";

/**
 * Makes the settings what the document says, and tells what that changes.
 *
 * @throws {ConfigurationFault} `invalid`
 */
export async function applyInCall(
  tx: ConfigurationTransaction,
  { number, ...rest }: InCallItem,
): Promise<PlanStep> {
  const numberId = number === undefined ? {} : { numberId: await idOf(tx, "number", number) };
  const { before, after, changed } = await updateInCall(tx, { ...rest, ...numberId });
  return {
    action: changed ? "update" : "unchanged",
    kind: "in-call",
    name: "overall",
    changes: differences(before, after),
  };
}

/**
 * Gives a queue the number of its calls, and adds that to what the plan says of the queue.
 *
 * @throws {ConfigurationFault} `invalid`
 */
export async function applyQueueNumber(
  tx: ConfigurationTransaction,
  plan: PlanStep[],
  name: string,
  number: string | null,
): Promise<void> {
  const queue = await tx.queues.find(name);
  // It could not be made; that is told already.
  if (queue === undefined) return;
  const numberId = await idOf(tx, "inCall.number", number);
  const { changed } = await updateQueue(tx, queue.id, { inCall: { numberId } });
  const index = plan.findIndex((step) => step.kind === "queue" && step.name === name);
  const before = plan[index];
  if (!changed || before === undefined || before.action === "create") return;
  const changes = [...before.changes, `inCall.number: → ${number ?? "none"}`];
  plan[index] = { ...before, action: "update", changes };
}

async function idOf(
  tx: ConfigurationTransaction,
  field: string,
  number: string | null,
): Promise<string | null> {
  if (number === null) return null;
  return (await referred(tx.numbers, field, "number", parseAddress(number)?.value ?? number)).id;
}

/** Makes or changes one preset. */
export async function applyPreset(tx: ConfigurationTransaction, item: PresetItem): Promise<PlanStep> {
  const { queues, ...rest } = item;
  const input: Fields = { ...rest, ...(queues ? { queueIds: await queueIds(tx, queues) } : {}) };
  const found = await tx.presets.find(item.label);
  if (found === undefined) {
    await createPreset(tx, withoutNulls(input));
    return { action: "create", kind: "in-call preset", name: item.label, changes: [] };
  }
  const { before, after, changed } = await updatePreset(tx, found.id, input);
  return {
    action: changed ? "update" : "unchanged",
    kind: "in-call preset",
    name: item.label,
    changes: differences(presetView(before), presetView(after)),
  };
}

async function queueIds(tx: ConfigurationTransaction, names: readonly string[]): Promise<string[]> {
  const ids = [];
  for (const [index, name] of names.entries()) {
    ids.push((await referred(tx.queues, `queues.${index}`, "queue", name)).id);
  }
  return ids;
}
