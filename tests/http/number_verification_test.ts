import { deepEqual, equal, ok } from "node:assert/strict";
import { channelInput, testApp } from "../support/http_app.ts";
import { testPostgres } from "../support/postgres.ts";

Deno.test("CH-12: where a channel asks for it, only a number that is verified is given to a queue", async () => {
  await using postgres = await testPostgres();
  await using database = await postgres.database();
  using app = await testApp(database);
  const channel = await app.make("/v1/channels", channelInput("Strict", { verifiedNumbersOnly: true }));
  const queue = await app.make("/v1/queues", { name: "Sales" });
  const destination = { kind: "queue", id: queue.id };
  const input = { channelId: channel.id, number: "+12025550134" };
  const refused = await app.call("POST", "/v1/numbers", { ...input, destination, allowedQueues: [queue.id] });
  deepEqual([refused.status, refused.body.errors.map(({ field }: { field: string }) => field)], [
    400,
    ["destination", "allowedQueues.0"],
  ]);
  const number = await app.make("/v1/numbers", input);
  const path = `/v1/numbers/${number.id}`;
  equal((await app.call("PATCH", path, { destination })).status, 400);

  const unasked = await app.call("POST", `${path}/verify`, {});
  deepEqual([unasked.status, unasked.body.type.endsWith("not-supported")], [422, true]);
  app.numberVerification = { ok: false, reason: "nobody answered", fault: "unreachable" };
  equal((await app.call("POST", `${path}/verify`, {})).status, 502);
  app.numberVerification = { ok: false, reason: "the account does not have it" };
  const no = await app.call("POST", `${path}/verify`, {});
  deepEqual([no.status, no.body.ok, no.body.number.verified], [200, false, false]);
  app.numberVerification = { ok: true, reason: "it is the account's" };
  const yes = await app.call("POST", `${path}/verify`, {});
  deepEqual([yes.body.ok, yes.body.number.verified], [true, true]);
  equal((await app.call("PATCH", path, { destination, allowedQueues: [queue.id] })).status, 200);
  const { items } = (await app.call("GET", "/v1/audit")).body;
  ok(items.some(({ action, target }: Record<string, string>) => action === "verify" && target === number.id));

  // What a number has it keeps when the provider loses sight of it; other queues it does not get.
  app.numberVerification = { ok: false, reason: "the account does not have it" };
  await app.call("POST", `${path}/verify`, {});
  equal((await app.call("PATCH", path, { label: "Main line" })).status, 200);
  const other = await app.make("/v1/queues", { name: "Other" });
  equal((await app.call("PATCH", path, { destination: { kind: "queue", id: other.id } })).status, 400);
  const attested = await app.call("POST", `${path}/verify`, { attested: true });
  equal(attested.body.number.verified, true);
});

Deno.test("CH-12: a channel that does not ask for it gives queues any number", async () => {
  await using postgres = await testPostgres();
  await using database = await postgres.database();
  using app = await testApp(database);
  const channel = await app.make("/v1/channels", channelInput("Plain"));
  const queue = await app.make("/v1/queues", { name: "Sales" });
  const number = await app.make("/v1/numbers", {
    channelId: channel.id,
    number: "+12025550134",
    destination: { kind: "queue", id: queue.id },
  });
  equal(number.verified, false);
});
