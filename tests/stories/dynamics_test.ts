/**
 * The story of a contact centre with a TeleSign account: a bot greets and hands over to people, who are found by what
 * they know; office hours, transfers with notes, wrap-up, and customers who come back to the same agent.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { TELESIGN_DEFAULT_ACCOUNT } from "../../bench/simulator/telesign.ts";
import type { CloudEvent } from "../../core/events.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { addAgent, type Agent } from "../support/configured.ts";
import { lookInside } from "../support/inside.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

const OURS = "+14155550150";
const EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

Deno.test("the Dynamics set-up: TeleSign, a bot first, skills, office hours, wrap-up", async (t) => {
  await using simulator = startSimulator();
  await using system = await System.start();
  const { api } = system;
  await using inside = await lookInside(system);
  const [english, spanish, second] = await Promise.all(
    ["201", "202", "301"].map((name) => addAgent(api, name)),
  );
  for (const [agent, skills] of [[english, { english: 9 }], [spanish, { english: 3, spanish: 9 }]] as const) {
    await api.ok("PATCH", `/v1/extensions/${agent!.extensionId}`, { capacity: 1, skills });
  }
  const hours = [{ days: EVERY_DAY, from: "00:00", to: "24:00" }];
  const calendar = await api.post("/v1/calendars", {
    name: "Office",
    timeZone: "America/Los_Angeles",
    hours,
  });
  const support = await api.post("/v1/queues", {
    name: "Support",
    strategy: "skills",
    members: [english!.extensionId, spanish!.extensionId],
    calendarId: calendar.id,
    skills: { english: 2 },
    wrapUpSeconds: 600,
    sticky: true,
    offerSeconds: 600,
    texts: {
      outOfHours: { en: "We are closed" },
      joined: { en: "You are talking to {agent}" },
      closed: { en: "Good-bye" },
    },
  });
  const secondLevel = await api.post("/v1/queues", { name: "Second level", members: [second!.extensionId] });
  const bot = await api.post("/v1/platforms", {
    name: "Bot",
    deadlineSeconds: 1,
    fallback: { kind: "queue", id: support.id },
  });
  const channel = await api.post("/v1/channels", {
    name: "TeleSign",
    provider: "telesign",
    credentials: { customerId: TELESIGN_DEFAULT_ACCOUNT.customerId, apiKey: TELESIGN_DEFAULT_ACCOUNT.apiKey },
    baseUrl: simulator.url,
    rateMps: 100,
    burst: 10,
  });
  await api.post("/v1/numbers", {
    channelId: channel.id,
    number: OURS,
    destination: { kind: "platform", id: bot.id },
  });
  await api.post("/v1/rules", {
    name: "Spanish",
    match: { languages: ["es"] },
    action: { destination: { kind: "queue", id: support.id }, language: "es", skills: { spanish: 5 } },
  });

  const write = async (from: string, text: string) => {
    const webhook = { provider: "telesign" as const, url: channel.webhookUrl };
    const { status, body } = await writeAsContact({ ...webhook, from, to: OURS, text });
    equal(status, 200, body);
  };
  const session = async (contact: string) => {
    const { items } = await api.get(`/v1/sessions?contact=${encodeURIComponent(contact)}&limit=1`);
    return items[0];
  };
  // deno-lint-ignore no-explicit-any
  const untilSession = (what: string, contact: string, fits: (session: any) => boolean) =>
    until(what, async () => {
      const found = await session(contact);
      return found !== undefined && fits(found) && found;
    });
  const untilOffered = (contact: string, agent: Agent) =>
    untilSession(
      `${contact} is offered to ${agent.extension}`,
      contact,
      ({ state, offeredTo }) => state === "offered" && offeredTo === agent.extensionId,
    );
  const set = (agent: Agent, presence: string, more = {}) =>
    agent.api.ok("PUT", `/v1/extensions/${agent.extensionId}/presence`, { presence, ...more });
  const sent = (contact: string) =>
    simulator.record().filter(({ to }) => contact.endsWith(to)).map(({ text }) => text);
  const heard: CloudEvent[] = [];
  inside.nats.subscribe(inside.names.platformEvents(bot.id), {
    callback: (_error, message) => void heard.push(message.json<CloudEvent>()),
  });
  const answer = async (contact: string, body: Record<string, unknown>) => {
    const event = await until(
      "the bot hears it",
      () => heard.find(({ type, data }) => type === "message.received" && data.contact === contact),
    );
    const request = JSON.stringify({ ...body, sessionId: event.data.sessionId });
    const reply = await inside.nats.request(`patchbay.platform.${bot.id}.command`, request, {
      timeout: 5_000,
    });
    equal(reply.json<Record<string, unknown>>().ok, true, reply.string());
  };

  await t.step("RT-15: the bot answers first, and hands over to people when asked", async () => {
    const contact = "+14155559001";
    await write(contact, "my parcel is broken");
    await answer(contact, { type: "reply", text: "I am the bot. A colleague will help you." });
    await answer(contact, { type: "route", to: { kind: "queue", id: support.id }, note: "broken parcel" });
    await set(english!, "free");
    await untilOffered(contact, english!);
    const { id } = await session(contact);
    await english!.api.post(`/v1/sessions/${id}/accept`, {});
    await until("RT-14: the contact is told who joined", () => sent(contact).length === 2);
    deepEqual(sent(contact), ["I am the bot. A colleague will help you.", "You are talking to Agent 201"]);
  });

  await t.step("RT-15: a bot that says nothing loses the session to people after its deadline", async () => {
    const contact = "+14155559002";
    await write(contact, "is anybody there?");
    // English-speaking Alice has her one session; the other speaks enough.
    await set(spanish!, "free");
    await untilOffered(contact, spanish!);
    const { id } = await session(contact);
    await spanish!.api.post(`/v1/sessions/${id}/accept`, {});
  });

  await t.step("RT-4, RT-8: whoever writes in Spanish waits for somebody who speaks it", async () => {
    const contact = "+14155559003";
    await write(contact, "¿dónde está mi pedido, por favor?");
    const { id } = await untilSession("it waits", contact, ({ state }) => state === "waiting");
    const live = await until("it is in line", async () => {
      const found = await api.get(`/v1/queues/${support.id}/live`);
      return found.waiting === 1 && found;
    });
    equal(live.line[0].sessionId, id);
    equal(live.line[0].position, 1);
    const { id: other } = await session("+14155559001");
    await english!.api.post(`/v1/sessions/${other}/transfer`, {
      to: { kind: "queue", id: secondLevel.id },
      note: "needs a refund",
    });
    // English-speaking Alice is free again, and does not get it.
    await untilSession("still waiting", contact, ({ state }) => state === "waiting");
    const { id: held } = await session("+14155559002");
    await spanish!.api.post(`/v1/sessions/${held}/close`, {});
    const ended = await api.get(`/v1/sessions/${held}`);
    equal(ended.state, "wrap-up");
    equal((await session(contact)).state, "waiting");
    // Wrap-up is over when she says so.
    await spanish!.api.post(`/v1/sessions/${held}/close`, {});
    await untilOffered(contact, spanish!);
    await spanish!.api.post(`/v1/sessions/${id}/accept`, {});
  });

  await t.step(
    "RT-12: the history and the note go along with a transfer; refused where impossible",
    async () => {
      const { id } = await session("+14155559001");
      const taken = await second!.api.ok("POST", `/v1/sessions/${id}/accept`, {});
      equal(taken.extensionId, second!.extensionId);
      const { history } = await second!.api.get(`/v1/sessions/${id}`);
      const notes = history.flatMap(({ note }: { note?: string }) => note ?? []);
      deepEqual(notes, ["broken parcel", "needs a refund"]);
      equal((await second!.api.get(`/v1/sessions/${id}/messages`)).items.length, 3);
      const refused = await second!.api.call("POST", `/v1/sessions/${id}/transfer`, {
        to: { kind: "queue", id: "mq_00000000000000000000000000" },
      });
      ok([404, 409, 422].includes(refused.status), refused.text);
      equal((await session("+14155559001")).extensionId, second!.extensionId);
      await second!.api.post(`/v1/sessions/${id}/close`, {});
    },
  );

  await t.step("RT-10: a customer who comes back gets the same agent, who is free", async () => {
    const contact = "+14155559003";
    const { id } = await session(contact);
    await spanish!.api.post(`/v1/sessions/${id}/close`, {});
    await spanish!.api.post(`/v1/sessions/${id}/close`, {});
    await untilSession("it is closed", contact, ({ state }) => state === "closed");
    await set(english!, "offline");
    await write(contact, "otra pregunta sobre mi pedido, por favor");
    await untilOffered(contact, spanish!);
    ok((await session(contact)).id !== id, "a closed session stays as it is");
  });

  await t.step("RT-7, IN-6: outside of office hours there is a text, and STOP ends all texts", async () => {
    await api.ok("PATCH", `/v1/calendars/${calendar.id}`, { hours: [] });
    await api.ok("PATCH", `/v1/numbers/${(await api.list("/v1/numbers"))[0].id}`, {
      destination: { kind: "queue", id: support.id },
    });
    const contact = "+14155559004";
    await write(contact, "hello there, anybody home?");
    await until("the text has left", () => sent(contact).includes("We are closed"));
    await write(contact, "STOP");
    await until(
      "the wish is noted",
      async () => (await api.get(`/v1/contacts/${encodeURIComponent(contact)}`)).optOuts.length === 1,
    );
    const { id } = await session(contact);
    const refused = await api.call("POST", `/v1/sessions/${id}/messages`, { text: "one more thing" });
    deepEqual([refused.status, refused.body.code], [409, "opted-out"]);
  });

  await untilAtRest(inside);
  await assertAudited(inside, { calls: simulator.record(), openEnd: "reports" });
});
