import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readEvents } from "../../bench/audit/broker.ts";
import { seededRandom } from "../../bench/simulator/clock.ts";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { startGenerator } from "../../bench/simulator/generator.ts";
import { contactNumber } from "../../bench/simulator/numbers.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { addAgent, addChannel, configure } from "../support/configured.ts";
import { EventClient } from "../support/event_client.ts";
import { lookInside } from "../support/inside.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

const ACCEPT_ROUNDS = 60;

Deno.test("sessions", async (t) => {
  await using simulator = startSimulator();
  await using system = await System.start();
  const { api } = system;
  const { channel, numbers, agents, queueId, platform } = await configure(api, simulator);
  const [alice, bob] = agents;
  const outsider = await addAgent(api, "109");
  await using inside = await lookInside(system);
  let contacts = 0;
  /** A new contact writes; gives the session that it opened. */
  const write = async (to: string, text = "Hello") => {
    const from = contactNumber(contacts++);
    const { status, body } = await writeAsContact({ ...channel.webhook, from, to, text });
    equal(status, 200, body);
    const query = `/v1/sessions?contact=${encodeURIComponent(from)}`;
    const [session] = await until("the session is open", async () => {
      const { items } = await api.get(query);
      return items.length > 0 && items;
    });
    return session;
  };

  await t.step("every member of the queue is offered the session, and nobody else", async () => {
    await using forAlice = new EventClient(alice.api);
    await using forBob = new EventClient(bob.api);
    await using forOutsider = new EventClient(outsider.api);
    await Promise.all([forAlice, forBob, forOutsider].map((client) => client.connect()));
    const session = await write(numbers.queue);
    equal(session.state, "waiting");
    equal(session.queueId, queueId);
    const offered = (event: { type: string; data: Readonly<Record<string, unknown>> }) =>
      event.type === "session.offered" && event.data.sessionId === session.id;
    await forAlice.sees("offered to Alice", offered);
    await forBob.sees("offered to Bob", offered);
    equal((await outsider.api.call("POST", `/v1/sessions/${session.id}/accept`, {})).status, 404);
    await alice.api.post(`/v1/sessions/${session.id}/accept`, {});
    await forBob.sees(
      "Bob hears that it is taken",
      (event) =>
        event.type === "session.assigned" && event.data.sessionId === session.id &&
        event.data.extensionId === alice.extensionId,
    );
    equal(forOutsider.events.length, 0);
  });

  await t.step("of two who accept at once exactly one wins, and the other is told who", async () => {
    const wins = new Map<string, number>();
    for (let round = 0; round < ACCEPT_ROUNDS; round++) {
      const session = await write(numbers.queue);
      const answers = await Promise.all(
        (round % 2 === 0 ? [alice, bob] : [bob, alice]).map(async (agent) => ({
          agent,
          answer: await agent.api.call("POST", `/v1/sessions/${session.id}/accept`, {}),
        })),
      );
      const [winner] = answers.filter(({ answer }) => answer.status === 200);
      const [loser] = answers.filter(({ answer }) => answer.status === 409);
      ok(winner && loser, answers.map(({ answer }) => `${answer.status} ${answer.text}`).join("\n"));
      equal(winner.answer.body.extensionId, winner.agent.extensionId);
      equal(loser.answer.body.code, "already-accepted");
      deepEqual(loser.answer.body.holder, {
        extensionId: winner.agent.extensionId,
        extension: winner.agent.extension,
        name: `Agent ${winner.agent.extension}`,
      });
      wins.set(winner.agent.extension, (wins.get(winner.agent.extension) ?? 0) + 1);
      equal((await api.get(`/v1/sessions/${session.id}`)).extensionId, winner.agent.extensionId);
    }
    ok(wins.size === 2, `only one ever won: ${[...wins.keys()]}`);
  });

  await t.step("an answer leaves, and only its holder may give one", async () => {
    const session = await write(numbers.queue);
    const path = `/v1/sessions/${session.id}`;
    equal((await alice.api.call("POST", `${path}/messages`, { text: "too early" })).status, 409);
    await alice.api.post(`${path}/accept`, {});
    const forbidden = await bob.api.call("POST", `${path}/messages`, { text: "not mine" });
    ok([403, 404].includes(forbidden.status), forbidden.text);
    const { messageId } = await alice.api.post(`${path}/messages`, { text: "Good day" });
    await until("the carrier has it", () => simulator.record().find((call) => call.messageId === messageId));
    const message = await until("the result is stored", async () => {
      const found = await api.get(`/v1/messages/${messageId}`);
      return ["sent", "delivered"].includes(found.status) && found;
    });
    equal(message.text, "Good day");
    equal(message.author.id, alice.extensionId);
    const texts = (await alice.api.get(`${path}/messages`)).items.map(({ text }: { text: string }) => text);
    deepEqual(texts, ["Hello", "Good day"]);
  });

  await t.step(
    "a session is handed over to an agent, a queue and a platform, with its history and note",
    async () => {
      const session = await write(numbers.extension);
      equal(session.state, "active");
      equal(session.extensionId, alice.extensionId);
      const path = `/v1/sessions/${session.id}`;
      await alice.api.post(`${path}/transfer`, {
        to: { kind: "extension", id: bob.extensionId },
        note: "speaks French",
      });
      ok([403, 404].includes((await alice.api.call("POST", `${path}/messages`, { text: "x" })).status));
      await bob.api.post(`${path}/transfer`, { to: { kind: "queue", id: queueId } });
      equal((await api.get(path)).state, "waiting");
      await alice.api.post(`${path}/accept`, {});
      await alice.api.post(`${path}/transfer`, { to: { kind: "platform", id: platform.id } });
      const after = await api.get(path);
      equal(after.state, "platform");
      equal(after.platformId, platform.id);
      equal(after.history[1].note, "speaks French");
      deepEqual(
        after.history.map(({ state }: { state: string }) => state),
        ["active", "active", "waiting", "active", "platform"],
      );
      await platform.api.post(`${path}/messages`, { text: "the platform answers" });
      await platform.api.post(`${path}/close`);
      const closed = await api.get(path);
      equal(closed.state, "closed");
      equal(closed.closeReason, "platform");
      equal((await platform.api.call("POST", `${path}/messages`, { text: "x" })).status, 409);
      const { status } = await writeAsContact({
        ...channel.webhook,
        from: session.contact,
        to: numbers.extension,
        text: "again",
      });
      equal(status, 200);
      await until(
        "a new session is open",
        async () =>
          (await api.get(`/v1/sessions?state=active&contact=${encodeURIComponent(session.contact)}`)).items
            .length ===
            1,
      );
    },
  );

  await t.step(
    "a session that nobody writes to closes by itself, and one that is written to does not",
    async () => {
      const timeoutDays = 2 / 86_400;
      const short = await addChannel(api, simulator, "twilio", "short", { sessionTimeoutDays: timeoutDays });
      const number = "+14155550201";
      await api.post("/v1/numbers", {
        channelId: short.id,
        number,
        destination: { kind: "queue", id: queueId },
      });
      const [quiet, lively] = [contactNumber(9_000), contactNumber(9_001)];
      const say = (from: string, text: string) =>
        writeAsContact({ ...short.webhook, from, to: number, text });
      await Promise.all([say(quiet, "only this"), say(lively, "first")]);
      const stateOf = async (contact: string) =>
        (await api.get(`/v1/sessions?contact=${encodeURIComponent(contact)}`)).items;
      await until("the quiet one is closed", async () => {
        await say(lively, `more ${performance.now()}`);
        return (await stateOf(quiet))[0]?.state === "closed";
      });
      equal((await stateOf(quiet))[0].closeReason, "idle");
      const sessions = await stateOf(lively);
      equal(sessions.length, 1);
      equal(sessions[0].state, "waiting");
    },
  );

  await t.step(
    "AG-3: a listener that is cut off again and again under load misses nothing and gets nothing twice",
    async () => {
      const seed = Math.trunc(performance.timeOrigin) % 100_000;
      console.log(`seed ${seed}`);
      const random = seededRandom(seed);
      await using client = new EventClient(api);
      await client.connect();
      const before = (await readEvents(inside)).length;
      const generator = startGenerator({
        ...channel.webhook,
        numbers: [numbers.queue, numbers.nowhere],
        conversations: 400,
        firstContact: 20_000,
        rateMps: 300,
        messages: 1_800,
        warmupMs: 0,
      });
      let over = false;
      generator.done.then(() => over = true);
      let cuts = 0;
      while (!over) {
        const at = client.events.length + Math.floor(random() * 150);
        await until("some events came", () => client.events.length >= at || over);
        await client.disconnect();
        cuts++;
        await client.connect();
      }
      equal((await generator.done).accepted, 1_800);
      await untilAtRest(inside);
      const all = (await readEvents(inside)).slice(before);
      await until("the rest came", () => client.events.length >= all.length);
      ok(cuts >= 5, `only ${cuts} cuts`);
      deepEqual(client.events.map(({ id }) => id).sort(), all.map(({ id }) => id).sort());
      deepEqual(idsByConversation(client.events), idsByConversation(all));
      equal(client.events.filter(({ type }) => type === "message.received").length, 1_800);
    },
  );

  await t.step("a place in the stream that is none is refused", async () => {
    const answer = await api.call("GET", "/v1/events", undefined, {
      headers: { "last-event-id": "yesterday" },
    });
    ok([400, 422].includes(answer.status), answer.text);
    match(answer.text, /lastEventId/);
  });

  await untilAtRest(inside);
  await assertAudited(inside);
});

/** Events of one conversation come in their order; which conversation's comes first is not promised. */
function idsByConversation(events: readonly { readonly id: string; readonly data: unknown }[]) {
  const ids: Record<string, string[]> = {};
  for (const { id, data } of events) {
    const { conversationId } = data as { conversationId?: string };
    ok(conversationId !== undefined, `${id} is about no conversation`);
    (ids[conversationId] ??= []).push(id);
  }
  return ids;
}
