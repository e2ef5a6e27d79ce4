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

Deno.test("AG-2: canned texts are made for a queue or for all, changed and removed, and the audit log tells so", async () => {
  const queue = await app.make("/v1/queues", { name: "Sales" });
  const other = await app.make("/v1/queues", { name: "Help" });
  const hello = { label: "hello", language: "en", text: "Hello {{contact.number}}, your {{thing}} is here" };
  const global = await app.make("/v1/canned", hello);
  assert.deepEqual([global.queueId, global.values], [null, ["thing"]]);
  const own = await app.make(`/v1/queues/${queue.id}/canned`, { ...hello, text: "Hi from {{queue.name}}" });
  assert.match(own.id, /^can_/);
  assert.equal(own.queueId, queue.id);
  const labels = async (id: string) =>
    (await app.call("GET", `/v1/queues/${id}/canned`)).body.items.map((item: { id: string }) => item.id);
  assert.deepEqual(await labels(queue.id), [global.id, own.id]);
  assert.deepEqual(await labels(other.id), [global.id]);

  const twice = await app.call("POST", "/v1/canned", hello);
  assert.deepEqual([twice.status, twice.body.errors[0].field], [409, "label"]);
  const wrong = await app.call("POST", "/v1/canned", { label: "", language: "english", text: "{{a.b}}" });
  assert.deepEqual(wrong.body.errors.map(({ field }: { field: string }) => field).sort(), [
    "label",
    "language",
    "text",
  ]);
  assert.equal((await app.call("POST", "/v1/queues/mq_nothing/canned", hello)).status, 404);

  const changed = await app.call("PATCH", `/v1/canned/${own.id}`, { text: "Hi" });
  assert.deepEqual([changed.status, changed.body.text, changed.body.queueId], [200, "Hi", queue.id]);
  assert.equal((await app.call("DELETE", `/v1/canned/${own.id}`)).status, 204);
  assert.equal((await app.call("GET", `/v1/canned/${own.id}`)).status, 404);
  const { body } = await app.call("GET", `/v1/audit?target=${own.id}`);
  assert.deepEqual(body.items.map(({ action }: { action: string }) => action), [
    "delete",
    "update",
    "create",
  ]);

  const gone = await app.make(`/v1/queues/${other.id}/canned`, hello);
  assert.equal((await app.call("DELETE", `/v1/queues/${other.id}`)).status, 204);
  assert.equal((await app.call("GET", `/v1/canned/${gone.id}`)).status, 404);
});

Deno.test("AG-2: a file for apply brings canned texts, and changes those that differ", async () => {
  const document = {
    queues: [{ name: "Orders", cannedOnly: true, sharedArchive: true }],
    extensions: [{ extension: "301", name: "Ann", cannedOnly: true }],
    canned: [
      { label: "thanks", language: "en", text: "Thank you" },
      { queue: "Orders", label: "thanks", language: "en", text: "Thank you for your order" },
    ],
  };
  const actions = async () => {
    const { status, body } = await app.call("POST", "/v1/apply", { document });
    assert.equal(status, 200, JSON.stringify(body));
    return body.plan.filter(({ kind }: { kind: string }) => kind === "canned").map(
      ({ action, name }: { action: string; name: string }) => `${action} ${name}`,
    );
  };
  assert.deepEqual(await actions(), ["create thanks (en)", "create Orders/thanks (en)"]);
  assert.deepEqual(await actions(), ["unchanged thanks (en)", "unchanged Orders/thanks (en)"]);
  document.canned[0]!.text = "Thanks";
  assert.deepEqual(await actions(), ["update thanks (en)", "unchanged Orders/thanks (en)"]);
  const queue = [...app.directory.current().queues.values()].find(({ name }) => name === "Orders")!;
  assert.deepEqual([queue.cannedOnly, queue.sharedArchive], [true, true]);
  const agent = [...app.directory.current().extensions.values()].find(({ extension }) =>
    extension === "301"
  )!;
  assert.equal(agent.cannedOnly, true);
  const twice = await app.call("POST", "/v1/apply", {
    document: { canned: [document.canned[0], document.canned[0]] },
  });
  assert.equal(twice.body.errors[0].field, "document.canned.1.label");
  const unknown = await app.call("POST", "/v1/apply", {
    document: { canned: [{ ...document.canned[0], queue: "Nobody" }] },
  });
  assert.equal(unknown.body.errors[0].field, "document.canned.0.queue");
});
