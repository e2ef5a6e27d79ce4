import { ok } from "node:assert/strict";
import { takeSample } from "../../bench/audit/database.ts";
import type { Promised, Sample } from "../../bench/audit/run.ts";
import { seededRandom } from "../../bench/simulator/clock.ts";
import { startGenerator } from "../../bench/simulator/generator.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { addChannel, configure } from "../support/configured.ts";
import { lookInside } from "../support/inside.ts";
import { attend, notify } from "../support/people.ts";
import { System } from "../support/system.ts";
import { pause, until } from "../support/until.ts";

const ROUNDS = Number(Deno.env.get("PATCHBAY_CHAOS_ROUNDS") ?? 3);
/** A run is killed this long after it was ready, ms. */
const LIFE_MS = [300, 3_000] as const;
const SETTLED_MS = 60_000;

Deno.test("kill -9 at random moments under load loses nothing and repeats nothing", async () => {
  const seed = Number(Deno.env.get("PATCHBAY_CHAOS_SEED") ?? Math.trunc(performance.timeOrigin) % 1_000_000);
  console.log(`PATCHBAY_CHAOS_SEED=${seed} PATCHBAY_CHAOS_ROUNDS=${ROUNDS}`);
  const random = seededRandom(seed);
  // Reports are offered until they are taken, as Twilio does.
  await using simulator = startSimulator({ reports: { tries: 60, retryMs: 500 }, seed });
  simulator.setFaults({ all: { delayMs: [0, 150] } });
  await using system = await System.start();
  const { api } = system;
  const { channel, numbers, agents } = await configure(api, simulator, { uncertain: "hold" });
  const resending = await addChannel(api, simulator, "twilio", "resending", { uncertain: "resend" });
  const resendingNumber = "+14155550301";
  await api.post("/v1/numbers", { channelId: resending.id, number: resendingNumber });

  const generator = startGenerator({
    ...channel.webhook,
    numbers: [numbers.queue, numbers.extension, numbers.nowhere],
    conversations: 300,
    connections: 8,
    rateMps: 150,
    warmupMs: 0,
    tries: 100,
    retryMs: 200,
    timeoutMs: 8_000,
    disorder: { duplicates: 0.1, reorder: 0 },
    seed,
  });
  const ending = new AbortController();
  const promised: Promised[] = [];
  const people = Promise.all([
    ...agents.map((agent) => attend(agent, promised, ending.signal)),
    notify(api, [numbers.nowhere, resendingNumber], promised, ending.signal),
  ]);
  // An agent's failed assertion is told at the end, with the rest.
  people.catch(() => {});

  const samples: Sample[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    await pause(LIFE_MS[0] + random() * (LIFE_MS[1] - LIFE_MS[0]));
    if (random() < 0.5) await system.killProgram();
    else await system.killAll();
    await system.start();
    await using inside = await lookInside(system);
    samples.push(await takeSample(inside.sql));
  }
  await pause(500);
  generator.stop();
  const result = await generator.done;
  ending.abort();
  await people;
  ok(result.accepted > 100 * ROUNDS, `only ${result.accepted} messages were accepted`);
  ok(promised.length > 0, "nothing was sent");

  await using inside = await lookInside(system);
  const { sql } = inside;
  await untilAtRest(inside);
  await until("nothing is left to send", async () => {
    const [left] = await sql<{ count: number }[]>`
      select count(*)::int as count from messages
      where status = 'queued' or (status = 'sending' and not uncertain)`;
    return left!.count === 0;
  }, SETTLED_MS);
  // What was taken is reported on, sooner or later.
  await until("every report is in", () => {
    const { reports } = simulator.statistics();
    return reports.waiting === 0;
  }, SETTLED_MS).catch(() => {});
  await untilAtRest(inside);
  samples.push(await takeSample(sql));
  await assertAudited(inside, {
    webhooks: [...generator.messages()],
    calls: simulator.record(),
    promised,
    samples,
    openEnd: simulator.statistics().reports.waiting === 0 ? "none" : "reports",
  });
  const held = await sql`select id from messages where status = 'sending'`;
  console.log(
    `${result.accepted} received, ${promised.length} sent, ${held.length} uncertain, ${ROUNDS} kills`,
  );
});
