import assert from "node:assert/strict";
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

Deno.test("a channel is made with the provider's defaults below what is written, and read back", async () => {
  const channel = await app.make(
    "/v1/channels",
    channelInput("Main", { burst: 7, retry: { initialMs: 100 } }),
  );
  assert.match(channel.id, /^ch_[0-9a-v]{26}$/);
  assert.equal(channel.rateMps, 5);
  assert.equal(channel.burst, 7);
  assert.equal(channel.maxTextLength, 1_000);
  assert.deepEqual([channel.retry.initialMs, channel.retry.maxTries, channel.retry.factor], [100, 3, 2]);
  assert.equal(channel.uncertain, "hold");
  assert.equal(channel.status, "connected");
  const { body } = await app.call("GET", `/v1/channels/${channel.id}`);
  assert.deepEqual(body, channel);
  const directory = app.directory.current().channels.get(channel.id)!;
  assert.deepEqual(directory.credentials, { accountSid: "AC1", authToken: "very-secret-token" });
  assert.equal(directory.settings.maxTextLength, 1_000);
});

Deno.test("a channel's patch merges settings and keeps what it does not name, secrets included", async () => {
  const channel = await app.make("/v1/channels", channelInput("Patched", { dailyCap: 10, rateMps: 9 }));
  const patch = {
    retry: { maxTries: 9 },
    rateMps: null,
    dailyCap: null,
    credentials: { accountSid: "AC2", authToken: "(set)" },
  };
  const { status, body } = await app.call("PATCH", `/v1/channels/${channel.id}`, patch);
  assert.equal(status, 200);
  assert.deepEqual([body.rateMps, body.dailyCap, body.retry.maxTries], [5, undefined, 9]);
  const { credentials } = app.directory.current().channels.get(channel.id)!;
  assert.deepEqual(credentials, { accountSid: "AC2", authToken: "very-secret-token" });
  const version = app.directory.current().version;
  const again = await app.call("PATCH", `/v1/channels/${channel.id}`, patch);
  assert.equal(again.body.updatedAt, body.updatedAt);
  assert.equal(app.directory.current().version, version, "a patch that changes nothing is no change");
  const moved = await app.call("PATCH", `/v1/channels/${channel.id}`, { provider: "twilio" });
  assert.deepEqual([moved.status, fields(moved.body)], [400, ["provider"]]);
});

Deno.test("what does not fit in a channel is told with the name of every field", async () => {
  const cases: readonly [Record<string, unknown>, string[]][] = [
    [{ colour: "red" }, ["colour"]],
    [{ timeoutMs: "soon" }, ["timeoutMs"]],
    [{ retry: { maxTries: 0, often: true } }, ["retry.maxTries", "retry.often"]],
    [{ provider: "nobody" }, ["provider"]],
    [{ credentials: { accountSid: "XX" } }, ["credentials.accountSid", "credentials.authToken"]],
    [{ credentials: { accountSid: "AC1", authToken: "abcd", more: 1 } }, ["credentials.more"]],
    [{ credentials: { accountSid: "AC1", authToken: "(set)" } }, ["credentials.authToken"]],
    [{ name: "" }, ["name"]],
    [{ name: "x".repeat(101) }, ["name"]],
    [{ baseUrl: "ftp://host" }, ["baseUrl"]],
    [{ destinationPattern: "(" }, ["destinationPattern"]],
    [{ fallbackChannelId: "ch_none" }, ["fallbackChannelId"]],
    [{ media: { types: [1] } }, ["media.types.0"]],
  ];
  for (const [more, expected] of cases) {
    const { status, body, headers } = await app.call("POST", "/v1/channels", channelInput("Wrong", more));
    assert.deepEqual([status, fields(body)], [400, expected], JSON.stringify(more));
    assert.equal(headers.get("content-type"), "application/problem+json");
  }
  const empty = await app.call("POST", "/v1/channels", {});
  assert.ok(fields(empty.body).includes("name"));
  const list = await app.call("POST", "/v1/channels", []);
  assert.equal(list.status, 400);
});

Deno.test("a fallback channel is another one, and no chain of them leads back", async () => {
  const [first, second, third] = await Promise.all(
    ["Ring 1", "Ring 2", "Ring 3"].map(async (name) =>
      (await app.call("POST", "/v1/channels", channelInput(name))).body.id as string
    ),
  );
  const point = (from: string, to: string | null) =>
    app.call("PATCH", `/v1/channels/${from}`, { fallbackChannelId: to });
  assert.equal((await point(first!, second!)).status, 200);
  assert.equal((await point(second!, third!)).status, 200);
  for (const target of [first!, third!]) {
    const refused = await point(third!, target);
    assert.deepEqual([refused.status, fields(refused.body)], [400, ["fallbackChannelId"]]);
  }
  assert.match(JSON.stringify((await point(third!, first!)).body), /by way of Ring 1, Ring 2/);
  assert.equal((await point(second!, null)).status, 200);
  assert.equal((await point(third!, first!)).status, 200);
});

