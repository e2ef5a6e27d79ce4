import { deepEqual, equal } from "node:assert/strict";
import type { Promised } from "../../bench/audit/run.ts";
import { watchProgress } from "../../bench/audit/watch.ts";
import { startGenerator } from "../../bench/simulator/generator.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import type { Api } from "../support/api.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { Cluster, type Member, untilShared, untilTakenOver } from "../support/cluster.ts";
import { addChannel, configure } from "../support/configured.ts";
import { lookInside } from "../support/inside.ts";
import { startOutsideParts } from "../support/outside_parts.ts";
import { notify } from "../support/people.ts";
import { pause, until } from "../support/until.ts";

const RATE = { rateMps: 30, burst: 5 };

/** The member's id, as the cluster knows it by the port. */
async function idOf(api: Api, { system }: Member): Promise<string> {
  return await until("the member is known", async () => {
    const { members } = await api.get("/v1/cluster");
    return members.find(({ port }: { port: number }) => port === system.port)?.id as string | undefined;
  });
}

Deno.test("routers and senders come, go, crash and pause while messages flow: nothing is lost, doubled or out of order", async (t) => {
  await using simulator = startSimulator({ reports: { tries: 60, retryMs: 250 } });
  simulator.setFaults({ all: { delayMs: [0, 60] } });
  await using outside = await startOutsideParts();
  await using cluster = new Cluster(outside);
  const ingress = await cluster.add("ingress");
  const { api } = ingress.system;
  const [first, second, sender] = await Promise.all(
    ["router", "router", "sender"].map((role) => cluster.add(role)),
  );
  await using inside = await lookInside(ingress.system, outside);
  const { sql } = inside;
  const { channel, numbers } = await configure(api, simulator, { ...RATE, uncertain: "hold" });
  const from = [numbers.nowhere];
  for (let n = 1; n <= 5; n++) {
    const more = await addChannel(api, simulator, "twilio", `more ${n}`, { ...RATE, uncertain: "hold" });
    const number = `+1415555020${n}`;
    await api.post("/v1/numbers", { channelId: more.id, number });
    from.push(number);
  }
  const generator = startGenerator({
    ...channel.webhook,
    numbers: [numbers.queue, numbers.nowhere],
    conversations: 300,
    connections: 4,
    rateMps: 60,
    warmupMs: 0,
    tries: 100,
    retryMs: 250,
    timeoutMs: 15_000,
  });
  const promised: Promised[] = [];
  const ending = new AbortController();
  const notices = notify(api, from, promised, ending.signal);
  notices.catch(() => {});
  const watch = watchProgress(sql);
  const gone = new Set<string>();
  const measured: string[] = [];

  /** Prints how long it took until the others had everything of the one that is gone. */
  const timed = async (what: string, member: Member, kinds: readonly string[], signal: Deno.Signal) => {
    gone.add(await idOf(api, member));
    const began = performance.now();
    member.system.run.signal(signal);
    for (const kind of kinds) await untilTakenOver(sql, kind, gone);
    measured.push(`${what}: ${Math.round(performance.now() - began)} ms`);
  };

  const [third, other] = await Promise.all([cluster.add("router"), cluster.add("sender")]);

  await t.step("a router and a sender more get their share, and the cluster is there to see", async () => {
    const began = performance.now();
    for (const [kind, owners] of [["route", 3], ["status", 3], ["send", 2], ["singleton", 1]] as const) {
      await untilShared(sql, kind, owners);
    }
    measured.push(`two more are ready, until all is shared: ${Math.round(performance.now() - began)} ms`);
    const { members, kinds } = await api.get("/v1/cluster");
    equal(members.length, 6);
    const rolesOf = (id: string) => members.find((member: { id: string }) => member.id === id).roles.join();
    const roles = {
      route: "router",
      status: "router",
      dispatch: "router",
      send: "sender",
      singleton: "router",
    };
    deepEqual(kinds.map(({ kind }: { kind: string }) => kind), Object.keys(roles));
    for (const { kind, partitions } of kinds) {
      for (const { owner } of partitions) equal(rolesOf(owner), roles[kind as keyof typeof roles]);
    }
  });

  await t.step("kill -9 of a router and of a sender: the others take over", async () => {
    await timed("kill -9 of a router", first!, ["route", "status", "singleton"], "SIGKILL");
    await timed("kill -9 of a sender", sender!, ["send"], "SIGKILL");
    await untilShared(sql, "route", 2, gone);
    await untilShared(sql, "send", 1, gone);
  });

  await t.step(
    "a paused router and sender, gone on later, store nothing, and get their share again",
    async () => {
      const another = await cluster.add("sender");
      await untilShared(sql, "send", 2, gone);
      const paused = new Set(await Promise.all([third, another].map((member) => idOf(api, member))));
      const began = performance.now();
      for (const { system } of [third, another]) system.run.signal("SIGSTOP");
      for (const kind of ["route", "status", "send"]) await untilTakenOver(sql, kind, paused);
      measured.push(`SIGSTOP of a router and a sender: ${Math.round(performance.now() - began)} ms`);
      await pause(500);
      for (const { system } of [third, another]) system.run.signal("SIGCONT");
      await untilShared(sql, "route", 2, gone);
      await untilShared(sql, "send", 2, gone);
    },
  );

  await t.step("SIGTERM: what the leaving ones had is taken over at once", async () => {
    await timed("SIGTERM of a router", third, ["route", "status", "singleton"], "SIGTERM");
    await timed("SIGTERM of a sender", other, ["send"], "SIGTERM");
    for (const { system } of [third, other]) equal((await system.run.ended).code, 0, system.run.said);
    await untilShared(sql, "route", 1, gone);
    deepEqual(await untilShared(sql, "singleton", 1, gone), [await idOf(api, second!)]);
  });

  generator.stop();
  const result = await generator.done;
  ending.abort();
  await notices;
  console.log(measured.join("\n"));
  await t.step("the audit", async () => {
    equal(result.refused + result.broken, 0, JSON.stringify(result));
    await untilAtRest(inside);
    await until("nothing is left to send", async () => {
      const [left] = await sql<{ count: number }[]>`
        select count(*)::int as count from messages
        where status = 'queued' or (status = 'sending' and not uncertain)`;
      return left!.count === 0;
    });
    await until("every report is in", () => simulator.statistics().reports.waiting === 0);
    await untilAtRest(inside);
    await assertAudited(inside, {
      webhooks: [...generator.messages()],
      calls: simulator.record(),
      promised,
      samples: await watch.stop(),
    });
    const [held] = await sql<{ count: number }[]>`
      select count(*)::int as count from messages where status = 'sending'`;
    console.log(`${result.accepted} received, ${promised.length} sent, ${held!.count} uncertain`);
  });
});
