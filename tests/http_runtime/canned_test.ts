import { deepEqual, equal } from "node:assert/strict";
import type { CommandEntry } from "../../core/entry.ts";
import type { CannedRecord } from "../../core/ports/configuration.ts";
import { ALICE, QUEUE, TO_QUEUE } from "../routing/directory.ts";
import { type TestDatabase, type TestPostgres, testPostgres } from "../support/postgres.ts";
import { Fixture, session } from "./fixture.ts";

let postgres: TestPostgres;
let database: TestDatabase;
let api: Fixture;
const held = session(1, { state: "active", extension_id: ALICE, queue_id: QUEUE, language: "es" });
const CONTACT = held.contact;

let made = 0;
const canned = (
  label: string,
  language: string,
  text: string,
  queueId: string | null = null,
): CannedRecord => ({
  id: `can_${++made}`,
  queueId,
  label,
  language,
  text,
  createdAt: new Date(0),
  updatedAt: new Date(0),
});

Deno.test.beforeAll(async () => {
  postgres = await testPostgres();
  database = await postgres.database();
  api = new Fixture(database);
  await api.addSession(held);
  api.reply = { ok: true, messageId: "msg_1" };
  api.canned.push(
    canned("late", "en", "Sorry, {{agent.name}} here: {{order}} is late"),
    canned("late", "es", "Perdone, {{contact.number}}: {{order}} llega tarde"),
    canned("bye", "en", "Bye from all"),
    canned("bye", "en", "Bye from {{queue.name}}", QUEUE),
  );
});
Deno.test.afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

const path = `/v1/sessions/${held.id}/messages`;
const lastText = () => (api.executed.at(-1) as CommandEntry & { command: { text: string } }).command.text;

Deno.test("AG-2: a canned text is sent by its label: the queue's own first, in the session's language", async () => {
  equal(
    (await api.post("alice", path, { canned: { label: "late", values: { order: "order 7" } } })).status,
    201,
  );
  equal(lastText(), `Perdone, ${CONTACT}: order 7 llega tarde`);
  const english = { label: "late", language: "en", values: { order: "order 7" } };
  equal((await api.post("alice", path, { canned: english })).status, 201);
  equal(lastText(), "Sorry, Alice here: order 7 is late");
  equal((await api.post("alice", path, { canned: { label: "bye" } })).status, 201);
  equal(lastText(), "Bye from Sales");
  const sent = await api.post("alice", "/v1/messages", {
    from: TO_QUEUE.number,
    to: CONTACT,
    canned: { label: "bye" },
  });
  equal(sent.status, 201, JSON.stringify(sent.body));
  equal(lastText(), "Bye from Sales");
});

Deno.test("AG-2: a canned text that cannot be sent is refused by field", async () => {
  const before = api.executed.length;
  const refused = async (canned: unknown, more = {}) => {
    const { status, body } = await api.post("alice", path, { canned, ...more });
    return [status, ...body.errors.map(({ field }: { field: string }) => field)];
  };
  deepEqual(await refused({ label: "hello" }), [400, "canned.label"]);
  deepEqual(await refused({ label: "late", language: "de" }), [400, "canned.language"]);
  deepEqual(await refused({ label: "late" }), [422, "canned.values.order"]);
  deepEqual(await refused({ label: "bye", values: { order: "7" } }), [422, "canned.values.order"]);
  deepEqual(await refused({ label: "bye" }, { text: "and more" }), [400, "canned"]);
  equal(api.executed.length, before);
});

Deno.test("AG-6: where only canned texts may be sent, an agent's own words are refused, a supervisor's are not", async () => {
  const { queues, extensions } = api.directory;
  const expect = async (status: number, key: string, url: string, body: unknown) => {
    const answer = await api.post(key, url, body);
    equal(answer.status, status, JSON.stringify(answer.body));
    if (status === 403) equal(answer.body.type, "/problems/canned-only");
  };
  const direct = { from: TO_QUEUE.number, to: CONTACT, text: "my own words" };
  const check = async () => {
    await expect(403, "alice", path, { text: "my own words" });
    await expect(403, "alice", "/v1/messages", direct);
    await expect(403, "alice", "/v1/messages", { ...direct, to: "+15559990000" });
    await expect(403, "alice", path, {
      canned: { label: "bye" },
      media: [{ url: "https://example.com/a.png" }],
    });
    await expect(201, "alice", path, { canned: { label: "bye" } });
    await expect(201, "supervisor", path, { text: "my own words" });
  };
  api.directory = {
    ...api.directory,
    queues: new Map([...queues, [QUEUE, { ...queues.get(QUEUE)!, cannedOnly: true }]]),
  };
  await check();
  api.directory = {
    ...api.directory,
    queues,
    extensions: new Map([...extensions, [ALICE, { ...extensions.get(ALICE)!, cannedOnly: true }]]),
  };
  await check();
  api.directory = { ...api.directory, extensions };
  await expect(201, "alice", path, { text: "my own words" });
});