Deno.test("there is one default channel: another one takes its place", async () => {
  const first = await app.make("/v1/channels", channelInput("First default", { isDefault: true }));
  const second = await app.make("/v1/channels", channelInput("Second default", { isDefault: true }));
  const now = await app.call("GET", `/v1/channels/${first.id}`);
  assert.equal(now.body.isDefault, false);
  const defaults = [...app.directory.current().channels.values()].filter(({ isDefault }) => isDefault);
  assert.deepEqual(defaults.map(({ id }) => id), [second.id]);
});

Deno.test("a webhook URL is rotated with a grace period for the former one", async () => {
  const channel = await app.make("/v1/channels", channelInput("Rotated"));
  assert.match(channel.webhookUrl, /^https:\/\/texts\.example\/webhooks\/fake\/[A-Za-z0-9_-]{43}$/);
  assert.equal(channel.previousWebhookUrl, null);
  const path = `/v1/channels/${channel.id}/rotate-webhook`;
  const { body } = await app.call("POST", path, { graceSeconds: 60 });
  assert.equal(body.previousWebhookUrl, channel.webhookUrl);
  assert.notEqual(body.webhookUrl, channel.webhookUrl);
  const inForce = () =>
    [...app.directory.current().webhooks.values()].filter(({ channelId }) => channelId === channel.id);
  assert.deepEqual(inForce().map(({ expiresMs }) => expiresMs === null).sort(), [false, true]);
  app.aheadMs += 61_000;
  const later = await app.call("GET", `/v1/channels/${channel.id}`);
  assert.equal(later.body.previousWebhookUrl, null);
  app.aheadMs = 0;
  const atOnce = await app.call("POST", path, { graceSeconds: 0 });
  assert.equal(atOnce.body.previousWebhookUrl, channel.webhookUrl, "the first one still has its own grace");
  const wrong = await app.call("POST", path, { graceSeconds: -1 });
  assert.deepEqual([wrong.status, fields(wrong.body)], [400, ["graceSeconds"]]);
});

Deno.test("verifying a channel sets its status, unless it is switched off", async () => {
  const channel = await app.make("/v1/channels", channelInput("Verified"));
  const verify = () => app.call("POST", `/v1/channels/${channel.id}/verify`);
  assert.deepEqual((await verify()).body, {
    ok: true,
    reason: "the provider took them",
    status: "connected",
  });
  app.verification = { ok: false, reason: "wrong token", fault: "auth" };
  assert.equal((await verify()).body.status, "auth-failed");
  const shown = (await app.call("GET", `/v1/channels/${channel.id}`)).body;
  assert.deepEqual([shown.status, shown.statusReason], ["auth-failed", "wrong token"]);
  app.verification = { ok: false, reason: "no answer", fault: "unreachable" };
  assert.equal((await verify()).body.status, "degraded");
  await app.call("PATCH", `/v1/channels/${channel.id}`, { enabled: false });
  assert.equal((await verify()).body.status, "disabled");
  assert.equal((await app.call("GET", `/v1/channels/${channel.id}`)).body.status, "disabled");
  app.verification = { ok: true, reason: "the provider took them" };
  assert.equal((await app.call("POST", "/v1/channels/ch_none/verify")).status, 404);
});

