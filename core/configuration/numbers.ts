/**
 * Our numbers: which channel they belong to and where their conversations go.
 *
 * @module
 */
import { z } from "zod";
import { DestinationSchema, NUMBER_PURPOSES, NUMBER_TYPES } from "../channel.ts";
import type { FieldError } from "../fields.ts";
import { OptOutSettingsSchema } from "../opt_out/settings.ts";
import { type Address, parseAddress } from "../phone_number.ts";
import type { ConfigurationTransaction, NumberRecord } from "../ports/configuration.ts";
import { type Changed, existing, insertRow, removeRow, replaceRow } from "./change.ts";
import { conflict, invalid, parse, taken } from "./fault.ts";
import { type Fields, mergePatch, patchSchema } from "./merge.ts";
import { IdSchema } from "./name.ts";
import { destinationErrors } from "./named.ts";

export const NumberInputSchema = z.object({
  channelId: IdSchema,
  number: z.string().min(1).max(64).describe("E.164, a short code or an alphanumeric sender ID"),
  type: z.enum(NUMBER_TYPES).optional().describe("Guessed where it is not given"),
  label: z.string().max(200).nullable().default(null),
  direction: z.enum(["both", "outbound"]).optional().describe("An alphanumeric sender ID can only send"),
  purpose: z.enum(NUMBER_PURPOSES).default("chat")
    .describe("in-call: only for texting during calls; no message to it opens a session"),
  rateMps: z.number().min(0.01).max(100_000).nullable().default(null)
    .describe("Own sending rate beside the channel's, units of cost per second"),
  burst: z.number().min(1).max(100_000).nullable().default(null),
  destination: DestinationSchema.nullable().default(null).describe("Where new conversations go"),
  allowedExtensions: z.array(IdSchema).max(1_000).default([])
    .describe("Extensions that may open conversations from it; with no queues either: all"),
  allowedQueues: z.array(IdSchema).max(1_000).default([])
    .describe("Queues whose members may do so, and for which it may be done"),
  optOut: OptOutSettingsSchema.nullable().default(null)
    .describe("How it understands and answers STOP, START and HELP; null: as usual"),
}).strict();

/** A number is part of its conversations' ids, so it cannot be changed. */
export const NumberPatchSchema = patchSchema(NumberInputSchema, ["number"]);

