import assert from "node:assert/strict";
import { createServer } from "node:net";
import { connectDatabase, overKysely } from "../../adapters/postgres/database.ts";
import { createConfigurationStore } from "../../adapters/postgres/configuration_store.ts";
import { fillRandom, newSecret } from "../../adapters/system/random.ts";
import { createSecretBox } from "../../adapters/system/secret_box.ts";
import { channelInput, MASTER_KEY, type TestApp, testApp } from "../support/http_app.ts";
import { type TestDatabase, type TestPostgres, testPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
let database: TestDatabase;
let app: TestApp;
Deno.test.beforeAll(async () => {
  postgres = await testPostgres();
  database = await postgres.database();
  app = await testApp(database, {
    webhooks: (request) => new Response(`hook ${new URL(request.url).pathname}`),
  });
});
Deno.test.afterAll(async () => {
  app[Symbol.dispose]();
  await database[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

Deno.test("without a valid key there is a 401, and nothing about what is there", async () => {
  for (const key of [null, "pbk_unknown", ""]) {
    const { status, body, headers } = await app.call("GET", "/v1/channels", undefined, { key });
    assert.deepEqual([status, body.status, headers.get("www-authenticate")], [401, 401, "Bearer"]);
  }
  assert.equal((await app.call("GET", "/v1/nothing", undefined, { key: null })).status, 401);
  const huge = await app.call("POST", "/v1/channels", "x".repeat(300_000), { key: null });
  assert.equal(huge.status, 401, "before the body is looked at");
});

Deno.test("a key works until it expires or is revoked", async () => {
  const expiresAt = new Date(Date.now() + 60_000).toISOString();
  const key = await app.make("/v1/keys", { name: "Short", role: "read-only", expiresAt });
  assert.match(key.key, /^pbk_[A-Za-z0-9_-]{43}$/);
  const read = () => app.call("GET", "/v1/channels", undefined, { key: key.key });
  assert.equal((await read()).status, 200);
  app.aheadMs = 61_000;
  assert.equal((await read()).status, 401);
  app.aheadMs = 0;
  assert.equal((await app.call("DELETE", `/v1/keys/${key.id}`)).status, 204);
  assert.equal((await read()).status, 401);
});

Deno.test("roles: administrators change, supervisors and read-only keys look, agents and platforms see what they need", async () => {
  const extension = await app.make("/v1/extensions", { extension: "501", name: "Role" });
  const platform = await app.make("/v1/platforms", { name: "Role" });
  const keys: Record<string, string> = {};
  for (const role of ["administrator", "supervisor", "read-only", "agent", "platform"]) {
    const holder = role === "agent"
      ? { extensionId: extension.id }
      : role === "platform"
      ? { platformId: platform.id }
      : {};
    keys[role] = (await app.make("/v1/keys", { name: role, role, ...holder })).key;
  }
  const expected: Record<string, Record<string, number>> = {
    "GET /v1/channels": { administrator: 200, supervisor: 200, "read-only": 200, agent: 403, platform: 403 },
    "GET /v1/queues": { administrator: 200, supervisor: 200, "read-only": 200, agent: 200, platform: 200 },
    "GET /v1/keys": { administrator: 200, supervisor: 403, "read-only": 403, agent: 403, platform: 403 },
    "GET /v1/audit": { administrator: 200, supervisor: 403, "read-only": 403, agent: 403, platform: 403 },
    "POST /v1/queues": { administrator: 400, supervisor: 403, "read-only": 403, agent: 403, platform: 403 },
    "POST /v1/apply": { administrator: 400, supervisor: 403, "read-only": 403, agent: 403, platform: 403 },
  };
  for (const [request, statuses] of Object.entries(expected)) {
    const [method, path] = request.split(" ") as [string, string];
    for (const [role, status] of Object.entries(statuses)) {
      const answer = await app.call(method, path, method === "POST" ? {} : undefined, { key: keys[role]! });
      assert.equal(answer.status, status, `${role}: ${request}: ${answer.text}`);
    }
  }
  const channel = await app.make("/v1/channels", channelInput("Role"));
  const seen = await app.call("GET", `/v1/channels/${channel.id}`, undefined, { key: keys["read-only"]! });
  assert.deepEqual(
    [seen.status, seen.body.webhookUrl],
    [200, undefined],
    "webhook URLs are for administrators",
  );
});

Deno.test("keys: a role needs its holder, and the last administrator key stays", async () => {
  const cases: readonly [Record<string, unknown>, string][] = [
    [{ role: "agent" }, "extensionId"],
    [{ role: "platform" }, "platformId"],
    [{ role: "supervisor", extensionId: "ext_x" }, "extensionId"],
    [{ role: "agent", extensionId: "ext_none" }, "extensionId"],
    [{ role: "king" }, "role"],
    [{ role: "read-only", expiresAt: "2001-01-01T00:00:00Z" }, "expiresAt"],
    [{ role: "read-only", expiresAt: "tomorrow" }, "expiresAt"],
  ];
  for (const [input, field] of cases) {
    const { status, body } = await app.call("POST", "/v1/keys", { name: "x", ...input });
    assert.deepEqual([status, body.errors[0].field], [400, field]);
  }
  const { body: { items } } = await app.call("GET", "/v1/keys?limit=200");
  const administrators = items.filter(({ role }: { role: string }) => role === "administrator");
  const statuses = [];
  for (const { id } of administrators.toReversed()) {
    statuses.push((await app.call("DELETE", `/v1/keys/${id}`)).status);
  }
  assert.deepEqual([...new Set(statuses)].sort(), administrators.length > 1 ? [204, 409] : [409]);
});

Deno.test("the same Idempotency-Key gets the same answer once more, with secrets, and nothing is done twice", async () => {
  const headers = { "idempotency-key": "make-platform-1" };
  const make = (name: string) => app.call("POST", "/v1/platforms", { name }, { headers });
  const answers = await Promise.all([make("Once"), make("Once"), make("Once")]);
  assert.deepEqual(answers.map(({ status }) => status), [201, 201, 201]);
  assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
  assert.equal(answers.filter(({ headers }) => headers.get("idempotency-replayed") === "true").length, 2);
  const other = await make("Other");
  assert.deepEqual([other.status, other.body.type], [422, "/problems/idempotency-key-reused"]);
  const stored = JSON.stringify(await database.sql`select * from idempotency`);
  assert.equal(stored.includes(answers[0]!.body.secret), false);
  const rotate = () =>
    app.call("POST", `/v1/platforms/${answers[0]!.body.id}/rotate-secret`, undefined, {
      headers: { "idempotency-key": "rotate-1" },
    });
  assert.equal((await rotate()).body.secret, (await rotate()).body.secret);
  const wrong = await app.call("POST", "/v1/platforms", { name: "x" }, {
    headers: { "idempotency-key": "x".repeat(201) },
  });
  assert.equal(wrong.status, 400);
  await app.configuration.forgetAnswers(new Date(Date.now() + 1_000));
  assert.equal((await make("Other")).status, 201);
});

Deno.test("a refused request with an Idempotency-Key can be corrected and sent again", async () => {
  const headers = { "idempotency-key": "corrected" };
  assert.equal((await app.call("POST", "/v1/queues", { name: 5 }, { headers })).status, 400);
  assert.equal((await app.call("POST", "/v1/queues", { name: "Corrected" }, { headers })).status, 201);
});

Deno.test("bodies are bounded: by their declared length before they are read, else while they are", async () => {
  let pulled = 0;
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(32));
      },
    }, { highWaterMark: 0 });
  const post = async (headers: Record<string, string>) => {
    const response = await app.app.request("/v1/queues", {
      method: "POST",
      headers: {
        authorization: "Bearer pbk_test-administrator-key-0123456789012345",
        "content-type": "application/json",
        ...headers,
      },
      body: endless(),
    });
    return { status: response.status, body: await response.json() };
  };
  const declared = await post({ "content-length": "999999999" });
  assert.deepEqual([declared.status, declared.body.title, pulled], [413, "The body is too large", 0]);
  const counted = await post({});
  assert.equal(counted.status, 413);
  assert.ok(pulled <= 262_144 + 2 * 65_536, `${pulled} bytes were read`);
});

