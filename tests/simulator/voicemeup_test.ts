import assert from "node:assert/strict";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { listen } from "./listener.ts";

const GOOD = {
  username: "simulator",
  auth_token: "simulator-token",
  source_number: "14155550199",
  destination_number: "12025550123",
  message: "Bonjour à tous",
};

interface Reply {
  response_details: { response_status: string; response_messages: { message: Entry | Entry[] } };
}
interface Entry {
  code: string;
  _content: string;
}

async function queueSms(url: string, fields: Record<string, string>) {
  const response = await fetch(`${url}/api/v1.1/json/queue_sms`, {
    method: "POST",
    body: new URLSearchParams(fields),
  });
  const { response_status, response_messages } = (await response.json() as Reply).response_details;
  const single = !Array.isArray(response_messages.message);
  const entry = [response_messages.message].flat()[0]!;
  return {
    http: response.status,
    status: response_status,
    single,
    code: entry.code,
    content: entry._content,
  };
}

Deno.test("VoiceMeUp: a message is queued under a UUID, told as an array and as an object in turn", async () => {
  await using simulator = startSimulator();
  const first = await queueSms(simulator.url, GOOD);
  const second = await queueSms(simulator.url, { ...GOOD, message: "another" });
  assert.deepEqual([first.http, first.status, first.code], [200, "success", "queued_sms_hash"]);
  assert.match(first.content, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(first.content, second.content);
  assert.notEqual(first.single, second.single);
  assert.equal(simulator.record()[0]?.text, "Bonjour à tous");
});

Deno.test("VoiceMeUp: refusals come with HTTP 200", async () => {
  await using simulator = startSimulator();
  const cases: [Record<string, string>, string][] = [
    [{ ...GOOD, auth_token: "wrong" }, "permission_refused"],
    [{ ...GOOD, destination_number: "+12025550123" }, "invalid_destination_number"],
    [{ ...GOOD, message: "" }, "empty_message"],
  ];
  for (const [fields, code] of cases) {
    const answer = await queueSms(simulator.url, fields);
    assert.deepEqual([answer.http, answer.status, answer.code], [200, "error", code]);
  }
});

Deno.test("VoiceMeUp: an identical message is refused within the window only", async () => {
  await using simulator = startSimulator({ voicemeup: { duplicateWindowMs: 80 } });
  assert.equal((await queueSms(simulator.url, GOOD)).status, "success");
  assert.equal((await queueSms(simulator.url, GOOD)).code, "duplicate_entry");
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal((await queueSms(simulator.url, GOOD)).status, "success");
});

Deno.test("VoiceMeUp: a send whose line was cut is refused as a duplicate when it comes again", async () => {
  await using simulator = startSimulator({ faults: { voicemeup: { cut: { fraction: 1, accepts: true } } } });
  await assert.rejects(queueSms(simulator.url, GOOD));
  simulator.setFaults({ voicemeup: { cut: { fraction: 0 } } });
  assert.equal((await queueSms(simulator.url, GOOD)).code, "duplicate_entry");
});

Deno.test("VoiceMeUp: contacts' messages and reports are JSON with bare digits", async () => {
  await using listener = listen();
  await using simulator = startSimulator({
    voicemeup: { reportUrl: `${listener.url}/reports` },
    reports: { sentAfterMs: 0, deliveredAfterMs: 0 },
  });
  const message = { from: "+12025550100", to: "+14155550199", text: 'Dit "bonjour"' };
  const { id } = await writeAsContact({
    provider: "voicemeup",
    url: `${listener.url}/webhooks/x`,
    ...message,
  });
  const hook = JSON.parse(listener.requests[0]!.body);
  assert.equal(hook.sms_hash, id);
  assert.deepEqual([hook.direction, hook.source_number, hook.destination_number, hook.message], [
    "inbound",
    "12025550100",
    "14155550199",
    'Dit "bonjour"',
  ]);
  const queued = await queueSms(simulator.url, GOOD);
  await listener.until(3);
  const reports = listener.requests.slice(1).map((request) => JSON.parse(request.body));
  assert.deepEqual(reports.map((r) => [r.direction, r.sms_hash, r.transmission_status]), [
    ["outbound", queued.content, "sent"],
    ["outbound", queued.content, "completed"],
  ]);
});
