/**
 * One routing rule of a document.
 *
 * @module
 */
import type { ConfigurationTransaction } from "../../ports/configuration.ts";
import { differences } from "../differences.ts";
import { type Fields, withoutNulls } from "../merge.ts";
import { createRule, ruleView, updateRule } from "../rules.ts";
import type { RuleItem } from "./document.ts";
import { type Context, step } from "./plan.ts";
import { destinationId, numberIds, referred } from "./references.ts";

/**
 * Makes or changes it.
 *
 * @throws {ConfigurationFault} `invalid`
 */
export async function applyRule(context: Context, item: RuleItem): Promise<void> {
  const { tx } = context;
  const { match, action, ...rest } = item;
  const input: Fields = {
    ...rest,
    ...(match === undefined ? {} : { match: await withIds(tx, match) }),
    ...(action === undefined ? {} : { action: await withDestination(tx, action) }),
  };
  const found = await tx.rules.find(item.name);
  if (found === undefined) {
    await createRule(tx, withoutNulls(input));
    return step(context, "rule", item.name, null, []);
  }
  const changed = await updateRule(tx, found.id, input);
  step(context, "rule", item.name, changed, differences(ruleView(changed.before), ruleView(changed.after)));
}

async function withIds(tx: ConfigurationTransaction, match: NonNullable<RuleItem["match"]>): Promise<Fields> {
  const { numbers, hours, ...rest } = match;
  const calendar = hours && await referred(tx.calendars, "match.hours.calendar", "calendar", hours.calendar);
  return {
    ...rest,
    ...(numbers === undefined ? {} : { numbers: numbers && await numberIds(tx, "match.numbers", numbers) }),
    ...(hours === undefined ? {} : { hours: hours && calendar && { calendarId: calendar.id, is: hours.is } }),
  };
}

async function withDestination(
  tx: ConfigurationTransaction,
  { destination, ...rest }: NonNullable<RuleItem["action"]>,
): Promise<Fields> {
  if (destination === undefined) return rest;
  return {
    ...rest,
    destination: destination && await destinationId(tx, destination, "action.destination"),
  };
}
