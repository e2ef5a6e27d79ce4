import { equal, match } from "node:assert/strict";
import type { Promised } from "../../bench/audit/run.ts";
import { startGenerator } from "../../bench/simulator/generator.ts";
import { contactNumber } from "../../bench/simulator/numbers.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { Cluster, untilShared } from "../support/cluster.ts";
import { configure } from "../support/configured.ts";
import { lookInside } from "../support/inside.ts";
import { findOlderNats } from "../support/older_nats.ts";
import { prepareOutsideParts } from "../support/outside_parts.ts";
import { until, within } from "../support/until.ts";

const older = await findOlderNats();
if (typeof older === "string") console.log(`Not tested on an older nats-server: ${older}.`);

Deno.test({
  name:
    "on the nats-server of Debian's stable suite: received, routed, sent and reported on, over a crash of the server and a hand-over",
  ignore: typeof older === "string",
  fn: async () => {
    const { path, version } = older as Exclude<typeof older, string>;
    await using simulator = startSimulator({ reports: { tries: 60, retryMs: 250 } });
    await using outside = await prepareOutsideParts({ natsProgram: path });
    await Promise.all([outside.broker.start(), outside.database.start()]);
    await using cluster = new Cluster(outside);
    const first = await cluster.add("all");
    const { api } = first.system;
    await using inside = await lookInside(first.system, outside);
    equal(inside.nats.info?.version, version);
    match(version, /^2\.1[01]\./);
    const { channel, numbers } = await configure(api, simulator);
    const generator = startGenerator({
      ...channel.webhook,
      numbers: [numbers.queue, numbers.nowhere],
      conversations: 100,
      connections: 4,
      rateMps: 80,
      warmupMs: 0,
      tries: 100,
      retryMs: 250,
      timeoutMs: 15_000,
    });
    const promised: Promised[] = [];
    const send = async (count: number) => {
      for (let n = 0; n < count; n++) {
        const text = `notice ${promised.length}`;
        const body = { from: numbers.nowhere, to: contactNumber(50_000 + n % 10), text };
        const answer = await api.insist("/v1/messages", body, 30_000);
        equal(answer.status, 201, answer.text);
        promised.push({ messageId: answer.body.id, text });
      }
    };
    await send(20);
    await cluster.add("router,sender");
    for (const kind of ["route", "status", "send"]) await untilShared(inside.sql, kind, 2);
    await send(20);
    await outside.broker.kill();
    await outside.broker.start();
    await send(20);
    const { accepted } = generator.progress();
    await until("messages come in again", () => generator.progress().accepted > accepted + 50);
    generator.stop();
    const result = await within("the generator ends", generator.done);
    equal(result.refused + result.broken, 0, JSON.stringify(result));
    await until("all is delivered", async () => {
      const [left] = await inside.sql<{ count: number }[]>`
        select count(*)::int as count from messages where direction = 'outbound' and status <> 'delivered'`;
      return left!.count === 0;
    });
    await untilAtRest(inside);
    await assertAudited(inside, {
      webhooks: [...generator.messages()],
      calls: simulator.record(),
      promised,
    });
    console.log(`nats-server ${version}: ${result.accepted} received, ${promised.length} sent and delivered`);
  },
});
