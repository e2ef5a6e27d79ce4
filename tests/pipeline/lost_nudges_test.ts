import { deepEqual, equal, ok } from "node:assert/strict";
import { contactNumber } from "../../bench/simulator/numbers.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { configure } from "../support/configured.ts";
import { lookInside } from "../support/inside.ts";
import { startOutsideParts } from "../support/outside_parts.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

/** A sender under another namespace shares the database, and no nudge of the others can reach it. */
const ELSEWHERE = "elsewhere";

Deno.test("messages leave though every nudge is lost, and though the process that took them is killed", async () => {
  await using simulator = startSimulator({ reports: { enabled: false } });
  await using outside = await startOutsideParts();
  const env = { ...outside.env, PATCHBAY_MASTER_KEY: btoa("key-of-all-processes-of-a-test-1") };
  await using front = await System.prepare({ args: ["--role=ingress,router"], env });
  await using sender = await System.prepare({
    args: ["--role=sender"],
    env: { ...env, PATCHBAY_NAMESPACE: ELSEWHERE },
  });
  await front.start();
  await sender.start();
  const { api } = front;
  const { numbers } = await configure(api, simulator);
  await using inside = await lookInside(front, outside);
  let nudges = 0;
  let reached = 0;
  inside.nats.subscribe(inside.names.allOut, { callback: () => void nudges++ });
  inside.nats.subscribe(`${ELSEWHERE}.out.>`, { callback: () => void reached++ });
  await inside.nats.flush();
  const send = (from: number, count: number) =>
    Promise.all(Array.from({ length: count }, async (_, n) => {
      const body = { from: numbers.nowhere, to: contactNumber(n % 7), text: `${from + n}` };
      const priority = n % 3 === 0 ? "reply" : "bulk";
      return (await api.post("/v1/messages", { ...body, priority })).id as string;
    }));
  const ids = await send(0, 60);
  await until("all have left", () => simulator.record().length === ids.length);
  // The kill falls between commits and their nudges, or after them: it makes no difference.
  ids.push(...await send(100, 40));
  front.run.signal("SIGKILL");
  await front.run.ended;
  await until("the rest has left, too", () => simulator.record().length === ids.length);
  ok(nudges > 0, "no nudge was sent at all");
  equal(reached, 0, "a nudge reached the sender");
  deepEqual(new Set(simulator.record().map(({ messageId }) => messageId)), new Set(ids));
  await until("every result is stored", async () => {
    const [row] = await inside.sql<{ count: number }[]>`
      select count(*)::int as count from messages where status = 'sent'`;
    return row!.count === ids.length;
  });
});
