import { deepEqual, equal, notEqual } from "node:assert/strict";
import { contactHistoryRoutes } from "../../adapters/http/runtime/contact_history.ts";
import { reassignRoutes } from "../../adapters/http/runtime/reassign.ts";
import { mayHear } from "../../adapters/http/runtime/event_audience.ts";
import { supervisionRoutes } from "../../adapters/http/runtime/supervision.ts";
import { PostgresArchiveSearch } from "../../adapters/postgres/archive_search.ts";
import { PostgresSessionQueries } from "../../adapters/postgres/session_queries.ts";
import { PostgresSupervisionQueries } from "../../adapters/postgres/supervision_queries.ts";
import { type PatchbayEvent, toCloudEvent } from "../../core/events.ts";
import { newAgentRow } from "../../core/dispatch/records.ts";
import type { AgentAtWork } from "../../core/ports/dispatch_queries.ts";
import { MediaLinks } from "../../core/media/media_links.ts";
import type { CommandReply } from "../../core/entry.ts";
import { ALICE, BOB, QUEUE } from "../routing/directory.ts";
import { MASTER_KEY } from "../support/http_app.ts";
import { type TestDatabase, type TestPostgres, testPostgres } from "../support/postgres.ts";
import { Fixture, KEYS, message, NOW, session } from "./fixture.ts";

let postgres: TestPostgres;
Deno.test.beforeAll(async () => {
  postgres = await testPostgres();
});
Deno.test.afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

function apiOf(database: TestDatabase, refused: ReadonlySet<string> = new Set()): Fixture {
  const sessions = new PostgresSessionQueries(database.db);
  const media = { links: new MediaLinks([MASTER_KEY], "http://localhost") };
  const archive = new PostgresArchiveSearch(database.sql);
  const api: Fixture = new Fixture(database, [
    reassignRoutes({
      sessions,
      ingress: {
        refusal: () => null,
        append: () => Promise.resolve(),
        appendReport: () => Promise.resolve(),
        execute: async (command) => {
          const { command: what } = command;
          api.executed.push(command);
          if (what.kind !== "transfer") throw new Error(what.kind);
          if (refused.has(what.sessionId)) {
            return {
              ok: false,
              status: 409,
              code: "session-closed",
              detail: "the session is closed",
            } as CommandReply;
          }
          await database.db.updateTable("sessions").set({ extension_id: what.to.id })
            .where("id", "=", what.sessionId).execute();
          return { ok: true };
        },
      },
    }),
    contactHistoryRoutes({ archive, sessions, media }),
  ]);
  return api;
}

function atWork(extensionId: string, fields: Partial<AgentAtWork>): AgentAtWork {
  return { ...newAgentRow(extensionId), sessions: 0, ...fields };
}

/** With the live tables; `told` are the events for agents. */
function supervised(database: TestDatabase, agents: readonly AgentAtWork[] = []) {
  const told: PatchbayEvent[] = [];
  const api = new Fixture(database, [
    supervisionRoutes({
      supervision: new PostgresSupervisionQueries(database.sql),
      dispatch: {
        agents: () => Promise.resolve(new Map(agents.map((agent) => [agent.extension_id, agent]))),
        queue: () => Promise.reject(new Error("not asked for")),
        service: () => Promise.reject(new Error("not asked for")),
      },
      tellAgent: (event) => Promise.resolve(void told.push(event)),
    }),
  ]);
  return { api, told };
}

