/**
 * Delivers what there is of messages whose other parts do not come.
 *
 * @module
 */
import type { DirectorySource } from "../../core/ports/directory.ts";
import type { Ingress } from "../../core/ports/ingress.ts";
import type { PartitionOwner } from "../../core/runtime/partition_owner.ts";
import type { Sql } from "../postgres/database.ts";
import { findOverdueParts } from "../postgres/overdue_parts.ts";

export interface OverduePartsOptions {
  readonly sql: Sql;
  readonly owner: PartitionOwner;
  readonly directory: DirectorySource;
  readonly ingress: Ingress;
  readonly now: () => number;
}

const BATCH = 1_000;
const MINUTE_MS = 60_000;

/** Tells the conversations concerned; repeats until it is applied are one command. */
export async function deliverOverdueParts(options: OverduePartsOptions): Promise<void> {
  const { sql, owner, directory, ingress, now } = options;
  const at = now();
  const partitions = owner.owned.map(({ partition }) => partition);
  // Of a number that was taken away the parts stay where they are: nobody could be given them.
  const numbers = [...directory.current().numbersByAddress.keys()];
  const overdue = await findOverdueParts(sql, partitions, numbers, at, BATCH);
  await Promise.all(overdue.map(({ id, dueMs, number, contact }) =>
    ingress.append({
      kind: "command",
      // Comes again until it is applied; what was not due then has its turn a minute later at the latest.
      key: `parts:${id}:${dueMs}:${Math.floor(at / MINUTE_MS)}`,
      at,
      number,
      contact,
      author: { kind: "system", id: "parts" },
      command: { kind: "overdue-parts" },
    })
  ));
}
