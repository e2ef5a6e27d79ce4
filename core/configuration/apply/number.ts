/**
 * A number of a document.
 *
 * @module
 */
import { parseAddress } from "../../phone_number.ts";
import { differences } from "../differences.ts";
import { type Fields, withoutNulls } from "../merge.ts";
import { createNumber, numberView, updateNumber } from "../numbers.ts";
import type { NumberItem } from "./document.ts";
import { type Context, step } from "./plan.ts";
import { destinationId, extensionIds, queueIds, referred } from "./references.ts";

/** Makes it, or changes what differs. */
export async function applyNumber(context: Context, item: NumberItem): Promise<void> {
  const { tx } = context;
  const { channel, destination, allowedExtensions, allowedQueues, ...rest } = item;
  const input: Fields = {
    ...rest,
    channelId: (await referred(tx.channels, "channel", "channel", channel)).id,
    ...(destination === undefined
      ? {}
      : { destination: destination && await destinationId(tx, destination) }),
    ...(allowedExtensions
      ? { allowedExtensions: await extensionIds(tx, "allowedExtensions", allowedExtensions) }
      : {}),
    ...(allowedQueues ? { allowedQueues: await queueIds(tx, "allowedQueues", allowedQueues) } : {}),
  };
  const found = await tx.numbers.find(parseAddress(item.number)?.value ?? item.number);
  if (found === undefined) {
    const { number } = await createNumber(tx, withoutNulls(input));
    return step(context, "number", number, null, []);
  }
  const changed = await updateNumber(tx, found.id, input);
  step(
    context,
    "number",
    found.number,
    changed,
    differences(numberView(changed.before), numberView(changed.after)),
  );
}
