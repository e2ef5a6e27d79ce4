import assert from "node:assert/strict";
import { type TestApp, testApp } from "../support/http_app.ts";
import { type TestDatabase, type TestPostgres, testPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
let database: TestDatabase;
let app: TestApp;
Deno.test.beforeAll(async () => {
  postgres = await testPostgres();
  database = await postgres.database();
  app = await testApp(database);
});
Deno.test.afterAll(async () => {
  app[Symbol.dispose]();
  await database[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

const fields = (body: { errors?: { field: string }[] }) =>
  (body.errors ?? []).map(({ field }) => field).sort();

Deno.test("RT-4 RT-6: a queue's strategy, offers, capacity and skills are set, patched and read back", async () => {
  const queue = await app.make("/v1/queues", { name: "Plain" });
  assert.deepEqual(
    [
      queue.strategy,
      queue.offerSeconds,
      queue.capacity,
      queue.onAgentGone,
      queue.sticky,
      queue.wrapUpSeconds,
    ],
    ["pickup", 30, null, "requeue", false, 0],
  );
  const { status, body } = await app.call("PATCH", `/v1/queues/${queue.id}`, {
    strategy: "skills",
    offerSeconds: 15,
    capacity: 40,
    skills: { spanish: 7 },
    relaxation: [{ afterSeconds: 30, levelsDown: 3 }, { afterSeconds: 90, drop: true }],
  });
  assert.equal(status, 200);
  const stored = app.directory.current().queues.get(queue.id)!;
  assert.deepEqual([stored.strategy, stored.offerSeconds, stored.capacity], ["skills", 15, 40]);
  assert.deepEqual(stored.relaxation, body.relaxation);
  assert.deepEqual(stored.skills, { spanish: 7 });
  const reset = await app.call("PATCH", `/v1/queues/${queue.id}`, {
    strategy: null,
    skills: { spanish: null },
  });
  assert.deepEqual([reset.body.strategy, reset.body.skills, reset.body.capacity], ["pickup", {}, 40]);
});

Deno.test("RT-4: what does not fit in a queue's distribution is told with the field's name", async () => {
  const cases: readonly [Record<string, unknown>, string[]][] = [
    [{ strategy: "guess" }, ["strategy"]],
    [{ offerSeconds: 0 }, ["offerSeconds"]],
    [{ capacity: 0 }, ["capacity"]],
    [{ skills: { french: 11 } }, ["skills.french"]],
    [{ relaxation: [{ afterSeconds: 10 }] }, ["relaxation.0"]],
    [{ relaxation: [{ afterSeconds: 9, drop: true }, { afterSeconds: 9, drop: true }] }, ["relaxation"]],
  ];
  for (const [input, names] of cases) {
    const answer = await app.call("POST", "/v1/queues", { name: "Wrong", ...input });
    assert.deepEqual([answer.status, fields(answer.body)], [400, names], JSON.stringify(input));
  }
});

Deno.test("AG-1: an extension has a capacity and skills", async () => {
  const extension = await app.make("/v1/extensions", {
    extension: "201",
    name: "Eve",
    skills: { french: 4 },
  });
  assert.deepEqual([extension.capacity, extension.skills], [null, { french: 4 }]);
  await app.call("PATCH", `/v1/extensions/${extension.id}`, {
    capacity: 3,
    skills: { french: null, welsh: 1 },
  });
  const stored = app.directory.current().extensions.get(extension.id)!;
  assert.deepEqual([stored.capacity, stored.skills], [3, { welsh: 1 }]);
});

Deno.test("RT-6: the capacity over all queues is one setting, in the API, in a file and in the audit log", async () => {
  const before = await app.call("GET", "/v1/distribution");
  assert.deepEqual(before.body, { capacity: null, agentCapacity: null, graceSeconds: 30 });
  const patched = await app.call("PATCH", "/v1/distribution", { capacity: 500 });
  assert.deepEqual(patched.body, { capacity: 500, agentCapacity: null, graceSeconds: 30 });
  const applied = await app.call("POST", "/v1/apply", { document: { distribution: { agentCapacity: 4 } } });
  assert.deepEqual(applied.body.plan, [{
    action: "update",
    kind: "distribution",
    name: "overall",
    changes: ["agentCapacity: null → 4"],
  }]);
  assert.deepEqual(app.directory.current().distribution, {
    capacity: 500,
    agentCapacity: 4,
    graceSeconds: 30,
  });
  const wrong = await app.call("POST", "/v1/apply", { document: { distribution: { graceSeconds: 0 } } });
  assert.deepEqual([wrong.status, fields(wrong.body)], [400, ["document.distribution.graceSeconds"]]);
  const { body } = await app.call("GET", "/v1/audit?kind=distribution");
  assert.equal(body.items.length, 2);
});
