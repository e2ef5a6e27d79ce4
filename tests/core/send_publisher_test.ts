import { deepEqual } from "node:assert/strict";
import type { OutboxRow, Published, PublishedRows } from "../../core/outbox.ts";
import type { PartitionStore } from "../../core/ports/partition_store.ts";
import { SendPublisher } from "../../core/send/send_publisher.ts";

const row = (partition: number, sequence: number): OutboxRow => ({
  kind: "send",
  partition,
  sequence,
  payload: { events: [] },
});

Deno.test("SendPublisher gives a commit what it may forget of the commit's own lanes, and forgets the rest by itself", async () => {
  const cleared: [number, PublishedRows][] = [];
  const idle = Promise.withResolvers<void>();
  const publisher = new SendPublisher({
    store: {
      clearOutbox: (_kind: string, published: Published) => {
        cleared.push(...published);
        return Promise.resolve();
      },
    } as unknown as PartitionStore,
    lanes: () => [1, 2],
    publish: () => Promise.resolve(),
    onError: () => {},
    sleep: () => idle.promise,
  });
  publisher.add([row(1, 5), row(2, 7), row(1, 6)]);
  await new Promise((resolve) => setTimeout(resolve, 0));
  deepEqual([...publisher.takePublished([1, 3])], [[1, { first: 5, last: 6 }]]);
  deepEqual([...publisher.takePublished([1, 3])], []);
  idle.resolve();
  await new Promise((resolve) => setTimeout(resolve, 0));
  deepEqual(cleared, [[2, { first: 7, last: 7 }]]);
  await publisher.stop();
});
