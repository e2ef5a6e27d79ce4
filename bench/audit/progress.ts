/**
 * Progress: what the partitions' rights and cursors did during the run, and whether all was done at its end.
 *
 * @module
 */
import type { Findings } from "./findings.ts";
import type { Leftovers, PartitionState, Sample } from "./run.ts";

const nameOf = ({ kind, partition }: Pick<PartitionState, "kind" | "partition">) => `${kind} ${partition}`;

/** Epochs never go back, and neither does a cursor, unless its log was made anew. */
export function checkProgress(samples: readonly Sample[], found: Findings): void {
  const last = new Map<string, PartitionState>();
  for (const { atMs, partitions } of samples) {
    for (const now of partitions) {
      found.looked++;
      const name = nameOf(now);
      const before = last.get(name);
      last.set(name, now);
      if (before === undefined) continue;
      const when = `${name} at ${new Date(atMs).toISOString()}`;
      if (now.epoch < before.epoch) {
        found.fault("an epoch that went back", `${when}: ${before.epoch} → ${now.epoch}`);
      }
      const sameLog = before.logCreated === null || before.logCreated === now.logCreated;
      if (now.cursor < before.cursor && sameLog) {
        found.fault("a cursor that went back", `${when}: ${before.cursor} → ${now.cursor}`);
      }
    }
  }
}

/** Everything in the logs is applied and everything committed is told. */
export function checkRest({ partitions, logEnds, outbox }: Leftovers, found: Findings): void {
  const cursors = new Map(partitions.map((state) => [nameOf(state), state.cursor]));
  for (const end of logEnds) {
    found.looked++;
    const cursor = cursors.get(nameOf(end)) ?? 0;
    if (cursor !== end.sequence) {
      found.fault("not applied to its end", `${nameOf(end)}, up to ${cursor} of ${end.sequence}`);
    }
  }
  for (const row of outbox) found.fault("left in the outbox", `${nameOf(row)}, sequence ${row.sequence}`);
}
