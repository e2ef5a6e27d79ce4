/**
 * Platforms: third parties that take conversations over NATS, and over HTTPS where they give an endpoint.
 *
 * @module
 */
import { z } from "zod";
import type { ConfigurationTransaction, PlatformRecord } from "../ports/configuration.ts";
import { type Changed, existing, insertRow, removeRow, replaceRow } from "./change.ts";
import { parse, taken } from "./fault.ts";
import { type Fields, mergePatch, patchSchema } from "./merge.ts";
import { NameSchema } from "./name.ts";

export const PlatformInputSchema = z.object({
  name: NameSchema,
  enabled: z.boolean().default(true),
  endpoint: z.url({ protocol: /^https?$/ }).max(2_000).nullable().default(null)
    .describe("Where events are posted to, signed, besides NATS"),
}).strict();

export const PlatformPatchSchema = patchSchema(PlatformInputSchema);

export function platformView(row: PlatformRecord) {
  return {
    id: row.id,
    name: row.name,
    enabled: row.enabled,
    endpoint: row.endpoint,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

function subject(tx: ConfigurationTransaction) {
  return { kind: "platform", rows: tx.platforms, view: platformView };
}

/** Makes a platform and its secret, which is in the record returned and is not shown again. */
export async function createPlatform(tx: ConfigurationTransaction, raw: unknown) {
  const input = parse(PlatformInputSchema, raw);
  if (await tx.platforms.find(input.name)) throw taken("a platform", "name", input.name);
  const secret = tx.newSecret();
  const row: PlatformRecord = {
    id: tx.newId("platform"),
    ...input,
    secret,
    createdAt: tx.now,
    updatedAt: tx.now,
  };
  return { row: await insertRow(tx, subject(tx), row), secret };
}

export async function updatePlatform(
  tx: ConfigurationTransaction,
  id: string,
  patch: Fields,
): Promise<Changed<PlatformRecord>> {
  const before = await existing(tx.platforms, "platform", id);
  const { name, enabled, endpoint } = before;
  const input = parse(PlatformInputSchema, mergePatch({ name, enabled, endpoint }, patch));
  if (input.name !== name && await tx.platforms.find(input.name)) {
    throw taken("a platform", "name", input.name);
  }
  return await replaceRow(tx, subject(tx), before, { ...before, ...input });
}

/** Gives the platform a new secret; the former one is not used for anything from then on. */
export async function rotatePlatformSecret(tx: ConfigurationTransaction, id: string) {
  const before = await existing(tx.platforms, "platform", id);
  const secret = tx.newSecret();
  const { after } = await replaceRow(tx, subject(tx), before, { ...before, secret }, "rotate-secret");
  return { row: after, secret };
}

export function removePlatform(tx: ConfigurationTransaction, id: string): Promise<void> {
  return removeRow(tx, subject(tx), id);
}