export function numberView(row: NumberRecord) {
  return {
    id: row.id,
    channelId: row.channelId,
    number: row.number,
    type: row.type,
    label: row.label,
    verified: row.verified,
    direction: row.direction,
    purpose: row.purpose,
    rateMps: row.rateMps,
    burst: row.burst,
    destination: row.destination,
    allowedExtensions: [...row.allowedExtensions],
    allowedQueues: [...row.allowedQueues],
    optOut: row.optOut,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

function subject(tx: ConfigurationTransaction) {
  return { kind: "number", rows: tx.numbers, view: numberView };
}

export async function createNumber(tx: ConfigurationTransaction, raw: unknown): Promise<NumberRecord> {
  const input = await checked(tx, raw, null);
  if (await tx.numbers.find(input.number)) throw taken("a number", "number", input.number);
  return await insertRow(tx, subject(tx), {
    id: tx.newId("number"),
    ...input,
    verified: false,
    createdAt: tx.now,
    updatedAt: tx.now,
  });
}

export async function updateNumber(
  tx: ConfigurationTransaction,
  id: string,
  patch: Fields,
): Promise<Changed<NumberRecord>> {
  const before = await existing(tx.numbers, "number", id);
  if (patch.number !== undefined && parseAddress(String(patch.number))?.value !== before.number) {
    throw invalid({ field: "number", message: "cannot be changed; add the other number instead" });
  }
  const {
    channelId,
    number,
    type,
    label,
    direction,
    purpose,
    rateMps,
    burst,
    destination,
    allowedExtensions,
    allowedQueues,
    optOut,
  } = before;
  const current = {
    channelId,
    number,
    type,
    label,
    direction,
    purpose,
    rateMps,
    burst,
    destination,
    allowedExtensions,
    allowedQueues,
    optOut,
  };
  const input = await checked(tx, mergePatch(current, { ...patch, number }), before);
  if (input.purpose !== purpose) await checkUnused(tx, before);
  return await replaceRow(tx, subject(tx), before, { ...before, ...input });
}

/** Notes whether the number is known to be ours. */
export async function setVerified(
  tx: ConfigurationTransaction,
  id: string,
  verified: boolean,
): Promise<NumberRecord> {
  const before = await existing(tx.numbers, "number", id);
  return (await replaceRow(tx, subject(tx), before, { ...before, verified }, "verify")).after;
}

export function removeNumber(tx: ConfigurationTransaction, id: string): Promise<void> {
  return removeRow(tx, subject(tx), id);
}

async function checked(tx: ConfigurationTransaction, raw: unknown, before: NumberRecord | null) {
  const input = parse(NumberInputSchema, raw);
  const address = parseAddress(input.number);
  const errors: FieldError[] = [];
  if (address === null) {
    errors.push({
      field: "number",
      message: "must be E.164 (+ and 7 to 15 digits), a short code or an alphanumeric sender ID",
    });
  } else {
    errors.push(...kindErrors(address, input));
  }
  const channel = await tx.channels.get(input.channelId);
  if (channel === undefined) {
    errors.push({ field: "channelId", message: `there is no channel ${input.channelId}` });
  } else if (channel.settings.verifiedNumbersOnly && before?.verified !== true) {
    errors.push(...unverifiedErrors(input, before));
  }
  errors.push(...await destinationErrors(tx, "destination", input.destination));
  if (input.purpose === "in-call" && input.destination !== null) {
    errors.push({ field: "destination", message: "a number for calls leads nowhere: leave it out" });
  }
  for (const [index, id] of input.allowedExtensions.entries()) {
    if (await tx.extensions.get(id) === undefined) {
      errors.push({ field: `allowedExtensions.${index}`, message: `there is no extension ${id}` });
    }
  }
  for (const [index, id] of input.allowedQueues.entries()) {
    if (await tx.queues.get(id) === undefined) {
      errors.push({ field: `allowedQueues.${index}`, message: `there is no queue ${id}` });
    }
  }
  if (address === null || errors.length > 0) throw invalid(...errors);
  return {
    ...input,
    number: address.value,
    type: input.type ?? guessType(address),
    direction: input.direction ?? (address.kind === "alphanumeric" ? "outbound" as const : "both" as const),
    allowedExtensions: [...new Set(input.allowedExtensions)],
    allowedQueues: [...new Set(input.allowedQueues)],
  };
}

/** A number changes its purpose only while nothing relies on the one it has. */
async function checkUnused(tx: ConfigurationTransaction, { id, number }: NumberRecord): Promise<void> {
  const referrers = await tx.referrers(id);
  if (referrers.length === 0) return;
  const names = referrers.map(({ kind, name }) => `${kind} ${name}`).join(", ");
  throw conflict(`What ${number} is for cannot be changed while it is in use by: ${names}.`, {
    field: "purpose",
    message: `the number is in use by: ${names}`,
  });
}

/** What a number that is not verified may keep, but not get: a queue. */
function unverifiedErrors(
  { destination, allowedQueues }: z.output<typeof NumberInputSchema>,
  before: NumberRecord | null,
): FieldError[] {
  const message = "the number must be verified first, as its channel asks for it";
  const isNew = destination?.kind === "queue" && destination.id !== before?.destination?.id;
  return [
    ...(isNew ? [{ field: "destination", message }] : []),
    ...allowedQueues.flatMap((id, index) =>
      before?.allowedQueues.includes(id) ? [] : [{ field: `allowedQueues.${index}`, message }]
    ),
  ];
}

function kindErrors(address: Address, input: z.output<typeof NumberInputSchema>): FieldError[] {
  const errors: FieldError[] = [];
  const word = address.kind === "alphanumeric";
  if (input.type !== undefined && word !== (input.type === "alphanumeric")) {
    errors.push({ field: "type", message: `does not fit ${address.value}` });
  }
  if (word && input.direction === "both") {
    errors.push({ field: "direction", message: "an alphanumeric sender ID can only send: outbound" });
  }
  return errors;
}

/** Only what the number itself tells; a landline and a mobile look alike. */
function guessType(address: Address): NumberRecord["type"] {
  switch (address.kind) {
    case "alphanumeric":
    case "short-code":
      return address.kind;
    case "e164":
      return /^\+18(00|33|44|55|66|77|88)\d{7}$/.test(address.value) ? "toll-free" : "mobile";
  }
}
