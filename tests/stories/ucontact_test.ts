/**
 * The story of an outbound team: members of a campaign are written to, those on the do-not-contact list are not, answers go to
 * the least busy agent of the campaign's queue, and a supervisor watches, helps and steps in.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { contactNumber } from "../../bench/simulator/numbers.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { addAgent, addChannel, type Agent } from "../support/configured.ts";
import { EventClient } from "../support/event_client.ts";
import { lookInside } from "../support/inside.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

const OURS = "+14155550170";
const MEMBERS = [1, 2, 3, 4, 5].map(contactNumber);

Deno.test("the uContact set-up: a campaign's members, a do-not-contact list, agents and their supervisor", async (t) => {
  await using simulator = startSimulator();
  await using system = await System.start();
  const { api } = system;
  await using inside = await lookInside(system);
  const [ana, beto] = await Promise.all(["501", "502"].map((name) => addAgent(api, name)));
  const { key } = await api.post("/v1/keys", { name: "Supervisor", role: "supervisor" });
  const supervisor = api.as(key);
  const { id: channelId, webhook } = await addChannel(api, simulator, "twilio", "Campaigns", {
    rateMps: 50,
    burst: 5,
  });
  const queue = await api.post("/v1/queues", {
    name: "Renewals",
    strategy: "least-busy",
    offerSeconds: 600,
    members: [ana!.extensionId, beto!.extensionId],
  });
  await api.post("/v1/numbers", { channelId, number: OURS, destination: { kind: "queue", id: queue.id } });
  for (const { extensionId } of [ana!, beto!]) {
    await api.ok("PATCH", `/v1/extensions/${extensionId}`, { capacity: 2 });
  }

  const set = (agent: Agent, presence: string, more = {}) =>
    agent.api.ok("PUT", `/v1/extensions/${agent.extensionId}/presence`, { presence, ...more });
  const sent = (contact: string) =>
    simulator.record().filter(({ to }) => to === contact).map(({ text }) => text);
  const session = async (contact: string) => {
    const { items } = await api.get(`/v1/sessions?contact=${encodeURIComponent(contact)}&limit=1`);
    return items[0];
  };
  const reply = async (contact: string, text: string) => {
    const { status, body } = await writeAsContact({ ...webhook, from: contact, to: OURS, text });
    equal(status, 200, body);
  };
  const untilOffered = (contact: string, agent: Agent) =>
    until(`${contact} is offered to ${agent.extension}`, async () => {
      const found = await session(contact);
      return found?.state === "offered" && found.offeredTo === agent.extensionId && found;
    });
  const accept = async (contact: string, agent: Agent) => {
    const { id } = await untilOffered(contact, agent);
    await agent.api.post(`/v1/sessions/${id}/accept`, {});
    return id as string;
  };
  const [one, two, three, four, listed] = MEMBERS as [string, string, string, string, string];

  await t.step("CA-5, IN-6: the do-not-contact list is uploaded as a file", async () => {
    const response = await fetch(`${api.url}/v1/do-not-contact`, {
      method: "POST",
      headers: { authorization: `Bearer ${api.key}`, "content-type": "text/csv" },
      body: `contact;number\n${listed};\n`,
    });
    equal(response.status, 202);
    equal((await response.json()).accepted, 1);
    await until(
      "it is noted",
      async () => (await api.get(`/v1/contacts/${encodeURIComponent(listed)}`)).optOuts.length === 1,
    );
  });

  await t.step("CA-7: members are written to, one by one; whoever is on the list is not", async () => {
    for (const to of [one, two, three, four]) {
      await api.post("/v1/messages", { from: OURS, to, text: "Your contract ends soon. Renew?" });
    }
    const { id } = await api.post("/v1/messages", { from: OURS, to: listed, text: "Renew?" });
    const blocked = await until("the gate stops it", async () => {
      const message = await api.get(`/v1/messages/${id}`);
      return message.status === "blocked" && message;
    });
    equal(blocked.error.class, "opted-out");
    await until("four have left", () => [one, two, three, four].every((to) => sent(to).length === 1));
    deepEqual(sent(listed), []);
  });

  await t.step("RT-4: answers go to whoever has least to do; who is paused gets none", async () => {
    await set(ana!, "free");
    await reply(one, "Yes please");
    await accept(one, ana!);
    await set(beto!, "free");
    await reply(two, "How much is it?");
    await accept(two, beto!);
    await set(beto!, "paused", { reason: "lunch" });
    await reply(three, "Call me");
    await accept(three, ana!);
    await reply(four, "No");
    // Ana has her two, and Beto has lunch.
    const { items } = await until("it waits", async () => {
      const page = await supervisor.get(`/v1/supervision/waiting?queueId=${queue.id}`);
      return page.items.length === 1 && page;
    });
    deepEqual([items[0].contact, items[0].state], [four, "waiting"]);
  });

  await t.step("AG-4: the supervisor's table shows presence, reason, sessions and time", async () => {
    const { items } = await supervisor.get(`/v1/supervision/agents?queueId=${queue.id}`);
    const rows = items.map((
      row: Record<string, unknown>,
    ) => [row.extension, row.presence, row.reason, row.active]);
    deepEqual(rows.sort(), [["501", "busy", null, 2], ["502", "paused", "lunch", 1]]);
    ok(items.every(({ secondsInState }: { secondsInState: number }) => secondsInState >= 0));
    equal((await ana!.api.call("GET", "/v1/supervision/agents")).status, 403);
  });

  await t.step(
    "AG-4: the supervisor reads along and tells the agent something; the contact sees nothing of it",
    async () => {
      const { id } = await session(one);
      const { items } = await supervisor.get(`/v1/sessions/${id}/messages`);
      equal(items.at(-1).text, "Yes please");
      await using forAna = new EventClient(ana!.api);
      await forAna.connect();
      await supervisor.post(`/v1/supervision/agents/${ana!.extensionId}/message`, {
        text: "Offer the discount",
      });
      await forAna.sees(
        "the supervisor's word",
        ({ type, data }) => type === "agent.message" && data.text === "Offer the discount",
      );
      equal(sent(one).length, 1);
    },
  );

  await t.step(
    "AG-2: an agent answers, notes the outcome and closes; the next one in line comes at once",
    async () => {
      const { id } = await session(one);
      await ana!.api.post(`/v1/sessions/${id}/messages`, { text: "Renewed, with 10 % off" });
      await ana!.api.post(`/v1/sessions/${id}/notes`, { text: "wants paper mail" });
      await ana!.api.post(`/v1/sessions/${id}/tags`, { add: ["renewed"] });
      await ana!.api.post(`/v1/sessions/${id}/close`, {});
      await accept(four, ana!);
      const closed = await supervisor.get(`/v1/sessions/${id}`);
      deepEqual([closed.state, closed.closeReason, closed.tags], ["closed", "agent", ["renewed"]]);
      const { items } = await supervisor.get(`/v1/sessions/${id}/notes`);
      equal(items[0].text, "wants paper mail");
    },
  );

  await t.step("AG-4: the supervisor logs Ana out, and her sessions go on to Beto", async () => {
    await set(beto!, "free");
    await supervisor.ok("PUT", `/v1/extensions/${ana!.extensionId}/presence`, { presence: "offline" });
    const moved = await until("Beto is offered one of hers", async () => {
      const found = [await session(three), await session(four)];
      return found.find(({ offeredTo }) => offeredTo === beto!.extensionId);
    });
    await beto!.api.post(`/v1/sessions/${moved.id}/accept`, {});
    const other = moved.contact === three ? four : three;
    equal((await session(other)).state, "waiting", "Beto has his two");
  });

  await t.step("AG-5: all of it is found later, and goes out as a file", async () => {
    const csv = await supervisor.call("GET", `/v1/archive?format=csv&number=${encodeURIComponent(OURS)}`);
    equal(csv.status, 200, csv.text);
    match(csv.headers.get("content-type")!, /^text\/csv/);
    ok(csv.text.includes("Renewed, with 10 % off"));
    // Four texts and one that the gate stopped, four answers and an answer to one of those, below the line of names.
    equal(csv.text.trim().split("\n").length, 11);
  });

  await t.step("CH-11: the campaign's figures", async () => {
    const total = await until("everything is counted", async () => {
      const { total } = await api.get(`/v1/channels/${channelId}/statistics`);
      return total.sent === 5 && total;
    });
    equal(total.received, 4);
  });

  await untilAtRest(inside);
  await assertAudited(inside, { calls: simulator.record(), openEnd: "reports" });
});
