import assert from "node:assert/strict";
import { parse } from "yaml";
import { channelInput, type TestApp, testApp } from "../support/http_app.ts";
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

/** Fields named in a problem document. */
const fields = (body: { errors?: { field: string }[] }) =>
  (body.errors ?? []).map(({ field }) => field).sort();
const LONG = "x".repeat(919);

Deno.test("IC-4: texting during calls is off until it is switched on, and every change is in the audit log", async () => {
  const before = await app.call("GET", "/v1/in-call");
  assert.deepEqual([before.status, before.body.enabled, before.body.outsideUs, before.body.freeText], [
    200,
    false,
    false,
    false,
  ]);
  assert.deepEqual(before.body.mediaTypes, ["image/jpeg", "image/png", "image/gif", "video/*"]);
  const patch = { enabled: true, closingText: { en: "Goodbye", es: "Hasta luego" } };
  const changed = await app.call("PATCH", "/v1/in-call", patch);
  assert.deepEqual([changed.status, changed.body.enabled, changed.body.closingText], [
    200,
    true,
    patch.closingText,
  ]);
  assert.equal(app.directory.current().inCall.enabled, true);
  const without = await app.call("PATCH", "/v1/in-call", { closingText: { es: null } });
  assert.deepEqual(without.body.closingText, { en: "Goodbye" });
  assert.equal((await app.call("PATCH", "/v1/in-call", { closingText: null })).body.closingText, null);
  const { body } = await app.call("GET", "/v1/audit?kind=in-call");
  assert.equal(body.items.length, 3);
  assert.deepEqual([body.items[2].before.enabled, body.items[2].after.enabled], [false, true]);
  const wrong = await app.call("PATCH", "/v1/in-call", {
    numberId: "num_0",
    autoReply: { en: LONG },
    surplus: 1,
  });
  assert.deepEqual([wrong.status, fields(wrong.body)], [400, ["autoReply.en", "surplus"]]);
  const unknown = await app.call("PATCH", "/v1/in-call", { numberId: "num_0" });
  assert.deepEqual([unknown.status, fields(unknown.body)], [400, ["numberId"]]);
});

Deno.test("IC-2: presets are made, read, changed and removed by label and language", async () => {
  const queue = await app.make("/v1/queues", { name: "Claims" });
  const preset = await app.make("/v1/in-call/presets", {
    label: "Address",
    texts: { en: "Our address: …", fr: "Notre adresse : …" },
    queueIds: [queue.id],
  });
  assert.match(preset.id, /^pre_[0-9a-v]{26}$/);
  assert.deepEqual((await app.call("GET", `/v1/in-call/presets/${preset.id}`)).body, preset);
  assert.deepEqual((await app.call("GET", "/v1/in-call/presets")).body.items, [preset]);
  const changed = await app.call("PATCH", `/v1/in-call/presets/${preset.id}`, {
    texts: { fr: null },
    queueIds: [],
  });
  assert.deepEqual([changed.status, changed.body.texts, changed.body.queueIds], [
    200,
    { en: "Our address: …" },
    [],
  ]);
  assert.equal(app.directory.current().inCallPresets[0]!.label, "Address");
  const twice = await app.call("POST", "/v1/in-call/presets", { label: "Address", texts: { en: "x" } });
  assert.deepEqual([twice.status, fields(twice.body)], [409, ["label"]]);
  const wrong = await app.call("POST", "/v1/in-call/presets", { label: " x ", texts: { en: LONG } });
  assert.deepEqual([wrong.status, fields(wrong.body)], [400, ["label", "texts.en"]]);
  const nowhere = await app.call("POST", "/v1/in-call/presets", {
    label: "Y",
    texts: { en: "y" },
    queueIds: ["mq_0"],
  });
  assert.deepEqual([nowhere.status, fields(nowhere.body)], [400, ["queueIds.0"]]);
  await app.call("PATCH", `/v1/in-call/presets/${preset.id}`, { queueIds: [queue.id] });
  const inUse = await app.call("DELETE", `/v1/queues/${queue.id}`);
  assert.equal(inUse.status, 409);
  assert.match(inUse.body.detail, /in-call preset Address/);
  assert.equal((await app.call("DELETE", `/v1/in-call/presets/${preset.id}`)).status, 204);
  assert.equal((await app.call("GET", `/v1/in-call/presets/${preset.id}`)).status, 404);
});

