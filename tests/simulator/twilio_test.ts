import assert from "node:assert/strict";
import twilio from "twilio";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { type Simulator, startSimulator } from "../../bench/simulator/server.ts";
import { signTwilio } from "../../bench/simulator/twilio_signature.ts";
import { fieldsOf, listen } from "./listener.ts";

/** The provider's own client with its host exchanged for the simulator's. */
function sdkClient(simulator: Simulator, authToken = simulator.account.authToken) {
  const client = new twilio.RequestClient({ keepAlive: false });
  const request = client.request.bind(client);
  client.request = (options) =>
    request({ ...options, uri: options.uri.replace("https://api.twilio.com", simulator.url) });
  return twilio(simulator.account.sid, authToken, { httpClient: client });
}

async function refusal(call: Promise<unknown>): Promise<{ code?: number; status: number }> {
  try {
    await call;
  } catch (error) {
    if (error instanceof twilio.RestException) return error;
    throw error;
  }
  throw new Error("the call was not refused");
}

Deno.test("Twilio: the official client sends a message and looks it up", async () => {
  await using simulator = startSimulator();
  const client = sdkClient(simulator);
  const sent = await client.messages.create({
    to: "+12025550123",
    from: "+14155550199",
    body: "Olá & 50% + 1",
  });
  assert.match(sent.sid, /^SM[0-9a-f]{32}$/);
  assert.equal(sent.status, "queued");
  assert.equal(sent.body, "Olá & 50% + 1");
  assert.equal((await client.messages(sent.sid).fetch()).to, "+12025550123");
  assert.deepEqual((await client.messages.list({ to: "+12025550123", limit: 5 })).map((m) => m.sid), [
    sent.sid,
  ]);
  const [call] = simulator.record();
  assert.equal(call?.providerId, sent.sid);
  assert.equal(call?.text, "Olá & 50% + 1");
  assert.equal(call?.accepted, true);
  assert.ok(Math.abs(call!.atMs - Date.now()) < 5_000);
});

Deno.test("Twilio: the official client fetches the account", async () => {
  await using simulator = startSimulator();
  const account = await sdkClient(simulator).api.v2010.accounts(simulator.account.sid).fetch();
  assert.equal(account.status, "active");
  assert.equal(account.sid, simulator.account.sid);
});

Deno.test("Twilio: wrong credentials are refused with 401 and 20003, and the send is recorded as not taken", async () => {
  await using simulator = startSimulator();
  const client = sdkClient(simulator, "wrong");
  assert.deepEqual(pick(await refusal(client.api.v2010.accounts(simulator.account.sid).fetch())), [
    401,
    20003,
  ]);
  const create = client.messages.create({ to: "+12025550123", from: "+14155550199", body: "x" });
  assert.deepEqual(pick(await refusal(create)), [401, 20003]);
  assert.deepEqual(simulator.record().map((call) => [call.accepted, call.answer, call.code]), [[
    false,
    401,
    "20003",
  ]]);
});

Deno.test("Twilio: what its documents refuse is refused with their codes", async () => {
  await using simulator = startSimulator({ faults: { twilio: { optedOut: ["+12025550110"] } } });
  const client = sdkClient(simulator);
  const good = { to: "+12025550123", from: "+14155550199", body: "x" };
  const cases: [Partial<typeof good>, number][] = [
    [{ to: "+12025550110" }, 21610],
    [{ to: "nobody" }, 21211],
    [{ to: "+15005550009" }, 21614],
    [{ body: "" }, 21602],
    [{ body: "x".repeat(1_601) }, 21617],
    [{ from: "" }, 21603],
  ];
  for (const [change, code] of cases) {
    assert.deepEqual(pick(await refusal(client.messages.create({ ...good, ...change }))), [400, code]);
  }
});

Deno.test("Twilio: reports sent and then delivered, with signatures that the official library accepts", async () => {
  await using listener = listen();
  await using simulator = startSimulator({ reports: { sentAfterMs: 0, deliveredAfterMs: 5 } });
  const statusCallback = `${listener.url}/webhooks/twilio/secret/status/msg_1?a=1`;
  const sent = await sdkClient(simulator).messages.create({
    to: "+12025550123",
    from: "+14155550199",
    body: "x",
    statusCallback,
  });
  await listener.until(2);
  const { authToken } = simulator.account;
  for (const request of listener.requests) {
    const signature = request.header("x-twilio-signature")!;
    assert.ok(twilio.validateRequest(authToken, signature, statusCallback, fieldsOf(request.body)));
    assert.equal(fieldsOf(request.body).MessageSid, sent.sid);
  }
  assert.deepEqual(listener.requests.map((r) => fieldsOf(r.body).MessageStatus), ["sent", "delivered"]);
  assert.equal(simulator.record()[0]?.messageId, "msg_1");
});

Deno.test("Twilio: a contact's message is signed over the public URL, as POST and as GET", async () => {
  await using listener = listen();
  const publicUrl = "https://sms.example.test/webhooks/twilio/secret?tenant=42";
  const token = "0123456789abcdef0123456789abcdef";
  const message = { from: "+12025550100", to: "+14155550199", text: "Olá & mañana = 50% + 😀" };
  const url = `${listener.url}/webhooks/twilio/secret?tenant=42`;
  for (const method of ["POST", "GET"] as const) {
    const answer = await writeAsContact({
      provider: "twilio",
      url,
      publicUrl,
      method,
      authToken: token,
      ...message,
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.body, "<Response/>");
    const request = listener.requests.at(-1)!;
    assert.equal(request.method, method);
    const fields = fieldsOf(method === "POST" ? request.body : request.query);
    assert.equal(fields.Body, message.text);
    assert.equal(fields.MessageSid, answer.id);
    const signed = method === "POST" ? publicUrl : `https://sms.example.test${request.path}?${request.query}`;
    const signature = request.header("x-twilio-signature")!;
    assert.ok(twilio.validateRequest(token, signature, signed, method === "POST" ? fields : {}));
  }
  await writeAsContact({
    provider: "twilio",
    url,
    publicUrl,
    signature: "wrong",
    authToken: token,
    ...message,
  });
  const wrong = listener.requests.at(-1)!;
  assert.ok(
    !twilio.validateRequest(token, wrong.header("x-twilio-signature")!, publicUrl, fieldsOf(wrong.body)),
  );
  await writeAsContact({ provider: "twilio", url, publicUrl, signature: "missing", ...message });
  assert.equal(listener.requests.at(-1)!.header("x-twilio-signature"), undefined);
});

Deno.test("Twilio: the signature of the documents' example", () => {
  const fields = [
    ["To", "+14155550199"],
    ["AccountSid", "AC00000000000000000000000000000001"],
    ["ApiVersion", "2010-04-01"],
    ["Body", "Olá & mañana = 50%"],
    ["From", "+14155550100"],
    ["MessageSid", "SM00000000000000000000000000000002"],
    ["NumMedia", "0"],
    ["NumSegments", "1"],
    ["SmsStatus", "received"],
  ] as const;
  const url = "https://sms.example.test/hooks/twilio/in?tenant=42";
  assert.equal(signTwilio("0123456789abcdef0123456789abcdef", url, fields), "CDAhFwMRu4XuxCdJdEhRDIzTMvU=");
});

function pick(error: { code?: number; status: number }): [number, number | undefined] {
  return [error.status, error.code];
}
