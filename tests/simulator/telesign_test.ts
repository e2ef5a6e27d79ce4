import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import TeleSign from "telesignsdk";
import { startSimulator } from "../../bench/simulator/server.ts";
import { TELESIGN_DEFAULT_ACCOUNT } from "../../bench/simulator/telesign.ts";
import { listen } from "./listener.ts";

const { customerId, apiKey } = TELESIGN_DEFAULT_ACCOUNT;

type Answer = { reference_id: string | null; status: { code: number } };

/** The official client, whose requests are signed. */
function client(url: string, key = apiKey) {
  const { sms } = new TeleSign(customerId, key, url);
  const call = (start: (callback: (error: unknown, answer: Answer) => void) => void) =>
    new Promise<Answer>((resolve, reject) =>
      start((error, answer) => error ? reject(error) : resolve(answer))
    );
  return {
    send: (to: string, text: string) => call((done) => sms.message(done, to, text, "ARN")),
    status: (id: string) => call((done) => sms.status(done, id)),
  };
}

Deno.test("TeleSign: the official client sends a text and asks after it", async () => {
  await using simulator = startSimulator();
  const { send, status } = client(simulator.url);
  const sent = await send("12025550123", "Olá & 50% + 1");
  assert.equal(sent.status.code, 290);
  assert.match(sent.reference_id!, /^[0-9A-F]{32}$/);
  const [call] = simulator.record();
  assert.deepEqual([call?.providerId, call?.text], [sent.reference_id, "Olá & 50% + 1"]);
  assert.equal((await status("0".repeat(32))).status.code, 10036);
});

Deno.test("TeleSign: the official client is told of wrong keys, numbers and opt-outs", async () => {
  await using simulator = startSimulator({ faults: { telesign: { optedOut: ["12025550110"] } } });
  const code = async (to: string, key = apiKey) =>
    (await client(simulator.url, key).send(to, "x")).status.code;
  assert.deepEqual(
    [await code("12025550123", "d3Jvbmc="), await code("nobody"), await code("12025550110")],
    [10015, 11000, 510],
  );
  assert.deepEqual(simulator.record().map((call) => call.accepted), [false, false, false]);
});

Deno.test("TeleSign: reports are signed over their body alone", async () => {
  await using listener = listen();
  await using simulator = startSimulator({ reports: { sentAfterMs: 0, deliveredAfterMs: 0 } });
  const answer = await fetch(`${simulator.url}/v1/messaging`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${customerId}:${apiKey}`)}` },
    body: new URLSearchParams({
      phone_number: "12025550123",
      message: "x",
      message_type: "ARN",
      callback_url: `${listener.url}/status`,
    }),
  });
  assert.equal(answer.status, 200);
  await answer.body?.cancel();
  await listener.until(2);
  for (const request of listener.requests) {
    const signature = createHmac("sha256", Buffer.from(apiKey, "base64")).update(request.body).digest(
      "base64",
    );
    assert.equal(request.header("authorization"), `TSA ${customerId}:${signature}`);
    assert.equal(request.header("x-ts-authorization"), signature);
  }
});
