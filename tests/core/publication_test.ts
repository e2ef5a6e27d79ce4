import { deepEqual, equal } from "node:assert/strict";
import { systemClock } from "../../adapters/system/clock.ts";
import type { OutboxRow, Published } from "../../core/outbox.ts";
import type { PartitionStore } from "../../core/ports/partition_store.ts";
import { Publication } from "../../core/runtime/publication.ts";
import { pause } from "../support/until.ts";

const row = (partition: number, sequence: number): OutboxRow => ({
  kind: "route",
  partition,
  sequence,
  payload: { events: [] },
});

/** Told at once; what is forgotten apart from commits is up to `clear`. */
function publicationOf(clear: (published: Published) => Promise<void>) {
  const epochs = new Map([[0, 1], [1, 1]]);
  const publication = new Publication({
    kind: "route",
    store: { clearOutbox: (_kind: string, published: Published) => clear(published) } as PartitionStore,
    publish: () => Promise.resolve(),
    isIdle: () => true,
    onProgress: () => {},
    epochOf: (partition) => epochs.get(partition) ?? -1,
    clock: systemClock,
  });
  return { publication, epochs };
}

Deno.test("settle() waits for what is being forgotten: late, it would meet the rows of another log", async () => {
  const under = Promise.withResolvers<void>();
  const cleared: Published[] = [];
  const { publication } = publicationOf((published) => {
    cleared.push(published);
    return under.promise;
  });
  publication.add(row(0, 10));
  while (cleared.length === 0) await pause(10);
  let isSettled = false;
  const settled = publication.settle([0]).then(() => isSettled = true);
  await pause(20);
  equal(isSettled, false);
  under.resolve();
  await settled;
  await publication.stop();
});

Deno.test("a commit that failed gives no mark back that was settled meanwhile", async () => {
  const { publication } = publicationOf(() => Promise.resolve());
  publication.add(row(0, 10));
  publication.add(row(1, 20));
  await pause(0);
  const published = publication.takePublished();
  deepEqual([...published.keys()], [0, 1]);
  await publication.settle([0]);
  publication.giveBack(published);
  deepEqual([...publication.takePublished()], [[1, { first: 20, last: 20, epoch: 1 }]]);
  await publication.stop();
});

Deno.test("a mark has the epoch under which its row was committed, and yields to a later one", async () => {
  const { publication, epochs } = publicationOf(() => Promise.resolve());
  publication.add(row(0, 10));
  await pause(0);
  epochs.set(0, 3);
  publication.add(row(0, 4));
  await pause(0);
  deepEqual([...publication.takePublished()], [[0, { first: 4, last: 4, epoch: 3 }]]);
  await publication.stop();
});
