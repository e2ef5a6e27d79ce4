import { deepEqual, equal, ok } from "node:assert/strict";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { contactNumber } from "../../bench/simulator/numbers.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { configure } from "../support/configured.ts";
import { lookInside } from "../support/inside.ts";
import { System } from "../support/system.ts";
import { pause, until } from "../support/until.ts";

const KILLS = 2;
const NOTES_BETWEEN = 8;

Deno.test("a session's life", async (t) => {
  await using simulator = startSimulator();
  await using system = await System.start();
  const { api } = system;
  const { channel, numbers, agents, queueId } = await configure(api, simulator);
  const [alice, bob] = agents;
  let contacts = 500;
  const say = async (from: string, text: string) => {
    const { status, body } = await writeAsContact({ ...channel.webhook, from, to: numbers.queue, text });
    equal(status, 200, body);
  };
  const openOf = async (from: string) => {
    const { items } = await api.get(`/v1/sessions?contact=${encodeURIComponent(from)}`);
    return items.find(({ state }: { state: string }) => state !== "closed");
  };
  /** A new contact writes; gives the session that it opened. */
  const write = async (text = "Hello") => {
    const from = contactNumber(contacts++);
    await say(from, text);
    return await until("the session is open", () => openOf(from));
  };
  const set = (settings: Record<string, unknown>) => api.call("PATCH", `/v1/queues/${queueId}`, settings);
  const stateOf = async (id: string) => (await api.get(`/v1/sessions/${id}`)).state;

  await t.step(
    "RT-4: an offer is for one agent; who declines it is passed over, and keeps nobody waiting",
    async () => {
      for (const { extensionId } of agents) {
        await api.ok("PUT", `/v1/extensions/${extensionId}/presence`, { presence: "free" });
      }
      await set({ strategy: "longest-idle", offerSeconds: 600 });
      const session = await write();
      const path = `/v1/sessions/${session.id}`;
      const offeredTo = (but: string | null) =>
        until("it is offered", async () => {
          const now = await api.get(path);
          return now.state === "offered" && now.offeredTo !== but && now;
        });
      const first = await offeredTo(null);
      const [one, other] = first.offeredTo === alice.extensionId ? [alice, bob] : [bob, alice];
      const refused = await other.api.call("POST", `${path}/accept`, {});
      deepEqual([refused.status, refused.body.code], [409, "offered-to-another"]);
      equal((await other.api.call("POST", `${path}/decline`, {})).body.code, "not-offered");
      await one.api.post(`${path}/decline`, {});
      const second = await offeredTo(one.extensionId);
      deepEqual([second.offeredTo, second.waitingSince], [other.extensionId, session.openedAt]);
      const taken = await other.api.post(`${path}/accept`, {});
      deepEqual([taken.state, taken.extensionId, taken.offeredTo], ["active", other.extensionId, null]);
      await set({ strategy: "pickup" });
    },
  );

  await t.step(
    "RT-12: a transfer that is impossible is refused in words; one with a note leaves it",
    async () => {
      const session = await write();
      const path = `/v1/sessions/${session.id}`;
      await alice.api.post(`${path}/accept`, {});
      const to = (kind: string, id: string, more = {}) =>
        alice.api.call("POST", `${path}/transfer`, { to: { kind, id }, ...more });
      const self = await to("extension", alice.extensionId);
      deepEqual([self.status, self.body.code], [409, "already-there"]);
      await write("in the line");
      await set({ maxWaiting: 1 });
      const full = await until("the limit is known", async () => {
        const answer = await to("queue", queueId);
        return answer.status === 409 && answer;
      });
      equal(full.body.code, "queue-full");
      await set({ maxWaiting: null });
      equal((await to("extension", bob.extensionId, { note: "wants a refund" })).status, 200);
      // Who handed it over does not see it any more.
      equal((await alice.api.call("GET", `${path}/notes`)).status, 404);
      const notes = (await bob.api.get(`${path}/notes`)).items;
      deepEqual(notes.map(({ by, text }: { by: string; text: string }) => [by, text]), [
        [`extension:${alice.extensionId}`, "wants a refund"],
      ]);
    },
  );

  await t.step("AG-2: notes and tags are kept, also notes of a session that is closed", async () => {
    const session = await write();
    const path = `/v1/sessions/${session.id}`;
    await alice.api.post(`${path}/accept`, {});
    deepEqual((await alice.api.post(`${path}/tags`, { add: ["bill", "vip"] })).tags, ["bill", "vip"]);
    deepEqual((await alice.api.post(`${path}/tags`, { remove: ["bill"] })).tags, ["vip"]);
    const first = await alice.api.call("POST", `${path}/notes`, { text: "first" });
    deepEqual([first.status, first.body.text], [201, "first"]);
    equal((await alice.api.call("POST", `${path}/notes`, { text: "" })).status, 400);
    equal((await alice.api.post(`${path}/close`)).state, "closed");
    await alice.api.post(`${path}/notes`, { text: "second" });
    const notes = await api.get(`${path}/notes?limit=1`);
    const rest = await api.get(`${path}/notes?cursor=${notes.next}`);
    deepEqual([...notes.items, ...rest.items].map(({ text }) => text), ["first", "second"]);
    equal((await alice.api.call("POST", `${path}/tags`, { add: ["late"] })).status, 409);
    equal((await api.get(path)).tags.length, 1);
  });

  await t.step(
    "RT-10, RT-14: wrap-up, a contact who comes back in it, its end, and the same agent next time",
    async () => {
      await set({
        wrapUpSeconds: 600,
        sticky: true,
        texts: { joined: { en: "Here is {agent}." }, closed: { en: "Good bye." } },
      });
      const session = await write();
      const path = `/v1/sessions/${session.id}`;
      await bob.api.post(`${path}/accept`, {});
      const wrapUp = await until("the settings are known", async () => {
        const now = await bob.api.post(`${path}/close`);
        if (now.state === "wrap-up") return now;
        throw new Error(`it is ${now.state}`);
      });
      ok(Date.parse(wrapUp.wrapUpUntil) > Date.now());
      equal(wrapUp.closeReason, "agent");
      await say(session.contact, "one more thing");
      await until("it is open again", async () => await stateOf(session.id) === "active");
      equal((await api.get(path)).extensionId, bob.extensionId);
      equal((await bob.api.post(`${path}/close`)).state, "wrap-up");
      equal((await bob.api.post(`${path}/close`)).state, "closed");
      const texts = (await api.get(`${path}/messages`)).items.map(({ text }: { text: string }) => text);
      deepEqual(texts, ["Hello", "Here is Agent 102.", "Good bye.", "one more thing", "Good bye."]);
      await say(session.contact, "me again");
      const next = await until("a new session is open", () => openOf(session.contact));
      await using inside = await lookInside(system);
      const [row] = await inside.sql`select sticky_extension_id from sessions where id = ${next.id}`;
      equal(row!.sticky_extension_id, bob.extensionId);
      // A wrap-up that nobody ends is ended by the timer.
      await set({ wrapUpSeconds: 1, texts: {} });
      await bob.api.post(`/v1/sessions/${next.id}/accept`, {});
      equal((await bob.api.post(`/v1/sessions/${next.id}/close`)).state, "wrap-up");
      await until("the wrap-up is over", async () => await stateOf(next.id) === "closed");
      await set({ wrapUpSeconds: 0, sticky: false });
    },
  );

  await t.step("RT-14: a word of thanks after the close is answered and opens no session", async () => {
    await set({ texts: { autoReply: { withinSeconds: 600, text: { en: "You are welcome." } } } });
    const session = await write();
    await alice.api.post(`/v1/sessions/${session.id}/accept`, {});
    equal((await alice.api.post(`/v1/sessions/${session.id}/close`)).state, "closed");
    await say(session.contact, "thanks");
    const query = `/v1/messages?contact=${encodeURIComponent(session.contact)}`;
    await until(
      "it is answered",
      async () =>
        (await api.get(query)).items.some(({ text }: { text: string }) => text === "You are welcome."),
    );
    equal(await openOf(session.contact), undefined);
    await say(session.contact, "another question");
    equal((await until("a session is open", () => openOf(session.contact))).state, "waiting");
    await set({ texts: {} });
  });

  await t.step(
    "RT-7: who waits is told the place in the line, and who finds none is told so and let go",
    async () => {
      await set({ texts: { waiting: { en: "Place {position}." }, queueFull: { en: "No place left." } } });
      const session = await write();
      const textsOf = async (id: string) =>
        (await api.get(`/v1/sessions/${id}/messages`)).items.map(({ text }: { text: string }) => text);
      await until(
        "the place is told",
        async () => /^Place \d+\.$/.test((await textsOf(session.id))[1] ?? ""),
      );
      await set({ maxWaiting: 1 });
      const from = contactNumber(contacts++);
      await say(from, "Anybody there?");
      const refused = await until("it is let go", async () => {
        const [item] = (await api.get(`/v1/sessions?contact=${encodeURIComponent(from)}`)).items;
        return item?.state === "closed" && item;
      });
      equal(refused.closeReason, "queue-full");
      deepEqual(await textsOf(refused.id), ["Anybody there?", "No place left."]);
      await set({ maxWaiting: null, texts: {} });
    },
  );

  await t.step("RT-13: an agent writes for a queue from a number that is the queue's", async () => {
    const { items } = await api.get("/v1/numbers");
    const { id } = items.find(({ number }: { number: string }) => number === numbers.nowhere);
    equal((await api.call("PATCH", `/v1/numbers/${id}`, { allowedQueues: [queueId] })).status, 200);
    const to = contactNumber(contacts++);
    const session = await until("the number is the queue's", async () => {
      const { status, body } = await bob.api.call("POST", "/v1/sessions", {
        from: numbers.nowhere,
        to,
        queueId,
      });
      return status === 201 && body;
    });
    deepEqual([session.state, session.extensionId, session.queueId], ["active", bob.extensionId, queueId]);
    const wrong = await api.call("PATCH", `/v1/numbers/${id}`, { allowedQueues: ["mq_none"] });
    deepEqual(wrong.body.errors?.map(({ field }: { field: string }) => field), ["allowedQueues.0"]);
  });

  await t.step(
    "a process that is killed in the middle leaves every note once, and every session where it was",
    async () => {
      const session = await write();
      const path = `/v1/sessions/${session.id}`;
      await alice.api.post(`${path}/accept`, {});
      const written: string[] = [];
      for (let kill = 0; kill < KILLS; kill++) {
        const text = (note: number) => `note ${kill}.${note}`;
        const notes = Array.from({ length: NOTES_BETWEEN }, async (_, note) => {
          // With the same key until it is answered: what was done before the kill is answered and not done again.
          const headers = { "idempotency-key": `${session.id} ${text(note)}` };
          await until("the note is taken", async () => {
            const answer = await alice.api.call("POST", `${path}/notes`, { text: text(note) }, { headers })
              .catch(() => null);
            return answer?.status === 201;
          }, 60_000);
          written.push(text(note));
        });
        await pause(20);
        await system.killProgram();
        await system.start();
        await Promise.all(notes);
      }
      const kept = (await api.get(`${path}/notes?limit=100`)).items.map(({ text }: { text: string }) => text);
      deepEqual(kept.toSorted(), written.toSorted());
      const after = await api.get(path);
      deepEqual([after.state, after.extensionId], ["active", alice.extensionId]);
    },
  );

  await using inside = await lookInside(system);
  await untilAtRest(inside);
  await assertAudited(inside);
});
