/**
 * The story of a contact centre whose agents text with callers while they speak with them, as its administrator, its
 * phone system, an agent and a caller live it.
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import type { CloudEvent } from "../../core/events.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { addAgent, addChannel } from "../support/configured.ts";
import { EventClient } from "../support/event_client.ts";
import { lookInside } from "../support/inside.ts";
import { MediaHost, png } from "../support/media_host.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

const FOR_CALLS = "+14155550120";
const FOR_CHAT = "+14155550121";
const CALLER = "+12025550123";
const CANADIAN = "+14165550123";
const PDF = new TextEncoder().encode("%PDF-1.4\n1 0 obj\n<<>>\nendobj\n");

Deno.test("the CCAI call: presets, an answer with a picture, a closing text and one auto-reply", async (t) => {
  await using simulator = startSimulator();
  await using host = new MediaHost();
  await using system = await System.start();
  const { api } = system;
  await using inside = await lookInside(system);
  const channel = await addChannel(api, simulator, "twilio", "Twilio", { optOutAnsweredBy: "patchbay" });
  const alice = await addAgent(api, "101");
  const bob = await addAgent(api, "102");
  const phone = api.as((await api.post("/v1/keys", { name: "phone system", role: "supervisor" })).key);
  const claims = await api.post("/v1/queues", {
    name: "Claims",
    members: [alice.extensionId, bob.extensionId],
  });
  const path = (callId: string, rest = "") => `/v1/calls/${encodeURIComponent(callId)}${rest}`;
  const begin = (callId: string, more: Record<string, unknown> = {}) =>
    phone.call("POST", "/v1/calls", {
      callId,
      contact: CALLER,
      extensionId: alice.extensionId,
      queueId: claims.id,
      ...more,
    });
  const write = async (text: string, media: { url: string; contentType: string }[] = [], to = FOR_CALLS) => {
    const { status, body } = await writeAsContact({ ...channel.webhook, from: CALLER, to, text, media });
    equal(status, 200, body);
  };
  const atCaller = () => simulator.record().filter(({ to }) => to === CALLER).map(({ text }) => text);
  const texts = async (sessionId: string): Promise<string[]> =>
    (await api.get(`/v1/sessions/${sessionId}/messages`)).items.map(({ text }: { text: string }) => text);

  await t.step(
    "IC-4, IC-5: nothing can be texted before it is switched on with a number of its own",
    async () => {
      const number = await api.post("/v1/numbers", {
        channelId: channel.id,
        number: FOR_CALLS,
        purpose: "in-call",
      });
      await api.post("/v1/numbers", {
        channelId: channel.id,
        number: FOR_CHAT,
        destination: { kind: "queue", id: claims.id },
      });
      equal((await begin("call-0")).status, 400, "no number is set for calls");
      await api.ok("PATCH", "/v1/in-call", { numberId: number.id });
      const off = await begin("call-0");
      deepEqual([off.status, off.body.code], [403, "in-call-off"]);
      await api.ok("PATCH", "/v1/in-call", {
        enabled: true,
        closingText: { en: "Thanks for calling.", es: "Gracias por llamar." },
        autoReply: { en: "Please call again.", es: "Llame de nuevo, por favor." },
      });
      await api.post("/v1/in-call/presets", {
        label: "Upload",
        texts: { en: "Please reply with a photo.", es: "Responda con una foto." },
        queueIds: [claims.id],
      });
      deepEqual((await begin("call-0", { number: FOR_CHAT })).body.errors[0].field, "number");
      const abroad = await begin("call-0", { contact: CANADIAN });
      deepEqual([abroad.status, abroad.body.code], [403, "outside-us"]);
    },
  );

  const events = new EventClient(alice.api);
  await using _events = events;
  await events.connect();
  let sessionId = "";

  await t.step(
    "IC-1: a call through the queue opens the session; saying so again changes nothing",
    async () => {
      const answers = await Promise.all(Array.from({ length: 4 }, () => begin("call-1", { language: "es" })));
      const ids = new Set(answers.map(({ body }) => body.id));
      deepEqual([ids.size, answers.every(({ status }) => status === 200 || status === 201)], [1, true]);
      [sessionId] = [...ids];
      const session = await alice.api.get(path("call-1"));
      deepEqual(
        [session.id, session.kind, session.state, session.extensionId, session.queueId, session.number],
        [sessionId, "call", "active", alice.extensionId, claims.id, FOR_CALLS],
      );
      await events.sees(
        "the session of the call",
        ({ type, data }) => type === "session.opened" && data.callId === "call-1",
      );
      equal((await bob.api.call("POST", path("call-1", "/messages"), { preset: "Upload" })).status, 403);
    },
  );

  await t.step(
    "IC-2: Alice sends a preset in the caller's language; her own words are not allowed",
    async () => {
      const sent = await alice.api.post(path("call-1", "/messages"), { preset: "Upload" });
      deepEqual([sent.text, sent.sessionId], ["Responda con una foto.", sessionId]);
      await until("the caller has it", () => atCaller().length === 1);
      for (const at of [path("call-1", "/messages"), `/v1/sessions/${sessionId}/messages`]) {
        const own = await alice.api.call("POST", at, { text: "In my own words" });
        deepEqual([own.status, own.body.code], [403, "presets-only"]);
      }
      await api.ok("PATCH", `/v1/queues/${claims.id}`, { inCall: { freeText: true } });
      const free = () => alice.api.call("POST", path("call-1", "/messages"), { text: "Any photo will do." });
      equal(
        (await until("it is allowed", async () => {
          const answer = await free();
          return answer.status === 201 && answer;
        })).body.segments,
        1,
      );
      const long = await alice.api.call("POST", path("call-1", "/messages"), { text: "é".repeat(919) });
      match(long.body.errors[0].message, /919 .* 918/);
    },
  );

  await t.step(
    "IN-3: the caller answers with pictures; Alice hears of it, and of a file that is no picture",
    async () => {
      const photo = png(2_000);
      const image = host.on("/photo", () => new Response(photo as Uint8Array<ArrayBuffer>));
      const file = host.on("/file", () => new Response(PDF));
      await write("Aquí está", [
        { url: image, contentType: "image/png" },
        { url: file, contentType: "image/png" },
      ]);
      const received = await events.sees(
        "the caller's answer",
        ({ type, data }) => type === "message.received" && data.sessionId === sessionId,
      );
      equal(received.data.text, "Aquí está");
      const media = await until("both are settled", async () => {
        const { items } = await alice.api.get(`/v1/sessions/${sessionId}/messages`);
        const [one, other] = items.at(-1).media;
        return one.state !== "pending" && other.state !== "pending" && [one, other];
      });
      deepEqual(media.map(({ state }: { state: string }) => state), ["ready", "failed"]);
      match(media[1].reason, /application\/pdf; taken are image\/jpeg, image\/png, image\/gif, video/);
    },
  );

  await t.step(
    "IC-1, IC-3: the caller hangs up: the session closes, and the closing text goes out",
    async () => {
      const ended = await phone.post(path("call-1", "/end"), { reason: "caller hung up" });
      deepEqual([ended.state, ended.closeReason, ended.history.at(-1).note], [
        "closed",
        "call-ended",
        "caller hung up",
      ]);
      const again = await phone.post(path("call-1", "/end"), { reason: "agent hung up" });
      deepEqual(again.history, ended.history);
      await until("the caller has the closing text", () => atCaller().length === 3);
      equal(atCaller().at(-1), "Gracias por llamar.");
      deepEqual(await texts(sessionId), [
        "Responda con una foto.",
        "Any photo will do.",
        "Aquí está",
        "Gracias por llamar.",
      ]);
      await events.sees(
        "the end",
        ({ type, data }: CloudEvent) => type === "session.closed" && data.reason === "call-ended",
      );
      const late = await alice.api.call("POST", path("call-1", "/messages"), { preset: "Upload" });
      deepEqual([late.status, late.body.code], [409, "call-ended"]);
    },
  );

  await t.step("IC-3: whoever writes after the end is answered once, and opens no session", async () => {
    await write("¿Hola?");
    await until("the auto-reply is with the caller", () => atCaller().length === 4);
    equal(atCaller().at(-1), "Llame de nuevo, por favor.");
    await write("¿Hola?");
    await until("both are kept", async () => {
      const query = `/v1/messages?direction=inbound&contact=${encodeURIComponent(CALLER)}`;
      return (await api.list(query)).filter(({ text }) => text === "¿Hola?").length === 2;
    });
    await untilAtRest(inside);
    equal(atCaller().length, 4);
    deepEqual((await api.list("/v1/sessions?state=active")).length, 0);
    const opt = await api.call("POST", "/v1/messages", { from: FOR_CALLS, to: CALLER, text: "An offer" });
    deepEqual([opt.status, opt.body.code], [409, "no-call"]);
    equal((await alice.api.call("POST", "/v1/sessions", { from: FOR_CALLS, to: CALLER })).status, 409);
  });

  await t.step("IC-3, IN-6: a caller who wants no messages gets none of all that", async () => {
    equal((await begin("call-2")).status, 201);
    await write("STOP");
    await until("the STOP is confirmed", () => atCaller().length === 5);
    const refused = await alice.api.call("POST", path("call-2", "/messages"), { preset: "Upload" });
    deepEqual([refused.status, refused.body.code], [409, "opted-out"]);
    await phone.post(path("call-2", "/end"));
    await write("Hello?");
    await untilAtRest(inside);
    equal(atCaller().length, 5);
  });

  await t.step(
    "IC-6: use shows in statistics, metrics and among the sessions, apart from chats",
    async () => {
      await write("Do you have an office nearby?", [], FOR_CHAT);
      await until("the chat is open", async () => (await api.list("/v1/sessions?kind=chat")).length === 1);
      const calls = await api.list("/v1/sessions?kind=call");
      deepEqual(calls.map(({ callId }) => callId), ["call-2", "call-1"]);
      const { total } = await until("what was sent is counted", async () => {
        const statistics = await api.get(`/v1/in-call/statistics?queueId=${claims.id}`);
        return statistics.total.sent === 4 && statistics;
      });
      deepEqual([total.calls, total.textedIn, total.received], [2, 2, 2]);
      const count = (purpose: string, direction: string) =>
        api.metric("patchbay_messages_total", { purpose, direction });
      deepEqual([await count("in-call", "inbound"), await count("chat", "inbound")], [5, 1]);
      equal(await count("in-call", "outbound"), 5);
      deepEqual([
        await api.metric("patchbay_calls_total", { event: "opened" }),
        await api.metric("patchbay_calls_total", { event: "ended" }),
      ], [2, 2]);
    },
  );

  await untilAtRest(inside);
  await assertAudited(inside, { calls: simulator.record(), openEnd: "reports" });
});
