import { deepEqual, equal, match } from "node:assert/strict";
import type { OwnNumber } from "../../core/channel.ts";
import { InCallSettingsSchema } from "../../core/in_call/settings.ts";
import { ALICE, BOB, CAROL, DIRECTORY, QUEUE, TO_NOBODY, TO_QUEUE } from "../routing/directory.ts";
import { testPostgres } from "../support/postgres.ts";
import { Fixture, message, NOW, session } from "./fixture.ts";

const NUMBER: OwnNumber = { ...TO_NOBODY, purpose: "in-call" };
const OTHER: OwnNumber = { ...NUMBER, id: "num_00000000000000000000000009", number: "+14155550109" };
const CONTACT = "+12025550177";

Deno.test("calls", async (t) => {
  await using postgres = await testPostgres();
  await using database = await postgres.database();
  const fixture = new Fixture(database);
  const numbers = [...DIRECTORY.numbers.values(), NUMBER, OTHER];
  const queue = DIRECTORY.queues.get(QUEUE)!;
  fixture.directory = {
    ...fixture.directory,
    numbers: new Map(numbers.map((own) => [own.id, own])),
    numbersByAddress: new Map(numbers.map((own) => [own.number, own])),
    queues: new Map([[QUEUE, { ...queue, inCall: { numberId: OTHER.id } }]]),
    inCall: InCallSettingsSchema.parse({ enabled: true, freeText: true }),
    inCallPresets: [{
      id: "pre_1",
      label: "Address",
      texts: { en: "1 Main St", es: "Calle 1" },
      queueIds: [],
    }],
  };
  const open = await fixture.addSession(session(1, {
    kind: "call",
    call_id: "c1@pbx",
    state: "active",
    number: NUMBER.number,
    number_id: NUMBER.id,
    contact: CONTACT,
    extension_id: ALICE,
    queue_id: QUEUE,
    language: "es",
  }));
  const closed = await fixture.addSession(session(2, {
    kind: "call",
    call_id: "c2",
    state: "closed",
    number: NUMBER.number,
    extension_id: BOB,
    closed_ms: NOW,
    close_reason: "call-ended",
  }));
  const chat = await fixture.addSession(session(3, { state: "active", extension_id: ALICE }));
  const asked = { callId: "c9", contact: CONTACT, number: NUMBER.number };

  await t.step("IC-1: one is opened as its agent, under the call's id as the key", async () => {
    fixture.reply = { ok: true, sessionId: open.id };
    const { status, body, headers } = await fixture.post("alice", "/v1/calls", {
      ...asked,
      queueId: QUEUE,
      language: "es",
    });
    deepEqual([status, body.id, headers.get("location")], [201, open.id, "/v1/calls/c9"]);
    const [entry] = fixture.executed.splice(0);
    deepEqual([entry!.number, entry!.contact, entry!.author], [NUMBER.number, CONTACT, {
      kind: "extension",
      id: ALICE,
    }]);
    deepEqual(entry!.command, {
      kind: "open-call",
      callId: "c9",
      extensionId: ALICE,
      queueId: QUEUE,
      language: "es",
    });
    await fixture.post("alice", "/v1/calls", { ...asked, language: "en" });
    equal(fixture.executed.splice(0)[0]!.key, entry!.key);
  });

  await t.step("IC-1: a call that is known is answered with its session, and with nothing else", async () => {
    const known = { ...asked, callId: "c1@pbx" };
    const again = await fixture.post("alice", "/v1/calls", known);
    deepEqual([again.status, again.body.id, again.body.kind, again.body.callId], [
      200,
      open.id,
      "call",
      "c1@pbx",
    ]);
    const fields = async (body: Record<string, unknown>) => {
      const answer = await fixture.post("admin", "/v1/calls", { ...known, extensionId: ALICE, ...body });
      return [answer.status, ...(answer.body.errors ?? []).map(({ field }: { field: string }) => field)];
    };
    deepEqual(await fields({ contact: "+12025550178" }), [409, "contact"]);
    deepEqual(await fields({ number: OTHER.id }), [409, "number"]);
    deepEqual(await fields({ extensionId: BOB }), [409, "extensionId"]);
    deepEqual(fixture.executed, []);
  });

  await t.step("CH-7: a call that names no number has its queue's, or else the one set for all", async () => {
    const numberOf = async (body: Record<string, unknown>) => {
      const answer = await fixture.post("alice", "/v1/calls", { callId: "c8", contact: CONTACT, ...body });
      return answer.status === 201
        ? fixture.executed.splice(0)[0]!.number
        : [answer.status, answer.body.errors[0].field];
    };
    deepEqual(await numberOf({}), [400, "number"]);
    equal(await numberOf({ queueId: QUEUE }), OTHER.number);
    const { directory } = fixture;
    fixture.directory = { ...directory, inCall: { ...directory.inCall, numberId: NUMBER.id } };
    equal(await numberOf({}), NUMBER.number);
    equal(await numberOf({ queueId: QUEUE }), OTHER.number);
    deepEqual(
      await numberOf({ number: TO_QUEUE.number }),
      [400, "number"],
      "CH-6: not one for conversations",
    );
  });

  await t.step("what does not fit is refused by its field", async () => {
    const fields = async (body: Record<string, unknown>) =>
      (await fixture.post("admin", "/v1/calls", { ...asked, extensionId: ALICE, ...body })).body.errors
        .map(({ field }: { field: string }) => field);
    deepEqual(await fields({ callId: "with blank" }), ["callId"]);
    deepEqual(await fields({ contact: "Bob" }), ["contact"]);
    deepEqual(await fields({ queueId: "sales" }), ["queueId"]);
    deepEqual(await fields({ language: "Spanish" }), ["language"]);
    deepEqual(await fields({ extensionId: undefined }), ["extensionId"]);
    equal((await fixture.post("bob", "/v1/calls", { ...asked, extensionId: ALICE })).status, 403);
    equal((await fixture.post("bot", "/v1/calls", asked)).status, 403);
    equal((await fixture.post("reader", "/v1/calls", asked)).status, 403);
  });

  await t.step("IC-2: a preset goes out by its label in the call's language, or a text", async () => {
    fixture.reply = { ok: true, messageId: message(1).id };
    const path = "/v1/calls/c1@pbx/messages";
    const sent = await fixture.post("alice", path, { preset: "Address" }, { "idempotency-key": "k1" });
    deepEqual([sent.status, sent.body.text, sent.body.segments, sent.body.sessionId], [
      201,
      "Calle 1",
      1,
      open.id,
    ]);
    const other = await fixture.post("alice", path, { preset: "Address", language: "en" });
    equal(other.body.text, "1 Main St");
    equal((await fixture.post("alice", path, { text: "Hello" })).body.text, "Hello");
    deepEqual(fixture.executed.splice(0).map(({ command }) => command), [
      { kind: "send-in-call", callId: "c1@pbx", preset: "Address" },
      { kind: "send-in-call", callId: "c1@pbx", preset: "Address", language: "en" },
      { kind: "send-in-call", callId: "c1@pbx", text: "Hello" },
    ]);
    const unknown = await fixture.post("alice", path, { preset: "Nothing" });
    deepEqual([unknown.status, unknown.body.type], [422, "/problems/unknown-preset"]);
    for (const body of [{}, { preset: "Address", text: "Hello" }]) {
      deepEqual((await fixture.post("alice", path, body)).body.errors[0].field, "preset");
    }
    const long = await fixture.post("alice", path, { text: "x".repeat(919) });
    deepEqual([long.status, long.body.errors], [400, [{
      field: "text",
      message: "has 919 UTF-16 units; a text during a call may have 918",
    }]]);
    fixture.reply = { ok: false, status: 403, code: "presets-only", detail: "only presets may be sent" };
    const refused = await fixture.post("alice", path, { text: "Hello" });
    deepEqual([refused.status, refused.body.code], [403, "presets-only"]);
    equal((await fixture.post("bob", "/v1/calls/c0/messages", { text: "x" })).status, 404);
    fixture.executed.splice(0);
  });

  await t.step("AG-6: who may only send what an administrator wrote sends presets during calls", async () => {
    const { directory } = fixture;
    const alice = { ...directory.extensions.get(ALICE)!, cannedOnly: true };
    fixture.directory = { ...directory, extensions: new Map([[ALICE, alice]]) };
    fixture.reply = { ok: true, messageId: message(1).id };
    const path = "/v1/calls/c1@pbx/messages";
    const own = await fixture.post("alice", path, { text: "Hello" });
    deepEqual([own.status, own.body.type, fixture.executed], [403, "/problems/canned-only", []]);
    equal((await fixture.post("alice", path, { preset: "Address" })).status, 201);
    fixture.executed.splice(0);
    fixture.directory = directory;
  });

  await t.step("IC-1: the end is told with what ended it; one that is over stays as it is", async () => {
    fixture.reply = { ok: true, sessionId: open.id };
    const { status } = await fixture.post("admin", "/v1/calls/c1%40pbx/end", { reason: "caller hung up" });
    equal(status, 200);
    deepEqual(fixture.executed.splice(0)[0]!.command, {
      kind: "end-call",
      callId: "c1@pbx",
      reason: "caller hung up",
    });
    equal((await fixture.post("admin", "/v1/calls/c1@pbx/end")).status, 200);
    equal(fixture.executed.splice(0).length, 1);
    const over = await fixture.post("admin", "/v1/calls/c2/end", { reason: "again" });
    deepEqual([over.status, over.body.closeReason, fixture.executed], [200, "call-ended", []]);
    equal((await fixture.post("admin", "/v1/calls/c7/end")).status, 404);
    equal((await fixture.post("alice", "/v1/calls/c2/end")).status, 404);
    const long = await fixture.post("admin", "/v1/calls/c1@pbx/end", { reason: "x".repeat(201) });
    equal(long.body.errors[0].field, "reason");
  });

  await t.step(
    "IC-6: calls are listed and read by those whose they are, also among the sessions",
    async () => {
      const ids = async (key: string, path: string) =>
        (await fixture.get(key, path)).body.items.map(({ id }: { id: string }) => id);
      deepEqual(await ids("admin", "/v1/calls"), [closed.id, open.id]);
      deepEqual(await ids("alice", "/v1/calls"), [open.id]);
      deepEqual(await ids("admin", "/v1/calls?state=closed"), [closed.id]);
      deepEqual(await ids("admin", "/v1/sessions?kind=call"), [closed.id, open.id]);
      deepEqual(await ids("admin", "/v1/sessions?kind=chat"), [chat.id]);
      const { body } = await fixture.get("admin", "/v1/calls/c1@pbx");
      deepEqual([body.id, body.callId, body.kind, body.state], [open.id, "c1@pbx", "call", "active"]);
      const refused = await fixture.get("bob", "/v1/calls/c9");
      equal(refused.status, 404);
      match(refused.body.detail, /no call c9/);
    },
  );

  await t.step("IC-6: statistics of calls by when they began, by queue and by agent", async () => {
    const written = { conversation_id: open.conversation_id, session_id: open.id };
    const sent = [{ status: "queued", at: "" }, { status: "sent", at: "" }] as const;
    await fixture.addMessage(
      message(11, { ...written, position: 1, direction: "inbound", status: "received" }),
    );
    await fixture.addMessage(
      message(12, { ...written, position: 2, status: "delivered", segments: 2, history: sent }),
    );
    await fixture.addMessage(message(13, { ...written, position: 3, status: "undelivered", history: sent }));
    await fixture.addMessage(message(14, { ...written, position: 4, status: "blocked" }));
    await fixture.addMessage(message(15, { conversation_id: chat.conversation_id, session_id: chat.id }));
    const { status, body } = await fixture.get("reader", "/v1/in-call/statistics?bucket=hour");
    equal(status, 200);
    const counts = {
      calls: 2,
      textedIn: 1,
      received: 1,
      sent: 2,
      delivered: 1,
      failed: 2,
      segmentsIn: 1,
      segmentsOut: 3,
    };
    deepEqual(body.total, counts);
    const { start: _, ...bucket } = body.buckets.find(({ calls }: { calls: number }) => calls > 0);
    deepEqual([bucket, body.buckets.length], [counts, 25]);
    const total = async (query: string) =>
      (await fixture.get("reader", `/v1/in-call/statistics?${query}`)).body.total;
    deepEqual((await total(`queueId=${QUEUE}`)).calls, 1);
    deepEqual(await total(`extensionId=${BOB}`), { ...counts, ...NOTHING_WRITTEN, calls: 1 });
    deepEqual((await total(`extensionId=${CAROL}`)).calls, 0);
    equal((await fixture.get("alice", "/v1/in-call/statistics")).status, 403);
    const wrong = await fixture.get("reader", "/v1/in-call/statistics?from=2020-01-01T00:00:00Z");
    equal(wrong.status, 422);
  });
  deepEqual(fixture.errors, []);
});

const NOTHING_WRITTEN = {
  textedIn: 0,
  received: 0,
  sent: 0,
  delivered: 0,
  failed: 0,
  segmentsIn: 0,
  segmentsOut: 0,
};
