/** `/v1/platforms`: what may be set, and credentials for the broker. */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { newBrokerUser } from "../../adapters/nats/platform_users.ts";
import type { PlatformBroker } from "../../core/ports/platform_broker.ts";
import { FOREIGN_BROKER, type TestApp, testApp } from "../support/http_app.ts";
import { type TestDatabase, type TestPostgres, testPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
let database: TestDatabase;
let app: TestApp;
let foreign: TestApp;
let settled = 0;
let isBrokerAway = false;

const OWN_BROKER: PlatformBroker = {
  newUser: newBrokerUser,
  access: (platformId) => ({
    servers: ["nats://127.0.0.1:4222"],
    events: `patchbay.platform.${platformId}.*.*`,
    command: `patchbay.platform.${platformId}.command`,
    stream: "patchbay_EVENTS",
    consumers: [`feed_${platformId}_1`],
    apiPrefix: "patchbay.api",
  }),
  grant: () => "",
  settled: () => {
    settled++;
    return isBrokerAway ? Promise.reject(new Error("the broker is away")) : Promise.resolve();
  },
};

Deno.test.beforeAll(async () => {
  postgres = await testPostgres();
  database = await postgres.database();
  app = await testApp(database, { platformBroker: OWN_BROKER });
  foreign = await testApp(database, { platformBroker: FOREIGN_BROKER });
});
Deno.test.afterAll(async () => {
  app[Symbol.dispose]();
  foreign[Symbol.dispose]();
  await database[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

Deno.test("RT-15: a platform has limits and a fallback, which must be there and may not go away", async () => {
  const queue = await app.make("/v1/queues", { name: "People" });
  const fallback = { kind: "queue", id: queue.id };
  const made = await app.make("/v1/platforms", {
    name: "Bot",
    deadlineSeconds: 120,
    holdSeconds: 900,
    fallback,
  });
  const path = `/v1/platforms/${made.id}`;
  const { body } = await app.call("GET", path);
  deepEqual([body.deadlineSeconds, body.holdSeconds, body.fallback], [120, 900, fallback]);
  deepEqual([body.status, body.statusReason, body.credentials], ["ready", null, null]);
  const held = app.directory.current().platforms.get(made.id)!;
  deepEqual([held.deadlineSeconds, held.holdSeconds, held.fallback], [120, 900, fallback]);

  const inTheWay = await app.call("DELETE", `/v1/queues/${queue.id}`);
  equal(inTheWay.status, 409);
  match(inTheWay.body.detail, /platform Bot/);
  const wrong = [
    [{ fallback: { kind: "platform", id: made.id } }, "fallback.kind"],
    [{ fallback: { kind: "queue", id: "mq_gone" } }, "fallback.id"],
    [{ deadlineSeconds: 0 }, "deadlineSeconds"],
    [{ holdSeconds: 1.5 }, "holdSeconds"],
  ] as const;
  for (const [patch, field] of wrong) {
    const refused = await app.call("PATCH", path, patch);
    deepEqual([refused.status, refused.body.errors[0].field], [400, field]);
  }
  const cleared = await app.call("PATCH", path, { deadlineSeconds: null, holdSeconds: null, fallback: null });
  deepEqual([cleared.body.deadlineSeconds, cleared.body.holdSeconds, cleared.body.fallback], [
    null,
    null,
    null,
  ]);
  equal((await app.call("DELETE", `/v1/queues/${queue.id}`)).status, 204);
});

Deno.test("a platform's status is what its endpoint did last; another endpoint is not known yet", async () => {
  const { id } = await app.make("/v1/platforms", { name: "Status", endpoint: "https://bot.example/in" });
  await app.configuration.setPlatformStatus(id, "failing", "the endpoint answered 503");
  const failing = (await app.call("GET", `/v1/platforms/${id}`)).body;
  deepEqual([failing.status, failing.statusReason], ["failing", "the endpoint answered 503"]);
  const moved =
    (await app.call("PATCH", `/v1/platforms/${id}`, { endpoint: "https://bot.example/new" })).body;
  deepEqual([moved.status, moved.statusReason], ["ready", null]);
  const off = (await app.call("PATCH", `/v1/platforms/${id}`, { enabled: false })).body;
  equal(off.status, "disabled");
});

Deno.test("OP-4: credentials are shown once, rotated, revoked and audited; they are in force when answered", async () => {
  const { id } = await app.make("/v1/platforms", { name: "Credentials" });
  const path = `/v1/platforms/${id}/credentials`;
  const before = settled;
  const first = await app.call("POST", path);
  equal(first.status, 201);
  match(first.body.publicKey, /^U[A-Z2-7]{55}$/);
  match(first.body.seed, /^SU[A-Z2-7]{56}$/);
  equal(first.body.command, `patchbay.platform.${id}.command`);
  equal(settled, before + 1, "the broker was waited for");
  const { body: shown, text } = await app.call("GET", `/v1/platforms/${id}`);
  equal(shown.credentials.publicKey, first.body.publicKey);
  equal(text.includes(first.body.seed), false);
  const second = await app.call("POST", path);
  notEqual(second.body.publicKey, first.body.publicKey);
  equal(app.directory.current().platforms.get(id)!.natsKey, second.body.publicKey);
  equal((await app.call("DELETE", path)).status, 204);
  equal(settled, before + 3);
  equal(app.directory.current().platforms.get(id)!.natsKey, null);
  const { body: audit } = await app.call("GET", `/v1/audit?kind=platform&target=${id}`);
  deepEqual(
    audit.items.map(({ action }: { action: string }) => action),
    ["revoke-credentials", "issue-credentials", "issue-credentials", "create"],
  );
  equal(JSON.stringify(audit).includes(second.body.seed), false);
  for (const [method, key] of [["POST", "plt_none"], ["DELETE", "plt_none"]] as const) {
    equal((await app.call(method, `/v1/platforms/${key}/credentials`)).status, 404);
  }
});

Deno.test("OP-4: a broker that is away is named, and the change is stored all the same", async () => {
  const { id } = await app.make("/v1/platforms", { name: "Away" });
  isBrokerAway = true;
  try {
    const answer = await app.call("DELETE", `/v1/platforms/${id}/credentials`);
    deepEqual([answer.status, answer.body.type], [503, "/problems/broker-unavailable"]);
  } finally {
    isBrokerAway = false;
  }
});

Deno.test("OP-4: at a broker that is not our own, the answer says what its operator has to grant", async () => {
  const { id } = await app.make("/v1/platforms", { name: "Foreign" });
  await foreign.directory.refresh();
  const answer = await foreign.call("POST", `/v1/platforms/${id}/credentials`);
  deepEqual([answer.status, answer.body.type, answer.body.grant], [
    501,
    "/problems/foreign-broker",
    `grant for ${id}`,
  ]);
});
