import { deepEqual, equal } from "node:assert/strict";
import { CHANNEL, TO_EXTENSION, TO_QUEUE } from "../routing/directory.ts";
import { testPostgres } from "../support/postgres.ts";
import { Fixture, NOW } from "./fixture.ts";

const HOUR_MS = 3_600_000;
const THIS_HOUR = Math.floor(NOW / HOUR_MS) * HOUR_MS;
const NONE = { received: 0, sent: 0, delivered: 0, failed: 0, segmentsIn: 0, segmentsOut: 0 };

Deno.test("statistics", async (t) => {
  await using postgres = await testPostgres();
  await using database = await postgres.database();
  const fixture = new Fixture(database);
  const gone = { channel_id: `ch_${"9".repeat(26)}`, number: "+15557654321" };
  const rows = [
    { hour_ms: THIS_HOUR, shard: 0, received: 3, segments_in: 5 },
    { hour_ms: THIS_HOUR, shard: 1, received: 4, sent: 2, delivered: 1, failed: 1, segments_out: 3 },
    { hour_ms: THIS_HOUR - 2 * HOUR_MS, shard: 0, received: 1, number: TO_EXTENSION.number },
    { hour_ms: THIS_HOUR - 48 * HOUR_MS, shard: 0, sent: 9 },
    { hour_ms: THIS_HOUR, shard: 0, received: 1, ...gone },
  ];
  for (const row of rows) {
    await database.db.insertInto("statistics")
      .values({ channel_id: CHANNEL.id, number: TO_QUEUE.number, ...row }).execute();
  }
  const busiest = { received: 7, sent: 2, delivered: 1, failed: 1, segmentsIn: 5, segmentsOut: 3 };

  await t.step(
    "of a channel: the last 24 hours by the hour, writers added up, empty hours included",
    async () => {
      const { status, body } = await fixture.get("reader", `/v1/channels/${CHANNEL.id}/statistics`);
      equal(status, 200);
      equal(body.buckets.length, 25, "half an hour at both ends");
      deepEqual(body.buckets.at(-1), { start: new Date(THIS_HOUR).toISOString(), ...busiest });
      deepEqual(body.buckets.at(-2), { start: new Date(THIS_HOUR - HOUR_MS).toISOString(), ...NONE });
      equal(body.buckets.at(-3).received, 1);
      deepEqual(body.total, { ...busiest, received: 8 });
    },
  );

  await t.step("by days of UTC", async () => {
    const query = "bucket=day&from=2026-01-13T00:00:00Z&to=2026-01-16T00:00:00Z";
    const { body } = await fixture.get("admin", `/v1/channels/${CHANNEL.id}/statistics?${query}`);
    deepEqual(body.buckets.map((bucket: { start: string }) => bucket.start), [
      "2026-01-13T00:00:00.000Z",
      "2026-01-14T00:00:00.000Z",
      "2026-01-15T00:00:00.000Z",
    ]);
    deepEqual(body.buckets.map((bucket: { sent: number }) => bucket.sent), [9, 0, 2]);
    equal(body.total.received, 8);
  });

  await t.step("of a number, by its id or itself", async () => {
    const byId = await fixture.get("admin", `/v1/numbers/${TO_QUEUE.id}/statistics`);
    deepEqual(byId.body.total, busiest);
    const path = `/v1/numbers/${encodeURIComponent(TO_QUEUE.number)}/statistics`;
    deepEqual((await fixture.get("admin", path)).body.total, busiest);
  });

  await t.step("of what was deleted are kept", async () => {
    equal((await fixture.get("admin", `/v1/channels/${gone.channel_id}/statistics`)).body.total.received, 1);
    const path = `/v1/numbers/${encodeURIComponent(gone.number)}/statistics`;
    equal((await fixture.get("admin", path)).body.total.received, 1);
    equal((await fixture.get("admin", `/v1/channels/ch_${"8".repeat(26)}/statistics`)).status, 404);
    equal((await fixture.get("admin", `/v1/numbers/num_${"8".repeat(26)}/statistics`)).status, 404);
    equal((await fixture.get("admin", "/v1/numbers/%2B15550009999/statistics")).status, 404);
  });

  await t.step("are bounded, and only for those who see all", async () => {
    const path = `/v1/channels/${CHANNEL.id}/statistics`;
    const long = await fixture.get("admin", `${path}?from=2025-01-01T00:00:00Z`);
    equal(long.status, 422);
    equal(long.body.errors[0].field, "from");
    equal((await fixture.get("admin", `${path}?from=2027-01-01T00:00:00Z`)).body.errors[0].field, "from");
    equal((await fixture.get("admin", `${path}?bucket=week`)).body.errors[0].field, "bucket");
    equal((await fixture.get("alice", path)).status, 403);
  });

  deepEqual(fixture.errors, []);
});
