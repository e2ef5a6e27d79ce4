/**
 * Platforms: third parties that take conversations over NATS, and over HTTPS where they give an endpoint.
 *
 * @module
 */
import { z } from "zod";
import type { ConfigurationTransaction, PlatformRecord } from "../ports/configuration.ts";
import { type Changed, existing, insertRow, removeRow, replaceRow } from "./change.ts";
import { invalid, parse, taken } from "./fault.ts";
import { type Fields, mergePatch, patchSchema } from "./merge.ts";
import { IdSchema, NameSchema } from "./name.ts";

/** 30 days. */
const SECONDS_MAX = 2_592_000;

const FallbackSchema = z.object({ kind: z.enum(["queue", "extension"]), id: IdSchema }).strict();

export const PlatformInputSchema = z.object({
  name: NameSchema,
  enabled: z.boolean().default(true),
  endpoint: z.url({ protocol: /^https?$/ }).max(2_000).nullable().default(null)
    .describe("Where events are posted to, signed, besides NATS"),
  deadlineSeconds: z.number().int().min(1).max(SECONDS_MAX).nullable().default(null).describe(
    "How long a contact may wait for the platform's answer before its session goes to the fallback; null: for ever",
  ),
  holdSeconds: z.number().int().min(1).max(SECONDS_MAX).nullable().default(null).describe(
    "How long the platform may have a session at all, however well it answers; null: for ever",
  ),
  fallback: FallbackSchema.nullable().default(null).describe(
    "Where its sessions go after that, or when it is switched off; null: they wait for anyone",
  ),
}).strict();

export const PlatformPatchSchema = patchSchema(PlatformInputSchema);

export function platformView(row: PlatformRecord) {
  return {
    id: row.id,
    name: row.name,
    enabled: row.enabled,
    endpoint: row.endpoint,
    deadlineSeconds: row.deadlineSeconds,
    holdSeconds: row.holdSeconds,
    fallback: row.fallback,
    credentials: row.natsKey === null
      ? null
      : { publicKey: row.natsKey, issuedAt: row.natsKeyAt?.toISOString() ?? null },
    status: row.enabled ? row.status : "disabled" as const,
    statusReason: row.enabled ? row.statusReason : null,
    statusAt: row.statusAt.toISOString(),
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
  await checkFallback(tx, input.fallback);
  if (await tx.platforms.find(input.name)) throw taken("a platform", "name", input.name);
  const secret = tx.newSecret();
  const row: PlatformRecord = {
    id: tx.newId("platform"),
    ...input,
    secret,
    natsKey: null,
    natsKeyAt: null,
    ...newStatus(tx.now),
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
  const { name, enabled, endpoint, deadlineSeconds, holdSeconds, fallback } = before;
  const input = parse(
    PlatformInputSchema,
    mergePatch({ name, enabled, endpoint, deadlineSeconds, holdSeconds, fallback }, patch),
  );
  await checkFallback(tx, input.fallback);
  if (input.name !== name && await tx.platforms.find(input.name)) {
    throw taken("a platform", "name", input.name);
  }
  // Of another endpoint nothing is known yet.
  const isOther = input.endpoint !== endpoint || input.enabled !== enabled;
  return await replaceRow(tx, subject(tx), before, {
    ...before,
    ...input,
    ...(isOther ? newStatus(tx.now) : {}),
  });
}

function newStatus(now: Date): Pick<PlatformRecord, "status" | "statusReason" | "statusAt"> {
  return { status: "ready", statusReason: null, statusAt: now };
}

/** @throws {ConfigurationFault} `invalid` */
async function checkFallback(
  tx: ConfigurationTransaction,
  fallback: PlatformRecord["fallback"],
): Promise<void> {
  if (fallback === null) return;
  const rows = { queue: tx.queues, extension: tx.extensions }[fallback.kind];
  if (await rows.get(fallback.id) !== undefined) return;
  throw invalid({ field: "fallback.id", message: `there is no ${fallback.kind} ${fallback.id}` });
}

/** Gives the platform a new secret; the former one is not used for anything from then on. */
export async function rotatePlatformSecret(tx: ConfigurationTransaction, id: string) {
  const before = await existing(tx.platforms, "platform", id);
  const secret = tx.newSecret();
  const { after } = await replaceRow(tx, subject(tx), before, { ...before, secret }, "rotate-secret");
  return { row: after, secret };
}

/** Makes `publicKey` the platform's user at the broker; the former one is let in no more. */
export async function issuePlatformCredentials(
  tx: ConfigurationTransaction,
  id: string,
  publicKey: string,
): Promise<PlatformRecord> {
  const before = await existing(tx.platforms, "platform", id);
  const changes = { ...before, natsKey: publicKey, natsKeyAt: tx.now };
  return (await replaceRow(tx, subject(tx), before, changes, "issue-credentials")).after;
}

/** From now on the platform has no user at the broker. Nothing happens where it has none. */
export async function revokePlatformCredentials(tx: ConfigurationTransaction, id: string): Promise<void> {
  const before = await existing(tx.platforms, "platform", id);
  await replaceRow(
    tx,
    subject(tx),
    before,
    { ...before, natsKey: null, natsKeyAt: null },
    "revoke-credentials",
  );
}

export function removePlatform(tx: ConfigurationTransaction, id: string): Promise<void> {
  return removeRow(tx, subject(tx), id);
}
