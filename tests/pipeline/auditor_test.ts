import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { faultLines } from "../../bench/audit/audit.ts";
import type { Promised } from "../../bench/audit/run.ts";
import { startGenerator } from "../../bench/simulator/generator.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { assertAudited, auditRun, untilAtRest } from "../support/auditor.ts";
import { MESSAGE_COLUMNS } from "../../core/message.ts";
import { configure } from "../support/configured.ts";
import { lookInside } from "../support/inside.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

Deno.test("the auditor finds each fault that it is there for", async (t) => {
  await using simulator = startSimulator();
  await using system = await System.start();
  const { channel, numbers } = await configure(system.api, simulator);
  await using inside = await lookInside(system);
  const { sql } = inside;
  const generator = startGenerator({
    ...channel.webhook,
    numbers: [numbers.nowhere],
    conversations: 5,
    connections: 1,
    messages: 20,
    warmupMs: 0,
  });
  equal((await generator.done).accepted, 20);
  const promised: Promised[] = [];
  for (let n = 1; n <= 4; n++) {
    const text = `answer ${n}`;
    const body = { from: numbers.nowhere, to: "+12025550000", text };
    promised.push({ messageId: (await system.api.post("/v1/messages", body)).id as string, text });
  }
  await until("all are delivered", async () => {
    const [left] = await sql<{ count: number }[]>`
      select count(*)::int as count from messages where direction = 'outbound' and status <> 'delivered'`;
    return left!.count === 0;
  });
  await untilAtRest(inside);
  const calls = simulator.record();
  const known = { webhooks: [...generator.messages()], calls, promised };
  const report = await auditRun(inside, known);
  deepEqual(faultLines(report), []);
  for (const { name, skipped, looked } of report.checks) {
    if (!["progress", "opt-outs"].includes(name)) {
      ok(skipped === null && looked > 0, `${name} looked at nothing`);
    }
  }

  /** Changes the database, audits, and changes it back. */
  const doctored = async (statement: string, ...expected: RegExp[]) => {
    const undo = Symbol();
    let faults: string[] = [];
    await inside.sql.begin(async (tx) => {
      await tx.unsafe(statement);
      const own = tx as unknown as typeof sql;
      faults = faultLines(await auditRun({ ...inside, sql: own }, known));
      throw undo;
    }).catch((error) => {
      if (error !== undo) throw error;
    });
    for (const pattern of expected) match(faults.join("\n"), pattern);
  };
  const seventh = "direction = 'inbound' and text like '#7 %'";

  await t.step(
    "a lost message",
    () =>
      doctored(
        `delete from messages where ${seventh}`,
        /accepted and lost: #7 /,
        /positions with gaps/,
        /told and not stored/,
      ),
  );
  await t.step("a message stored twice", () =>
    doctored(
      `insert into messages (${MESSAGE_COLUMNS.join(", ")}) select ${MESSAGE_COLUMNS.join(", ")} from (
        select (json_populate_record(m, json_build_object('id', overlay(m.id placing 'zzz' from 28),
          'position', m.position + 100))).* from messages m where ${seventh}) copy`,
      /stored more than once: #7 .*\(2 times\)/,
      /stored and never told/,
      /counted wrongly: .*20 received, the messages say 21/,
    ));
  await t.step("messages out of order", () =>
    doctored(
      `update messages set position = case position when 1 then 2 when 2 then 1 when 5 then 6 when 6 then 5 else position end`,
      /stored after what was offered later/,
      /left after a later one/,
    ));
  await t.step(
    "a message of another text or conversation",
    () =>
      doctored(
        `update messages set contact = '+12025559999' where ${seventh}`,
        /stored in another's place: #7 /,
      ),
  );
  await t.step("two open sessions of a conversation", () =>
    doctored(
      `insert into sessions select (json_populate_record(s, json_build_object('id', s.id || 'x'))).* from sessions s`,
      /more than one open session/,
    ));
  await t.step("a send that was promised and is not there, or never left, or is left behind", async () => {
    await doctored(
      `delete from messages where text = 'answer 2'`,
      /promised and not stored/,
      /taken by the carrier and not stored/,
    );
    await doctored(
      `update messages set status = 'queued' where text = 'answer 2'`,
      /left queued/,
      /a status that its history does not end with/,
    );
    await doctored(`update messages set status = 'sending' where text = 'answer 2'`, /left sending/);
  });
  await t.step("a message that left twice", async () => {
    const twice = [...calls, { ...calls[0]!, sequence: calls.length + 1 }];
    const lost = calls.slice(1).map((call, index) => ({ ...call, sequence: index + 1 }));
    match(faultLines(await auditRun(inside, { ...known, calls: twice })).join("\n"), /taken more than once/);
    match(
      faultLines(await auditRun(inside, { ...known, calls: lost })).join("\n"),
      /delivered, but never taken by the carrier/,
    );
  });
  await t.step("work that is left", async () => {
    await inside
      .sql`insert into outbox (kind, partition, sequence, payload) values ('send', 999, 1, '{}')`;
    await rejects(untilAtRest(inside, 500), /left in the outbox: send 999, sequence 1/);
    await inside.sql`delete from outbox where partition = 999`;
    await untilAtRest(inside);
  });
  const wrong = { ...known, promised: [{ messageId: "msg_0", text: "x" }] };
  await rejects(assertAudited(inside, wrong), /promised and not stored: msg_0/);
});
