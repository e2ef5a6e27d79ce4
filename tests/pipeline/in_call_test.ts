import { deepEqual, equal } from "node:assert/strict";
import { seededRandom } from "../../bench/simulator/clock.ts";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { contactNumber } from "../../bench/simulator/numbers.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { addAgent, addChannel } from "../support/configured.ts";
import { lookInside } from "../support/inside.ts";
import { System } from "../support/system.ts";
import { pause, until } from "../support/until.ts";

const NUMBER = "+14155550130";
const CALLS = 30;
const KILLS = 3;
const INSIST_MS = 60_000;

Deno.test("IC-1, IC-3: calls that a phone system tells of through kill -9 open once, end once and are closed with one text", async () => {
  const seed = Number(Deno.env.get("PATCHBAY_CHAOS_SEED") ?? Math.trunc(performance.timeOrigin) % 1_000_000);
  console.log(`PATCHBAY_CHAOS_SEED=${seed}`);
  const random = seededRandom(seed);
  await using simulator = startSimulator({ reports: { enabled: false }, seed });
  await using system = await System.start();
  const { api } = system;
  // What a crash leaves unknown is not sent twice.
  const channel = await addChannel(api, simulator, "twilio", "main", { uncertain: "hold" });
  const number = await api.post("/v1/numbers", { channelId: channel.id, number: NUMBER, purpose: "in-call" });
  const agents = await Promise.all(["101", "102"].map((extension) => addAgent(api, extension)));
  await api.post("/v1/in-call/presets", { label: "Photo", texts: { en: "Please reply with a photo" } });
  await api.ok("PATCH", "/v1/in-call", {
    enabled: true,
    numberId: number.id,
    closingText: { en: "Goodbye" },
    autoReply: { en: "Please call again" },
  });

  /** Writes until the webhook is answered: as a provider, under the same id. */
  const write = async (from: string, text: string) => {
    const id = `SM${crypto.randomUUID().replaceAll("-", "")}`;
    await until("the webhook is taken", async () => {
      const answer = await writeAsContact({ ...channel.webhook, id, from, to: NUMBER, text }).catch(() =>
        null
      );
      return answer?.status === 200;
    }, INSIST_MS);
  };

  /** A whole call: each step until it has an answer, and each step told twice. */
  const live = async (index: number) => {
    const contact = contactNumber(index);
    const callId = `call-${index}@pbx`;
    const { extensionId } = agents[index % agents.length]!;
    const path = `/v1/calls/${encodeURIComponent(callId)}`;
    const ids = [];
    for (let time = 0; time < 2; time++) {
      const opened = await api.insist("/v1/calls", { callId, contact, extensionId }, INSIST_MS);
      equal(opened.status < 300, true, opened.text);
      ids.push(opened.body.id);
    }
    equal(ids[0], ids[1]);
    const sent = await api.insist(`${path}/messages`, { preset: "Photo" }, INSIST_MS);
    equal(sent.status, 201, sent.text);
    await write(contact, `answer of ${contact}`);
    await pause(random() * 100);
    for (let time = 0; time < 2; time++) {
      const ended = await api.insist(`${path}/end`, { reason: `told ${time}` }, INSIST_MS);
      deepEqual([ended.status, ended.body.state, ended.body.closeReason], [200, "closed", "call-ended"]);
    }
    for (const text of ["are you there", "hello"]) await write(contact, `${text}, asks ${contact}`);
  };

  let next = 0;
  const lines = Promise.all(Array.from({ length: 4 }, async () => {
    while (next < CALLS) await live(next++);
  }));
  // A failed assertion is told at the end.
  lines.catch(() => {});
  for (let kill = 0; kill < KILLS; kill++) {
    await pause(300 + random() * 1_200);
    if (random() < 0.5) await system.killProgram();
    else await system.killAll();
    await system.start();
  }
  await lines;

  await using inside = await lookInside(system);
  await untilAtRest(inside);
  await until("nothing is left to send", async () => {
    const [left] = await inside.sql<{ count: number }[]>`
      select count(*)::int as count from messages
      where status = 'queued' or (status = 'sending' and not uncertain)`;
    return left!.count === 0;
  }, INSIST_MS);
  const sessions = await api.list("/v1/sessions");
  equal(sessions.length, CALLS);
  equal(new Set(sessions.map(({ callId }) => callId)).size, CALLS);
  equal(sessions.every(({ kind, state }) => kind === "call" && state === "closed"), true);
  for (const { id, contact } of sessions) {
    const { items } = await api.get(`/v1/sessions/${id}/messages`);
    deepEqual(items.map(({ text }: { text: string }) => text), [
      "Please reply with a photo",
      `answer of ${contact}`,
      "Goodbye",
    ]);
    const all = await api.list(`/v1/messages?contact=${encodeURIComponent(contact)}`);
    deepEqual(all.toReversed().slice(3).map(({ text }) => text), [
      `are you there, asks ${contact}`,
      "Please call again",
      `hello, asks ${contact}`,
    ]);
  }
  const calls = simulator.record();
  await assertAudited(inside, { calls, openEnd: "reports" });
  console.log(`${CALLS} calls, ${KILLS} kills, ${calls.length} texts at the carrier`);
});
