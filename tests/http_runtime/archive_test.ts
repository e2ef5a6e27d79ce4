import { deepEqual, equal, match, ok } from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { archiveRoutes } from "../../adapters/http/runtime/archive.ts";
import { PostgresArchiveSearch } from "../../adapters/postgres/archive_search.ts";
import { MediaLinks } from "../../core/media/media_links.ts";
import { ALICE, BOB, QUEUE, TO_QUEUE } from "../routing/directory.ts";
import { MASTER_KEY } from "../support/http_app.ts";
import { type TestDatabase, type TestPostgres, testPostgres } from "../support/postgres.ts";
import { Fixture, message, session } from "./fixture.ts";

let postgres: TestPostgres;
let database: TestDatabase;
let api: Fixture;
Deno.test.beforeAll(async () => {
  postgres = await testPostgres();
  database = await postgres.database();
  api = new Fixture(database, [
    archiveRoutes({
      archive: new PostgresArchiveSearch(database.sql),
      media: { links: new MediaLinks([MASTER_KEY], "http://localhost") },
    }),
  ]);
  const contact = "+15550000001";
  await api.addSession(session(1, { contact, state: "closed", extension_id: ALICE, queue_id: QUEUE }));
  await api.addSession(session(2, { state: "active", extension_id: BOB, queue_id: QUEUE }));
  const of = (index: number, held: 1 | 2, text: string, fields = {}) =>
    api.addMessage(message(index, {
      session_id: session(held).id,
      conversation_id: session(held).conversation_id,
      contact: session(held, held === 1 ? { contact } : {}).contact,
      extension_id: held === 1 ? ALICE : BOB,
      queue_id: QUEUE,
      text,
      ...fields,
    }));
  await of(11, 1, "Where is my order?", { direction: "inbound", status: "received" });
  await of(12, 1, "Your order left on Monday");
  await of(13, 2, '=HYPERLINK("https://evil.example","order")', { direction: "inbound", status: "received" });
  await of(14, 2, "Órdenes, two\nlines");
});
Deno.test.afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

const texts = (body: { items: { message: { text: string } }[] }) =>
  body.items.map(({ message }) => message.text);

Deno.test("AG-5: a search gives messages with their sessions and where the words stand, page by page", async () => {
  const first = await api.get("supervisor", "/v1/archive?q=order&limit=2");
  equal(first.status, 200, JSON.stringify(first.body));
  deepEqual(texts(first.body), ['=HYPERLINK("https://evil.example","order")', "Your order left on Monday"]);
  const [, hit] = first.body.items;
  deepEqual(hit.highlights, [{ start: 5, end: 10 }]);
  deepEqual([hit.session.id, hit.session.state], [session(1).id, "closed"]);
  const second = await api.get("supervisor", `/v1/archive?q=order&limit=2&cursor=${first.body.next}`);
  deepEqual([texts(second.body), second.body.next], [["Where is my order?"], null]);
  equal(second.body.notSearched, null);
});

Deno.test("AG-5: past messages are found by number, contact, queue, agent, state and time", async () => {
  const count = async (query: string) => {
    const answer = await api.get("reader", `/v1/archive?${query}`);
    equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body.items.length;
  };
  equal(await count(""), 4);
  equal(await count(`number=${encodeURIComponent(TO_QUEUE.number)}`), 4);
  equal(await count("contact=%2B15550000001"), 2);
  equal(await count(`queueId=${QUEUE}&extensionId=${BOB}`), 2);
  equal(await count("state=closed"), 2);
  equal(await count("q=ordenes&state=active"), 1);
  equal(await count("direction=inbound"), 2);
  equal(await count("from=2026-01-15T11:30:12Z&to=2026-01-15T11:30:14Z"), 2);
});

Deno.test("AG-5: agents find their own, and their queue's where it shares its archive; platforms nothing", async () => {
  deepEqual(texts((await api.get("alice", "/v1/archive?q=order")).body), [
    "Your order left on Monday",
    "Where is my order?",
  ]);
  const { queues } = api.directory;
  const shared = { ...queues.get(QUEUE)!, sharedArchive: true };
  api.directory = { ...api.directory, queues: new Map([...queues, [QUEUE, shared]]) };
  equal((await api.get("alice", "/v1/archive?q=order")).body.items.length, 3);
  api.directory = { ...api.directory, queues };
  equal((await api.get("bot", "/v1/archive?q=order")).status, 403);
});

Deno.test("AG-5: what cannot be looked for is refused by field", async () => {
  for (
    const [query, field] of [["q=%C2%BF%3F", "q"], ["q=-order", "q"], ["q=%00order", "q"], [
      "frm=2026",
      "frm",
    ]]
  ) {
    const answer = await api.get("admin", `/v1/archive?${query}`);
    equal(answer.status, 400, query);
    ok(
      answer.body.errors.some((error: { field: string }) => error.field === field),
      JSON.stringify(answer.body),
    );
  }
  equal((await api.get("admin", `/v1/archive?q=${"word+".repeat(20)}`)).status, 400);
});

Deno.test("AG-5: as CSV all comes in one file that no spreadsheet runs, and the audit log says who took it", async () => {
  api.notes.length = 0;
  const { status, body, headers } = await api.get("supervisor", "/v1/archive?format=csv&limit=1");
  equal(status, 200);
  match(headers.get("content-type")!, /^text\/csv/);
  const [head, ...rows] = parse(body) as string[][];
  const column = (name: string) => rows.map((row) => row[head!.indexOf(name)]);
  deepEqual(column("text"), [
    "Órdenes, two\nlines",
    '\'=HYPERLINK("https://evil.example","order")',
    "Your order left on Monday",
    "Where is my order?",
  ]);
  deepEqual(column("contact").at(-1), "+15550000001");
  deepEqual(column("sessionState"), ["active", "active", "closed", "closed"]);
  deepEqual(api.notes, [{
    actor: "key:key_supervisor",
    action: "export",
    kind: "archive",
    target: "csv",
    after: { format: "csv", limit: "1" },
  }]);
});

Deno.test("AG-5: as JSON lines each hit is a line as in the list", async () => {
  const response = await api.app.request("/v1/archive?q=order", {
    headers: { authorization: "Bearer admin", accept: "text/plain, application/jsonl;q=0.9" },
  });
  const lines = (await response.text()).trim().split("\n").map((line) => JSON.parse(line));
  const listed = (await api.get("admin", "/v1/archive?q=order")).body.items;
  deepEqual(lines, listed);
});

Deno.test("AG-5: an export is read from the database no faster than the client takes it", async () => {
  let portions = 0;
  let ended = false;
  const slow = new Fixture(database, [
    archiveRoutes({
      archive: {
        unsearched: () => Promise.resolve(null),
        async *search() {
          try {
            for (;;) {
              portions++;
              yield [{ message: message(1, { text: "again" }), session: null }];
              await Promise.resolve();
            }
          } finally {
            ended = true;
          }
        },
      },
      media: { links: new MediaLinks([MASTER_KEY], "http://localhost") },
    }),
  ]);
  const response = await slow.app.request("/v1/archive?format=jsonl", {
    headers: { authorization: "Bearer admin" },
  });
  const reader = response.body!.getReader();
  await reader.read();
  await reader.read();
  ok(portions <= 3, String(portions));
  await reader.cancel();
  equal(ended, true);
});
