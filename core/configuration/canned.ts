/**
 * Canned texts: of one queue, or of all.
 *
 * @module
 */
import { z } from "zod";
import { LanguageSchema } from "../language.ts";
import { placeholderFault } from "../canned/placeholders.ts";
import type { CannedRecord, ConfigurationTransaction } from "../ports/configuration.ts";
import { storableText } from "../storable_text.ts";
import { type Changed, existing, insertRow, removeRow, replaceRow } from "./change.ts";
import { invalid, parse, taken } from "./fault.ts";
import { type Fields, mergePatch, patchSchema } from "./merge.ts";
import { IdSchema } from "./name.ts";

const TEXT_UNITS_MAX = 2_000;

export const CannedInputSchema = z.object({
  queueId: IdSchema.nullable().default(null).describe("Of one queue; null: of all"),
  label: z.string().regex(
    /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u,
    "1 to 64 letters, digits, blanks and . _ -",
  )
    .describe("What people know it by; the same in every language"),
  language: LanguageSchema,
  text: z.string().min(1).max(TEXT_UNITS_MAX)
    .refine((text) => storableText(text, TEXT_UNITS_MAX) === text, "has a NUL or half of a surrogate pair")
    .superRefine((text, context) => {
      const message = placeholderFault(text);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .describe(
      "With {{contact.number}}, {{agent.name}}, {{agent.extension}}, {{queue.name}} and names of your own, which " +
        "whoever sends it fills in",
    ),
}).strict();

export const CannedPatchSchema = patchSchema(CannedInputSchema, ["queueId"]);

export function cannedView(row: CannedRecord) {
  return {
    id: row.id,
    ...inputOf(row),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

function inputOf({ queueId, label, language, text }: CannedRecord) {
  return { queueId, label, language, text };
}

function subject(tx: ConfigurationTransaction) {
  return { kind: "canned", rows: tx.canned, view: cannedView };
}

type CannedName = Pick<CannedRecord, "queueId" | "label" | "language">;

/** What people know one by. */
export function cannedKey({ queueId, label, language }: CannedName): string {
  return JSON.stringify([queueId ?? "", label, language]);
}

export async function createCanned(tx: ConfigurationTransaction, raw: unknown): Promise<CannedRecord> {
  const input = parse(CannedInputSchema, raw);
  if (input.queueId !== null && await tx.queues.get(input.queueId) === undefined) {
    throw invalid({ field: "queueId", message: `there is no queue ${input.queueId}` });
  }
  await refuseTaken(tx, input);
  return await insertRow(tx, subject(tx), {
    id: tx.newId("canned"),
    ...input,
    createdAt: tx.now,
    updatedAt: tx.now,
  });
}

export async function updateCanned(
  tx: ConfigurationTransaction,
  id: string,
  patch: Fields,
): Promise<Changed<CannedRecord>> {
  const before = await existing(tx.canned, "canned text", id);
  const input = parse(CannedInputSchema, mergePatch(inputOf(before), patch));
  if (cannedKey(input) !== cannedKey(before)) await refuseTaken(tx, input);
  return await replaceRow(tx, subject(tx), before, { ...before, ...input });
}

export function removeCanned(tx: ConfigurationTransaction, id: string): Promise<void> {
  return removeRow(tx, subject(tx), id);
}

async function refuseTaken(tx: ConfigurationTransaction, name: CannedName): Promise<void> {
  if (await tx.canned.find(cannedKey(name)) === undefined) return;
  throw taken("a canned text", "label", `${name.label} (${name.language})`);
}
