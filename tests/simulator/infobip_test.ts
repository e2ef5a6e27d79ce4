import assert from "node:assert/strict";
import { AuthType, Infobip } from "@infobip-api/sdk";
import { INFOBIP_DEFAULT_ACCOUNT, infobipBatch } from "../../bench/simulator/infobip.ts";
import { webhookTarget } from "../../bench/simulator/contact.ts";
import { LinePool } from "../../bench/simulator/http_client.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { listen } from "./listener.ts";

function client(baseUrl: string, apiKey = INFOBIP_DEFAULT_ACCOUNT.apiKey) {
  return new Infobip({ baseUrl, apiKey, authType: AuthType.ApiKey });
}

const message = (to: string, over: object = {}) => ({
  messages: [{ from: "14155550199", destinations: [{ to }], text: "Olá & 50%", ...over }],
});

Deno.test("Infobip: the official client sends a text", async () => {
  await using simulator = startSimulator();
  const sent = await client(simulator.url).channels.sms.send(message("12025550123"));
  assert.equal(sent.status, 200);
  assert.equal(sent.data.messages[0].status.groupName, "PENDING");
  const [call] = simulator.record();
  assert.deepEqual([call?.providerId, call?.text, call?.from], [
    sent.data.messages[0].messageId,
    "Olá & 50%",
    "14155550199",
  ]);
});

Deno.test("Infobip: the official client is told of wrong keys, bad numbers, opt-outs and repeats", async () => {
  await using simulator = startSimulator({ faults: { infobip: { optedOut: ["12025550110"] } } });
  const { sms } = client(simulator.url).channels;
  const refused = await client(simulator.url, "wrong").channels.sms.send(message("12025550123"));
  assert.equal(refused.response.status, 401);
  const statusOf = async (body: object) => (await sms.send(body)).data.messages[0].status.id;
  assert.equal(await statusOf(message("12025550110")), 14);
  assert.equal(await statusOf(message("nobody")), 52);
  const once = message("12025550123", { destinations: [{ to: "12025550123", messageId: "mine" }] });
  assert.deepEqual([await statusOf(once), await statusOf(once)], [26, 23]);
  assert.equal(simulator.record().filter((call) => call.accepted).length, 1);
});

Deno.test("Infobip: several messages come in one request", async () => {
  await using listener = listen();
  const target = webhookTarget({ provider: "infobip", url: `${listener.url}/in` });
  const write = (id: string) => ({ id, from: "+12025550123", to: "+14155550199", text: id });
  const pool = new LinePool(target.url.origin, { lines: 1, timeoutMs: 5_000 });
  try {
    await pool.request(infobipBatch(target, [write("a"), write("b")]));
  } finally {
    pool.close();
  }
  const body = JSON.parse(listener.requests[0]!.body);
  assert.deepEqual(body.results.map((one: { text: string }) => one.text), ["a", "b"]);
  assert.equal(body.messageCount, 2);
});
