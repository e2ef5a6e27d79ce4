import assert from "node:assert/strict";
import { ADMIN_KEY, channelInput, type TestApp, testApp } from "../support/http_app.ts";
import { ruleTrial } from "../support/rule_trial.ts";
import { type TestDatabase, type TestPostgres, testPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
let database: TestDatabase;
let app: TestApp;
Deno.test.beforeAll(async () => {
  postgres = await testPostgres();
  database = await postgres.database();
  app = await testApp(database, {
    modules: [ruleTrial(database)],
  });
});
Deno.test.afterAll(async () => {
  app[Symbol.dispose]();
  await database[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

/** Fields named in a problem document. */
const fields = (body: { errors?: { field: string }[] }) =>
  (body.errors ?? []).map(({ field }) => field).sort();
const HOURS = [{ days: ["mon", "tue"], from: "09:00", to: "17:00" }];

Deno.test("RT-7: a calendar is made, read, asked, changed and removed, and the audit log tells so", async () => {
  const calendar = await app.make("/v1/calendars", {
    name: "Office",
    timeZone: "Europe/Madrid",
    hours: HOURS,
  });
  assert.match(calendar.id, /^cal_[0-9a-v]{26}$/);
  assert.deepEqual((await app.call("GET", `/v1/calendars/${calendar.id}`)).body, calendar);
  const state = await app.call("GET", `/v1/calendars/${calendar.id}/state?at=2026-01-18T12:00:00Z`);
  assert.deepEqual(state.body, {
    at: "2026-01-18T12:00:00.000Z",
    open: false,
    changesAt: "2026-01-19T08:00:00.000Z",
  });
  const patch = { holidays: [{ date: "01-19" }], timeZone: "UTC" };
  const changed = await app.call("PATCH", `/v1/calendars/${calendar.id}`, patch);
  assert.deepEqual([changed.status, changed.body.hours, changed.body.holidays], [200, HOURS, patch.holidays]);
  assert.equal(app.directory.current().calendars.get(calendar.id)!.timeZone, "UTC");
  const twice = await app.call("POST", "/v1/calendars", { name: "Office", timeZone: "UTC" });
  assert.deepEqual([twice.status, fields(twice.body)], [409, ["name"]]);
  const wrong = await app.call("POST", "/v1/calendars", {
    name: "X",
    timeZone: "Mars/Base",
    hours: [{ days: ["mon"], from: "9", to: "25:00" }],
    holidays: [{ date: "13-01" }],
  });
  assert.deepEqual([wrong.status, fields(wrong.body)], [400, [
    "holidays.0.date",
    "hours.0.from",
    "hours.0.to",
    "timeZone",
  ]]);
  assert.equal((await app.call("DELETE", `/v1/calendars/${calendar.id}`)).status, 204);
  assert.equal((await app.call("GET", `/v1/calendars/${calendar.id}`)).status, 404);
  const { body } = await app.call("GET", `/v1/audit?target=${calendar.id}`);
  assert.deepEqual(body.items.map(({ action, kind }: { action: string; kind: string }) => [action, kind]), [
    ["delete", "calendar"],
    ["update", "calendar"],
    ["create", "calendar"],
  ]);
});

Deno.test("RT-8: what a rule or a queue names cannot be removed, and the refusal names the rule", async () => {
  const calendar = await app.make("/v1/calendars", { name: "Named", timeZone: "UTC" });
  const extension = await app.make("/v1/extensions", { extension: "201", name: "Ana" });
  const queue = await app.make("/v1/queues", { name: "Named", calendarId: calendar.id });
  const channel = await app.make("/v1/channels", channelInput("Named"));
  const number = await app.make("/v1/numbers", { channelId: channel.id, number: "+12025550177" });
  const rule = await app.make("/v1/rules", {
    name: "Night",
    match: { numbers: [number.id], hours: { calendarId: calendar.id, is: "closed" } },
    action: { destination: { kind: "queue", id: queue.id }, text: { en: "Tomorrow" } },
  });
  const other = await app.make("/v1/rules", {
    name: "Ana's",
    action: { destination: { kind: "extension", id: extension.id } },
  });
  const refusals = await Promise.all(
    [`calendars/${calendar.id}`, `queues/${queue.id}`, `numbers/${number.id}`, `extensions/${extension.id}`]
      .map(async (path) => {
        const { status, body } = await app.call("DELETE", `/v1/${path}`);
        return [status, body.detail];
      }),
  );
  assert.deepEqual(refusals, [
    [409, "The calendar is still in use by: queue Named, rule Night."],
    [409, "The queue is still in use by: rule Night."],
    [409, "The number is still in use by: rule Night."],
    [409, "The extension is still in use by: rule Ana's."],
  ]);
  for (const { id } of [rule, other]) assert.equal((await app.call("DELETE", `/v1/rules/${id}`)).status, 204);
  assert.equal((await app.call("DELETE", `/v1/queues/${queue.id}`)).status, 204);
  assert.equal((await app.call("DELETE", `/v1/calendars/${calendar.id}`)).status, 204);
  const unknown = await app.call("POST", "/v1/rules", {
    name: "Lost",
    match: { numbers: [number.id, "num_none"], hours: { calendarId: calendar.id, is: "open" } },
    action: { destination: { kind: "queue", id: queue.id } },
  });
  assert.deepEqual([unknown.status, fields(unknown.body)], [400, [
    "action.destination.id",
    "match.hours.calendarId",
    "match.numbers.1",
  ]]);
});

Deno.test("RT-8: a rule's patch changes what it names and takes away what it nulls", async () => {
  const rule = await app.make("/v1/rules", { name: "Patched", match: { words: ["a"], contact: "new" } });
  const { body } = await app.call("PATCH", `/v1/rules/${rule.id}`, {
    match: { contact: null, pattern: "b+" },
    action: { text: { en: "Hi" } },
    priority: 7,
  });
  assert.deepEqual([body.match, body.action, body.priority], [
    { words: ["a"], pattern: "b+" },
    { text: { en: "Hi" } },
    7,
  ]);
  const [first] = app.directory.current().rules;
  assert.deepEqual([first!.id, first!.pattern?.test("ABBA")], [rule.id, true]);
  const wrong = await app.call("PATCH", `/v1/rules/${rule.id}`, { match: { pattern: "(?=x)" } });
  assert.deepEqual([wrong.status, fields(wrong.body)], [400, ["match.pattern"]]);
  await app.call("DELETE", `/v1/rules/${rule.id}`);
});

const DOCUMENT = {
  queues: [{ name: "Shop", calendar: "Shop hours", texts: { outOfHours: { en: "Closed", es: "Cerrado" } } }],
  calendars: [{
    name: "Shop hours",
    timeZone: "America/Montevideo",
    hours: HOURS,
    holidays: [{ date: "01-01" }],
  }],
  channels: [{ name: "Shop", provider: "fake", credentials: { accountSid: "AC1", authToken: "shop-token" } }],
  numbers: [{ number: "+1 202 555 0188", channel: "Shop" }],
  rules: [{
    name: "Shop at night",
    priority: 5,
    match: { numbers: ["+1 202 555 0188"], hours: { calendar: "Shop hours", is: "closed" } },
    action: { destination: { queue: "Shop" }, language: "es" },
  }],
};

Deno.test("RT-8: a document has calendars and rules by their names; the second time nothing changes", async () => {
  const apply = async (document: unknown) => await app.call("POST", "/v1/apply", { document });
  const made = await apply(DOCUMENT);
  assert.equal(made.status, 200, made.text);
  const rule = app.directory.current().rules.find(({ name }) => name === "Shop at night")!;
  const queue = [...app.directory.current().queues.values()].find(({ name }) => name === "Shop")!;
  const number = app.directory.current().numbersByAddress.get("+12025550188")!;
  assert.deepEqual([rule.action.destination, rule.match], [{ kind: "queue", id: queue.id }, {
    numbers: [number.id],
    hours: { calendarId: queue.calendarId, is: "closed" },
  }]);
  const again = await apply(DOCUMENT);
  assert.deepEqual([...new Set(again.body.plan.map(({ action }: { action: string }) => action))], [
    "unchanged",
  ]);
  const changed = await apply({ rules: [{ name: "Shop at night", match: { numbers: null }, priority: 6 }] });
  assert.equal(changed.body.plan[0].action, "update");
  assert.deepEqual(app.directory.current().rules.find(({ name }) => name === "Shop at night")!.match, {
    hours: rule.match.hours,
  });
  const wrong = await apply({
    queues: [{ name: "Shop", calendar: "None" }],
    rules: [
      { name: "A", action: { destination: { queue: "None" } } },
      { name: "A", match: { hours: { calendar: "None", is: "open" } } },
      { name: "B", match: { numbers: ["+12025550111"] } },
    ],
  });
  assert.deepEqual([wrong.status, fields(wrong.body)], [400, [
    "document.queues.0.calendar",
    "document.rules.0.action.destination",
    "document.rules.1.match.hours.calendar",
    "document.rules.1.name",
    "document.rules.2.match.numbers.0",
  ]]);
});

Deno.test("RT-8: a trial says which rule decides and why each other does not, and changes nothing", async () => {
  await app.call("POST", "/v1/apply", { document: DOCUMENT });
  const vip = await app.make("/v1/rules", {
    name: "VIP",
    priority: 1,
    match: { contactPrefixes: ["+1305"] },
  });
  const version = app.directory.current().version;
  const trial = async (more: Record<string, unknown>) => {
    const { status, body, text } = await app.call("POST", "/v1/rules/test", {
      number: "+12025550188",
      contact: "+34600000001",
      text: "hola",
      ...more,
    });
    assert.equal(status, 200, text);
    return body;
  };
  const queue = [...app.directory.current().queues.values()].find(({ name }) => name === "Shop")!;
  const night = await trial({ at: "2026-01-18T12:00:00Z" });
  assert.deepEqual([night.decidedBy.name, night.destination], ["Shop at night", {
    kind: "queue",
    id: queue.id,
  }]);
  assert.deepEqual(
    night.rules.map(({ name, matches, conditions }: Record<string, unknown>) => [name, matches, conditions]),
    [
      ["VIP", false, [{
        condition: "contactPrefixes",
        holds: false,
        reason: "+34600000001 begins with none of +1305",
      }]],
      ["Shop at night", true, [
        { condition: "numbers", holds: true, reason: "+12025550188 is one of its numbers" },
        { condition: "hours", holds: true, reason: "the calendar Shop hours is closed" },
      ]],
    ],
  );
  const day = await trial({ at: "2026-01-19T15:00:00Z" });
  assert.deepEqual([day.decidedBy, day.destination], [null, null]);
  assert.equal((await trial({ contact: "+13055550100" })).decidedBy.id, vip.id);
  assert.equal(app.directory.current().version, version);
  const unknown = await app.call("POST", "/v1/rules/test", {
    number: "+12025550100",
    contact: "+34600000001",
  });
  assert.deepEqual([unknown.status, fields(unknown.body)], [400, ["number"]]);
  const { key } = await app.make("/v1/keys", { name: "reader", role: "read-only" });
  const body = { number: "+12025550188", contact: "+34600000001" };
  assert.equal((await app.call("POST", "/v1/rules/test", body, { key })).status, 200);
  assert.equal((await app.call("POST", "/v1/rules", { name: "No" }, { key })).status, 403);
  assert.equal((await app.call("POST", "/v1/rules/test", body, { key: `${ADMIN_KEY}x` })).status, 401);
});