Deno.test("IC-5, CH-6: a number is for conversations or for calls, never both", async () => {
  const channel = await app.make("/v1/channels", channelInput("Calls"));
  const queue = await app.make("/v1/queues", { name: "Desk" });
  const input = { channelId: channel.id, number: "+12025550150", purpose: "in-call" };
  const leads = await app.call("POST", "/v1/numbers", {
    ...input,
    destination: { kind: "queue", id: queue.id },
  });
  assert.deepEqual([leads.status, fields(leads.body)], [400, ["destination"]]);
  const number = await app.make("/v1/numbers", input);
  const chat = await app.make("/v1/numbers", { channelId: channel.id, number: "+12025550151" });
  assert.deepEqual([number.purpose, chat.purpose], ["in-call", "chat"]);
  const rule = { name: "For calls", match: { numbers: [number.id] } };
  const ruled = await app.call("POST", "/v1/rules", rule);
  assert.deepEqual([ruled.status, fields(ruled.body)], [400, ["match.numbers.0"]]);
  const wrong = await app.call("PATCH", "/v1/in-call", { numberId: chat.id });
  assert.deepEqual([wrong.status, fields(wrong.body)], [400, ["numberId"]]);
  const ofQueue = await app.call("PATCH", `/v1/queues/${queue.id}`, { inCall: { numberId: chat.id } });
  assert.deepEqual([ofQueue.status, fields(ofQueue.body)], [400, ["inCall.numberId"]]);

  assert.equal((await app.call("PATCH", "/v1/in-call", { numberId: number.id })).status, 200);
  const relied = await app.call("PATCH", `/v1/numbers/${number.id}`, { purpose: "chat" });
  assert.deepEqual([relied.status, fields(relied.body)], [409, ["purpose"]]);
  assert.match(relied.body.detail, /in-call settings/);
  assert.equal((await app.call("PATCH", "/v1/in-call", { numberId: null })).status, 200);
  const inCall = { numberId: number.id, enabled: false, closingText: { en: "Bye" } };
  assert.deepEqual((await app.call("PATCH", `/v1/queues/${queue.id}`, { inCall })).body.inCall, inCall);
  assert.deepEqual(app.directory.current().queues.get(queue.id)!.inCall, inCall);
  assert.equal((await app.call("PATCH", `/v1/numbers/${number.id}`, { purpose: "chat" })).status, 409);
  const none = { numberId: null, closingText: null };
  const { body } = await app.call("PATCH", `/v1/queues/${queue.id}`, { inCall: none });
  assert.deepEqual(body.inCall, { enabled: false });
  assert.equal((await app.call("PATCH", `/v1/numbers/${number.id}`, { purpose: "chat" })).status, 200);
});

Deno.test("apply sets up texting during calls from a file, and finds nothing to do the second time", async () => {
  const document = {
    queues: [{ name: "Support", inCall: { number: "+12025550160", freeText: true } }],
    channels: [channelInput("From a file")],
    numbers: [{ number: "+12025550160", channel: "From a file", purpose: "in-call" }],
    inCall: { enabled: true, number: "+12025550160", autoReply: { en: "Please call again" } },
    inCallPresets: [{ label: "Hours", texts: { en: "9 to 5" }, queues: ["Support"] }],
  };
  const apply = (document: unknown) => app.call("POST", "/v1/apply", { document });
  const first = await apply(document);
  assert.equal(first.status, 200, first.text);
  const { inCall, queues, numbersByAddress, inCallPresets } = app.directory.current();
  const support = [...queues.values()].find(({ name }) => name === "Support")!;
  const { id } = numbersByAddress.get("+12025550160")!;
  assert.deepEqual([inCall.numberId, support.inCall], [id, { numberId: id, freeText: true }]);
  assert.deepEqual(inCallPresets.find(({ label }) => label === "Hours")!.queueIds, [support.id]);
  const second = await apply(document);
  assert.deepEqual(
    second.body.plan.map(({ action }: { action: string }) => action),
    ["unchanged", "unchanged", "unchanged", "unchanged", "unchanged"],
  );
  const without = { ...document, queues: [{ name: "Support", inCall: { number: null } }] };
  const third = await apply(without);
  const step = third.body.plan.find(({ kind }: { kind: string }) => kind === "queue");
  assert.deepEqual([step.action, step.changes], ["update", ["inCall.number: → none"]]);
  const wrong = await apply({
    numbers: [{ number: "+12025550161", channel: "From a file" }],
    inCall: { number: "+12025550161" },
    inCallPresets: [{ label: "Other", texts: { en: "x" }, queues: ["Nobody's"] }],
  });
  assert.deepEqual([wrong.status, fields(wrong.body)], [400, [
    "document.inCall.number",
    "document.inCallPresets.0.queues.0",
  ]]);
});

Deno.test("the example of docs/in-call.md can be applied", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/in-call.md", import.meta.url));
  const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(text)!;
  const document = {
    ...parse(yaml!),
    extensions: [{ extension: "101", name: "Alice" }],
    channels: [channelInput("Twilio")],
  };
  document.queues[0].name = document.inCallPresets[0].queues[0] = "Of the example";
  const { status, text: answer } = await app.call("POST", "/v1/apply", { document });
  assert.equal(status, 200, answer);
});
