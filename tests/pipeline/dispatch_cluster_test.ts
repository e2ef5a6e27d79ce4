import { equal, ok } from "node:assert/strict";
import { seededRandom } from "../../bench/simulator/clock.ts";
import { startGenerator } from "../../bench/simulator/generator.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { Cluster, untilShared, untilTakenOver } from "../support/cluster.ts";
import { type Agent, configure } from "../support/configured.ts";
import { lookInside } from "../support/inside.ts";
import { startOutsideParts } from "../support/outside_parts.ts";
import { pause, until } from "../support/until.ts";

const INSIST_MS = 60_000;
const SETTLED_MS = 60_000;

/** Takes what is offered to the agent, or turns it down now and then, and ends what it has. */
async function work({ api, extensionId }: Agent, random: () => number, signal: AbortSignal): Promise<number> {
  let ended = 0;
  while (!signal.aborted) {
    const list = await api.get("/v1/sessions?state=offered&limit=20").catch(() => ({ items: [] }));
    for (const { id, offeredTo } of list.items) {
      if (offeredTo !== extensionId) continue;
      if (random() < 0.2) {
        await api.insist(`/v1/sessions/${id}/decline`, {}, INSIST_MS);
        continue;
      }
      const taken = await api.insist(`/v1/sessions/${id}/accept`, {}, INSIST_MS);
      // The offer had just passed on.
      if (taken.status !== 200) continue;
      await api.insist(`/v1/sessions/${id}/close`, {}, INSIST_MS);
      ended++;
    }
    await pause(30);
  }
  return ended;
}

Deno.test("RT-4 RT-6: the dispatcher's router is killed and another takes over: everybody who waits is served, nobody beyond capacity", async () => {
  await using simulator = startSimulator();
  await using outside = await startOutsideParts();
  await using cluster = new Cluster(outside);
  const ingress = await cluster.add("ingress");
  const { api } = ingress.system;
  const routers = await Promise.all(["router", "router"].map((role) => cluster.add(role)));
  await using inside = await lookInside(ingress.system, outside);
  const { sql } = inside;
  const { channel, numbers, agents, queueId } = await configure(api, simulator);
  await api.ok("PATCH", `/v1/queues/${queueId}`, { strategy: "longest-idle", offerSeconds: 2 });
  await api.ok("PATCH", "/v1/distribution", { agentCapacity: 2 });
  for (const { extensionId } of agents) {
    await api.ok("PUT", `/v1/extensions/${extensionId}/presence`, { presence: "free" });
  }
  const random = seededRandom(7);
  const ending = new AbortController();
  const working = Promise.all(agents.map((agent) => work(agent, random, ending.signal)));
  working.catch(() => {});
  const generator = startGenerator({
    ...channel.webhook,
    numbers: [numbers.queue],
    conversations: 60,
    connections: 2,
    rateMps: 15,
    warmupMs: 0,
    tries: 100,
    retryMs: 250,
    timeoutMs: 15_000,
  });
  let most = 0;
  const watching = (async () => {
    while (!ending.signal.aborted) {
      const rows = await sql<{ n: number }[]>`
        select count(*)::int as n from sessions where state in ('active', 'offered')
        group by coalesce(extension_id, offered_to)`;
      most = Math.max(most, ...rows.map(({ n }) => n));
      await pause(20);
    }
  })();
  watching.catch(() => {});
  await pause(1_500);

  const [owner] = await untilShared(sql, "dispatch", 1);
  const { members } = await api.get("/v1/cluster");
  const { port } = members.find(({ id }: { id: string }) => id === owner);
  const killed = routers.find(({ system }) => system.port === port)!;
  killed.system.run.signal("SIGKILL");
  await untilTakenOver(sql, "dispatch", new Set([owner!]));
  await pause(1_500);
  generator.stop();
  const { accepted } = await generator.done;
  ok(accepted > 0, "nothing was accepted");

  await until(
    "nobody waits",
    async () => (await api.get(`/v1/queues/${queueId}/live`)).waiting === 0,
    SETTLED_MS,
  );
  await until("all sessions are ended", async () => {
    const [open] = await sql<
      { n: number }[]
    >`select count(*)::int as n from sessions where state <> 'closed'`;
    return open!.n === 0;
  }, SETTLED_MS);
  ending.abort();
  const ended = await working;
  await watching;
  ok(ended.every((count) => count > 0), `ended by each: ${ended}`);
  ok(most <= 2, `an agent had ${most} sessions`);
  await until("the dispatcher knows that all is over", async () => {
    const [known] = await sql<{ n: number }[]>`select count(*)::int as n from dispatch_sessions`;
    return known!.n === 0;
  }, SETTLED_MS);
  await untilAtRest(inside);
  await assertAudited(inside, { webhooks: [...generator.messages()] });
  equal(
    (await api.get("/v1/cluster")).kinds.find(({ kind }: { kind: string }) => kind === "dispatch").partitions
      .length,
    1,
  );
});
