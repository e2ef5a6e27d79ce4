import { deepEqual, equal, match } from "node:assert/strict";
import { systemClock } from "../../adapters/system/clock.ts";
import { type LogMark, type PartitionLog, replacement } from "../../core/ports/partition_log.ts";
import type { PartitionRow, PartitionStore } from "../../core/ports/partition_store.ts";
import { PartitionOwner } from "../../core/runtime/partition_owner.ts";

const CREATED = "2026-01-01T00:00:00Z";
/** A time of the log, ns since 1970. */
const stored = (second: number) => `17672256${String(second).padStart(2, "0")}000000001`;

Deno.test("replacement() tells a log from an older copy of it by its entry at the mark", () => {
  const mark: LogMark = { created: CREATED, sequence: 5, stored: stored(5) };
  const state = { created: CREATED, firstSequence: 1, lastSequence: 9 };
  equal(replacement(mark, state, stored(5)), null);
  match(replacement(mark, { ...state, created: "later" }, stored(5))!, /made anew at later/);
  match(replacement(mark, { ...state, lastSequence: 4 }, null)!, /ends at 4, before 5/);
  match(replacement(mark, state, stored(6))!, /entry 5 is another one, stored at 2026-01-01T00:00:06.000Z/);
  // Somebody deleted it, and what else was done nobody knows.
  match(replacement(mark, state, null)!, /entry 5 is gone/);
  // Expired: all that is left comes after the mark.
  equal(replacement(mark, { ...state, firstSequence: 6 }, null), null);
  equal(replacement(mark, { ...state, firstSequence: 10 }, null), null);
  // From before it was noted.
  equal(replacement({ ...mark, stored: null }, state, stored(6)), null);
  equal(replacement({ created: CREATED, sequence: 0, stored: null }, state, null), null);
});

/** An owner of one partition, over a log whose entries are the times at which they were stored. */
function owner(row: Pick<PartitionRow, "cursor" | "cursorStored">, entries: string[]) {
  const partition: PartitionRow = {
    kind: "route",
    partition: 0,
    epoch: 1,
    owner: "me",
    logCreated: CREATED,
    ...row,
  };
  const seen = { marks: [] as LogMark[], starts: [] as number[], reasons: [] as string[] };
  /** What happens to the log between the first look at it and the consumer. */
  let between = () => {};
  const state = () => ({ created: CREATED, firstSequence: 1, lastSequence: entries.length });
  const log: PartitionLog = {
    state: () => Promise.resolve(state()),
    states: () => Promise.resolve(new Map([[0, state()]])),
    storedAt: (_, sequence) => Promise.resolve(entries[sequence - 1] ?? null),
    open: async ({ afterSequence, mayRead }) => {
      between();
      if (await mayRead()) seen.starts.push(afterSequence);
      return { pump: () => {}, restart: () => {}, stop: () => {} };
    },
  };
  const store = {
    loadOutbox: () => Promise.resolve([]),
    list: () => Promise.resolve([{ ...partition, ...lastMark() }]),
    resetCursor: (_kind: string, _partition: number, _epoch: number, mark: LogMark) => {
      seen.marks.push({ ...mark });
      return Promise.resolve(true);
    },
  } as unknown as PartitionStore;
  const lastMark = () => {
    const mark = seen.marks.at(-1);
    return mark === undefined ? {} : { cursor: mark.sequence, cursorStored: mark.stored };
  };
  const owned = new PartitionOwner({
    kind: "route",
    partitions: 1,
    lanes: 1,
    log,
    store,
    createApplier: () => ({
      apply: () => Promise.resolve({ kind: "committed", outbox: [] }),
      forget: () => {},
    }),
    publish: () => Promise.resolve(),
    onFenced: () => {},
    onError: (error) => {
      throw error;
    },
    onReplaced: (_, reason) => void seen.reasons.push(reason),
    clock: systemClock,
  });
  return { owned, seen, row: partition, onOpening: (run: () => void) => between = run };
}

Deno.test("PartitionOwner notes when the entry at a cursor was stored that is older than this", async () => {
  const { owned, seen, row } = owner({ cursor: 2, cursorStored: null }, [stored(1), stored(2), stored(3)]);
  await owned.gain([row]);
  deepEqual(seen, {
    marks: [{ created: CREATED, sequence: 2, stored: stored(2) }],
    starts: [2],
    reasons: [],
  });
  await owned.stop();
});

Deno.test("PartitionOwner reads a log from its beginning that became another one while it was opened", async () => {
  const entries = [stored(1), stored(2), stored(3)];
  const { owned, seen, row, onOpening } = owner({ cursor: 2, cursorStored: stored(2) }, entries);
  onOpening(() => entries.splice(1, 2, stored(7), stored(8)));
  await owned.gain([row]);
  deepEqual([seen.starts, owned.owned], [[], []]);
  onOpening(() => {});
  await owned.check();
  deepEqual(seen.marks, [{ created: CREATED, sequence: 0, stored: null }]);
  deepEqual(seen.starts, [0]);
  match(seen.reasons.join(), /entry 2 is another one/);
  await owned.stop();
});