Deno.test("what is no JSON, of another type, unknown or of another method has its own status", async () => {
  const malformed = await app.call("POST", "/v1/queues", "{");
  assert.deepEqual([malformed.status, malformed.body.detail], [400, "The body is not valid JSON."]);
  const form = await app.call("POST", "/v1/queues", "name=x", { headers: { "content-type": "text/plain" } });
  assert.equal(form.status, 415);
  assert.equal((await app.call("POST", "/v1/queues")).status, 400);
  const missing = await app.call("GET", "/v1/nothing");
  assert.deepEqual([missing.status, missing.body.type], [404, "/problems/not-found"]);
  assert.equal((await app.call("GET", "/nothing")).status, 404);
  const method = await app.call("PUT", "/v1/queues");
  assert.deepEqual([method.status, method.headers.get("allow")], [405, "GET, POST"]);
  assert.equal((await app.call("GET", "/v1/queues/mq_none")).status, 404);
  assert.equal((await app.call("GET", `/v1/queues/${"x".repeat(65)}`)).status, 400);
});

Deno.test("/openapi.json describes every route with its schemas", async () => {
  const { status, body } = await app.call("GET", "/openapi.json", undefined, { key: null });
  assert.equal(status, 200);
  assert.equal(body.openapi, "3.1.0");
  for (
    const path of [
      "/v1/channels",
      "/v1/channels/{id}/rotate-webhook",
      "/v1/queues/{id}/members",
      "/v1/apply",
      "/v1/audit",
    ]
  ) assert.ok(body.paths[path], path);
  const create = body.paths["/v1/channels"].post;
  assert.equal(
    create.requestBody.content["application/json"].schema.properties.retry.properties.maxTries.default,
    8,
  );
  assert.ok(create.responses["400"].content["application/problem+json"]);
  assert.deepEqual(create.security, [{ key: [] }]);
  assert.equal(body.components.securitySchemes.key.scheme, "bearer");
  assert.ok(body.components.schemas.ApplyDocument);
});

