import { deepEqual, equal, ok } from "node:assert/strict";
import { DINSTAR_DEFAULTS } from "../../bench/simulator/dinstar.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { addChannel } from "../support/configured.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

const NUMBERS = ["+14155550199", "+14155550198"];
const CONTACT = "+12025550123";

async function prepared(system: System, simulator: ReturnType<typeof startSimulator>, credentials = {}) {
  const { api } = system;
  const channel = await addChannel(api, simulator, "dinstarweb", "gateway", {
    timeoutMs: 2_000,
    retry: { initialMs: 100 },
    credentials: {
      endpoint: simulator.url,
      user: DINSTAR_DEFAULTS.user,
      password: DINSTAR_DEFAULTS.password,
      ports: "0-1",
      portNumbers: { "0": NUMBERS[0], "1": NUMBERS[1] },
      inboundIntervalSeconds: 1,
      resultIntervalSeconds: 1,
      timeZone: "UTC",
      ...credentials,
    },
  });
  for (const number of NUMBERS) await api.post("/v1/numbers", { channelId: channel.id, number });
  return channel;
}

Deno.test("a gateway's inbox is fetched through kill -9 and a reset of the device: nothing lost, nothing twice", async () => {
  await using simulator = startSimulator({ dinstar: { numbers: NUMBERS, nonceUses: 7 } });
  await using system = await System.start();
  const { api } = system;
  await prepared(system, simulator);
  const texts: string[] = [];
  const receive = (count: number) => {
    for (let i = 0; i < count; i++) {
      const text = `message ${texts.length}`;
      texts.push(text);
      simulator.dinstar.receive({ from: CONTACT, to: NUMBERS[texts.length % 2]!, text });
    }
  };
  const received = async () => {
    const messages = await api.list("/v1/messages?direction=inbound");
    return messages.map((message) => String(message.text)).sort();
  };
  const fetched = (what: string) =>
    until(what, async () => (await received()).length >= texts.length, 60_000);

  // More than one answer has room for.
  receive(60);
  await until("some were fetched", async () => (await received()).length > 0, 60_000);
  await system.killAll();
  receive(5);
  await system.start();
  await fetched("everything before the reset");
  simulator.dinstar.reset();
  receive(3);
  await fetched("what came after the reset, under ids that were there before");
  const messages = await api.list("/v1/messages?direction=inbound");
  deepEqual(messages.map((message) => String(message.text)).sort(), [...texts].sort());
  ok(messages.every(({ number, contact }) => NUMBERS.includes(number) && contact === CONTACT));
});

Deno.test("a gateway's results settle sends, also one whose answer was lost; ports take turns", async () => {
  await using simulator = startSimulator({ dinstar: { numbers: NUMBERS } });
  await using system = await System.start();
  const { api } = system;
  const channel = await prepared(system, simulator, { portNumbers: {}, defaultNumber: NUMBERS[0] });
  const send = async (text: string) =>
    (await api.post("/v1/messages", { from: NUMBERS[0], to: CONTACT, text })).id as string;
  const statusOf = async (id: string) => (await api.get(`/v1/messages/${id}`)).status as string;

  const ids: string[] = [];
  for (const text of ["one", "two", "three", "four"]) ids.push(await send(text));
  await until("all are delivered", async () => {
    const statuses = await Promise.all(ids.map(statusOf));
    return statuses.every((status) => status === "delivered");
  }, 60_000);
  const calls = simulator.record().filter((call) => call.accepted);
  deepEqual(calls.map((call) => call.from), [NUMBERS[0], NUMBERS[1], NUMBERS[0], NUMBERS[1]]);
  deepEqual(calls.map((call) => call.providerId), ["1", "2", "3", "4"]);

  simulator.setFaults({ dinstarweb: { cut: { fraction: 1, accepts: true } } });
  const lost = await send("five");
  await until("the answer was lost", () => simulator.record().some((call) => call.text === "five"));
  simulator.setFaults({ dinstarweb: { cut: { fraction: 0 } } });
  await until("the result settles it", async () => await statusOf(lost) === "delivered", 60_000);
  equal(simulator.record().filter((call) => call.text === "five").length, 1);

  simulator.setFaults({ dinstarweb: { undelivered: 1 } });
  const failed = await send("six");
  await until("the network's refusal is known", async () => await statusOf(failed) === "undelivered", 60_000);

  // With another password the polls fail, and the channel says so.
  const setPassword = async (password: string) =>
    equal((await api.call("PATCH", `/v1/channels/${channel.id}`, { credentials: { password } })).status, 200);
  await setPassword("wrong");
  await until("the status says why", async () => {
    const { status, statusReason } = await api.get(`/v1/channels/${channel.id}`);
    return status === "auth-failed" && /polling inbox/.test(statusReason);
  }, 60_000);
  equal((await api.call("POST", `/v1/channels/${channel.id}/verify`, {})).body.ok, false);
  await setPassword(DINSTAR_DEFAULTS.password);
  await until("it recovers", async () => {
    return (await api.get(`/v1/channels/${channel.id}`)).status === "connected";
  }, 60_000);
});