Deno.test("AG-4: an agent's sessions are handed over page by page, with what became of each", async () => {
  await using database = await postgres.database();
  const stuck = session(3);
  const api = apiOf(database, new Set([stuck.id]));
  for (const index of [1, 2, 3, 4, 5]) {
    await api.addSession(session(index, { state: "active", extension_id: ALICE, queue_id: QUEUE }));
  }
  await api.addSession(session(6, { state: "closed", extension_id: ALICE }));
  await api.addSession(session(7, { state: "active", extension_id: BOB }));
  const body = {
    from: { kind: "extension", id: ALICE },
    to: { kind: "extension", id: BOB },
    note: "Alice went home",
    limit: 3,
  };
  const first = await api.post("supervisor", "/v1/sessions/reassign", body, { "idempotency-key": "evening" });
  equal(first.status, 200, JSON.stringify(first.body));
  deepEqual(first.body.items, [
    { sessionId: session(5).id, ok: true },
    { sessionId: session(4).id, ok: true },
    { sessionId: stuck.id, ok: false, detail: "The session is closed." },
  ]);
  deepEqual([first.body.moved, first.body.failed], [2, 1]);
  const rest = { ...body, cursor: first.body.next };
  const second = await api.post("supervisor", "/v1/sessions/reassign", rest);
  deepEqual([second.body.moved, second.body.next], [2, null]);
  deepEqual(api.executed[0]!.command, {
    kind: "transfer",
    sessionId: session(5).id,
    to: { kind: "extension", id: BOB },
    note: "Alice went home",
  });

  const keyOf = (id: string) =>
    api.executed.filter(({ command }) => "sessionId" in command && command.sessionId === id).map(({ key }) =>
      key
    );
  const again = await api.post("supervisor", "/v1/sessions/reassign", body, { "idempotency-key": "evening" });
  deepEqual(again.body.items.map(({ sessionId }: { sessionId: string }) => sessionId), [stuck.id]);
  const keys = keyOf(stuck.id);
  equal(keys[0], keys.at(-1));
  equal(new Set(api.executed.map(({ key }) => key)).size, 5);
});

Deno.test("AG-4: a queue's waiting sessions are handed over, those of its agents only when asked for", async () => {
  await using database = await postgres.database();
  const api = apiOf(database);
  await api.addSession(session(1, { state: "waiting", queue_id: QUEUE }));
  await api.addSession(session(2, { state: "active", queue_id: QUEUE, extension_id: ALICE }));
  await api.addSession(session(3, { state: "waiting", queue_id: QUEUE }));
  const body = { from: { kind: "queue", id: QUEUE }, to: { kind: "extension", id: BOB } };
  const early = new Date(session(3).opened_ms).toISOString();
  const first = await api.post("admin", "/v1/sessions/reassign", { ...body, openedBefore: early });
  deepEqual(first.body.items, [{ sessionId: session(1).id, ok: true }]);
  const active = await api.post("admin", "/v1/sessions/reassign", { ...body, states: ["active"] });
  deepEqual(active.body.items, [{ sessionId: session(2).id, ok: true }]);
});

Deno.test("AG-4: who may not hand sessions over, and what is impossible, is refused", async () => {
  await using database = await postgres.database();
  const api = apiOf(database);
  const from = { kind: "extension", id: ALICE };
  const nobody = { kind: "queue", id: `mq_${"v".repeat(26)}` };
  for (const key of ["alice", "bot", "reader"]) {
    equal(
      (await api.post(key, "/v1/sessions/reassign", { from, to: { kind: "queue", id: QUEUE } })).status,
      403,
    );
  }
  const same = await api.post("admin", "/v1/sessions/reassign", { from, to: from });
  deepEqual([same.status, same.body.errors[0].field], [400, "to.id"]);
  const unknown = await api.post("admin", "/v1/sessions/reassign", { from, to: nobody });
  deepEqual([unknown.status, unknown.body.errors[0].field], [400, "to.id"]);
  const closed = await api.post("admin", "/v1/sessions/reassign", {
    from,
    to: { kind: "queue", id: QUEUE },
    states: ["closed"],
  });
  equal(closed.status, 400);
});

