import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Promised } from "../../bench/audit/run.ts";
import { contactNumber } from "../../bench/simulator/numbers.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { addChannel, configure } from "../support/configured.ts";
import { lookInside } from "../support/inside.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

const SPARE_NUMBER = "+59899000101";

Deno.test("a provider that fails, hangs and throttles", async (t) => {
  await using simulator = startSimulator({ reports: { enabled: false } });
  await using system = await System.start();
  const { api } = system;
  const settings = { rateMps: 200, burst: 10, timeoutMs: 500, retry: { initialMs: 100, maxTries: 6 } };
  const { channel, numbers } = await configure(api, simulator, settings);
  const spare = await addChannel(api, simulator, "urlsms", "spare", { rateMps: 100 });
  await api.post("/v1/numbers", { channelId: spare.id, number: SPARE_NUMBER });
  await using inside = await lookInside(system);
  const promised: Promised[] = [];
  const path = `/v1/channels/${channel.id}`;

  const send = async (name: string, count: number, contacts: number) => {
    const ids: string[] = [];
    for (let n = 0; n < count; n++) {
      const text = `${name} ${n}`;
      const body = { from: numbers.nowhere, to: contactNumber(n % contacts), text };
      const { id } = await api.post("/v1/messages", body);
      promised.push({ messageId: id, text });
      ids.push(id);
    }
    return ids;
  };
  const statuses = async (ids: readonly string[]) =>
    await inside.sql<{ id: string; status: string; channel_id: string }[]>`
      select id, status, channel_id from messages where id in ${inside.sql(ids)}`;
  const untilSent = (what: string, ids: readonly string[]) =>
    until(what, async () => (await statuses(ids)).every(({ status }) => status === "sent"));
  const metric = async (name: string, label: string) => {
    const text = (await api.call("GET", "/metrics")).text;
    const line = text.split("\n").find((line) => line.startsWith(`${name}{`) && line.includes(label));
    return Number(line?.split(" ").at(-1));
  };
  const faults = (twilio: Parameters<typeof simulator.setFaults>[0]["twilio"]) =>
    simulator.setFaults({
      all: { fail: [], hang: { fraction: 0 }, throttle: null },
      ...(twilio && { twilio }),
    });

  await t.step(
    "errors open the circuit: messages wait, none fails, and a probe that is taken closes it",
    async () => {
      faults({ fail: [{ fraction: 1, status: 500 }] });
      const ids = await send("while it fails", 40, 40);
      const shown = await until("the status says so", async () => {
        const view = await api.get(path);
        return /only tried now and then/.test(view.statusReason) && view;
      });
      equal(shown.status, "degraded");
      equal(await metric("patchbay_channel_circuit_open", channel.id), 1);
      const called = simulator.record().length;
      await until("it is tried now and then", () => simulator.record().length >= called + 2);
      const left = await statuses(ids);
      deepEqual(left.filter(({ status }) => status !== "queued" && status !== "sending"), []);
      faults(undefined);
      await untilSent("all are sent", ids);
      await until("the status is connected again", async () => (await api.get(path)).status === "connected");
      equal(await metric("patchbay_channel_circuit_open", channel.id), 0);
    },
  );

  await t.step(
    "a send without an answer is shown as uncertain, listed, counted, and held or sent again",
    async () => {
      faults({ hang: { fraction: 1, accepts: false } });
      const [held] = await send("held", 1, 1);
      const listed = () => api.get("/v1/messages?uncertain=true");
      const page = await until("it is listed", async () => {
        const { items } = await listed();
        return items.length > 0 && items;
      });
      deepEqual(page.map(({ id, status, uncertain }: Record<string, unknown>) => [id, status, uncertain]), [
        [held, "sending", true],
      ]);
      match(
        (await api.get(`/v1/messages/${held}`)).history.at(-1).reason,
        /^uncertain, the provider may have it/,
      );
      ok(await metric("patchbay_sends_uncertain_total", "twilio") >= 1);
      await api.ok("PATCH", path, { uncertain: "resend" });
      const [again] = await send("sent again", 1, 1);
      await until(
        "it is uncertain",
        async () => (await listed()).items.some(({ id }: { id: string }) => id === again),
      );
      faults(undefined);
      await untilSent("it is sent", [again!]);
      const settled = await api.get(`/v1/messages/${again}`);
      equal(settled.uncertain, false);
      ok(settled.history.some(({ reason }: { reason?: string }) => reason?.startsWith("uncertain")));
      const others = (await api.get("/v1/messages?uncertain=false&limit=200")).items;
      equal(others.some(({ id }: { id: string }) => id === held), false);
    },
  );

  await t.step("while it fails the fallback channel sends, from its own number, in order", async () => {
    await api.ok("PATCH", path, { fallbackChannelId: spare.id });
    faults({ fail: [{ fraction: 1, status: 503 }] });
    const ids = await send("by the spare", 60, 5);
    // The last one or two may be probes, which wait for the channel.
    await until("most are sent", async () => {
      return (await statuses(ids)).filter(({ status }) => status === "sent").length >= ids.length - 2;
    });
    faults(undefined);
    await untilSent("all are sent", ids);
    const bySpare = (await statuses(ids)).filter(({ channel_id }) => channel_id === spare.id);
    ok(bySpare.length > 30, `${bySpare.length} through the spare channel`);
    const shown = await api.get(`/v1/messages/${bySpare[0]!.id}`);
    deepEqual([shown.channelId, shown.number], [spare.id, SPARE_NUMBER]);
    ok(
      shown.history.some(({ reason }: { reason?: string }) =>
        reason?.startsWith("moved from the channel main to its fallback spare")
      ),
      JSON.stringify(shown.history),
    );
    const records = simulator.record().filter(({ from, accepted }) => accepted && from === SPARE_NUMBER);
    equal(records.length, bySpare.length, "each left once, from the spare's number");
  });

  await t.step(
    "throttling slows the channel down, nothing is lost, and it grows back by itself",
    async () => {
      await api.ok("PATCH", path, { fallbackChannelId: null, rateMps: 300 });
      faults({ throttle: { rateMps: 40, burst: 4, retryAfterSeconds: 1 } });
      const ids = await send("throttled", 100, 100);
      const rate = () => metric("patchbay_channel_effective_rate", channel.id);
      await until("it is slowed down", async () => await rate() < 300);
      await until("its status says so", async () => /slowed down/.test((await api.get(path)).statusReason));
      await untilSent("all are sent", ids);
      const refused = simulator.record().filter(({ answer }) => answer === 429).length;
      ok(refused > 0, "nothing was refused");
      faults(undefined);
      const slow = await rate();
      ok(slow < 300, `${slow}`);
      await until("it grows back", async () => await rate() > slow + 10);
    },
  );

  await t.step("the audit", async () => {
    await untilAtRest(inside);
    await assertAudited(inside, { calls: simulator.record(), promised, openEnd: "reports" });
  });
});
