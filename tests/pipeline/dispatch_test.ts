import { deepEqual, equal, ok } from "node:assert/strict";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { contactNumber } from "../../bench/simulator/numbers.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { type Agent, configure } from "../support/configured.ts";
import { EventClient } from "../support/event_client.ts";
import { lookInside } from "../support/inside.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

Deno.test("work distribution", async (t) => {
  await using simulator = startSimulator();
  await using system = await System.start();
  const { api } = system;
  const { channel, numbers, agents, queueId } = await configure(api, simulator);
  const [alice, bob] = agents;
  let contacts = 0;
  const write = async (text = "Hello") => {
    const from = contactNumber(contacts++);
    const { status, body } = await writeAsContact({ ...channel.webhook, from, to: numbers.queue, text });
    equal(status, 200, body);
    return await until("the session is open", async () => {
      const { items } = await api.get(`/v1/sessions?contact=${encodeURIComponent(from)}`);
      return items[0]?.id as string | undefined;
    });
  };
  const set = (agent: Agent, presence: string, more = {}) =>
    api.ok("PUT", `/v1/extensions/${agent.extensionId}/presence`, { presence, ...more });
  const session = (id: string) => api.get(`/v1/sessions/${id}`);
  const untilOffered = (id: string, agent: Agent) =>
    until(`${id} is offered to ${agent.extension}`, async () => {
      const { state, offeredTo } = await session(id);
      return state === "offered" && offeredTo === agent.extensionId;
    });
  const configureQueue = (patch: Readonly<Record<string, unknown>>) =>
    api.ok("PATCH", `/v1/queues/${queueId}`, patch);
  const live = () => api.get(`/v1/queues/${queueId}/live`);

  await configureQueue({ strategy: "longest-idle", offerSeconds: 600 });
  await api.ok("PATCH", "/v1/distribution", { agentCapacity: 1, graceSeconds: 1 });

  await t.step(
    "AG-1: presence is set by the agent and by a supervisor, paused with a reason, and told",
    async () => {
      await using events = new EventClient(api, "?types=agent.presence");
      await events.connect();
      const path = `/v1/extensions/${alice.extensionId}/presence`;
      equal((await api.get(path)).presence, "offline");
      equal((await alice.api.ok("PUT", path, { presence: "free" })).presence, "free");
      equal((await bob.api.call("PUT", path, { presence: "free" })).status, 403);
      const unreasoned = await alice.api.call("PUT", path, { presence: "paused" });
      deepEqual([unreasoned.status, unreasoned.body.errors[0].field], [400, "reason"]);
      const paused = await alice.api.ok("PUT", path, { presence: "paused", reason: "lunch" });
      deepEqual([paused.presence, paused.reason, paused.connected], ["paused", "lunch", false]);
      equal((await set(alice, "offline")).presence, "offline");
      const told = await events.sees("paused", ({ data }) => data.presence === "paused");
      deepEqual([told.source, told.data.reason], [`/v1/extensions/${alice.extensionId}`, "lunch"]);
    },
  );

  await t.step("RT-6: who waits is in line with position and waiting time", async () => {
    const ids = [await write(), await write()];
    const { waiting, line } = await until("both are in line", async () => {
      const now = await live();
      return now.waiting === 2 && now;
    });
    equal(waiting, 2);
    deepEqual(line.map((one: { sessionId: string; position: number }) => [one.sessionId, one.position]), [
      [ids[0], 1],
      [ids[1], 2],
    ]);
    await set(alice, "free");
    await untilOffered(ids[0]!, alice);
    equal((await session(ids[1]!)).state, "waiting");
    equal((await api.get(`/v1/extensions/${alice.extensionId}/presence`)).presence, "busy");
    await alice.api.post(`/v1/sessions/${ids[0]}/accept`, {});
    await alice.api.post(`/v1/sessions/${ids[0]}/close`, {});
    // The moment that a slot is free.
    await untilOffered(ids[1]!, alice);
    await alice.api.post(`/v1/sessions/${ids[1]}/accept`, {});
    await alice.api.post(`/v1/sessions/${ids[1]}/close`, {});
    ok(await until("a wait is estimated", async () => (await live()).estimatedWaitSeconds !== null));
  });

  await t.step("RT-4: who is longest idle has the offer; declined, it passes on", async () => {
    await set(bob, "free");
    const id = await write();
    // Bob never had one.
    await untilOffered(id, bob);
    const early = await alice.api.call("POST", `/v1/sessions/${id}/accept`, {});
    deepEqual([early.status, early.body.code], [409, "offered-to-another"]);
    await bob.api.post(`/v1/sessions/${id}/decline`, {});
    await untilOffered(id, alice);
    await alice.api.post(`/v1/sessions/${id}/accept`, {});
    deepEqual([(await session(id)).state, (await session(id)).extensionId], ["active", alice.extensionId]);
    await alice.api.post(`/v1/sessions/${id}/close`, {});
  });

  await t.step(
    "RT-4: an offer that nobody takes in time passes on, and its place in line is kept",
    async () => {
      await configureQueue({ offerSeconds: 1 });
      const id = await write();
      await untilOffered(id, bob);
      await configureQueue({ offerSeconds: 600 });
      await untilOffered(id, alice);
      await alice.api.post(`/v1/sessions/${id}/accept`, {});
      await alice.api.post(`/v1/sessions/${id}/close`, {});
    },
  );

  await t.step(
    "AG-1: an agent whose event stream is lost is offline after the grace period, and its sessions go on",
    async () => {
      await set(bob, "offline");
      const stream = new EventClient(alice.api);
      await stream.connect();
      await until(
        "she is connected",
        async () => (await api.get(`/v1/extensions/${alice.extensionId}/presence`)).connected,
      );
      const id = await write();
      await untilOffered(id, alice);
      await alice.api.post(`/v1/sessions/${id}/accept`, {});
      await stream.disconnect();
      await until("the session waits again", async () => (await session(id)).state === "waiting");
      equal((await api.get(`/v1/extensions/${alice.extensionId}/presence`)).presence, "offline");
      await stream.connect();
      // She said that she is free, and is there again.
      await untilOffered(id, alice);
      await alice.api.post(`/v1/sessions/${id}/accept`, {});
      await alice.api.post(`/v1/sessions/${id}/close`, {});
      await stream.disconnect();
    },
  );

  await t.step(
    "RT-6: a pickup beyond an agent's capacity is refused, and goes through when there is room",
    async () => {
      await configureQueue({ strategy: "pickup" });
      const [first, second] = [await write(), await write()];
      await until("both are in line", async () => (await live()).waiting === 2);
      await bob.api.post(`/v1/sessions/${first}/accept`, {});
      const refused = await bob.api.call("POST", `/v1/sessions/${second}/accept`, {});
      deepEqual([refused.status, refused.body.code], [409, "no-room"]);
      await bob.api.post(`/v1/sessions/${first}/close`, {});
      await until("there is room", async () => (await live()).active === 0);
      equal((await bob.api.post(`/v1/sessions/${second}/accept`, {})).extensionId, bob.extensionId);
      await bob.api.post(`/v1/sessions/${second}/close`, {});
    },
  );

  await t.step(
    "RT-16: thresholds are shown live, and told when they are crossed and when they no longer are",
    async () => {
      await using events = new EventClient(api, "?types=queue.threshold");
      await events.connect();
      await configureQueue({ thresholds: { mostWaiting: 1, serviceLevel: { percent: 1, seconds: 3_600 } } });
      const ids = [await write(), await write()];
      const crossed = await events.sees("too many wait", ({ data }) => data.crossed === true);
      deepEqual([crossed.source, crossed.data.threshold, crossed.data.value], [
        `/v1/queues/${queueId}`,
        "mostWaiting",
        2,
      ]);
      deepEqual(
        (await live()).thresholds.map((
          one: { threshold: string; crossed: boolean },
        ) => [one.threshold, one.crossed]),
        [["serviceLevel", false], ["mostWaiting", true]],
      );
      for (const id of ids) {
        await bob.api.post(`/v1/sessions/${id}/accept`, {});
        await bob.api.post(`/v1/sessions/${id}/close`, {});
        await until("there is room", async () => (await live()).active === 0);
      }
      await events.sees(
        "no longer",
        ({ data }) => data.threshold === "mostWaiting" && data.crossed === false,
      );
      await configureQueue({ thresholds: null });
    },
  );

  await t.step("RT-6: a dispatcher whose log is gone learns of the sessions anew", async () => {
    await using inside = await lookInside(system);
    const { names, jsm } = inside;
    const id = await write();
    await until("it is in line", async () => (await live()).waiting === 1);
    await jsm.streams.delete(names.logStream("dispatch", 0));
    await inside.sql`delete from dispatch_sessions`;
    await configureQueue({ strategy: "longest-idle" });
    await system.stop();
    await system.start();
    await set(bob, "free");
    await untilOffered(id, bob);
    await bob.api.post(`/v1/sessions/${id}/accept`, {});
    await bob.api.post(`/v1/sessions/${id}/close`, {});
  });

  await using inside = await lookInside(system);
  await untilAtRest(inside);
  await assertAudited(inside);
});
