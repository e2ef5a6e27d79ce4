import { deepEqual, equal } from "node:assert/strict";
import { startSimulator } from "../../bench/simulator/server.ts";
import { addChannel } from "../support/configured.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

const CONTACT = "15145550177";
const WRAPPER = "https://clients.voicemeup.com/file/abc.mms.html";
const PICTURE = "https://clients.voicemeup.com/file/abc.mms.jpg";

/** One of the two webhooks that VoiceMeUp makes of an MMS. */
async function half(
  webhookUrl: string,
  to: string,
  of: { hash: string; message: string; attachment: string },
) {
  const response = await fetch(webhookUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      sms_hash: of.hash,
      direction: "inbound",
      source_number: CONTACT,
      destination_number: to.slice(1),
      message: of.message,
      attachment: of.attachment,
      datetime_transmission: "2026-01-02 03:04:05",
    }),
  });
  await response.body?.cancel();
  return response.status;
}

Deno.test("an MMS's halves are joined across kill -9 of everything, once; what stays alone is delivered marked", async () => {
  await using simulator = startSimulator();
  await using system = await System.start();
  const { api } = system;
  const credentials = { username: "simulator", authToken: "simulator-token" };
  const patient = await addChannel(api, simulator, "voicemeup", "patient", {
    credentials: { ...credentials, mmsWaitMs: 600_000 },
  });
  const hasty = await addChannel(api, simulator, "voicemeup", "hasty", {
    credentials: { ...credentials, mmsWaitMs: 1_000 },
  });
  const numbers = { patient: "+15145550101", hasty: "+15145550102" };
  await api.post("/v1/numbers", { channelId: patient.id, number: numbers.patient });
  await api.post("/v1/numbers", { channelId: hasty.id, number: numbers.hasty });
  const first = { hash: "first-half", message: "Look", attachment: WRAPPER };
  const second = { hash: "second-half", message: "", attachment: PICTURE };
  const received = (number: string) =>
    api.list(`/v1/messages?direction=inbound&number=${encodeURIComponent(number)}`);

  equal(await half(patient.webhook.url, numbers.patient, second), 200);
  equal(await half(hasty.webhook.url, numbers.hasty, first), 200);
  await system.killAll();
  await system.start();

  await until("the half alone is delivered", async () => (await received(numbers.hasty)).length > 0);
  equal((await received(numbers.patient)).length, 0);
  for (const again of [second, first, second, first]) {
    equal(await half(patient.webhook.url, numbers.patient, again), 200);
  }
  await until("the halves are one message", async () => (await received(numbers.patient)).length > 0);
  // What comes behind in the same conversation was decided after all of the above.
  equal(
    await half(patient.webhook.url, numbers.patient, { hash: "x", message: "behind", attachment: "" }),
    200,
  );
  await until("the next is there", async () => (await received(numbers.patient)).length > 1);

  const [behind, whole, ...more] = await received(numbers.patient);
  deepEqual([behind.text, behind.note, more.length], ["behind", null, 0]);
  deepEqual([whole.text, whole.note, whole.media.length, whole.position], ["Look", null, 1, 1]);
  const [alone, ...others] = await received(numbers.hasty);
  deepEqual([alone.text, alone.note, others.length], ["Look", "incomplete: 1 of 2 parts came", 0]);
});
