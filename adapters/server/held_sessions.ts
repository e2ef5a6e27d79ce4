/**
 * Takes sessions from platforms whose time with them is over, and from those that are switched off.
 *
 * @module
 */
import type { DirectorySource } from "../../core/ports/directory.ts";
import type { Ingress } from "../../core/ports/ingress.ts";
import type { PartitionOwner } from "../../core/runtime/partition_owner.ts";
import type { Sql } from "../postgres/database.ts";
import { findHeldSessions } from "../postgres/held_sessions.ts";

export interface HeldSessionsOptions {
  readonly sql: Sql;
  readonly owner: PartitionOwner;
  readonly directory: DirectorySource;
  readonly ingress: Ingress;
  readonly now: () => number;
}

const BATCH = 1_000;
const MINUTE_MS = 60_000;

/** Tells the conversations concerned; repeats until it is applied are one command. */
export async function endHolds({ sql, owner, directory, ingress, now }: HeldSessionsOptions): Promise<void> {
  const at = now();
  const partitions = owner.owned.map(({ partition }) => partition);
  const off = [...directory.current().platforms.values()].filter(({ enabled }) => !enabled).map(({ id }) =>
    id
  );
  const held = await findHeldSessions(sql, partitions, off, at, BATCH);
  await Promise.all(held.map(({ id, number, contact, mark }) =>
    ingress.append({
      kind: "command",
      // Comes again until it is applied; what another process's older directory kept has its turn a minute later.
      key: `hold:${id}:${mark}:${Math.floor(at / MINUTE_MS)}`,
      at,
      number,
      contact,
      author: { kind: "system", id: "hold" },
      command: { kind: "platform-overdue", sessionId: id },
    })
  ));
}
