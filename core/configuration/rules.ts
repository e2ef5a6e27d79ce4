/**
 * Routing rules.
 *
 * @module
 */
import { z } from "zod";
import type { FieldError } from "../fields.ts";
import type { ConfigurationTransaction, RuleRecord } from "../ports/configuration.ts";
import { RuleActionSchema, RuleMatchSchema } from "../rules/rule.ts";
import { type Changed, existing, insertRow, removeRow, replaceRow } from "./change.ts";
import { invalid, parse, taken } from "./fault.ts";
import { type Fields, mergePatch, patchSchema } from "./merge.ts";
import { NameSchema } from "./name.ts";
import { calendarErrors, destinationErrors } from "./named.ts";

export const RuleInputSchema = z.object({
  name: NameSchema,
  enabled: z.boolean().default(true),
  priority: z.number().int().min(0).max(1_000_000).default(100)
    .describe("The smallest is asked first; among equals the oldest"),
  match: RuleMatchSchema.prefault({}).describe("All that is given must hold; nothing given: every message"),
  action: RuleActionSchema.prefault({}),
}).strict();

export const RulePatchSchema = patchSchema(RuleInputSchema);

export function ruleView(row: RuleRecord) {
  return {
    id: row.id,
    ...inputOf(row),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

function inputOf({ name, enabled, priority, match, action }: RuleRecord) {
  return { name, enabled, priority, match, action };
}

function subject(tx: ConfigurationTransaction) {
  return { kind: "rule", rows: tx.rules, view: ruleView };
}

export async function createRule(tx: ConfigurationTransaction, raw: unknown): Promise<RuleRecord> {
  const input = await checked(tx, raw);
  if (await tx.rules.find(input.name)) throw taken("a rule", "name", input.name);
  return await insertRow(tx, subject(tx), {
    id: tx.newId("rule"),
    ...input,
    createdAt: tx.now,
    updatedAt: tx.now,
  });
}

export async function updateRule(
  tx: ConfigurationTransaction,
  id: string,
  patch: Fields,
): Promise<Changed<RuleRecord>> {
  const before = await existing(tx.rules, "rule", id);
  const input = await checked(tx, mergePatch(inputOf(before), patch));
  if (input.name !== before.name && await tx.rules.find(input.name)) {
    throw taken("a rule", "name", input.name);
  }
  return await replaceRow(tx, subject(tx), before, { ...before, ...input });
}

export function removeRule(tx: ConfigurationTransaction, id: string): Promise<void> {
  return removeRow(tx, subject(tx), id);
}

async function checked(tx: ConfigurationTransaction, raw: unknown) {
  const input = parse(RuleInputSchema, raw);
  const { match, action } = input;
  const errors: FieldError[] = [
    ...await destinationErrors(tx, "action.destination", action.destination),
    ...await calendarErrors(tx, "match.hours.calendarId", match.hours?.calendarId),
  ];
  for (const [index, id] of (match.numbers ?? []).entries()) {
    const number = await tx.numbers.get(id);
    if (number === undefined) {
      errors.push({ field: `match.numbers.${index}`, message: `there is no number ${id}` });
    } else if (number.purpose === "in-call") {
      errors.push({
        field: `match.numbers.${index}`,
        message: `${number.number} is for calls, and rules are not asked for it`,
      });
    }
  }
  if (errors.length > 0) throw invalid(...errors);
  return input;
}