Deno.test("AG-4: a supervisor reads a running session, and the audit log says so once in a while", async () => {
  await using database = await postgres.database();
  const api = apiOf(database);
  const running = await api.addSession(session(1, { state: "active", extension_id: ALICE }));
  const closed = await api.addSession(session(2, { state: "closed", extension_id: ALICE }));
  const waiting = await api.addSession(session(3, { state: "waiting", queue_id: QUEUE }));
  await api.addMessage(message(4, {
    session_id: running.id,
    conversation_id: running.conversation_id,
    text: "overheard",
  }));
  const read = async (key: string, id: string) =>
    (await api.get(key, `/v1/sessions/${id}/messages`)).body.items;
  equal((await read("supervisor", running.id))[0].text, "overheard");
  await read("supervisor", running.id);
  await read("alice", running.id);
  await read("supervisor", closed.id);
  await read("supervisor", waiting.id);
  await read("admin", running.id);
  deepEqual(
    api.notes,
    ["supervisor", "admin"].map((key) => ({
      actor: `key:key_${key}`,
      action: "read",
      kind: "session",
      target: running.id,
      after: { extensionId: ALICE },
    })),
  );
  equal((await api.get("bob", `/v1/sessions/${running.id}/messages`)).status, 404);
});

Deno.test("AG-4: the table of agents has presence, time in it, what they have by channel, and what they have done", async () => {
  await using database = await postgres.database();
  const { api } = supervised(database, [atWork(ALICE, { shown: "busy", shown_since_ms: NOW - 90_000 })]);
  await api.addSession(session(1, { state: "active", extension_id: ALICE, queue_id: QUEUE }));
  await api.addSession(session(2, { state: "active", extension_id: ALICE }));
  await api.addSession(session(3, { state: "offered", offered_to: ALICE, queue_id: QUEUE }));
  await api.addSession(session(4, { state: "wrap-up", extension_id: ALICE }));
  const closed = (index: number, atMs: number) =>
    api.addSession(session(index, { state: "closed", extension_id: ALICE, closed_ms: atMs }));
  await closed(5, NOW - 60_000);
  await closed(6, NOW - 24 * 3_600_000);
  const { status, body } = await api.get("supervisor", `/v1/supervision/agents?queueId=${QUEUE}`);
  equal(status, 200, JSON.stringify(body));
  deepEqual(body.items.map(({ name }: { name: string }) => name), ["Alice", "Bob"]);
  const [alice, bob] = body.items;
  deepEqual(
    [alice.presence, alice.secondsInState, alice.offered, alice.active, alice.wrapUp, alice.completed],
    ["busy", 90, 1, 2, 1, 1],
  );
  deepEqual(alice.channels, [{ channelId: session(1).channel_id, active: 2 }]);
  deepEqual(alice.queueIds, [QUEUE]);
  deepEqual([bob.presence, bob.secondsInState, bob.active, bob.completed], ["offline", null, 0, 0]);

  const busy = await api.get("reader", "/v1/supervision/agents?presence=busy");
  deepEqual(busy.body.items.map(({ name }: { name: string }) => name), ["Alice"]);
  const since = new Date(NOW - 48 * 3_600_000).toISOString();
  const page = await api.get("admin", `/v1/supervision/agents?limit=1&since=${since}`);
  deepEqual([page.body.items[0].completed, page.body.next], [2, ALICE]);
  const rest = await api.get("admin", `/v1/supervision/agents?cursor=${page.body.next}`);
  deepEqual(rest.body.items.map(({ name }: { name: string }) => name), ["Bob", "Carol"]);
  equal((await api.get("alice", "/v1/supervision/agents")).status, 403);
});

Deno.test("AG-4: the table of waiting contacts begins with who waits longest", async () => {
  await using database = await postgres.database();
  const { api } = supervised(database);
  const waits = (index: number, secondsAgo: number, fields = {}) =>
    api.addSession(session(index, {
      queue_id: QUEUE,
      waiting_since_ms: NOW - secondsAgo * 1_000,
      ...fields,
    }));
  await waits(1, 10);
  await waits(2, 300, { state: "offered", offered_to: BOB });
  await waits(3, 60);
  await waits(4, 900, { state: "active", extension_id: ALICE });
  const first = await api.get("supervisor", "/v1/supervision/waiting?limit=2");
  deepEqual(
    first.body.items.map((
      item: { sessionId: string; waitSeconds: number; offeredTo: string | null },
    ) => [item.sessionId, item.waitSeconds, item.offeredTo]),
    [[session(2).id, 300, BOB], [session(3).id, 60, null]],
  );
  const second = await api.get("supervisor", `/v1/supervision/waiting?limit=2&cursor=${first.body.next}`);
  deepEqual(second.body.items.map(({ sessionId }: { sessionId: string }) => sessionId), [session(1).id]);
  equal(second.body.next, null);
  const none = await api.get("supervisor", `/v1/supervision/waiting?queueId=mq_${"v".repeat(26)}`);
  deepEqual(none.body.items, []);
  equal((await api.get("supervisor", "/v1/supervision/waiting?cursor=x")).status, 400);
});

