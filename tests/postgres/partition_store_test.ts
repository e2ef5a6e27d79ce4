import { deepEqual } from "node:assert/strict";
import { PostgresPartitionStore } from "../../adapters/postgres/partition_store.ts";
import { takeOver } from "../support/partitions.ts";
import { testPostgres } from "../support/postgres.ts";

Deno.test("what is published is forgotten only while the partition has the epoch of who committed it", async () => {
  await using postgres = await testPostgres();
  await using database = await postgres.database();
  const store = new PostgresPartitionStore(database.sql);
  const [former] = await takeOver(store, "route", [1], "former");
  const [owner] = await takeOver(store, "route", [1], "owner");
  await database.sql`insert into outbox (kind, partition, sequence, payload)
    select 'route', 1, n, '{"events":[]}' from generate_series(10, 13) as n`;
  const left = async () => (await store.loadOutbox("route", [1])).map(({ sequence }) => sequence);

  // The statement of one that lost the partition, carried out late: a replaced log has its sequences again.
  await store.clearOutbox("route", new Map([[1, { first: 10, last: 12, epoch: former!.epoch }]]));
  deepEqual(await left(), [10, 11, 12, 13]);
  await store.clearOutbox("route", new Map([[1, { first: 10, last: 11, epoch: owner!.epoch }]]));
  deepEqual(await left(), [12, 13]);
  // Where sequences never come again no epoch is told.
  await store.clearOutbox("route", new Map([[1, { first: 13, last: 13 }]]));
  deepEqual(await left(), [12]);
});
