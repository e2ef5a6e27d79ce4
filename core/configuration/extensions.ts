/**
 * Extensions: agents and what people dial to reach them.
 *
 * @module
 */
import { z } from "zod";
import { AgentSettingsSchema } from "../dispatch/settings.ts";
import type { ConfigurationTransaction, ExtensionRecord } from "../ports/configuration.ts";
import { type Changed, existing, insertRow, removeRow, replaceRow } from "./change.ts";
import { parse, taken } from "./fault.ts";
import { type Fields, mergePatch, patchSchema } from "./merge.ts";
import { NameSchema } from "./name.ts";

export const ExtensionInputSchema = z.object({
  extension: z.string().regex(/^[0-9A-Za-z*#._-]{1,32}$/, "1 to 32 of 0-9 A-Z a-z * # . _ -")
    .describe("What people dial, e.g. 101"),
  name: NameSchema,
  ...AgentSettingsSchema.shape,
}).strict();

export const ExtensionPatchSchema = patchSchema(ExtensionInputSchema);

export function extensionView(row: ExtensionRecord) {
  return {
    id: row.id,
    extension: row.extension,
    name: row.name,
    capacity: row.capacity,
    skills: row.skills,
    cannedOnly: row.cannedOnly,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

function subject(tx: ConfigurationTransaction) {
  return { kind: "extension", rows: tx.extensions, view: extensionView };
}

export async function createExtension(tx: ConfigurationTransaction, raw: unknown): Promise<ExtensionRecord> {
  const input = parse(ExtensionInputSchema, raw);
  await refuseTaken(tx, input.extension);
  return await insertRow(tx, subject(tx), {
    id: tx.newId("extension"),
    ...input,
    createdAt: tx.now,
    updatedAt: tx.now,
  });
}

export async function updateExtension(
  tx: ConfigurationTransaction,
  id: string,
  patch: Fields,
): Promise<Changed<ExtensionRecord>> {
  const before = await existing(tx.extensions, "extension", id);
  const { extension, name, capacity, skills, cannedOnly } = before;
  const input = parse(
    ExtensionInputSchema,
    mergePatch({ extension, name, capacity, skills, cannedOnly }, patch),
  );
  if (input.extension !== extension) await refuseTaken(tx, input.extension);
  return await replaceRow(tx, subject(tx), before, { ...before, ...input });
}

export function removeExtension(tx: ConfigurationTransaction, id: string): Promise<void> {
  return removeRow(tx, subject(tx), id);
}

async function refuseTaken(tx: ConfigurationTransaction, extension: string): Promise<void> {
  if (await tx.extensions.find(extension)) throw taken("an extension", "extension", extension);
}