Deno.test("AG-4: a supervisor's word goes to its agent alone, once for each idempotency key, and is on record", async () => {
  await using database = await postgres.database();
  const { api, told } = supervised(database);
  const path = `/v1/supervision/agents/${ALICE}/message`;
  const answer = await api.post("supervisor", path, { text: "Please take the next one" }, {
    "idempotency-key": "a",
  });
  equal(answer.status, 202, JSON.stringify(answer.body));
  const again = await api.post("supervisor", path, { text: "Please take the next one" }, {
    "idempotency-key": "a",
  });
  equal(again.body.id, answer.body.id);
  notEqual((await api.post("supervisor", path, { text: "And the one after it" })).body.id, answer.body.id);
  const event = toCloudEvent(told[0]!);
  deepEqual(
    [event.type, event.data.text, event.data.extensionId],
    ["agent.message", "Please take the next one", ALICE],
  );
  const hears = (key: string) =>
    mayHear([...KEYS.values()].find(({ name }) => name === key)!, event, api.directory);
  deepEqual(["alice", "bob", "bot", "supervisor"].map(hears), [true, false, false, true]);
  deepEqual(api.notes.map(({ action, target }) => [action, target]), Array(3).fill(["message", ALICE]));
  equal((await api.post("supervisor", path, { text: "" })).status, 400);
  equal((await api.post("alice", path, { text: "x" })).status, 403);
  const nobody = `/v1/supervision/agents/ext_${"v".repeat(26)}/message`;
  equal((await api.post("supervisor", nobody, { text: "x" })).status, 404);
});

Deno.test("AG-2: an agent with a session reads all that was written with its contact, else what is the agent's own", async () => {
  await using database = await postgres.database();
  const api = apiOf(database);
  const contact = "+15557770001";
  const former = await api.addSession(
    session(1, { state: "closed", extension_id: BOB, queue_id: QUEUE, contact }),
  );
  const open = await api.addSession(
    session(2, { state: "active", extension_id: ALICE, contact, number: "+15550009999" }),
  );
  for (const [index, held] of [[3, former], [4, former], [5, open]] as const) {
    await api.addMessage(message(index, {
      session_id: held.id,
      conversation_id: held.conversation_id,
      contact,
      number: held.number,
      extension_id: held.extension_id,
      queue_id: held.queue_id,
    }));
  }
  const path = `/v1/contacts/${encodeURIComponent(contact)}/history`;
  const read = async (key: string, query = "") => {
    const { status, body } = await api.get(key, path + query);
    equal(status, 200, JSON.stringify(body));
    return body;
  };
  const texts = (body: { items: { message: { text: string } }[] }) =>
    body.items.map(({ message }) => message.text);
  deepEqual(texts(await read("alice")), ["text 5", "text 4", "text 3"]);
  const page = await read("alice", "?limit=2");
  deepEqual(texts(page), ["text 5", "text 4"]);
  deepEqual(page.items.map((item: { session: { id: string } }) => item.session.id), [open.id, former.id]);
  deepEqual(texts(await read("alice", `?limit=2&cursor=${page.next}`)), ["text 3"]);
  deepEqual(texts(await read("bob")), ["text 4", "text 3"]);
  deepEqual(texts(await read("supervisor", "?ours=%2B15550009999")), ["text 5"]);
  deepEqual(texts(await read("supervisor", `?to=${new Date(NOW - 3_600_000 + 4_000).toISOString()}`)), [
    "text 3",
  ]);
  await database.db.updateTable("sessions").set({ state: "closed" }).where("id", "=", open.id).execute();
  deepEqual(texts(await read("alice")), ["text 5"]);
  equal((await api.get("bot", path)).status, 403);
});
