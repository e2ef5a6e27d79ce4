/**
 * Everything that can fail fails, in an order that the seed gives, while messages flow; the audit has the last word.
 * `PATCHBAY_CHAOS_ROUNDS` (2; nightly 20 or more) and `PATCHBAY_CHAOS_SEED` repeat a run.
 */
import { ok } from "node:assert/strict";
import { join } from "node:path";
import { readTold } from "../../bench/audit/broker.ts";
import type { Promised, Told } from "../../bench/audit/run.ts";
import { watchProgress } from "../../bench/audit/watch.ts";
import { seededRandom } from "../../bench/simulator/clock.ts";
import type { FaultSettings } from "../../bench/simulator/faults.ts";
import { startGenerator } from "../../bench/simulator/generator.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { Cluster, type Member, untilShared } from "../support/cluster.ts";
import { addChannel, configure } from "../support/configured.ts";
import { type Inside, lookInside } from "../support/inside.ts";
import { type OutsidePart, startOutsideParts } from "../support/outside_parts.ts";
import { attend, notify } from "../support/people.ts";
import { pause, until } from "../support/until.ts";

const ROUNDS = Number(Deno.env.get("PATCHBAY_CHAOS_ROUNDS") ?? 2);
const SEED = Number(Deno.env.get("PATCHBAY_CHAOS_SEED") ?? Math.trunc(performance.timeOrigin) % 1_000_000);
/** Longer than the lease of an owner. */
const PAUSED_MS = 3_500;
/** A restart that takes its time. */
const AWAY_MS = 10_000;
const SETTLED_MS = 120_000;

/** Takes each scenario `ROUNDS` times, in random order. */
function shuffled<T>(scenarios: readonly T[], random: () => number): T[] {
  const all = scenarios.flatMap((scenario) => Array.from({ length: ROUNDS }, () => scenario));
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}

async function untilQuiet(inside: Inside): Promise<void> {
  await untilAtRest(inside, SETTLED_MS);
  await until("nothing is left to send", async () => {
    const [left] = await inside.sql<{ count: number }[]>`
      select count(*)::int as count from messages where unsent and not (status = 'sending' and uncertain)`;
    return left!.count === 0;
  }, SETTLED_MS);
}