Deno.test("health, readiness, metrics and the status page need no key", async () => {
  const get = (path: string) => app.call("GET", path, undefined, { key: null });
  assert.deepEqual((await get("/healthz")).body, { status: "ok", version: "1.2.3" });
  assert.equal((await get("/readyz")).body.ready, true);
  assert.equal((await get("/metrics")).text, "up 1\n");
  const page = await get("/");
  assert.match(page.text, /Version 1\.2\.3: <strong class="ok">ready/);
  assert.match(page.text, /<td>database<\/td>/);
  using down = await testApp(database, {
    readiness: () => ({ ready: false, checks: { nats: { ok: false, detail: "<b>gone</b>" } } }),
  });
  assert.equal((await down.call("GET", "/readyz")).status, 503);
  const bad = (await down.call("GET", "/")).text;
  assert.ok(bad.includes("not ready") && bad.includes("&lt;b&gt;gone"));
});

Deno.test("webhooks go to their own handler, past everything else", async () => {
  const { status, text } = await app.call("POST", "/webhooks/fake/secret/status", "x", { key: null });
  assert.deepEqual([status, text], [200, "hook /webhooks/fake/secret/status"]);
});

Deno.test("while the database is away the API answers 503, and it comes back by itself", async () => {
  // A port that nobody listens on.
  const listener = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => listener.once("listening", resolve));
  const { port } = listener.address() as { port: number };
  await new Promise((resolve) => listener.close(resolve));
  const sql = connectDatabase(`postgres://u:p@127.0.0.1:${port}/x`, { max: 2, applicationName: "away" });
  const box = createSecretBox([MASTER_KEY]);
  using away = await testApp(database, {
    configuration: createConfigurationStore({
      db: overKysely(sql),
      box,
      now: Date.now,
      random: fillRandom,
      newSecret,
    }),
  });
  for (let i = 0; i < 3; i++) {
    const read = await away.call("GET", "/v1/queues");
    assert.deepEqual([read.status, read.headers.get("retry-after")], [503, "2"]);
    assert.equal((await away.call("POST", "/v1/queues", { name: "Away" })).status, 503);
  }
  await sql.end({ timeout: 1 });
  // Connections that are cut are made anew.
  await database.sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`;
  for (let tries = 0; (await app.call("GET", "/v1/queues")).status !== 200; tries++) assert.ok(tries < 10);
  assert.equal((await app.call("POST", "/v1/queues", { name: "Back" })).status, 201);
});
