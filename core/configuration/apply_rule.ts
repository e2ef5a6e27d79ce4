/**
 * One routing rule of a document.
 *
 * @module
 */
import type { ConfigurationTransaction } from "../ports/configuration.ts";
import type { PlanStep } from "./apply.ts";
import type { RuleItem } from "./apply_document.ts";
import { destinationId, numberIds, referred } from "./apply_references.ts";
import { differences } from "./differences.ts";
import { type Fields, withoutNulls } from "./merge.ts";
import { createRule, ruleView, updateRule } from "./rules.ts";

/**
 * Makes or changes it, and tells which.
 *
 * @throws {ConfigurationFault} `invalid`
 */
export async function applyRule(tx: ConfigurationTransaction, item: RuleItem): Promise<PlanStep> {
  const { match, action, ...rest } = item;
  const input: Fields = {
    ...rest,
    ...(match === undefined ? {} : { match: await withIds(tx, match) }),
    ...(action === undefined ? {} : { action: await withDestination(tx, action) }),
  };
  const found = await tx.rules.find(item.name);
  if (found === undefined) {
    await createRule(tx, withoutNulls(input));
    return { action: "create", kind: "rule", name: item.name, changes: [] };
  }
  const { before, after, changed } = await updateRule(tx, found.id, input);
  return {
    action: changed ? "update" : "unchanged",
    kind: "rule",
    name: item.name,
    changes: differences(ruleView(before), ruleView(after)),
  };
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
