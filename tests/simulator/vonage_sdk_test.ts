import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { verifySignature } from "@vonage/jwt";
import { MMSImage, SMS } from "@vonage/messages";
import { Vonage } from "@vonage/server-sdk";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { VONAGE_DEFAULT_ACCOUNT } from "../../bench/simulator/vonage_account.ts";
import { listen } from "./listener.ts";

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

const { privateKey, publicKey } = generateKeyPairSync("rsa", {
  modulusLength: 2_048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

Deno.test("Vonage: the official client sends texts and media with an application's token", async () => {
  await using simulator = startSimulator({ vonage: { publicKey } });
  const { applicationId } = VONAGE_DEFAULT_ACCOUNT;
  const client = (key: string) =>
    new Vonage({ apiKey, apiSecret, applicationId, privateKey: key }, { apiHost: simulator.url }).messages;
  const numbers = { to: "12025550123", from: "14155550199", channel: "sms", messageType: "text" };
  const { messageUUID } = await client(privateKey).send(
    new SMS({ ...numbers, text: "Olá 😀", clientRef: "mine" }),
  );
  const [text] = simulator.record();
  assert.deepEqual([text?.providerId, text?.text, text?.messageId], [messageUUID, "Olá 😀", "mine"]);
  await client(privateKey).send(
    new MMSImage({
      to: numbers.to,
      from: numbers.from,
      image: { url: "https://m.test/1.jpg", caption: "Look" },
    }),
  );
  assert.deepEqual(simulator.record()[1]?.media, ["https://m.test/1.jpg"]);
  const other = generateKeyPairSync("rsa", {
    modulusLength: 2_048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  await assert.rejects(client(other.privateKey).send(new SMS({ ...numbers, text: "x" })));
  await assert.rejects(client(privateKey).send(new SMS({ ...numbers, to: "nobody", text: "x" })));
  assert.equal(simulator.record().filter((call) => call.accepted).length, 2);
});

Deno.test("Vonage: a message and its reports carry tokens that Vonage's library accepts", async () => {
  await using listener = listen();
  await using simulator = startSimulator({ reports: { sentAfterMs: 0, deliveredAfterMs: 0 } });
  await writeAsContact({
    provider: "vonage",
    url: `${listener.url}/in`,
    from: "+12025550123",
    to: "+14155550199",
    text: "Hi",
  });
  const body = {
    channel: "sms",
    message_type: "text",
    ...{ to: "12025550123", from: "14155550199", text: "x", webhook_url: `${listener.url}/status` },
  };
  const sent = await fetch(`${simulator.url}/v1/messages`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${apiKey}:${apiSecret}`)}` },
    body: JSON.stringify(body),
  });
  assert.equal(sent.status, 202);
  await sent.body?.cancel();
  await listener.until(3);
  for (const request of listener.requests) {
    const token = request.header("authorization")!.replace("Bearer ", "");
    assert.ok(verifySignature(token, VONAGE_DEFAULT_ACCOUNT.signatureSecret));
    assert.ok(!verifySignature(token, "wrong"));
  }
});
