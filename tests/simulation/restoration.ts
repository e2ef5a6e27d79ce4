/**
 * Old copies of logs are restored and entries expire, as far as no promise is broken by that alone: what is accepted and
 * neither applied nor in the copy is lost, whoever reads it.
 *
 * @module
 */
import type { Broker } from "./broker.ts";
import type { Tables } from "./tables.ts";
import type { World } from "./world.ts";

/** Entries that a copy lacks: few, so that the restored log soon grows past the cursor. */
const LACKS_MAX = 4;

/** Restores older copies of some of the logs that are applied to their end. */
export function restoreLogs(world: World, broker: Broker, tables: Tables): void {
  for (const { kind, partition, log } of broker.logs) {
    const { firstSequence, lastSequence } = log.state;
    if (firstSequence > lastSequence || !tables.isAppliedToItsEnd(kind, partition, log)) continue;
    if (world.chance(0.3)) continue;
    const lacks = 1 + Math.floor(world.random() * LACKS_MAX);
    world.note("harm", `${log.name} is restored without its last ${lacks}`);
    log.restore(Math.max(firstSequence - 1, lastSequence - lacks));
    tables.restored(kind, partition);
  }
}

/** Lets the first entries of some logs expire, none that is not applied. */
export function expireEntries(world: World, broker: Broker, tables: Tables): void {
  for (const { kind, partition, log } of broker.logs) {
    if (world.chance(0.5) || !tables.isAppliedToItsEnd(kind, partition, log)) continue;
    const { firstSequence, lastSequence } = log.state;
    log.expire(Math.floor(world.between(firstSequence - 1, lastSequence + 1)));
  }
}
