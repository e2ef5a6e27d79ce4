/**
 * Names in a document, looked up.
 *
 * @module
 */
import { parseAddress } from "../../phone_number.ts";
import type { ConfigurationTransaction } from "../../ports/configuration.ts";
import type { DestinationReference } from "./document.ts";
import { invalid } from "../fault.ts";

/**
 * The row that `name` names.
 *
 * @throws {ConfigurationFault} `invalid`, for `field`.
 */
export async function referred<T>(
  rows: { find(key: string): Promise<T | undefined> },
  field: string,
  kind: string,
  name: string,
): Promise<T> {
  const row = await rows.find(name);
  if (row === undefined) throw invalid({ field, message: `there is no ${kind} ${name}` });
  return row;
}

/** Ids of extensions by what people dial. */
export async function extensionIds(
  tx: ConfigurationTransaction,
  field: string,
  names: readonly string[],
): Promise<string[]> {
  return await idsOf(tx.extensions, field, "extension", names);
}

/** Ids of queues by their names. */
export async function queueIds(
  tx: ConfigurationTransaction,
  field: string,
  names: readonly string[],
): Promise<string[]> {
  return await idsOf(tx.queues, field, "queue", names);
}

/** Ids of our numbers by the numbers themselves. */
export async function numberIds(
  tx: ConfigurationTransaction,
  field: string,
  numbers: readonly string[],
): Promise<string[]> {
  const addresses = numbers.map((number) => parseAddress(number)?.value ?? number);
  return await idsOf(tx.numbers, field, "number", addresses);
}

async function idsOf(
  rows: { find(key: string): Promise<{ readonly id: string } | undefined> },
  field: string,
  kind: string,
  names: readonly string[],
): Promise<string[]> {
  const ids = [];
  for (const [index, name] of names.entries()) {
    ids.push((await referred(rows, `${field}.${index}`, kind, name)).id);
  }
  return ids;
}

/** A destination with its id in place of its name. */
export async function destinationId(
  tx: ConfigurationTransaction,
  destination: DestinationReference,
  field = "destination",
): Promise<{ readonly kind: string; readonly id: string }> {
  const [[kind, name]] = Object.entries(destination) as [["queue" | "extension" | "platform", string]];
  const rows = { queue: tx.queues, extension: tx.extensions, platform: tx.platforms }[kind];
  const row: { readonly id: string } = await referred<{ readonly id: string }>(
    rows,
    field,
    kind,
    name,
  );
  return { kind, id: row.id };
}
