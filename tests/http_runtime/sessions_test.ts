import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { UnavailableError } from "../../core/ports/ingress.ts";
import { ALICE, BOB, CAROL, PLATFORM, QUEUE, TO_QUEUE } from "../routing/directory.ts";
import { testPostgres } from "../support/postgres.ts";
import { Fixture, message, NOW, session } from "./fixture.ts";

Deno.test("sessions", async (t) => {
  await using postgres = await testPostgres();
  await using database = await postgres.database();
  const fixture = new Fixture(database);

  const held = await fixture.addSession(session(1, { state: "active", extension_id: ALICE }));
  const waiting = await fixture.addSession(session(2, { queue_id: QUEUE }));
  const others = await fixture.addSession(
    session(3, { state: "active", extension_id: CAROL, queue_id: QUEUE, last_activity_ms: 1 }),
  );
  const bots = await fixture.addSession(session(4, { state: "platform", platform_id: PLATFORM }));
  const past = await fixture.addSession(
    session(5, { state: "closed", extension_id: ALICE, closed_ms: NOW, close_reason: "agent" }),
  );
  const lost = await fixture.addSession(session(6));
  const ids = async (key: string, query = "") =>
    (await fixture.get(key, `/v1/sessions${query}`)).body.items.map((item: { id: string }) => item.id);

  await t.step("are listed newest first, everybody's for those who see all", async () => {
    const all = [lost, past, bots, others, waiting, held].map((row) => row.id);
    for (const key of ["admin", "supervisor", "reader"]) deepEqual(await ids(key), all);
  });

  await t.step("an agent gets what it holds or held and what waits in its queues", async () => {
    deepEqual(await ids("alice"), [past, waiting, held].map((row) => row.id));
    deepEqual(await ids("alice", "?state=waiting"), [waiting.id]);
    deepEqual(await ids("alice", `?extensionId=${CAROL}`), []);
  });

  await t.step("a platform gets its own", async () => deepEqual(await ids("bot"), [bots.id]));

  await t.step("are filtered", async () => {
    deepEqual(await ids("admin", "?state=active"), [others.id, held.id]);
    deepEqual(await ids("admin", `?queueId=${QUEUE}&state=active`), [others.id]);
    deepEqual(await ids("admin", `?platformId=${PLATFORM}`), [bots.id]);
    deepEqual(await ids("admin", `?contact=${encodeURIComponent(held.contact)}`), [held.id]);
    deepEqual(
      await ids("admin", `?contact=${held.contact}&number=${TO_QUEUE.number}`),
      [held.id],
      "+ unescaped",
    );
    deepEqual(await ids("admin", "?contact=%2B15559999999"), []);
    const from = new Date(bots.opened_ms).toISOString();
    deepEqual(await ids("admin", `?from=${from}`), [lost.id, past.id, bots.id]);
    deepEqual(await ids("admin", `?to=${from}`), [others.id, waiting.id, held.id]);
  });

  await t.step("come in pages that neither repeat nor skip", async () => {
    const seen: string[] = [];
    for (let cursor = ""; cursor !== null;) {
      const { body } = await fixture.get("alice", `/v1/sessions?limit=2${cursor && `&cursor=${cursor}`}`);
      seen.push(...body.items.map((item: { id: string }) => item.id));
      cursor = body.next;
    }
    deepEqual(seen, [past, waiting, held].map((row) => row.id));
  });

  await t.step("a bad filter is named", async () => {
    for (
      const [query, field] of [
        ["state=gone", "state"],
        ["from=yesterday", "from"],
        ["extensionId=mq_1", "extensionId"],
        ["contact=nobody-at-all-here", "contact"],
        ["limit=0", "limit"],
      ] as const
    ) {
      const { status, body } = await fixture.get("admin", `/v1/sessions?${query}`);
      equal(status, 400, query);
      equal(body.errors[0].field, field);
    }
  });

  await t.step("are read with their history, and with what their conversation knows better", async () => {
    await database.db.updateTable("conversations").set({ last_activity_ms: NOW, idle_ms: NOW + 1_000 })
      .where("id", "=", held.conversation_id).execute();
    const { status, body } = await fixture.get("alice", `/v1/sessions/${held.id}`);
    equal(status, 200);
    deepEqual(body.history, held.history);
    equal(body.lastActivityAt, new Date(NOW).toISOString());
    equal(body.idleAt, new Date(NOW + 1_000).toISOString());
  });

  await t.step("that may not be seen are not there", async () => {
    for (
      const [key, id] of [["alice", others.id], ["alice", lost.id], ["bot", held.id], [
        "bob",
        held.id,
      ]] as const
    ) {
      equal((await fixture.get(key, `/v1/sessions/${id}`)).status, 404);
      equal((await fixture.get(key, `/v1/sessions/${id}/messages`)).status, 404);
    }
    equal((await fixture.get("admin", `/v1/sessions/ses_${"0".repeat(26)}`)).status, 404);
    equal((await fixture.get("admin", "/v1/sessions/msg_1")).body.errors[0].field, "id");
  });

  await t.step("have their messages in the order of the conversation", async () => {
    const { conversation_id, id: session_id } = held;
    for (const [index, position] of [[10, 3], [11, 1], [12, 2]] as const) {
      await fixture.addMessage(message(index, { conversation_id, session_id, position }));
    }
    await fixture.addMessage(message(13, { conversation_id, position: 4 }));
    const first = (await fixture.get("alice", `/v1/sessions/${held.id}/messages?limit=2`)).body;
    deepEqual(first.items.map((item: { position: number }) => item.position), [1, 2]);
    const second = (await fixture.get("alice", `/v1/sessions/${held.id}/messages?cursor=${first.next}`)).body;
    deepEqual(second.items.map((item: { position: number }) => item.position), [3]);
    equal(second.next, null);
  });

  await t.step("are opened: an agent for itself, a supervisor for whom it names", async () => {
    fixture.reply = { ok: true, sessionId: held.id };
    const body = { from: TO_QUEUE.id, to: "+1 (555) 000-0001" };
    const opened = await fixture.post("alice", "/v1/sessions", body);
    equal(opened.status, 201);
    equal(opened.headers.get("location"), `/v1/sessions/${held.id}`);
    equal(opened.body.id, held.id);
    const command = fixture.executed.at(-1)!;
    deepEqual(command.command, { kind: "open", extensionId: ALICE });
    deepEqual(command.author, { kind: "extension", id: ALICE });
    equal(command.number, TO_QUEUE.number);
    equal(command.contact, "+15550000001");
    equal((await fixture.post("alice", "/v1/sessions", { ...body, extensionId: BOB })).status, 403);
    equal((await fixture.post("bot", "/v1/sessions", body)).status, 403);
    equal((await fixture.post("admin", "/v1/sessions", body)).body.errors[0].field, "extensionId");
    equal((await fixture.post("admin", "/v1/sessions", { ...body, extensionId: BOB })).status, 201);
    deepEqual(fixture.executed.at(-1)!.author, { kind: "key", id: "key_admin" });
    const wrong = await fixture.post("alice", "/v1/sessions", { from: "+19999999999", to: "12", more: 1 });
    deepEqual(wrong.body.errors.map((error: { field: string }) => error.field).toSorted(), ["more", "to"]);
    const unknown = await fixture.post("alice", "/v1/sessions", { ...body, from: "+19999999999" });
    equal(unknown.body.errors[0].field, "from");
  });

  await t.step("are accepted; who comes second hears who was first", async () => {
    fixture.reply = { ok: true, sessionId: waiting.id };
    const { status, body } = await fixture.post("alice", `/v1/sessions/${waiting.id}/accept`);
    equal(status, 200);
    equal(body.id, waiting.id);
    deepEqual(fixture.executed.at(-1)!.command, {
      kind: "accept",
      sessionId: waiting.id,
      extensionId: ALICE,
    });
    fixture.reply = {
      ok: false,
      status: 409,
      code: "already-accepted",
      detail: "the session was accepted by extension 102 (Bob)",
      holder: { extensionId: BOB },
    };
    const lateBody = { extensionId: ALICE };
    const late = await fixture.post("alice", `/v1/sessions/${others.id}/accept`, lateBody);
    equal(late.status, 409);
    equal(late.headers.get("content-type"), "application/problem+json");
    equal(late.body.code, "already-accepted");
    equal(late.body.type, "/problems/already-accepted");
    const bob = fixture.directory.extensions.get(BOB)!;
    deepEqual(late.body.holder, { extensionId: BOB, extension: bob.extension, name: bob.name });
    equal(
      (await fixture.post("admin", `/v1/sessions/${waiting.id}/accept`)).body.errors[0].field,
      "extensionId",
    );
    equal((await fixture.post("alice", `/v1/sessions/${lost.id}/accept`)).status, 404);
  });

  await t.step("are answered", async () => {
    const messageId = `msg_${"1".repeat(26)}`;
    fixture.reply = { ok: true, sessionId: held.id, messageId };
    const answer = await fixture.post("alice", `/v1/sessions/${held.id}/messages`, { text: "hello €" });
    equal(answer.status, 201);
    deepEqual(answer.body, {
      messageId,
      sessionId: held.id,
      status: "queued",
      encoding: "gsm7",
      segments: 1,
    });
    equal(answer.headers.get("location"), `/v1/messages/${messageId}`);
    const { command, contact } = fixture.executed.at(-1)!;
    deepEqual(command, { kind: "send", sessionId: held.id, text: "hello €", priority: 0 });
    equal(contact, held.contact);
    for (const body of [{}, { text: "" }, { text: 5 }, { text: "a".repeat(1_601) }, { text: "a\0" }]) {
      const { status, body: problem } = await fixture.post("alice", `/v1/sessions/${held.id}/messages`, body);
      equal(status, 400);
      equal(problem.errors[0].field, "text");
    }
  });

  await t.step("are handed over and closed", async () => {
    fixture.reply = { ok: true, sessionId: bots.id };
    const to = { kind: "queue", id: QUEUE };
    equal((await fixture.post("bot", `/v1/sessions/${bots.id}/transfer`, { to, note: "angry" })).status, 200);
    deepEqual(fixture.executed.at(-1)!.author, { kind: "platform", id: PLATFORM });
    deepEqual(fixture.executed.at(-1)!.command, { kind: "transfer", sessionId: bots.id, to, note: "angry" });
    equal((await fixture.post("bot", `/v1/sessions/${bots.id}/close`)).status, 200);
    deepEqual(fixture.executed.at(-1)!.command, { kind: "close", sessionId: bots.id });
    const wrong = { to: { kind: "queue", id: "ext_1" } };
    const { body } = await fixture.post("bot", `/v1/sessions/${bots.id}/transfer`, wrong);
    equal(body.errors[0].field, "to.id");
    equal((await fixture.post("reader", `/v1/sessions/${bots.id}/close`)).status, 403);
    equal((await fixture.post("bob", `/v1/sessions/${bots.id}/close`)).status, 404);
  });

  await t.step(
    "a command repeated reaches the owner although the session is out of sight by then",
    async () => {
      const by = `extension:${ALICE}`;
      const history = [...others.history, { state: "active" as const, at: others.history[0]!.at, by }];
      const moved = await fixture.addSession(session(7, { state: "active", extension_id: CAROL, history }));
      fixture.reply = { ok: true, sessionId: moved.id };
      equal((await fixture.get("alice", `/v1/sessions/${moved.id}`)).status, 404);
      equal((await fixture.post("alice", `/v1/sessions/${moved.id}/close`)).status, 200);
    },
  );

  await t.step("commands are known again by the caller's key, its header and the path", async () => {
    fixture.reply = { ok: true, sessionId: held.id };
    const keyOf = async (key: string, path: string, header?: string) => {
      await fixture.post(key, path, undefined, header === undefined ? {} : { "idempotency-key": header });
      return fixture.executed.at(-1)!.key;
    };
    const close = `/v1/sessions/${held.id}/close`;
    const first = await keyOf("alice", close, "k1");
    match(first, /^[A-Za-z0-9_-]{27}$/);
    equal(await keyOf("alice", close, "k1"), first);
    notEqual(await keyOf("admin", close, "k1"), first);
    notEqual(await keyOf("alice", close, "k2"), first);
    notEqual(await keyOf("admin", `/v1/sessions/${bots.id}/close`, "k1"), await keyOf("admin", close, "k1"));
    notEqual(await keyOf("alice", close), await keyOf("alice", close));
  });

  await t.step("an owner that does not answer is a 503 to come again after", async () => {
    fixture.reply = new UnavailableError("nobody there", 3);
    const { status, headers } = await fixture.post("alice", `/v1/sessions/${held.id}/close`);
    equal(status, 503);
    equal(headers.get("retry-after"), "3");
  });

  deepEqual(fixture.errors, []);
});
