import { deepEqual, equal, match } from "node:assert/strict";
import { readEvents } from "../../bench/audit/broker.ts";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { contactNumber } from "../../bench/simulator/numbers.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { assertAudited, untilAtRest } from "../support/auditor.ts";
import { configure } from "../support/configured.ts";

import { lookInside } from "../support/inside.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

Deno.test("IN-6: contacts who want no more messages get none", async (t) => {
  await using simulator = startSimulator({ reports: { enabled: false } });
  await using system = await System.start();
  const { api } = system;
  const { channel, numbers } = await configure(api, simulator, { optOutAnsweredBy: "patchbay" });
  await using inside = await lookInside(system);
  const from = numbers.queue;
  const [stopper, listed, imported, refused] = [1, 2, 3, 4].map(contactNumber) as [
    string,
    string,
    string,
    string,
  ];
  const path = (contact: string) => `/v1/contacts/${encodeURIComponent(contact)}`;
  const write = async (contact: string, text: string) => {
    const { status } = await writeAsContact({ ...channel.webhook, from: contact, to: from, text });
    equal(status, 200);
  };
  const calls = (contact: string) =>
    simulator.record().filter(({ to }) => to === contact).map(({ text }) => text);
  const send = (to: string, text: string) => api.call("POST", "/v1/messages", { from, to, text });
  const ended = async (id: string) =>
    await until("the message has ended", async () => {
      const message = await api.get(`/v1/messages/${id}`);
      return !["queued", "sending"].includes(message.status) && message;
    });

  await t.step("what waits when STOP comes is blocked; the one confirmation leaves", async () => {
    // Disabled, the channel holds what was taken before; it is enabled again once the wish is known.
    const waiting = await api.post("/v1/messages", {
      from,
      to: stopper,
      text: "an offer",
      sendAt: new Date(Date.now() + 3_000).toISOString(),
    });
    await write(stopper, "STOP");
    await until("the confirmation has left", () => calls(stopper).length === 1);
    match(calls(stopper)[0]!, /no more messages/);
    const refusal = await send(stopper, "another offer");
    deepEqual([refusal.status, refusal.body.code], [409, "opted-out"]);
    const message = await ended(waiting.id);
    deepEqual([message.status, message.error.class], ["blocked", "opted-out"]);
    await write(stopper, "stop");
    equal((await api.list("/v1/sessions")).length, 0, "STOP opens no session");
    const { optOuts } = await api.get(path(stopper));
    deepEqual(
      optOuts.map(({ number, active, source }: Record<string, unknown>) => [number, active, source]),
      [
        [from, true, "keyword"],
      ],
    );
  });

  await t.step("START opens the way again", async () => {
    await write(stopper, "Start");
    await until("it is confirmed", () => calls(stopper).length === 2);
    const sent = await send(stopper, "welcome back");
    equal(sent.status, 201, sent.text);
    equal((await ended(sent.body.id)).status, "sent");
    equal(calls(stopper).length, 3, "the second STOP was not confirmed again");
  });

  await t.step("an administrator's note holds for all numbers, and can be taken back", async () => {
    await api.post(`${path(listed)}/opt-out`, {});
    const first = await send(listed, "an offer");
    equal((await ended(first.body.id)).status, "blocked");
    equal(calls(listed).length, 0);
    await api.ok("DELETE", `${path(listed)}/opt-out`);
    const second = await send(listed, "as you asked");
    equal((await ended(second.body.id)).status, "sent");
    const { items } = await api.get("/v1/audit?limit=50");
    const actions = items.filter(({ target }: { target: string }) => target === listed)
      .map(({ action }: { action: string }) => action);
    deepEqual(actions, ["opt-in", "opt-out"]);
  });

  await t.step("a file comes in whole or not at all, and the list goes out as a file", async () => {
    const post = async (body: string, query = "") => {
      const response = await fetch(`${api.url}/v1/do-not-contact${query}`, {
        method: "POST",
        headers: { authorization: `Bearer ${api.key}`, "content-type": "text/csv" },
        body,
      });
      return { status: response.status, body: await response.json() };
    };
    const file = `contact;number\n${imported};\nnobody;\n`;
    const whole = await post(file);
    deepEqual([whole.status, whole.body.errors[0].field], [400, "line 3, contact"]);
    const partial = await post(file, "?partial=true");
    deepEqual([partial.status, partial.body.accepted, partial.body.errors.length], [202, 1, 1]);
    await until("it is on the list", async () => {
      const { items } = await api.get("/v1/do-not-contact");
      return items.some(({ contact }: { contact: string }) => contact === imported);
    });
    equal((await ended((await send(imported, "an offer")).body.id)).status, "blocked");
    const response = await fetch(`${api.url}/v1/do-not-contact`, {
      headers: { authorization: `Bearer ${api.key}`, accept: "text/csv" },
    });
    const lines = (await response.text()).trim().split("\n");
    deepEqual(lines.map((line) => line.split(";").slice(0, 2)), [["contact", "number"], [imported, "*"]]);
  });

  await t.step("what the provider knows is noted", async () => {
    // Twilio: "Attempt to send to unsubscribed recipient".
    simulator.setFaults({ twilio: { fail: [{ fraction: 1, status: 400, code: 21610 }] } });
    const message = await ended((await send(refused, "an offer")).body.id);
    equal(message.error.class, "opted-out");
    simulator.setFaults({ twilio: { fail: [] } });
    const { optOuts } = await until("it is noted", async () => {
      const contact = await api.get(path(refused));
      return contact.optOuts.length > 0 && contact;
    });
    equal(optOuts[0].source, "provider");
  });

  await untilAtRest(inside);
  await assertAudited(inside, { calls: simulator.record(), openEnd: "reports" });
  const types = (await readEvents(inside)).map(({ type }) => type).filter((type) =>
    type.startsWith("contact.")
  );
  deepEqual(types.sort(), [
    ...Array(2).fill("contact.opted-in"),
    ...Array(4).fill("contact.opted-out"),
  ]);
});
