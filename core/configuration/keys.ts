/**
 * API keys: 256 random bits after `pbk_`. Only the SHA-256 is stored.
 *
 * @module
 */
import { z } from "zod";
import { ROLES } from "../directory.ts";
import type { FieldError } from "../fields.ts";
import { sha256Hex } from "../hash.ts";
import type { ConfigurationTransaction, KeyRecord } from "../ports/configuration.ts";
import { type Changed, existing, insertRow, removeRow, replaceRow } from "./change.ts";
import { conflict, invalid, parse } from "./fault.ts";
import { type Fields, mergePatch, patchSchema } from "./merge.ts";
import { IdSchema, NameSchema } from "./name.ts";

export const KEY_PREFIX = "pbk_";

export const KeyInputSchema = z.object({
  name: NameSchema,
  role: z.enum(ROLES),
  extensionId: IdSchema.nullable().default(null).describe("For the role agent: who it is"),
  platformId: IdSchema.nullable().default(null).describe("For the role platform: who it is"),
  expiresAt: z.iso.datetime({ offset: true }).nullable().default(null).describe("RFC 3339"),
}).strict();

/** What a key is for cannot be changed; make another one. */
export const KeyPatchSchema = patchSchema(KeyInputSchema, ["role", "extensionId", "platformId"]);

export function keyView(row: KeyRecord) {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    extensionId: row.extensionId,
    platformId: row.platformId,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  };
}

function subject(tx: ConfigurationTransaction) {
  return { kind: "key", rows: tx.keys, view: keyView };
}

/** SHA-256 in hex: how a key is stored. It carries 256 random bits, so that no salt is needed. */
export function keyHash(key: string): string {
  return sha256Hex(key);
}

/** Makes a key; `secret` is the key itself, which cannot be shown again. */
export async function createKey(tx: ConfigurationTransaction, raw: unknown) {
  const input = parse(KeyInputSchema, raw);
  await checkHolder(tx, input);
  const expiresAt = expiry(tx, input.expiresAt);
  const secret = `${KEY_PREFIX}${tx.newSecret()}`;
  const row: KeyRecord = {
    id: tx.newId("key"),
    ...input,
    expiresAt,
    hash: keyHash(secret),
    createdAt: tx.now,
  };
  return { row: await insertRow(tx, subject(tx), row), secret };
}

export async function updateKey(
  tx: ConfigurationTransaction,
  id: string,
  patch: Fields,
): Promise<Changed<KeyRecord>> {
  const before = await existing(tx.keys, "key", id);
  const current = { name: before.name, expiresAt: before.expiresAt?.toISOString() ?? null };
  const input = parse(KeyInputSchema.pick({ name: true, expiresAt: true }), mergePatch(current, patch));
  const expiresAt = input.expiresAt === current.expiresAt ? before.expiresAt : expiry(tx, input.expiresAt);
  if (expiresAt !== null) await keepAnAdministrator(tx, before);
  return await replaceRow(tx, subject(tx), before, { ...before, name: input.name, expiresAt });
}

export async function removeKey(tx: ConfigurationTransaction, id: string): Promise<void> {
  await keepAnAdministrator(tx, await existing(tx.keys, "key", id));
  await removeRow(tx, subject(tx), id);
}

/** Makes sure that `key` is an administrator's; for the one that is made on first start. */
export async function ensureAdministratorKey(tx: ConfigurationTransaction, key: string): Promise<void> {
  const hash = keyHash(key);
  for await (const row of everyKey(tx)) if (row.hash === hash) return;
  await insertRow(tx, subject(tx), {
    id: tx.newId("key"),
    name: "first administrator",
    role: "administrator",
    hash,
    extensionId: null,
    platformId: null,
    expiresAt: null,
    createdAt: tx.now,
  });
}

/** Whether there is a key with which everything can be changed. */
export async function hasAdministrator(tx: ConfigurationTransaction): Promise<boolean> {
  for await (const row of everyKey(tx)) if (row.role === "administrator") return true;
  return false;
}

function expiry(tx: ConfigurationTransaction, text: string | null): Date | null {
  if (text === null) return null;
  const at = new Date(text);
  if (at <= tx.now) throw invalid({ field: "expiresAt", message: "must be in the future" });
  return at;
}

async function checkHolder(
  tx: ConfigurationTransaction,
  input: Pick<KeyRecord, "role" | "extensionId" | "platformId">,
): Promise<void> {
  const errors: FieldError[] = [];
  const holders = [
    ["extensionId", "agent", tx.extensions, "extension"],
    ["platformId", "platform", tx.platforms, "platform"],
  ] as const;
  for (const [field, role, rows, kind] of holders) {
    const id = input[field];
    if (input.role === role && id === null) {
      errors.push({ field, message: `is needed for the role ${role}` });
    } else if (input.role !== role && id !== null) {
      errors.push({ field, message: `is only for the role ${role}` });
    } else if (id !== null && await rows.get(id) === undefined) {
      errors.push({ field, message: `there is no ${kind} ${id}` });
    }
  }
  if (errors.length > 0) throw invalid(...errors);
}

/** Without an administrator's key nobody could make another one. */
async function keepAnAdministrator(tx: ConfigurationTransaction, leaving: KeyRecord): Promise<void> {
  if (leaving.role !== "administrator") return;
  for await (const row of everyKey(tx)) {
    if (row.id !== leaving.id && row.role === "administrator" && row.expiresAt === null) return;
  }
  throw conflict("This is the last administrator key that does not expire.");
}

async function* everyKey(tx: ConfigurationTransaction): AsyncGenerator<KeyRecord> {
  let after: string | undefined;
  while (true) {
    const rows = await tx.keys.list({ after, limit: 200 });
    yield* rows;
    if (rows.length < 200) return;
    after = rows.at(-1)!.id;
  }
}
