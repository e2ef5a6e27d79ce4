import { equal, ok } from "node:assert/strict";
import { join } from "node:path";
import { startGenerator } from "../../bench/simulator/generator.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { configure } from "../support/configured.ts";
import { lookInside } from "../support/inside.ts";
import { startOutsideParts } from "../support/outside_parts.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

/** The logs, and not the events: those were told, and nothing can bring them back. */
const isLog = (stream: string) => /_(IN|STATUS|DISPATCH)_\d+$/.test(stream);

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(join(from, name), join(to, name));
    else await Deno.copyFile(join(from, name), join(to, name));
  }
}

Deno.test("logs that are replaced under a running system are read anew: nothing is lost, nothing happens twice", async (t) => {
  await using simulator = startSimulator({ reports: { tries: 60, retryMs: 250 } });
  await using outside = await startOutsideParts();
  const env: Record<string, string> = { ...outside.env };
  await using system = await System.start({ env });
  const { channel, numbers } = await configure(system.api, simulator);
  await using inside = await lookInside(system, outside);
  const { sql, jsm } = inside;
  const webhooks: Awaited<ReturnType<typeof write>> = [];

  async function write(messages: number, firstContact: number) {
    const generator = startGenerator({
      ...channel.webhook,
      numbers: [numbers.queue, numbers.nowhere],
      conversations: 60,
      firstContact,
      connections: 8,
      messages,
      warmupMs: 0,
      tries: 100,
      retryMs: 250,
      timeoutMs: 15_000,
    });
    const result = await generator.done;
    equal(result.accepted, messages, JSON.stringify(result));
    return [...generator.messages()];
  }

  async function copyStreams(): Promise<string> {
    const copy = await Deno.makeTempDir({ prefix: "patchbay-test-copy-" });
    await outside.broker.stop();
    await copyFolder(outside.streamsFolder, copy);
    await outside.broker.start();
    return copy;
  }

  async function restoreLogs(copy: string): Promise<void> {
    const { broker, streamsFolder } = outside;
    await broker.stop();
    for await (const { name } of Deno.readDir(streamsFolder)) {
      if (!isLog(name)) continue;
      await Deno.remove(join(streamsFolder, name), { recursive: true });
      await copyFolder(join(copy, name), join(streamsFolder, name));
    }
    await Deno.remove(copy, { recursive: true });
    await broker.start();
  }

  async function stored(): Promise<number> {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::int as count from messages where direction = 'inbound'`;
    return row!.count;
  }

  webhooks.push(...await write(200, 1_000));
  await untilAtRest(inside);

  await t.step("logs that were deleted are made anew, and used from their beginning", async () => {
    for await (const { config } of jsm.streams.list("patchbay.>")) {
      if (isLog(config.name)) await jsm.streams.delete(config.name);
    }
    webhooks.push(...await write(200, 1_000));
    await until("all are stored", async () => await stored() === webhooks.length);
    await untilAtRest(inside);
    await system.run.says(/"logs-gone"/);
  });

  await t.step(
    "an older copy of the logs is restored: what comes after it is applied, what was is not again",
    async () => {
      const copy = await copyStreams();
      webhooks.push(...await write(300, 1_000));
      await untilAtRest(inside);
      await restoreLogs(copy);
      // Fewer than were in the logs since the copy: they end before the cursors.
      webhooks.push(...await write(60, 1_000));
      await until("all are stored", async () => await stored() >= webhooks.length);
      await untilAtRest(inside);
      await system.run.says(/"log-replaced".*it ends at/);
    },
  );

  await t.step(
    "a restored copy that has grown past the cursors before anybody reads it is known by its entries",
    async () => {
      await system.stop();
      const copy = await copyStreams();
      await system.start();
      webhooks.push(...await write(100, 1_000));
      await untilAtRest(inside);
      await system.stop();
      await restoreLogs(copy);
      // Taken, and read by nobody.
      env.PATCHBAY_ROLE = "ingress";
      await system.start();
      webhooks.push(...await write(300, 1_000));
      await system.stop();
      delete env.PATCHBAY_ROLE;
      await system.start();
      await until("all are stored", async () => await stored() >= webhooks.length);
      await untilAtRest(inside);
      await system.run.says(/"log-replaced".*is another one/);
    },
  );

  await t.step("deleted logs are found at the start", async () => {
    await system.stop();
    for await (const { config } of jsm.streams.list("patchbay.>")) {
      if (isLog(config.name)) await jsm.streams.delete(config.name);
    }
    await system.start();
    webhooks.push(...await write(100, 1_000));
    await until("all are stored", async () => await stored() >= webhooks.length);
    await untilAtRest(inside);
  });

  equal(await stored(), webhooks.length);
  ok(webhooks.length === 1_260);
  await assertAudited(inside, { webhooks });
});