Deno.test("numbers are brought into E.164, have one owner, and lead somewhere that exists", async () => {
  const channel = await app.make("/v1/channels", channelInput("With numbers"));
  const extension = await app.make("/v1/extensions", { extension: "301", name: "Ana" });
  const number = await app.make("/v1/numbers", {
    channelId: channel.id,
    number: "+1 (202) 555-0134",
    destination: { kind: "extension", id: extension.id },
    allowedExtensions: [extension.id],
  });
  assert.deepEqual([number.number, number.type, number.direction], ["+12025550134", "mobile", "both"]);
  assert.equal(app.directory.current().numbersByAddress.get("+12025550134")?.id, number.id);

  const cases: readonly [Record<string, unknown>, number, string[]][] = [
    [{ number: "+12025550134" }, 409, ["number"]],
    [{ number: "not a number at all" }, 400, ["number"]],
    [{ number: "+1" }, 400, ["number"]],
    [{ channelId: "ch_none" }, 400, ["channelId"]],
    [{ destination: { kind: "queue", id: "mq_none" } }, 400, ["destination.id"]],
    [{ destination: { kind: "moon", id: "mq_none" } }, 400, ["destination.kind"]],
    [{ allowedExtensions: ["ext_none"] }, 400, ["allowedExtensions.0"]],
    [{ number: "ACME", direction: "both" }, 400, ["direction"]],
    [{ number: "ACME", type: "mobile" }, 400, ["type"]],
    [{ rateMps: 0 }, 400, ["rateMps"]],
  ];
  for (const [more, status, expected] of cases) {
    const answer = await app.call("POST", "/v1/numbers", {
      channelId: channel.id,
      number: "+12025550135",
      ...more,
    });
    assert.deepEqual([answer.status, fields(answer.body)], [status, expected], JSON.stringify(more));
  }
  const sender = await app.make("/v1/numbers", { channelId: channel.id, number: "ACME" });
  assert.deepEqual([sender.type, sender.direction], ["alphanumeric", "outbound"]);
  const patched = await app.call("PATCH", `/v1/numbers/${number.id}`, { destination: null, label: "Sales" });
  assert.deepEqual([patched.body.destination, patched.body.label, patched.body.allowedExtensions], [
    null,
    "Sales",
    [extension.id],
  ]);
  const changed = await app.call("PATCH", `/v1/numbers/${number.id}`, { number: "+12025550199" });
  assert.deepEqual([changed.status, fields(changed.body)], [400, ["number"]]);
});

Deno.test("extensions and queues: members are extensions that exist, added and removed one by one or together", async () => {
  const ana = await app.make("/v1/extensions", { extension: "101", name: "Ana" });
  const ben = await app.make("/v1/extensions", { extension: "102", name: "Ben" });
  const queue = await app.make("/v1/queues", { name: "Sales", members: [ana.id] });
  const members = `/v1/queues/${queue.id}/members`;
  const names = (body: { items: { name: string }[] }) => body.items.map(({ name }) => name).sort();
  assert.deepEqual(names((await app.call("POST", members, { extensionId: ben.id })).body), ["Ana", "Ben"]);
  assert.equal((await app.call("DELETE", `${members}/${ana.id}`)).status, 204);
  assert.equal((await app.call("DELETE", `${members}/${ana.id}`)).status, 404);
  assert.deepEqual(names((await app.call("GET", members)).body), ["Ben"]);
  assert.deepEqual(names((await app.call("PUT", members, { members: [ana.id, ben.id, ana.id] })).body), [
    "Ana",
    "Ben",
  ]);
  assert.deepEqual(app.directory.current().queues.get(queue.id)?.members, new Set([ana.id, ben.id]));
  const unknown = await app.call("PUT", members, { members: [ana.id, "ext_none"] });
  assert.deepEqual([unknown.status, fields(unknown.body)], [400, ["members.1"]]);
  const missing = await app.call("POST", members, { extensionId: "ext_none" });
  assert.deepEqual([missing.status, fields(missing.body)], [400, ["extensionId"]]);
  const twice = await app.call("POST", "/v1/extensions", { extension: "101", name: "Another" });
  assert.deepEqual([twice.status, fields(twice.body)], [409, ["extension"]]);
  const renamed = await app.call("PATCH", `/v1/extensions/${ana.id}`, { name: "Anna" });
  assert.deepEqual([renamed.status, renamed.body.name, renamed.body.extension], [200, "Anna", "101"]);
  assert.equal((await app.call("PATCH", `/v1/extensions/${ana.id}`, { nick: "A" })).status, 400);
});

Deno.test("what is in use cannot be removed, and the answer names what uses it", async () => {
  const channel = await app.make("/v1/channels", channelInput("In use"));
  const queue = await app.make("/v1/queues", { name: "In use" });
  const number = await app.make("/v1/numbers", {
    channelId: channel.id,
    number: "+12025550177",
    destination: { kind: "queue", id: queue.id },
  });
  for (const path of [`/v1/channels/${channel.id}`, `/v1/queues/${queue.id}`]) {
    const { status, body } = await app.call("DELETE", path);
    assert.deepEqual([status, /number \+12025550177/.test(body.detail)], [409, true]);
  }
  assert.equal((await app.call("DELETE", `/v1/numbers/${number.id}`)).status, 204);
  assert.equal((await app.call("DELETE", `/v1/queues/${queue.id}`)).status, 204);
  assert.equal((await app.call("DELETE", `/v1/channels/${channel.id}`)).status, 204);
  assert.equal((await app.call("DELETE", `/v1/channels/${channel.id}`)).status, 404);
  assert.equal(app.directory.current().channels.has(channel.id), false);
});

