import { deepEqual, equal, match } from "node:assert/strict";
import { PlatformCommands } from "../../adapters/platforms/commands.ts";
import { openFeed } from "../../adapters/platforms/feeds.ts";
import type { Directory } from "../../core/directory.ts";
import type { CommandEntry, CommandReply } from "../../core/entry.ts";
import { type Ingress, UnavailableError } from "../../core/ports/ingress.ts";
import type { SessionRow } from "../../core/session.ts";
import { session } from "../http_runtime/fixture.ts";
import { ALICE, DIRECTORY, PLATFORM, QUEUE } from "../routing/directory.ts";
import { testNats } from "../support/nats.ts";

const UNUSED = () => Promise.reject(new Error("not in these tests"));

Deno.test("PlatformCommands", async (t) => {
  await using nats = await testNats();
  let directory: Directory = DIRECTORY;
  const sessions = new Map<string, SessionRow>();
  const add = (row: SessionRow) => (sessions.set(row.id, row), row);
  const executed: Omit<CommandEntry, "kind" | "replyTo">[] = [];
  const errors: unknown[] = [];
  let reply: CommandReply | Error = { ok: true };
  const ingress: Ingress = {
    refusal: () => null,
    append: UNUSED,
    appendReport: UNUSED,
    execute: (command) => {
      executed.push(command);
      return reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply);
    },
  };
  const create = () =>
    new PlatformCommands({
      connection: nats.connection,
      subject: nats.names.platformCommands,
      ingress,
      sessions: { get: (id) => Promise.resolve(sessions.get(id)) },
      directory: { current: () => directory, onChange: () => () => {} },
      providers: new Map(),
      openFeed: (platformId, request) => openFeed(nats.jsm, nats.names, platformId, request),
      now: () => 1_000,
      onError: (error) => errors.push(error),
    });
  // Two processes of one installation.
  const commands = [create(), create()];
  for (const one of commands) one.start();
  const ask = async (body: unknown, platformId = PLATFORM) => {
    const payload = typeof body === "string" ? body : JSON.stringify(body);
    const subject = nats.names.platformCommands.replace("*", platformId);
    return (await nats.connection.request(subject, payload, { timeout: 5_000 })).json<
      Record<string, unknown>
    >();
  };
  const held = add(session(1, { state: "platform", platform_id: PLATFORM }));
  const others = add(session(2));
  const author = { kind: "platform", id: PLATFORM };

  await t.step("a reply goes to the contact as an answer", async () => {
    reply = { ok: true, sessionId: held.id, messageId: "msg_1" };
    deepEqual(await ask({ type: "reply", sessionId: held.id, text: "hello" }), reply);
    equal(executed.length, 1, "one of the two processes takes it");
    const { key, ...rest } = executed[0]!;
    equal(typeof key, "string");
    deepEqual(rest, {
      at: 1_000,
      number: held.number,
      contact: held.contact,
      author,
      command: { kind: "send", sessionId: held.id, text: "hello", priority: 0 },
    });
  });

  await t.step("a session is routed and closed", async () => {
    reply = { ok: true, sessionId: held.id };
    const to = { kind: "extension", id: ALICE };
    deepEqual(await ask({ type: "route", sessionId: held.id, to, note: "wants a person" }), reply);
    deepEqual(executed.at(-1)!.command, { kind: "transfer", sessionId: held.id, to, note: "wants a person" });
    deepEqual(await ask({ type: "close", sessionId: held.id }), reply);
    deepEqual(executed.at(-1)!.command, { kind: "close", sessionId: held.id });
  });

  await t.step(
    "OP-4: a platform has its consumer made, from any place; others' are none of its",
    async () => {
      const { eventStream } = nats.names;
      const [first, second] = nats.names.platformFeeds(PLATFORM);
      const before = executed.length;
      deepEqual(await ask({ type: "follow" }), { ok: true, stream: eventStream, consumer: first });
      const configOf = async (name: string) => (await nats.jsm.consumers.info(eventStream, name)).config;
      const { created } = await nats.jsm.consumers.info(eventStream, first!);
      const config = await configOf(first!);
      deepEqual(
        [config.filter_subject, config.ack_policy, config.deliver_policy, config.deliver_subject],
        [nats.names.platformEvents(PLATFORM), "explicit", "new", undefined],
      );
      await ask({ type: "follow" });
      equal((await nats.jsm.consumers.info(eventStream, first!)).created, created, "goes on where it was");
      const time = "2026-11-20T08:00:00.000Z";
      const starts = [
        ["oldest", "all", {}],
        [{ sequence: 7 }, "by_start_sequence", { opt_start_seq: 7 }],
        [{ time }, "by_start_time", { opt_start_time: "2026-11-20T08:00:00Z" }],
      ] as const;
      for (const [from, policy, start] of starts) {
        deepEqual(await ask({ type: "follow", consumer: second, from }), {
          ok: true,
          stream: eventStream,
          consumer: second,
        });
        const { deliver_policy, opt_start_seq, opt_start_time } = await configOf(second!);
        equal(deliver_policy, policy);
        deepEqual(JSON.parse(JSON.stringify({ opt_start_seq, opt_start_time })), start);
      }
      const foreign = nats.names.platformFeeds(`plt_${"f".repeat(26)}`)[0];
      for (const consumer of [foreign, "push_x", ""]) {
        const refused = await ask({ type: "follow", consumer });
        deepEqual([refused.status, (refused.errors as { field: string }[])[0]!.field], [400, "consumer"]);
      }
      for (const from of ["yesterday", { time: "soon" }, { sequence: 0 }, {}]) {
        equal((await ask({ type: "follow", from })).status, 400, JSON.stringify(from));
      }
      equal(executed.length, before, "no conversation is concerned");
    },
  );

  await t.step("an answer goes to inboxes only, whatever a request names", async () => {
    const heard: string[] = [];
    const subscription = nats.connection.subscribe("elsewhere", {
      callback: (_, { subject }) => void heard.push(subject),
    });
    nats.connection.publish(nats.names.platformCommand(PLATFORM), "{}", { reply: "elsewhere" });
    await ask({ type: "follow" });
    await nats.connection.flush();
    deepEqual(heard, []);
    subscription.unsubscribe();
  });

  await t.step("a request repeated is known by its idempotency key", async () => {
    const keyOf = async (request: Record<string, unknown>) => {
      await ask(request);
      return executed.at(-1)!.key;
    };
    const close = { type: "close", sessionId: held.id, idempotencyKey: "k" };
    equal(await keyOf(close), await keyOf(close));
    const other = await keyOf({ ...close, idempotencyKey: "l" });
    equal(other === await keyOf(close), false);
  });

  await t.step("one that moved its session away may repeat the request", async () => {
    const at = new Date(0).toISOString();
    const history = [{ state: "waiting" as const, at, by: `platform:${PLATFORM}` }];
    const moved = add(session(3, { queue_id: QUEUE, history }));
    reply = { ok: true, sessionId: moved.id };
    deepEqual(await ask({ type: "route", sessionId: moved.id, to: { kind: "queue", id: QUEUE } }), reply);
  });

  await t.step("a tag is set in the platform's name", async () => {
    reply = { ok: true, sessionId: held.id };
    deepEqual(await ask({ type: "tag", sessionId: held.id, add: ["bill"] }), reply);
    deepEqual([executed.at(-1)!.author, executed.at(-1)!.command], [
      author,
      { kind: "tag", sessionId: held.id, add: ["bill"] },
    ]);
  });

  await t.step("what does not fit is refused with the field's name, and reaches no log", async () => {
    const before = executed.length;
    for (
      const [request, field] of [
        [{ sessionId: held.id }, "type"],
        [{ type: "shout", sessionId: held.id }, "type"],
        [{ type: "reply", text: "no session" }, "sessionId"],
        [{ type: "reply", sessionId: "7", text: "x" }, "sessionId"],
        [{ type: "reply", sessionId: held.id, text: 7 }, "text"],
        [{ type: "reply", sessionId: held.id }, "text"],
        [{ type: "reply", sessionId: held.id, text: "x".repeat(1_601) }, "text"],
        [{ type: "reply", sessionId: held.id, text: "x", tone: "kind" }, "tone"],
        [{ type: "tag", sessionId: held.id, add: ["x".repeat(51)] }, "add.0"],
        [{ type: "route", sessionId: held.id }, "to"],
        [{ type: "route", sessionId: held.id, to: { kind: "moon", id: "1" } }, "to.kind"],
      ] as const
    ) {
      const answer = await ask(request);
      equal(answer.status, 400, JSON.stringify(request).slice(0, 80));
      equal((answer.errors as { field: string }[])[0]!.field, field);
    }
    for (const text of ["", "{", "null", "[]", "\xff"]) equal((await ask(text)).status, 400, text);
    equal((await ask("x".repeat(70_000))).status, 413);
    equal(
      (await ask({ type: "reply", sessionId: held.id, media: [{ url: "https://x.example/a" }] })).status,
      422,
    );
    equal(executed.length, before);
  });

  await t.step("sessions of others and platforms that are not enabled get nothing", async () => {
    equal((await ask({ type: "close", sessionId: others.id })).status, 404);
    equal((await ask({ type: "close", sessionId: `ses_${"0".repeat(26)}` })).status, 404);
    equal((await ask({ type: "close", sessionId: held.id }, "plt_unknown")).status, 403);
    const platforms = new Map([...DIRECTORY.platforms].map(([id, one]) => [id, { ...one, enabled: false }]));
    directory = { ...DIRECTORY, platforms };
    equal((await ask({ type: "close", sessionId: held.id })).status, 403);
    directory = DIRECTORY;
  });

  await t.step("the owner's refusal is a problem document", async () => {
    reply = { ok: false, status: 409, code: "session-not-open", detail: "the session is not open" };
    deepEqual(await ask({ type: "close", sessionId: held.id }), {
      type: "/problems/session-not-open",
      title: "Conflict",
      status: 409,
      detail: "the session is not open",
      code: "session-not-open",
    });
    reply = new UnavailableError("nobody there", 3);
    const away = await ask({ type: "close", sessionId: held.id });
    deepEqual([away.status, away.retryAfter], [503, 3]);
    reply = new Error("a bug");
    const bug = await ask({ type: "close", sessionId: held.id });
    equal(bug.status, 500);
    match(String(errors.splice(0)[0]), /a bug/);
  });

  for (const one of commands) await one.stop();
  deepEqual(errors, []);
});
