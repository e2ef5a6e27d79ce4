import { equal, match, ok } from "node:assert/strict";
import type { Webhook } from "../../bench/audit/run.ts";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { type Generator, startGenerator } from "../../bench/simulator/generator.ts";
import { type Simulator, startSimulator } from "../../bench/simulator/server.ts";
import type { Api } from "../support/api.ts";
import { assertAudited, untilAtRest, webhookOf } from "../support/auditor.ts";
import { addChannel, configure, type Configured } from "../support/configured.ts";
import { EventClient } from "../support/event_client.ts";
import { type Inside, lookInside } from "../support/inside.ts";
import { startOutsideParts } from "../support/outside_parts.ts";
import { System } from "../support/system.ts";
import { pause, until, within } from "../support/until.ts";

/** How long a part is away: longer than one try of anything. */
const AWAY_MS = 3_000;
const CONTACT = "+12025550001";

function contacts({ channel, numbers }: Configured, firstContact: number): Generator {
  return startGenerator({
    ...channel.webhook,
    numbers: [numbers.queue, numbers.nowhere],
    conversations: 200,
    firstContact,
    connections: 8,
    rateMps: 100,
    warmupMs: 0,
    tries: 100,
    retryMs: 250,
    timeoutMs: 15_000,
  });
}

/** Waits until every delivery report is in and applied. */
async function settled(inside: Inside, simulator: Simulator): Promise<void> {
  await until("every report is in", () => simulator.statistics().reports.waiting === 0);
  await untilAtRest(inside);
}

/** `/readyz` with its checks. */
async function readiness(api: Api) {
  const answer = await api.call("GET", "/readyz");
  return { status: answer.status, checks: answer.body.checks };
}

Deno.test("outages of parts that are somebody else's", async (t) => {
  await using simulator = startSimulator({ reports: { tries: 60, retryMs: 250 } });
  await using outside = await startOutsideParts();
  await using system = await System.start({ env: outside.env });
  const { api } = system;
  const configured = await configure(api, simulator);
  const { channel, numbers } = configured;
  const gateway = await addChannel(api, simulator, "urlsms", "gateway");
  const gatewayNumber = "+59899000101";
  await api.post("/v1/numbers", { channelId: gateway.id, number: gatewayNumber });
  const own = { id: "", from: CONTACT, to: gatewayNumber, text: "while it is away" };
  const fields = new URLSearchParams({ from: own.from, to: own.to, text: own.text });
  const webhooks: Webhook[] = [webhookOf(own)];
  await using inside = await lookInside(system, outside);
  await using events = new EventClient(api);
  await events.connect();
  equal((await readiness(api)).status, 200);

  await t.step(
    "without the broker webhooks get 503 and come again; /readyz says it; all goes on by itself",
    async () => {
      const generator = contacts(configured, 1_000);
      await until("messages come in", () => generator.progress().accepted > 100);
      await outside.broker.kill();
      const began = performance.now();
      const refused = await until("a webhook is refused", async () => {
        const response = await fetch(`${gateway.webhook.url}?${fields}`);
        const text = await response.text();
        return response.status === 503 && { headers: response.headers, text };
      });
      equal(JSON.parse(refused.text).status, 503);
      match(refused.headers.get("retry-after") ?? "", /^\d+$/);
      ok(performance.now() - began < 3_000, `took ${performance.now() - began} ms`);
      const command = await api.call("POST", "/v1/messages", {
        from: numbers.nowhere,
        to: CONTACT,
        text: "x",
      });
      equal(command.status, 503);
      ok(command.headers.has("retry-after"));
      const away = await readiness(api);
      equal(away.status, 503);
      equal(away.checks.broker.ok, false);
      match(away.checks.broker.detail, /not reached since/);
      await pause(AWAY_MS);
      await outside.broker.start();
      await until("it is ready again", async () => (await readiness(api)).status === 200);
      const before = generator.progress().accepted;
      await until("messages come in again", () => generator.progress().accepted > before + 100);
      generator.stop();
      const result = await within("the generator ends", generator.done);
      equal(result.refused + result.broken, 0, JSON.stringify(result));
      webhooks.push(...generator.messages());
      await untilAtRest(inside);
      await assertAudited(inside, { webhooks });
      const last = events.events.length;
      const after = { from: CONTACT, to: numbers.queue, text: "after" };
      const again = await writeAsContact({ ...channel.webhook, ...after });
      equal(again.status, 200);
      webhooks.push(webhookOf({ ...after, id: again.id }));
      await until("the listener, connected all the time, hears on", () => events.events.length > last);
    },
  );

  await t.step(
    "without the database webhooks are taken; /readyz names it; what was taken is applied on its return",
    async () => {
      const generator = contacts(configured, 2_000);
      await until("messages come in", () => generator.progress().accepted > 100);
      await outside.database.kill();
      const before = generator.progress().accepted;
      const away = await readiness(api);
      equal(away.status, 503);
      equal(away.checks.database.ok, false);
      equal(away.checks.broker.ok, true);
      await pause(AWAY_MS);
      const during = generator.progress().accepted - before;
      ok(during > 100, `only ${during} webhooks were taken without the database`);
      const asked = await api.call("GET", "/v1/messages");
      equal(asked.status, 503, asked.text);
      ok(asked.headers.has("retry-after"));
      await outside.database.start();
      await until("it is ready again", async () => (await readiness(api)).status === 200);
      generator.stop();
      const result = await within("the generator ends", generator.done);
      equal(result.refused + result.broken, 0, JSON.stringify(result));
      webhooks.push(...generator.messages());
      await untilAtRest(inside);
      await assertAudited(inside, { webhooks });
    },
  );

  await t.step("messages that wait to be sent while both go and come again are sent once", async () => {
    await api.ok("PATCH", `/v1/channels/${channel.id}`, { rateMps: 20, burst: 1 });
    const promised = [];
    for (let n = 1; n <= 120; n++) {
      const text = `waiting ${n}`;
      const { id } = await api.post("/v1/messages", { from: numbers.nowhere, to: CONTACT, text });
      promised.push({ messageId: id, text });
    }
    await outside.broker.kill();
    await pause(500);
    await outside.database.kill();
    await pause(500);
    await outside.broker.start();
    await pause(500);
    await outside.database.start();
    await until("all are sent", async () => {
      const [left] = await inside.sql<{ count: number }[]>`
        select count(*)::int as count from messages where status in ('queued', 'sending')`;
      return left!.count === 0;
    }, 60_000);
    await settled(inside, simulator);
    await assertAudited(inside, { webhooks, calls: simulator.record(), promised });
  });
});

