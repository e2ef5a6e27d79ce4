import assert from "node:assert/strict";
import { Vonage } from "@vonage/server-sdk";
import { startSimulator } from "../../bench/simulator/server.ts";
import { VONAGE_DEFAULT_ACCOUNT } from "../../bench/simulator/vonage_account.ts";

const { apiKey, apiSecret } = VONAGE_DEFAULT_ACCOUNT;

function client(url: string, secret = apiSecret) {
  return new Vonage({ apiKey, apiSecret: secret }, { restHost: url, apiHost: url });
}

Deno.test("Nexmo: the official client sends texts, long ones in parts, and reads the balance", async () => {
  await using simulator = startSimulator();
  const { sms, accounts } = client(simulator.url);
  const to = "12025550123";
  const from = "14155550199";
  const short = await sms.send({ to, from, text: "Hello", clientRef: "mine" });
  assert.equal(Number(short.messageCount), 1);
  assert.equal(short.messages[0]?.messageId, simulator.record()[0]?.providerId);
  assert.equal(simulator.record()[0]?.messageId, "mine");
  const long = await sms.send({ to, from, text: "x".repeat(161) });
  assert.equal(long.messages.length, 2);
  const lost = "lost: 😀";
  await sms.send({ to, from, text: lost });
  assert.equal(
    simulator.record()[2]?.text,
    "lost: ?",
    "a text that is not declared as Unicode loses characters",
  );
  assert.equal((await accounts.getBalance()).value, 10.28);
});

Deno.test("Nexmo: the official client is told of wrong credentials and numbers", async () => {
  await using simulator = startSimulator({ faults: { nexmo: { optedOut: ["12025550110"] } } });
  const send = async (secret: string, to: string) => {
    const { sms } = client(simulator.url, secret);
    const error = await sms.send({ to, from: "14155550199", text: "x" }).then(() => null, (error) => error);
    return error?.getFailedMessages?.()[0]?.status ?? String(error);
  };
  assert.equal(await send("wrong", "12025550123"), "4");
  assert.equal(await send(apiSecret, "nobody"), "3");
  assert.equal(await send(apiSecret, "12025550110"), "7");
  assert.deepEqual(simulator.record().map((call) => call.accepted), [false, false, false]);
});
