/**
 * What every change of one row has in common.
 *
 * @module
 */
import type { ChangeableRows, ConfigurationTransaction } from "../ports/configuration.ts";
import { conflict, notFound } from "./fault.ts";
import { sameJson } from "./merge.ts";

/** What came of a change. */
export interface Changed<T> {
  readonly before: T;
  readonly after: T;
  /** False when the row was like that already; then nothing was written. */
  readonly changed: boolean;
}

interface Subject<T> {
  /** As in the audit log and in messages, e.g. `channel`. */
  readonly kind: string;
  readonly rows: ChangeableRows<T>;
  /** Without secrets. */
  readonly view: (row: T) => unknown;
}

/**
 * Writes `after` in place of `before` and records it, unless they are the same.
 * `action` names it in the audit log.
 */
export async function replaceRow<T extends { readonly id: string; readonly updatedAt?: Date }>(
  tx: ConfigurationTransaction,
  subject: Subject<T>,
  before: T,
  changes: T,
  action = "update",
): Promise<Changed<T>> {
  if (sameJson(before, changes)) return { before, after: before, changed: false };
  const after = "updatedAt" in before ? { ...changes, updatedAt: tx.now } : changes;
  await subject.rows.update(after);
  await tx.record({
    action,
    kind: subject.kind,
    target: before.id,
    before: subject.view(before),
    after: subject.view(after),
  });
  return { before, after, changed: true };
}

/** Inserts and records a new row. */
export async function insertRow<T extends { readonly id: string }>(
  tx: ConfigurationTransaction,
  subject: Subject<T>,
  row: T,
): Promise<T> {
  await subject.rows.insert(row);
  await tx.record({
    action: "create",
    kind: subject.kind,
    target: row.id,
    before: null,
    after: subject.view(row),
  });
  return row;
}

/**
 * Removes and records it.
 *
 * @throws {ConfigurationFault} `conflict`, naming what still refers to it.
 */
export async function removeRow<T extends { readonly id: string }>(
  tx: ConfigurationTransaction,
  subject: Subject<T>,
  id: string,
): Promise<void> {
  const row = await existing(subject.rows, subject.kind, id);
  const referrers = await tx.referrers(id);
  if (referrers.length > 0) {
    const names = referrers.map(({ kind, name }) => `${kind} ${name}`).join(", ");
    throw conflict(`The ${subject.kind} is still in use by: ${names}.`);
  }
  await subject.rows.remove(id);
  await tx.record({
    action: "delete",
    kind: subject.kind,
    target: id,
    before: subject.view(row),
    after: null,
  });
}

/**
 * The row with this id.
 *
 * @throws {ConfigurationFault} `not-found`
 */
export async function existing<T>(
  rows: { get(id: string): Promise<T | undefined> },
  kind: string,
  id: string,
): Promise<T> {
  const row = await rows.get(id);
  if (row === undefined) throw notFound(kind, id);
  return row;
}
