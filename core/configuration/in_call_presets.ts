/**
 * Texts that agents send during calls.
 *
 * @module
 */
import { z } from "zod";
import { TextsSchema } from "../automated_text.ts";
import { PresetLabelSchema } from "../in_call/settings.ts";
import type { ConfigurationTransaction, PresetRecord } from "../ports/configuration.ts";
import { type Changed, existing, insertRow, removeRow, replaceRow } from "./change.ts";
import { invalid, parse, taken } from "./fault.ts";
import { type Fields, mergePatch, patchSchema } from "./merge.ts";
import { IdSchema } from "./name.ts";

export const PresetInputSchema = z.object({
  label: PresetLabelSchema.describe("What agents call it by"),
  texts: TextsSchema.describe("By language"),
  queueIds: z.array(IdSchema).max(1_000).default([]).describe(
    "The queues whose calls it is for; empty: all calls",
  ),
}).strict();

export const PresetPatchSchema = patchSchema(PresetInputSchema);

export function presetView(row: PresetRecord) {
  return {
    id: row.id,
    ...inputOf(row),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

function inputOf({ label, texts, queueIds }: PresetRecord) {
  return { label, texts, queueIds: [...queueIds] };
}

function subject(tx: ConfigurationTransaction) {
  return { kind: "in-call preset", rows: tx.presets, view: presetView };
}

export async function createPreset(tx: ConfigurationTransaction, raw: unknown): Promise<PresetRecord> {
  const input = await checked(tx, raw);
  if (await tx.presets.find(input.label)) throw taken("an in-call preset", "label", input.label);
  return await insertRow(tx, subject(tx), {
    id: tx.newId("preset"),
    ...input,
    createdAt: tx.now,
    updatedAt: tx.now,
  });
}

export async function updatePreset(
  tx: ConfigurationTransaction,
  id: string,
  patch: Fields,
): Promise<Changed<PresetRecord>> {
  const before = await existing(tx.presets, "in-call preset", id);
  const input = await checked(tx, mergePatch(inputOf(before), patch));
  if (input.label !== before.label && await tx.presets.find(input.label)) {
    throw taken("an in-call preset", "label", input.label);
  }
  return await replaceRow(tx, subject(tx), before, { ...before, ...input });
}

export function removePreset(tx: ConfigurationTransaction, id: string): Promise<void> {
  return removeRow(tx, subject(tx), id);
}

async function checked(tx: ConfigurationTransaction, raw: unknown) {
  const input = parse(PresetInputSchema, raw);
  const unknown = [];
  for (const [index, id] of input.queueIds.entries()) {
    if (await tx.queues.get(id) === undefined) {
      unknown.push({ field: `queueIds.${index}`, message: `there is no queue ${id}` });
    }
  }
  if (unknown.length > 0) throw invalid(...unknown);
  return { ...input, queueIds: [...new Set(input.queueIds)].sort() };
}
