import { deepEqual, equal, match, ok } from "node:assert/strict";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { contactNumber } from "../../bench/simulator/numbers.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { configure } from "../support/configured.ts";
import { EventClient } from "../support/event_client.ts";
import { lookInside } from "../support/inside.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

/** Two seconds behind, then once a second. */
const INDEXED_MS_MAX = 15_000;

Deno.test("people", async (t) => {
  await using simulator = startSimulator();
  await using system = await System.start();
  const { api } = system;
  const { channel, numbers, agents, queueId } = await configure(api, simulator);
  const [alice, bob] = agents;
  const { key } = await api.post("/v1/keys", { name: "watch", role: "supervisor" });
  const supervisor = api.as(key);
  const contact = contactNumber(1);
  const write = async (text: string) => {
    const { status, body } = await writeAsContact({
      ...channel.webhook,
      from: contact,
      to: numbers.queue,
      text,
    });
    equal(status, 200, body);
  };
  const texts = (items: { message: { text: string } }[]) => items.map(({ message }) => message.text);
  await write("Where is my ORDER, por favor? \u{1F4E6}");
  const [session] = await until("the session waits", async () => {
    const { items } = await alice.api.get("/v1/sessions?state=waiting");
    return items.length > 0 && items;
  });

  await t.step(
    "AG-2: an agent accepts, and answers with a canned text and with emoji",
    async () => {
      await api.post(`/v1/queues/${queueId}/canned`, {
        label: "late",
        language: "en",
        text: "{{queue.name}}: order {{order}} is late",
      });
      await alice.api.post(`/v1/sessions/${session.id}/accept`, {});
      const messages = `/v1/sessions/${session.id}/messages`;
      const canned = await alice.api.post(messages, { canned: { label: "late", values: { order: "4711" } } });
      const own = await alice.api.post(messages, { text: "Mañana \u{1F44D}" });
      equal(own.encoding, "ucs2");
      const sent = await until("both are sent", async () => {
        const both = await Promise.all(
          [canned, own].map(({ messageId }) => alice.api.get(`/v1/messages/${messageId}`)),
        );
        return both.every(({ status }) => status === "sent" || status === "delivered") && both;
      });
      deepEqual(sent.map(({ text }) => text), ["sales: order 4711 is late", "Mañana \u{1F44D}"]);
    },
  );

  await t.step("AG-4: a supervisor hears and reads what others write, and that is on record", async () => {
    await using forSupervisor = new EventClient(supervisor);
    await using forBob = new EventClient(bob.api);
    await Promise.all([forSupervisor.connect(), forBob.connect()]);
    await write("And the invoice?");
    await forSupervisor.sees(
      "the contact's message",
      ({ type, data }) => type === "message.received" && data.text === "And the invoice?",
    );
    const { items } = await supervisor.get(`/v1/sessions/${session.id}/messages`);
    equal(items.at(-1).text, "And the invoice?");
    const audit = await api.get(`/v1/audit?target=${session.id}`);
    deepEqual(audit.items.map(({ action, kind }: { action: string; kind: string }) => [kind, action]), [
      ["session", "read"],
    ]);
    equal(forBob.events.length, 0, "Bob has nothing to do with it");
  });

  await t.step("AG-5: what was written is found at once, and by the index a little later", async () => {
    const found = async () => texts((await supervisor.get("/v1/archive?q=order")).items).sort();
    const expected = ["Where is my ORDER, por favor? \u{1F4E6}", "sales: order 4711 is late"];
    deepEqual(await found(), expected);
    await using inside = await lookInside(system);
    await until("all are indexed", async () => {
      const [row] = await inside.sql`select coalesce(sum(rows), 0)::int as rows from archive_segments`;
      return row!.rows >= 4;
    }, INDEXED_MS_MAX);
    deepEqual(await found(), expected);
    deepEqual(texts((await alice.api.get("/v1/archive?q=manana")).items), ["Mañana \u{1F44D}"]);
    deepEqual((await bob.api.get("/v1/archive?q=manana")).items, []);
    await api.ok("PATCH", `/v1/queues/${queueId}`, { sharedArchive: true });
    equal((await bob.api.get("/v1/archive?q=manana")).items.length, 1);
    const csv = await supervisor.call("GET", `/v1/archive?format=csv&contact=${encodeURIComponent(contact)}`);
    match(csv.headers.get("content-type")!, /^text\/csv/);
    equal(csv.text.trim().split("\n").length, 5);
  });

  await t.step("AG-4: sessions are handed over in one request, and the taker reads the history", async () => {
    const body = {
      from: { kind: "extension", id: alice.extensionId },
      to: { kind: "extension", id: bob.extensionId },
      note: "Alice went home",
    };
    const answer = await supervisor.post("/v1/sessions/reassign", body);
    deepEqual(answer.items, [{ sessionId: session.id, ok: true }]);
    const moved = await bob.api.get(`/v1/sessions/${session.id}`);
    equal(moved.extensionId, bob.extensionId);
    ok(moved.history.some(({ note }: { note?: string }) => note === body.note));
    const history = await bob.api.get(`/v1/contacts/${encodeURIComponent(contact)}/history`);
    equal(history.items.length, 4);
    await bob.api.post(`/v1/sessions/${session.id}/close`);
  });

  await t.step("AG-6: in a queue with canned texts only, an agent's own words are refused", async () => {
    await api.ok("PATCH", `/v1/queues/${queueId}`, { cannedOnly: true });
    await write("Hello again");
    const [again] = await until("it waits", async () => {
      const { items } = await alice.api.get("/v1/sessions?state=waiting");
      return items.length > 0 && items;
    });
    await alice.api.post(`/v1/sessions/${again.id}/accept`, {});
    const messages = `/v1/sessions/${again.id}/messages`;
    equal((await alice.api.call("POST", messages, { text: "my own words" })).status, 403);
    const canned = { canned: { label: "late", values: { order: "1" } } };
    equal((await alice.api.call("POST", messages, canned)).status, 201);
  });

  await t.step(
    "AG-4: a supervisor watches agents, tells one something, pauses it and logs it out",
    async () => {
      const row = async () => {
        const { items } = await supervisor.get(`/v1/supervision/agents?queueId=${queueId}`);
        return items.find(({ extensionId }: { extensionId: string }) => extensionId === alice.extensionId);
      };
      const set = (by: typeof supervisor, body: unknown) =>
        by.ok("PUT", `/v1/extensions/${alice.extensionId}/presence`, body);
      await using forAlice = new EventClient(alice.api);
      await using forBob = new EventClient(bob.api);
      await Promise.all([forAlice.connect(), forBob.connect()]);
      await set(alice.api, { presence: "free" });
      const there = await until("Alice is there", async () => {
        const found = await row();
        return found.connected && found.presence === "free" && found;
      });
      deepEqual([there.name, there.active, there.completed], ["Agent 101", 1, 0]);
      deepEqual(there.channels, [{ channelId: channel.id, active: 1 }]);

      await forAlice.disconnect();
      const { id } = await supervisor.post(`/v1/supervision/agents/${alice.extensionId}/message`, {
        text: "Please stay a little",
      });
      await forAlice.connect();
      const event = await forAlice.sees("the supervisor's word", (event) => event.id === id);
      deepEqual([event.type, event.data.text], ["agent.message", "Please stay a little"]);
      ok(forBob.events.every(({ type }) => type !== "agent.message"));

      await set(supervisor, { presence: "paused", reason: "training" });
      const paused = await row();
      deepEqual([paused.presence, paused.reason], ["paused", "training"]);
      await set(supervisor, { presence: "offline" });
      const [back] = await until("Alice's session waits again", async () => {
        const { items } = await supervisor.get(`/v1/supervision/waiting?queueId=${queueId}`);
        return items.length > 0 && items;
      });
      deepEqual([back.contact, back.state], [contact, "waiting"]);
      equal((await row()).presence, "offline");
    },
  );
});
