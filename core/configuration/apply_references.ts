/**
 * Names in a document, looked up.
 *
 * @module
 */
import type { ConfigurationTransaction } from "../ports/configuration.ts";
import type { NumberItem } from "./apply_document.ts";
import { invalid } from "./fault.ts";

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
  const ids = [];
  for (const [index, name] of names.entries()) {
    ids.push((await referred(tx.extensions, `${field}.${index}`, "extension", name)).id);
  }
  return ids;
}

/** A destination with its id in place of its name. */
export async function destinationId(
  tx: ConfigurationTransaction,
  destination: NonNullable<NumberItem["destination"]>,
): Promise<{ readonly kind: string; readonly id: string }> {
  const [[kind, name]] = Object.entries(destination) as [["queue" | "extension" | "platform", string]];
  const rows = { queue: tx.queues, extension: tx.extensions, platform: tx.platforms }[kind];
  const row: { readonly id: string } = await referred<{ readonly id: string }>(
    rows,
    "destination",
    kind,
    name,
  );
  return { kind, id: row.id };
}
