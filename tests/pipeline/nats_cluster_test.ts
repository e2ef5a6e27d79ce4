import { equal, match, ok } from "node:assert/strict";
import type { Promised } from "../../bench/audit/run.ts";
import { startGenerator } from "../../bench/simulator/generator.ts";
import { contactNumber } from "../../bench/simulator/numbers.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { configure } from "../support/configured.ts";
import { lookInside } from "../support/inside.ts";
import { startNatsCluster } from "../support/nats_cluster.ts";
import { prepareOutsideParts } from "../support/outside_parts.ts";
import { System } from "../support/system.ts";
import { until, within } from "../support/until.ts";

const INSIST_MS = 60_000;
/** Streams are made one after the other by a cluster that has to agree on each. */
const READY_MS = 120_000;

Deno.test("on a cluster of three NATS servers with three copies, one is killed and started again under load: nothing is lost or doubled", async () => {
  await using simulator = startSimulator({ reports: { tries: 60, retryMs: 250 } });
  await using cluster = await startNatsCluster();
  await using outside = await prepareOutsideParts();
  await outside.database.start();
  await using system = await System.prepare({
    env: {
      NATS_URL: cluster.natsUrl,
      NATS_TOKEN: cluster.natsToken,
      DATABASE_URL: outside.databaseUrl,
      PATCHBAY_REPLICAS: "3",
    },
  });
  await system.launch().says(/is ready at/, READY_MS);
  const { api } = system;
  const { channel, numbers } = await configure(api, simulator);
  await using inside = await lookInside(system, { ...outside, ...cluster });
  const { sql, jsm, names } = inside;
  for (const stream of [names.eventStream, names.logStream("route", 0), `KV_${names.memberBucket}`]) {
    equal((await jsm.streams.info(stream)).config.num_replicas, 3, stream);
  }
  match(
    (await api.get("/readyz")).checks.durability.detail,
    /^3 copies: .* survives the loss of 1 of 3 servers/,
  );
  const generator = startGenerator({
    ...channel.webhook,
    numbers: [numbers.queue, numbers.nowhere],
    conversations: 100,
    connections: 4,
    rateMps: 40,
    warmupMs: 0,
    tries: 200,
    retryMs: 250,
    timeoutMs: 20_000,
  });
  const promised: Promised[] = [];
  const ending = new AbortController();
  const notices = (async () => {
    for (let n = 1; !ending.signal.aborted; n++) {
      const text = `notice ${n}`;
      const body = { from: numbers.nowhere, to: contactNumber(50_000 + n % 20), text };
      const answer = await api.insist("/v1/messages", body, INSIST_MS);
      equal(answer.status, 201, answer.text);
      promised.push({ messageId: answer.body.id, text });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  notices.catch(() => {});
  const goesOn = async (what: string) => {
    const { accepted } = generator.progress();
    const sent = promised.length;
    await until(
      what,
      () => generator.progress().accepted > accepted + 60 && promised.length > sent + 5,
      READY_MS,
    );
  };
  await goesOn("messages flow");
  // The one that leads the most streams is as good as any: chosen by its place alone.
  const [first] = cluster.servers;
  await first!.kill();
  await goesOn("messages flow with two of three servers");
  await first!.start();
  await goesOn("messages flow with all three again");
  await until("the cluster is whole", async () => {
    const { cluster: group } = await jsm.streams.info(names.logStream("route", 0));
    return group?.replicas?.every(({ current, offline }) => current && !offline);
  }, READY_MS);
  generator.stop();
  ending.abort();
  const result = await within("the generator ends", generator.done, READY_MS);
  await notices;
  equal(result.refused + result.broken, 0, JSON.stringify(result));
  await until("all is sent", async () => {
    const [left] = await sql<{ count: number }[]>`
      select count(*)::int as count from messages where status in ('queued', 'sending')`;
    return left!.count === 0;
  }, READY_MS);
  await until("every report is in", () => simulator.statistics().reports.waiting === 0);
  await untilAtRest(inside, READY_MS);
  ok(promised.length > 15);
  await assertAudited(inside, {
    webhooks: [...generator.messages()],
    calls: simulator.record(),
    promised,
  });
  console.log(`${result.accepted} received, ${promised.length} sent`);
});
