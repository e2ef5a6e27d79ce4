import assert from "node:assert/strict";
import { parse } from "yaml";
import { testApp } from "../support/http_app.ts";
import { ruleTrial } from "../support/rule_trial.ts";
import { testPostgres } from "../support/postgres.ts";

const NUMBER = "+14155550198";
const SPANIARD = "+34600000001";

Deno.test("RT-8: the examples of docs/routing.md can be applied, and decide as it is told there", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/routing.md", import.meta.url));
  const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => parse(yaml!));
  await using postgres = await testPostgres();
  await using database = await postgres.database();
  using app = await testApp(database, {
    modules: [ruleTrial(database)],
  });
  const base: Record<string, unknown[]> = {
    extensions: [{ extension: "101", name: "Alice" }],
    platforms: [{ name: "Bot" }],
    channels: [{
      name: "Main",
      provider: "fake",
      credentials: { accountSid: "AC1", authToken: "some-token" },
    }],
    numbers: [{ number: NUMBER, channel: "Main", destination: { queue: "Sales" } }],
  };
  const document = blocks.reduce((whole, block) => {
    for (const [kind, items] of Object.entries(block)) {
      whole[kind] = [...whole[kind] ?? [], ...items as unknown[]];
    }
    return whole;
  }, base);
  assert.deepEqual(Object.keys(document).sort(), [
    "calendars",
    "channels",
    "extensions",
    "numbers",
    "platforms",
    "queues",
    "rules",
  ]);
  const applied = await app.call("POST", "/v1/apply", { document });
  assert.equal(applied.status, 200, applied.text);
  const trial = async (body: Record<string, unknown>) => {
    const answer = await app.call("POST", "/v1/rules/test", { number: NUMBER, contact: SPANIARD, ...body });
    return [answer.body.decidedBy?.name, answer.body.destination?.kind];
  };
  const [wednesday, sunday] = ["2026-01-21T15:00:00Z", "2026-01-18T15:00:00Z"];
  assert.deepEqual(await trial({ text: "Una FACTURA, por favor", at: wednesday }), ["Bills", "extension"]);
  assert.deepEqual(await trial({ text: "hola", at: wednesday }), ["Spain", "queue"]);
  assert.deepEqual(await trial({ text: "hola", at: sunday }), ["Night", "platform"]);
  assert.deepEqual(await trial({ text: "hi", at: wednesday, contact: "+14155550123" }), [undefined, "queue"]);
});
