/**
 * Message queues: waiting lines that several extensions serve.
 *
 * @module
 */
import { z } from "zod";
import { QueueTextsSchema } from "../automated_text.ts";
import { type Distribution, DistributionSchema } from "../dispatch/settings.ts";
import { QueueInCallSchema } from "../in_call/settings.ts";
import type { ConfigurationTransaction, QueueRecord } from "../ports/configuration.ts";
import { type Changed, existing, insertRow, removeRow, replaceRow } from "./change.ts";
import { invalid, parse, taken } from "./fault.ts";
import { type Fields, mergePatch, patchSchema } from "./merge.ts";
import { IdSchema, NameSchema } from "./name.ts";
import { calendarErrors, inCallNumberErrors } from "./named.ts";

export const QUEUE_MEMBERS_MAX = 1_000;

export const MembersSchema = z.array(IdSchema).max(QUEUE_MEMBERS_MAX);

export const QueueInputSchema = z.object({
  name: NameSchema,
  members: MembersSchema.default([]).describe("Ids of extensions"),
  calendarId: IdSchema.nullable().default(null).describe("When it is served; null: always"),
  texts: QueueTextsSchema.prefault({}).describe("What it says by itself, by language"),
  ...DistributionSchema.shape,
  inCall: QueueInCallSchema.prefault({}).describe("Texting during its calls; left out: as for all calls"),
}).strict();

export const QueuePatchSchema = patchSchema(QueueInputSchema);

export function queueView(row: QueueRecord) {
  return {
    id: row.id,
    name: row.name,
    members: [...row.members],
    calendarId: row.calendarId,
    texts: row.texts,
    ...distributionOf(row),
    inCall: row.inCall,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

/** How the queue gives out its work, alone. */
export function distributionOf(row: Readonly<Distribution>): Distribution {
  return DistributionSchema.parse(row);
}

function subject(tx: ConfigurationTransaction) {
  return { kind: "queue", rows: tx.queues, view: queueView };
}

export async function createQueue(tx: ConfigurationTransaction, raw: unknown): Promise<QueueRecord> {
  const input = parse(QueueInputSchema, raw);
  const members = await known(tx, input);
  if (await tx.queues.find(input.name)) throw taken("a queue", "name", input.name);
  return await insertRow(tx, subject(tx), {
    id: tx.newId("queue"),
    ...input,
    members,
    createdAt: tx.now,
    updatedAt: tx.now,
  });
}

export async function updateQueue(
  tx: ConfigurationTransaction,
  id: string,
  patch: Fields,
): Promise<Changed<QueueRecord>> {
  const before = await existing(tx.queues, "queue", id);
  const { name, members, calendarId, texts, inCall } = before;
  const fields = { name, members, calendarId, texts, inCall, ...distributionOf(before) };
  const input = parse(QueueInputSchema, mergePatch(fields, patch));
  if (input.name !== name && await tx.queues.find(input.name)) throw taken("a queue", "name", input.name);
  const after = { ...before, ...input, members: await known(tx, input) };
  return await replaceRow(tx, subject(tx), before, after);
}

/** Adds an extension to a queue; nothing happens if it is in already. */
export async function addMember(
  tx: ConfigurationTransaction,
  id: string,
  extensionId: string,
): Promise<QueueRecord> {
  const queue = await existing(tx.queues, "queue", id);
  if (await tx.extensions.get(extensionId) === undefined) {
    throw invalid({ field: "extensionId", message: `there is no extension ${extensionId}` });
  }
  return (await updateQueue(tx, id, { members: [...new Set([...queue.members, extensionId])] })).after;
}

/** Takes an extension out of a queue. */
export async function removeMember(
  tx: ConfigurationTransaction,
  id: string,
  extensionId: string,
): Promise<QueueRecord> {
  const queue = await existing(tx.queues, "queue", id);
  const member = queue.members.includes(extensionId) ? extensionId : undefined;
  await existing({ get: () => Promise.resolve(member) }, "member", extensionId);
  return (await updateQueue(tx, id, { members: queue.members.filter((other) => other !== extensionId) }))
    .after;
}

export function removeQueue(tx: ConfigurationTransaction, id: string): Promise<void> {
  return removeRow(tx, subject(tx), id);
}

/** The members, each once, if they, the calendar and the number for calls are there. */
async function known(
  tx: ConfigurationTransaction,
  { members, calendarId, inCall }: Pick<
    z.output<typeof QueueInputSchema>,
    "members" | "calendarId" | "inCall"
  >,
): Promise<string[]> {
  const unknown = [
    ...await calendarErrors(tx, "calendarId", calendarId),
    ...await inCallNumberErrors(tx, "inCall.numberId", inCall.numberId),
  ];
  for (const [index, member] of members.entries()) {
    if (await tx.extensions.get(member) === undefined) {
      unknown.push({ field: `members.${index}`, message: `there is no extension ${member}` });
    }
  }
  if (unknown.length > 0) throw invalid(...unknown);
  return [...new Set(members)].sort();
}