for (const away of ["broker", "database"] as const) {
  Deno.test(`a stop comes to its end without the ${away}, and the next run does what was left`, async () => {
    await using simulator = startSimulator({ reports: { tries: 60, retryMs: 250 } });
    await using outside = await startOutsideParts();
    await using system = await System.start({ env: outside.env });
    const { numbers } = await configure(system.api, simulator, { rateMps: 20, burst: 1 });
    const promised = [];
    for (let n = 1; n <= 60; n++) {
      const text = `waiting ${n}`;
      const { id } = await system.api.post("/v1/messages", { from: numbers.nowhere, to: CONTACT, text });
      promised.push({ messageId: id, text });
    }
    await until("some are sent", () => simulator.record().length > 3);
    await outside[away].kill();
    // Results of sends go on, or try to, and their events have nowhere to go.
    await pause(500);
    const began = performance.now();
    const { code } = await system.stop();
    equal(code, 0, system.run.said);
    ok(performance.now() - began < 15_000, `took ${performance.now() - began} ms`);
    await outside[away].start();
    await system.start();
    await using inside = await lookInside(system, outside);
    await until("all are sent", async () => {
      const [left] = await inside.sql<{ count: number }[]>`
        select count(*)::int as count from messages
        where status = 'queued' or (status = 'sending' and not uncertain)`;
      return left!.count === 0;
    });
    await settled(inside, simulator);
    await assertAudited(inside, { calls: simulator.record(), promised });
  });
}

Deno.test("the embedded servers, killed while they work, are started again, and nothing is lost", async () => {
  await using simulator = startSimulator();
  await using system = await System.start();
  const configured = await configure(system.api, simulator);
  const generator = contacts(configured, 1_000);
  await until("messages come in", () => generator.progress().accepted > 50);
  for (const program of ["nats-server", "postgres"]) {
    const before = system.children();
    const pid = before.find((pid) => {
      const command = Deno.readTextFileSync(`/proc/${pid}/cmdline`);
      return command.includes(program) && !command.startsWith("postgres: ");
    });
    ok(pid !== undefined, `no ${program} is running`);
    Deno.kill(pid, "SIGKILL");
    const name = program === "postgres" ? "PostgreSQL" : program;
    await system.run.says(
      new RegExp(`${name} ended unexpectedly \\(signal SIGKILL\\); starting it again\\.`),
    );
    await system.run.says(new RegExp(`${name} runs again\\.`));
    await until("it is ready again", async () => (await readiness(system.api)).status === 200);
    const accepted = generator.progress().accepted;
    await until("messages come in again", () => generator.progress().accepted > accepted + 50);
  }
  generator.stop();
  const result = await within("the generator ends", generator.done);
  equal(result.refused + result.broken, 0, JSON.stringify(result));
  await using inside = await lookInside(system);
  await untilAtRest(inside);
  await assertAudited(inside, { webhooks: [...generator.messages()] });
});
