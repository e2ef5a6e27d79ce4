import { deepEqual, equal } from "node:assert/strict";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { contactNumber } from "../../bench/simulator/numbers.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { configure } from "../support/configured.ts";
import { EventClient } from "../support/event_client.ts";
import { lookInside } from "../support/inside.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

Deno.test("RT-7, RT-8, RT-14: rules and calendars decide, and what is said by itself leaves as any message", async (t) => {
  await using simulator = startSimulator({ reports: { enabled: false } });
  await using system = await System.start();
  const { api } = system;
  const { channel, numbers, agents, queueId } = await configure(api, simulator);
  const [alice] = agents;
  await using inside = await lookInside(system);
  let contacts = 0;
  const write = async (contact: string, text: string, to = numbers.queue) => {
    const { status, body } = await writeAsContact({ ...channel.webhook, from: contact, to, text });
    equal(status, 200, body);
  };
  /** A contact writes; gives the session that its message opened. */
  const opened = async (contact: string, text: string) => {
    await write(contact, text);
    const [{ id }] = await until("the session is open", async () => {
      const { items } = await api.get(`/v1/sessions?contact=${encodeURIComponent(contact)}`);
      return items.length > 0 && items;
    });
    return await api.get(`/v1/sessions/${id}`);
  };
  const texts = (contact: string) =>
    simulator.record().filter(({ to }) => to === contact).map(({ text }) => text);

  // Without hours it is never open, so that the test does not depend on the day.
  const closed = await api.post("/v1/calendars", { name: "Closed", timeZone: "America/Montevideo" });
  await api.ok("PATCH", `/v1/queues/${queueId}`, {
    calendarId: closed.id,
    texts: { greeting: { en: "Hello" }, outOfHours: { en: "We are back tomorrow", es: "Volvemos mañana" } },
  });
  const rule = await api.post("/v1/rules", {
    name: "Bills at night",
    match: { words: ["factura"], hours: { calendarId: closed.id, is: "closed" } },
    action: { destination: { kind: "extension", id: alice.extensionId }, text: { es: "Alice la mira" } },
  });

  await t.step("a rule decides; session, history and event say which", async () => {
    const trial = await api.ok("POST", "/v1/rules/test", {
      number: numbers.queue,
      contact: contactNumber(0),
      text: "Una FACTURA, por favor",
    });
    deepEqual([trial.decidedBy.id, trial.destination.id], [rule.id, alice.extensionId]);
    await using forAlice = new EventClient(alice.api);
    await forAlice.connect();
    const contact = contactNumber(contacts++);
    const session = await opened(contact, "Una FACTURA, por favor");
    const decidedBy = { kind: "rule", id: rule.id, name: "Bills at night" };
    deepEqual([session.state, session.extensionId], ["active", alice.extensionId]);
    deepEqual(session.history[0].decidedBy, decidedBy);
    await forAlice.sees(
      "the rule is in the event",
      ({ type, data }) =>
        type === "session.opened" && data.sessionId === session.id &&
        (data.decidedBy as Record<string, unknown>).id === rule.id,
    );
    await until("the rule's text has left", () => texts(contact).length > 0);
    await write(contact, "Otra factura");
    await until(
      "the second message is filed",
      async () => (await api.get(`/v1/sessions/${session.id}/messages`)).items.length === 3,
    );
    const { items } = await api.get(`/v1/sessions/${session.id}/messages`);
    deepEqual(
      items.map(({ direction, author }: Record<string, unknown>) => [direction, author]),
      [["inbound", null], ["outbound", { kind: "system", id: "rule" }], ["inbound", null]],
    );
  });

  await t.step("outside of the queue's hours its text is sent, and the session waits", async () => {
    const contact = contactNumber(contacts++);
    const session = await opened(contact, "Hello?");
    deepEqual([session.state, session.queueId, session.history[0].decidedBy], ["waiting", queueId, {
      kind: "number",
    }]);
    await until("the text has left", () => texts(contact).length > 0);
    deepEqual(texts(contact), ["We are back tomorrow"]);
  });

  await t.step("whoever wants no messages from any number is not sent it", async () => {
    const contact = contactNumber(contacts++);
    await api.post(`/v1/contacts/${encodeURIComponent(contact)}/opt-out`, {});
    const session = await opened(contact, "Hello?");
    const blocked = await until("the text is blocked", async () => {
      const { items } = await api.get(`/v1/sessions/${session.id}/messages`);
      return items.find(({ status }: { status: string }) => status === "blocked");
    });
    equal(blocked.error.class, "opted-out");
    deepEqual(texts(contact), []);
  });

  await t.step("RT-8: what is noted of a contact and the language of its text decide", async () => {
    const gold = await api.post("/v1/rules", {
      name: "Gold in Spanish",
      match: { attributes: { tier: ["gold"] }, languages: ["es"] },
      action: { destination: { kind: "extension", id: alice.extensionId } },
    });
    const [noted, other] = [contactNumber(contacts++), contactNumber(contacts++)];
    const notes = await api.ok("PATCH", `/v1/contacts/${encodeURIComponent(noted)}`, {
      attributes: { tier: "gold" },
    });
    deepEqual([notes.attributes, notes.language], [{ tier: "gold" }, null]);
    const text = "¿dónde está mi pedido, por favor?";
    deepEqual((await opened(noted, text)).history[0].decidedBy.id, gold.id);
    deepEqual((await opened(other, text)).history[0].decidedBy, { kind: "number" });
    const { items: [entry] } = await api.get(`/v1/audit?target=${encodeURIComponent(noted)}`);
    deepEqual([entry.action, entry.kind, entry.after], ["update", "contact", {
      attributes: { tier: "gold" },
      language: null,
    }]);
    await until("the text outside of hours has left", () => texts(other).length > 0);
  });

  await t.step("what a rule names cannot be removed", async () => {
    const { status, body } = await api.call("DELETE", `/v1/calendars/${closed.id}`);
    deepEqual([status, body.detail], [
      409,
      "The calendar is still in use by: queue sales, rule Bills at night.",
    ]);
  });

  await untilAtRest(inside);
  await assertAudited(inside, { calls: simulator.record(), openEnd: "reports" });
});
