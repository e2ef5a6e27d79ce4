import { deepEqual, equal } from "node:assert/strict";
import { ChannelSettingsSchema } from "../../core/channel.ts";
import { ALICE, CHANNEL, PLATFORM, QUEUE, TO_PLATFORM, TO_QUEUE } from "../routing/directory.ts";
import { testPostgres } from "../support/postgres.ts";
import { Fixture, message, NOW, session } from "./fixture.ts";

const ID = `msg_${"1".repeat(26)}`;

Deno.test("messages", async (t) => {
  await using postgres = await testPostgres();
  await using database = await postgres.database();
  const fixture = new Fixture(database);
  const send = (key: string, body: unknown, headers = {}) => fixture.post(key, "/v1/messages", body, headers);
  const body = { from: TO_QUEUE.number, to: "+15551234567", text: "hello" };
  fixture.reply = { ok: true, messageId: ID };

  /** Runs `work` with other settings of the only channel. */
  async function withChannel(changes: { enabled?: boolean; settings?: unknown }, work: () => Promise<void>) {
    const before = fixture.directory;
    const settings = ChannelSettingsSchema.parse(changes.settings ?? {});
    const channel = { ...before.channels.get(CHANNEL.id)!, enabled: changes.enabled ?? true, settings };
    fixture.directory = { ...before, channels: new Map([[channel.id, channel]]) };
    await work();
    fixture.directory = before;
  }

  await t.step("are sent, and answered with where they are", async () => {
    const answer = await send("admin", { ...body, from: TO_QUEUE.id, text: "ж".repeat(71) });
    equal(answer.status, 201);
    equal(answer.headers.get("location"), `/v1/messages/${ID}`);
    deepEqual(answer.body, {
      id: ID,
      status: "queued",
      from: TO_QUEUE.number,
      to: body.to,
      encoding: "ucs2",
      segments: 2,
      sessionId: null,
    });
    const { at, number, contact, author, command } = fixture.executed.at(-1)!;
    deepEqual({ at, number, contact, author }, {
      at: NOW,
      number: TO_QUEUE.number,
      contact: body.to,
      author: { kind: "key", id: "key_admin" },
    });
    deepEqual(command, { kind: "send", text: "ж".repeat(71), priority: 1 });
  });

  await t.step("go as answers when an agent writes them, as bulk when others do, else as told", async () => {
    const priorityOf = async (key: string, more = {}) => {
      equal((await send(key, { ...body, ...more })).status, 201);
      const { command } = fixture.executed.at(-1)!;
      return command.kind === "send" ? command.priority : undefined;
    };
    equal(await priorityOf("alice"), 0);
    equal(await priorityOf("alice", { priority: "bulk" }), 1);
    equal(await priorityOf("admin"), 1);
    equal(await priorityOf("admin", { priority: "reply" }), 0);
  });

  await t.step("wait for their time and are given up after it", async () => {
    const sendAt = new Date(NOW + 60_000).toISOString();
    equal((await send("admin", { ...body, sendAt, validitySeconds: 10 })).status, 201);
    const { command } = fixture.executed.at(-1)!;
    deepEqual(command, {
      kind: "send",
      text: "hello",
      priority: 1,
      notBeforeMs: NOW + 60_000,
      validityMs: 10_000,
    });
    const late = await send("admin", { ...body, sendAt: "2030-01-01T00:00:00Z" });
    equal(late.body.errors[0].field, "sendAt");
  });

  await t.step("that do not fit are refused, and the field is named", async () => {
    const before = fixture.executed.length;
    for (
      const [change, field] of [
        [{ from: "+10000000000" }, "from"],
        [{ from: undefined }, "from"],
        [{ to: "12345" }, "to"],
        [{ to: "tomorrow" }, "to"],
        [{ to: 15551234567 }, "to"],
        [{ text: "" }, "text"],
        [{ text: undefined }, "text"],
        [{ text: "x".repeat(1_601) }, "text"],
        [{ text: "x".repeat(10_001) }, "text"],
        [{ text: "half \ud83d" }, "text"],
        [{ media: [{ url: "ftp://example.com/a" }] }, "media.0.url"],
        [{ media: Array(11).fill({ url: "https://example.com/a" }) }, "media"],
        [{ priority: "high" }, "priority"],
        [{ sendAt: "soon" }, "sendAt"],
        [{ validitySeconds: 0 }, "validitySeconds"],
        [{ colour: "red" }, "colour"],
      ] as const
    ) {
      const answer = await send("admin", { ...body, ...change });
      equal(answer.status, 400, JSON.stringify(change).slice(0, 60));
      equal(answer.body.errors[0].field, field);
    }
    const long = await send("admin", { ...body, text: "x".repeat(1_601) });
    equal(long.body.errors[0].message, "has 1601 UTF-16 units; the channel Main takes 1600");
    equal(fixture.executed.length, before, "nothing of it reached a log");
  });

  await t.step("are held to the channel's settings", async () => {
    await withChannel({ enabled: false }, async () => {
      const { status, body: problem } = await send("admin", body);
      equal(status, 409);
      equal(problem.type, "/problems/channel-disabled");
    });
    await withChannel({ settings: { destinationPattern: "^\\+1" } }, async () => {
      equal((await send("admin", body)).status, 201);
      equal((await send("admin", { ...body, to: "+442079460000" })).body.errors[0].field, "to");
    });
    await withChannel({ settings: { encoding: "gsm7" } }, async () => {
      const { status, body: problem } = await send("admin", { ...body, text: "ok жж ☃" });
      equal(status, 400);
      equal(problem.errors[0].message, 'the channel Main sends GSM 7-bit only, which has no "ж", "☃"');
    });
    const media = [{ url: "https://example.com/cat.png", contentType: "image/png" }];
    equal((await send("admin", { ...body, text: undefined, media })).status, 201);
    await withChannel({ settings: { media: { outbound: false } } }, async () => {
      const { status, body: problem } = await send("admin", { ...body, media });
      equal(status, 422);
      equal(problem.errors[0].field, "media");
    });
    await withChannel({ settings: { media: { types: ["image/jpeg"] } } }, async () => {
      equal((await send("admin", { ...body, media })).body.errors[0].field, "media.0.contentType");
    });
  });

  await t.step("go out from numbers that are open to the key", async () => {
    equal((await send("reader", body)).status, 403);
    equal((await send("bot", body)).status, 403);
    equal((await send("bot", { ...body, from: TO_PLATFORM.id })).status, 201);
    const closed = { ...TO_QUEUE, allowedExtensions: ["ext_of_somebody_else"] };
    const before = fixture.directory;
    fixture.directory = { ...before, numbersByAddress: new Map([[closed.number, closed]]) };
    equal((await send("alice", body)).status, 403);
    equal((await send("admin", body)).status, 201);
    fixture.directory = before;
  });

  await t.step("repeated with the same key reach the log under the same key", async () => {
    const keyOf = async (header: string) => {
      await send("admin", body, { "idempotency-key": header });
      return fixture.executed.at(-1)!.key;
    };
    equal(await keyOf("a"), await keyOf("a"));
    equal(
      (await send("admin", body, { "idempotency-key": "x".repeat(201) })).body.errors[0].field,
      "idempotency-key",
    );
  });

  const mine = await fixture.addMessage(message(1, { extension_id: ALICE, status: "delivered" }));
  const bots = await fixture.addMessage(
    message(2, { platform_id: PLATFORM, direction: "inbound", status: "received" }),
  );
  const queued = await fixture.addMessage(message(3));
  const written = await fixture.addMessage(message(4, { author: { kind: "extension", id: ALICE } }));
  const ids = async (key: string, query = "") =>
    (await fixture.get(key, `/v1/messages${query}`)).body.items.map((item: { id: string }) => item.id);

  await t.step("are listed newest first, to everybody theirs", async () => {
    deepEqual(await ids("reader"), [written, queued, bots, mine].map((row) => row.id));
    deepEqual(await ids("alice"), [mine.id]);
    deepEqual(await ids("bot"), [bots.id]);
  });

  await t.step("are filtered and paged", async () => {
    await fixture.addSession(session(1));
    deepEqual(await ids("admin", `?contact=${encodeURIComponent(mine.contact)}`), [mine.id]);
    deepEqual(await ids("admin", "?status=queued&direction=outbound"), [written.id, queued.id]);
    deepEqual(
      await ids("admin", `?channelId=${CHANNEL.id}&number=${encodeURIComponent(TO_QUEUE.number)}&limit=1`),
      [
        written.id,
      ],
    );
    deepEqual(await ids("admin", `?cursor=${queued.id}`), [bots.id, mine.id]);
    deepEqual(await ids("admin", `?to=${new Date(bots.created_ms).toISOString()}`), [mine.id]);
    equal((await fixture.get("admin", "/v1/messages?status=lost")).body.errors[0].field, "status");
  });

  await t.step("are read with the history of their status", async () => {
    const { status, body: read } = await fixture.get("alice", `/v1/messages/${mine.id}`);
    equal(status, 200);
    deepEqual(read.history, mine.history);
    equal(read.uncertain, false);
    equal(read.priority, "bulk");
    equal((await fixture.get("alice", `/v1/messages/${written.id}`)).status, 200, "its author");
    equal((await fixture.get("alice", `/v1/messages/${queued.id}`)).status, 404);
    equal((await fixture.get("alice", `/v1/messages/${ID}`)).status, 404);
    equal((await fixture.get("alice", "/v1/messages/ses_1")).body.errors[0].field, "id");
  });

  await t.step("of a session that waits in a queue are read by its members", async () => {
    const waiting = await fixture.addSession(session(9, { queue_id: QUEUE }));
    const asked = await fixture.addMessage(message(9, { session_id: waiting.id, queue_id: QUEUE }));
    equal((await fixture.get("alice", `/v1/messages/${asked.id}`)).status, 200);
    equal((await fixture.get("bot", `/v1/messages/${asked.id}`)).status, 404);
  });

  await t.step("are cancelled while they are queued", async () => {
    equal((await fixture.post("alice", `/v1/messages/${queued.id}/cancel`)).status, 404);
    const { status, body: cancelled } = await fixture.post("admin", `/v1/messages/${queued.id}/cancel`);
    equal(status, 200);
    equal(cancelled.status, "cancelled");
    deepEqual(cancelled.history.at(-1), {
      status: "cancelled",
      at: new Date(NOW).toISOString(),
      reason: "key:key_admin",
    });
    const again = await fixture.post("admin", `/v1/messages/${queued.id}/cancel`);
    equal(again.status, 409);
    equal(again.body.messageStatus, "cancelled");
    equal((await fixture.post("alice", `/v1/messages/${mine.id}/cancel`)).status, 403);
    equal((await fixture.post("alice", `/v1/messages/${written.id}/cancel`)).status, 200);
  });

  deepEqual(fixture.errors, []);
});