Deno.test("whatever fails, nothing accepted is lost, nothing happens twice, order and rates hold", async (t) => {
  console.log(`PATCHBAY_CHAOS_SEED=${SEED} PATCHBAY_CHAOS_ROUNDS=${ROUNDS}`);
  const random = seededRandom(SEED);
  const between = (low: number, high: number) => low + random() * (high - low);
  await using simulator = startSimulator({ reports: { tries: 100, retryMs: 300 }, seed: SEED });
  const calm: FaultSettings = {
    all: { delayMs: [0, 80], duplicateReports: 0.1, reorderReports: 0.1, unknownReports: 0.02 },
  };
  simulator.setFaults(calm);
  await using outside = await startOutsideParts();
  await using cluster = new Cluster(outside);
  const ingress = await cluster.add("ingress");
  const { api } = ingress.system;
  const roles = ["router", "router", "sender", "sender"];
  const [router, router2, sender, sender2] = await Promise.all(roles.map((role) => cluster.add(role)));
  const members: Member[] = [ingress, router!, router2!, sender!, sender2!];
  await using inside = await lookInside(ingress.system, outside);
  const settings = { uncertain: "hold", rateMps: 60, burst: 10, retry: { initialMs: 200, maxMs: 2_000 } };
  const { channel, numbers, agents } = await configure(api, simulator, settings);
  const other = await addChannel(api, simulator, "twilio", "other", settings);
  const otherNumber = "+14155550301";
  await api.post("/v1/numbers", { channelId: other.id, number: otherNumber });

  const traffic = (rateMps: number, firstContact: number) =>
    startGenerator({
      ...channel.webhook,
      numbers: [numbers.queue, numbers.extension, numbers.nowhere],
      conversations: 200,
      firstContact,
      connections: 6,
      rateMps,
      warmupMs: 0,
      tries: 200,
      retryMs: 250,
      timeoutMs: 8_000,
      disorder: { duplicates: 0.1, reorder: 0 },
      seed: SEED,
    });
  const generators = [traffic(60, 0)];
  const ending = new AbortController();
  const promised: Promised[] = [];
  const people = Promise.all([
    ...agents.map((agent) => attend(agent, promised, ending.signal)),
    notify(api, [numbers.nowhere, otherNumber], promised, ending.signal),
  ]);
  // An agent's failed assertion is told at the end, with the rest.
  people.catch(() => {});
  const watch = watchProgress(inside.sql);

  const crash = async (member: Member) => {
    await member.system.killProgram();
    await pause(between(0, 2_500));
    await member.system.start();
  };
  const restart = async (part: OutsidePart, awayMs: number, end: "kill" | "stop") => {
    await part[end]();
    await pause(awayMs);
    await part.start();
  };
  const pausedOwner = async (member: Member) => {
    member.system.run.signal("SIGSTOP");
    await pause(PAUSED_MS);
    member.system.run.signal("SIGCONT");
  };
  const faulty = async (faults: FaultSettings) => {
    simulator.setFaults(faults);
    await pause(between(1_500, 3_000));
    simulator.setFaults(CALM_AGAIN);
    simulator.setFaults(calm);
  };
  const either = <T>(a: T, b: T) => random() < 0.5 ? a : b;
  const scenarios: readonly (readonly [what: string, run: () => Promise<unknown>])[] = [
    ["kill -9 of the ingress", () => crash(ingress)],
    ["kill -9 of a router", () => crash(either(router!, router2!))],
    ["kill -9 of a sender", () => crash(either(sender!, sender2!))],
    ["kill -9 of nats-server", () => restart(outside.broker, between(0, 1_500), "kill")],
    ["kill -9 of PostgreSQL", () => restart(outside.database, between(0, 1_500), "kill")],
    ["kill -9 of all at once", async () => {
      await Promise.all([
        ...members.map(({ system }) => system.killProgram()),
        outside.broker.kill(),
        outside.database.kill(),
      ]);
      await Promise.all([outside.broker.start(), outside.database.start()]);
      await Promise.all(members.map(({ system }) => system.start()));
    }],
    ["a router is paused past its lease", () => pausedOwner(either(router!, router2!))],
    ["a sender is paused past its lease", () => pausedOwner(either(sender!, sender2!))],
    ["nats-server is away for 10 s", () => restart(outside.broker, AWAY_MS, "stop")],
    ["PostgreSQL is away for 10 s", () => restart(outside.database, AWAY_MS, "stop")],
    ["the provider does not answer", () => faulty({ all: { hang: { fraction: 0.3 } } })],
    ["the provider cuts the line", () => faulty({ all: { cut: { fraction: 0.5 } } })],
    ["the provider answers 500", () => faulty({ all: { fail: [{ fraction: 0.7, status: 500 }] } })],
    ["the provider throttles", () => faulty({ all: { throttle: { rateMps: 5 } } })],
  ];
  for (const [what, run] of shuffled(scenarios, random)) {
    await t.step(what, async () => {
      await run();
      await untilShared(inside.sql, "route", 2);
      await untilShared(inside.sql, "send", 2);
      const before = simulator.record().length;
      await until("messages leave again", () => simulator.record().length > before, SETTLED_MS);
    });
  }
  ending.abort();
  await people;
  generators[0]!.stop();
  await generators[0]!.done;

  // Restoring a log sets cursors back: from there on they are not what the audit looks at.
  const samples = await watch.stop();
  const told: Told[] = [];
  await t.step("an older copy of the JetStream folder is restored", async () => {
    await untilQuiet(inside);
    const copy = await Deno.makeTempDir({ prefix: "patchbay-test-copy-" });
    const folder = join(outside.natsFolder, "jetstream");
    await outside.broker.stop();
    await copyFolder(folder, join(copy, "jetstream"));
    await outside.broker.start();
    generators.push(await someTraffic(traffic(60, 10_000)));
    await untilQuiet(inside);
    told.push(...await readTold(inside));
    await outside.broker.kill();
    await Deno.remove(folder, { recursive: true });
    await copyFolder(join(copy, "jetstream"), folder);
    await outside.broker.start();
    await Deno.remove(copy, { recursive: true });
    generators.push(await someTraffic(traffic(60, 20_000)));
  });

  await t.step("the audit", async () => {
    await untilQuiet(inside);
    await until("every report is in", () => simulator.statistics().reports.waiting === 0, SETTLED_MS);
    await untilQuiet(inside);
    const results = await Promise.all(generators.map(({ done }) => done));
    const accepted = results.reduce((sum, result) => sum + result.accepted, 0);
    ok(accepted > 100 && promised.length > 20, `only ${accepted} received and ${promised.length} sent`);
    const seen = new Set(told.map(({ id }) => id));
    await assertAudited(inside, {
      webhooks: generators.flatMap((generator) => [...generator.messages()]),
      calls: simulator.record(),
      promised,
      samples,
      events: [...told, ...(await readTold(inside)).filter(({ id }) => !seen.has(id))],
    });
    const [held] = await inside.sql<{ count: number }[]>`
      select count(*)::int as count from messages where uncertain`;
    console.log(`${accepted} received, ${promised.length} sent, ${held!.count} of them uncertain`);
  });
});

/** What the faults of the scenarios are set back to. */
const CALM_AGAIN: FaultSettings = {
  all: { hang: { fraction: 0 }, cut: { fraction: 0 }, fail: [], throttle: null },
};

type Traffic = ReturnType<typeof startGenerator>;

/** Lets contacts write for a while; resolves when all of it is answered. */
async function someTraffic(generator: Traffic): Promise<Traffic> {
  await until("some messages are written", () => [...generator.messages()].length >= 100);
  generator.stop();
  await generator.done;
  return generator;
}

async function copyFolder(from: string, to: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("cp", { args: ["-a", from, to] }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
