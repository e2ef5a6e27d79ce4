/**
 * Texting during calls as a document has it.
 *
 * @module
 */
import { parseAddress } from "../../phone_number.ts";
import type { ConfigurationTransaction } from "../../ports/configuration.ts";
import { differences } from "../differences.ts";
import { updateInCall } from "../in_call.ts";
import { createPreset, presetView, updatePreset } from "../in_call_presets.ts";
import { type Fields, withoutNulls } from "../merge.ts";
import { updateQueue } from "../queues.ts";
import type { ApplyDocument, InCallItem, PresetItem } from "./document.ts";
import { type Context, step } from "./plan.ts";
import { queueIds, referred } from "./references.ts";

/**
 * Makes the settings what the document says.
 *
 * @throws {ConfigurationFault} `invalid`
 */
export async function applyInCall(
  context: Context,
  { number, ...rest }: InCallItem,
): Promise<void> {
  const { tx } = context;
  const numberId = number === undefined ? {} : { numberId: await idOf(tx, "number", number) };
  const changed = await updateInCall(tx, { ...rest, ...numberId });
  step(context, "in-call", "overall", changed, differences(changed.before, changed.after));
}

/**
 * Gives a queue the number of its calls, and adds that to what the plan says of the queue.
 *
 * @throws {ConfigurationFault} `invalid`
 */
export async function applyQueueNumber(
  { tx, plan }: Context,
  { name, inCall }: ApplyDocument["queues"][number],
): Promise<void> {
  const number = inCall?.number;
  if (number === undefined) return;
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
export async function applyPreset(context: Context, item: PresetItem): Promise<void> {
  const { tx } = context;
  const { queues, ...rest } = item;
  const input: Fields = { ...rest, ...(queues ? { queueIds: await queueIds(tx, "queues", queues) } : {}) };
  const found = await tx.presets.find(item.label);
  if (found === undefined) {
    await createPreset(tx, withoutNulls(input));
    return step(context, "in-call preset", item.label, null, []);
  }
  const changed = await updatePreset(tx, found.id, input);
  const changes = differences(presetView(changed.before), presetView(changed.after));
  step(context, "in-call preset", item.label, changed, changes);
}