Deno.test("a platform's secret is shown when it is made and when it is rotated, and never else", async () => {
  const platform = await app.make("/v1/platforms", { name: "Analysis", endpoint: "https://bot.example/in" });
  assert.match(platform.secret, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(app.directory.current().platforms.get(platform.id)?.secret, platform.secret);
  assert.equal((await app.call("GET", `/v1/platforms/${platform.id}`)).body.secret, undefined);
  const rotated = await app.call("POST", `/v1/platforms/${platform.id}/rotate-secret`);
  assert.notEqual(rotated.body.secret, platform.secret);
  assert.equal(app.directory.current().platforms.get(platform.id)?.secret, rotated.body.secret);
  const wrong = await app.call("POST", "/v1/platforms", { name: "Wrong", endpoint: "gopher://x" });
  assert.deepEqual([wrong.status, fields(wrong.body)], [400, ["endpoint"]]);
});

Deno.test("lists come in pages without repeats or gaps", async () => {
  for (let i = 0; i < 5; i++) await app.make("/v1/extensions", { extension: `7${i}`, name: `Page ${i}` });
  const seen: string[] = [];
  let cursor = "";
  do {
    const { body } = await app.call("GET", `/v1/extensions?limit=2${cursor && `&cursor=${cursor}`}`);
    assert.ok(body.items.length <= 2);
    seen.push(...body.items.map(({ id }: { id: string }) => id));
    cursor = body.next;
  } while (cursor !== null);
  assert.deepEqual(seen, [...app.directory.current().extensions.keys()].sort());
  const wrong = await app.call("GET", "/v1/extensions?limit=201&page=2");
  assert.deepEqual([wrong.status, fields(wrong.body)], [400, ["limit", "page"]]);
});

Deno.test("/v1/providers has the schema of the credentials, with the secrets marked", async () => {
  const { body } = await app.call("GET", "/v1/providers");
  const [fake] = body.items;
  assert.equal(fake.kind, "fake");
  assert.equal(fake.credentials.properties.authToken.secret, true);
  assert.deepEqual(fake.credentials.required, ["accountSid", "authToken"]);
  assert.equal(fake.settings.properties.retry.properties.maxTries.default, 8);
  assert.equal(fake.defaults.rateMps, 5);
});

Deno.test("every change is in the audit log with its actor, and no secret is in any answer or audit entry", async () => {
  const token = "hush-hush-token-1";
  const channel = await app.make(
    "/v1/channels",
    channelInput("Audited", {
      credentials: { accountSid: "AC9", authToken: token },
    }),
  );
  await app.call("PATCH", `/v1/channels/${channel.id}`, { credentials: { authToken: "hush-hush-token-2" } });
  const platform = await app.make("/v1/platforms", { name: "Audited" });
  const key = await app.make("/v1/keys", { name: "Audited", role: "read-only" });
  await app.call("POST", `/v1/channels/${channel.id}/rotate-webhook`, {});
  await app.call("DELETE", `/v1/keys/${key.id}`);
  const log = await app.call("GET", `/v1/audit?target=${channel.id}`);
  assert.deepEqual(log.body.items.map(({ action }: { action: string }) => action), [
    "rotate-webhook",
    "update",
    "create",
  ]);
  assert.match(log.body.items[0].actor, /^key:key_/);
  assert.deepEqual(log.body.items[1].before.credentials, { accountSid: "AC9", authToken: "(set)" });
  const keyLog = await app.call("GET", "/v1/audit?kind=key&action=delete");
  assert.equal(keyLog.body.items[0].target, key.id);

  const secrets = [
    token,
    "hush-hush-token-2",
    platform.secret,
    key.key,
    channel.webhookUrl.split("/").at(-1),
  ];
  const texts = [
    JSON.stringify(await database.sql`select before, after from audit_log`),
    JSON.stringify(await database.sql`select settings, encode(credentials, 'escape') from channels`),
    JSON.stringify(await database.sql`select encode(secret, 'escape') from webhook_secrets`),
    JSON.stringify(await database.sql`select * from api_keys`),
  ];
  for (const path of ["channels", "platforms", "keys", "audit"]) {
    texts.push((await app.call("GET", `/v1/${path}?limit=200`)).text);
  }
  for (const text of texts) {
    for (const secret of secrets.slice(0, 4)) assert.equal(text.includes(secret), false);
  }
  assert.equal(texts.slice(0, 4).some((text) => text.includes(secrets[4])), false);
});

Deno.test("other processes are told of every change", async () => {
  const before = app.announced;
  await app.make("/v1/queues", { name: "Announced" });
  assert.equal(app.announced, before + 1);
  await app.call("POST", "/v1/queues", { name: "Announced" });
  assert.equal(app.announced, before + 1, "a refused change is none");
  assert.deepEqual(app.errors, []);
});
