/**
 * The story of a small office with a PBX and a VoiceMeUp account, as its administrator and its people live it: one
 * number rings Alice's extension, one the sales queue, one a platform that analyses what people write.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { VOICEMEUP_DEFAULTS } from "../../bench/simulator/voicemeup.ts";
import type { CloudEvent } from "../../core/events.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { addAgent } from "../support/configured.ts";
import { EventClient } from "../support/event_client.ts";
import { lookInside } from "../support/inside.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

const [TO_ALICE, TO_SALES, TO_ANALYSIS] = ["+15145550101", "+15145550102", "+15145550103"];
const RATE_MPS = 10;
/** 1.7 s: sessions that nobody writes in close while the test looks. */
const TIMEOUT_DAYS = 0.00002;

Deno.test("the Yeastar set-up: VoiceMeUp, an extension, a queue and an analysis platform", async (t) => {
  await using simulator = startSimulator();
  await using system = await System.start();
  const { api } = system;
  await using inside = await lookInside(system);
  const [alice, bob, carol] = await Promise.all(["101", "102", "103"].map((number) => addAgent(api, number)));

  const channel = await api.post("/v1/channels", {
    name: "VoiceMeUp",
    provider: "voicemeup",
    credentials: { username: VOICEMEUP_DEFAULTS.username, authToken: VOICEMEUP_DEFAULTS.authToken },
    baseUrl: simulator.url,
    rateMps: RATE_MPS,
  });
  const webhook = { provider: "voicemeup" as const, url: channel.webhookUrl };
  const sales = await api.post("/v1/queues", {
    name: "Sales",
    members: [bob!.extensionId, carol!.extensionId],
  });
  const platform = await api.post("/v1/platforms", { name: "Analysis" });
  const write = async (from: string, to: string, text: string) => {
    const { status, body } = await writeAsContact({ ...webhook, from, to, text });
    equal(status, 200, body);
  };
  const sessionOf = (contact: string) =>
    until(`a session of ${contact}`, async () => {
      const { items } = await api.get(`/v1/sessions?contact=${encodeURIComponent(contact)}&limit=1`);
      return items[0];
    });
  const sent = (contact: string) =>
    simulator.record().filter(({ to }) => `+${to}` === contact).map(({ text }) => text);

  await t.step(
    "CH-2, CH-3: the account is tried, and the webhook's URL is there to be pasted at VoiceMeUp",
    async () => {
      const verified = await api.post(`/v1/channels/${channel.id}/verify`);
      equal(verified.ok, true, verified.reason);
      match(channel.webhookUrl, /\/webhooks\/voicemeup\/[\w-]{20,}$/);
      equal((await api.get(`/v1/channels/${channel.id}`)).webhookUrl, channel.webhookUrl);
      equal(
        JSON.stringify(await api.get(`/v1/channels/${channel.id}`)).includes(VOICEMEUP_DEFAULTS.authToken),
        false,
      );
    },
  );

  await t.step("RT-1: each number gets its destination", async () => {
    const destinations = [
      [TO_ALICE, { kind: "extension", id: alice!.extensionId }, []],
      [TO_SALES, { kind: "queue", id: sales.id }, [bob!.extensionId]],
      [TO_ANALYSIS, { kind: "platform", id: platform.id }, []],
    ] as const;
    for (const [number, destination, allowedExtensions] of destinations) {
      await api.post("/v1/numbers", { channelId: channel.id, number, destination, allowedExtensions });
    }
    equal((await api.list("/v1/numbers")).length, 3);
  });

  await t.step("RT-2: what comes to Alice's number only Alice sees and answers", async () => {
    const contact = "+15145559001";
    await write(contact, TO_ALICE, "Bonjour");
    const { id } = await sessionOf(contact);
    equal((await bob!.api.call("GET", `/v1/sessions/${id}`)).status, 404);
    equal((await bob!.api.call("POST", `/v1/sessions/${id}/messages`, { text: "x" })).status, 404);
    await alice!.api.post(`/v1/sessions/${id}/messages`, { text: "Bonjour à vous" });
    await until("the answer is at the carrier", () => sent(contact).length === 1);
    deepEqual(sent(contact), ["Bonjour à vous"]);
  });

  await t.step(
    "RT-3: every member of the queue sees a new session; one gets it, the other is told who",
    async () => {
      await using forBob = new EventClient(bob!.api);
      await using forCarol = new EventClient(carol!.api);
      await Promise.all([forBob.connect(), forCarol.connect()]);
      const contact = "+15145559002";
      await write(contact, TO_SALES, "Do you have size 9?");
      const { id } = await sessionOf(contact);
      const offered = ({ type, data }: CloudEvent) => type === "session.offered" && data.sessionId === id;
      await Promise.all([forBob.sees("Bob's offer", offered), forCarol.sees("Carol's offer", offered)]);
      const answers = await Promise.all(
        [bob!, carol!].map(({ api }) => api.call("POST", `/v1/sessions/${id}/accept`, {})),
      );
      deepEqual(answers.map(({ status }) => status).sort(), [200, 409]);
      const [winner, loser] = answers[0]!.status === 200 ? [bob!, carol!] : [carol!, bob!];
      const refusal = answers.find(({ status }) => status === 409)!.body;
      equal(refusal.holder.extension, winner.extension);
      ok((await loser.api.call("POST", `/v1/sessions/${id}/messages`, { text: "x" })).status >= 400);
      await winner.api.post(`/v1/sessions/${id}/messages`, { text: "Yes, we do" });
      await until("the answer is at the carrier", () => sent(contact).length === 1);
    },
  );

  await t.step(
    "RT-5: the platform hears of its messages, answers, and hands one over to the queue",
    async () => {
      const heard: CloudEvent[] = [];
      const subscription = inside.nats.subscribe(inside.names.platformEvents(platform.id), {
        callback: (_error, message) => void heard.push(message.json<CloudEvent>()),
      });
      const contact = "+15145559003";
      await write(contact, TO_ANALYSIS, "I am very unhappy");
      const event = await until(
        "the platform's event",
        () => heard.find(({ type }) => type === "message.received"),
      );
      equal(event.data.text, "I am very unhappy");
      const ask = async (body: Record<string, unknown>) =>
        (await inside.nats.request(`patchbay.platform.${platform.id}.command`, JSON.stringify(body), {
          timeout: 5_000,
        }))
          .json<Record<string, unknown>>();
      const { sessionId } = event.data;
      equal((await ask({ type: "reply", sessionId, text: "We are sorry" })).ok, true);
      equal(
        (await ask({ type: "route", sessionId, to: { kind: "queue", id: sales.id }, note: "unhappy" })).ok,
        true,
      );
      await until("the answer is at the carrier", () => sent(contact).length === 1);
      await carol!.api.post(`/v1/sessions/${sessionId}/accept`, {});
      const { history } = await carol!.api.get(`/v1/sessions/${sessionId}`);
      ok(history.some(({ note }: { note?: string }) => note === "unhappy"));
      subscription.unsubscribe();
    },
  );

  await t.step("RT-9: Bob may begin a session from the sales number, Carol may not", async () => {
    const refused = await carol!.api.call("POST", "/v1/sessions", {
      from: TO_SALES,
      to: "+15145559004",
    });
    deepEqual([refused.status, refused.body.code], [403, "number-not-allowed"]);
    const { id } = await bob!.api.post("/v1/sessions", { from: TO_SALES, to: "+15145559004" });
    await bob!.api.post(`/v1/sessions/${id}/messages`, { text: "Your shoes are here" });
    await until("the text is at the carrier", () => sent("+15145559004").length === 1);
  });

  await t.step("OUT-1: a flood of answers leaves at the account's rate, and nothing is dropped", async () => {
    const contacts = Array.from({ length: 2 * RATE_MPS }, (_, i) => `+1514555${8_000 + i}`);
    const before = performance.now();
    await Promise.all(contacts.map((to) => api.post("/v1/messages", { from: TO_SALES, to, text: "Sale!" })));
    await until("all have left", () => contacts.every((contact) => sent(contact).length === 1));
    ok(performance.now() - before >= 1_500, "twenty at ten a second");
  });

  await t.step("CH-11: the statistics count what came and went", async () => {
    const counted = await until("everything is counted", async () => {
      const { total } = await api.get(`/v1/channels/${channel.id}/statistics`);
      return total.sent === 4 + 2 * RATE_MPS && total;
    });
    equal(counted.received, 3);
  });

  await t.step("RT-11: sessions close by themselves after the account's time", async () => {
    await api.ok("PATCH", `/v1/channels/${channel.id}`, { sessionTimeoutDays: TIMEOUT_DAYS });
    const contact = "+15145559005";
    await write(contact, TO_ALICE, "Are you open?");
    const { id } = await sessionOf(contact);
    const closed = await until("the session is closed", async () => {
      const session = await api.get(`/v1/sessions/${id}`);
      return session.state === "closed" && session;
    });
    equal(closed.closeReason, "idle");
    await write(contact, TO_ALICE, "Hello?");
    await until("another session is open", async () => (await sessionOf(contact)).id !== id);
  });

  await untilAtRest(inside);
  await assertAudited(inside, { calls: simulator.record(), openEnd: "reports" });
});
