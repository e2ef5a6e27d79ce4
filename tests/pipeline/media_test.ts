import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { configure } from "../support/configured.ts";
import { lookInside } from "../support/inside.ts";
import { collect, MediaHost, png } from "../support/media_host.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

const CONTACT = "+12025550177";

Deno.test("a contact's picture comes through kill -9 in mid-fetch, and an agent's goes out by a link of ours", async (t) => {
  await using simulator = startSimulator();
  await using host = new MediaHost();
  await using system = await System.start();
  const { api } = system;
  const { channel, numbers, agents: [agent] } = await configure(api, simulator);
  const photo = png(1_200_000);
  let isOut = false;
  const url = host.on("/photo", () => {
    if (isOut) return new Response(photo as Uint8Array<ArrayBuffer>);
    // The beginning, and then nothing more.
    return new Response(
      new ReadableStream({ start: (controller) => controller.enqueue(photo.slice(0, 700_000)) }),
    );
  });
  const write = (text: string) =>
    writeAsContact({
      ...channel.webhook,
      from: CONTACT,
      to: numbers.extension,
      text,
      media: [{ url, contentType: "image/png" }],
    });
  const received = async () => (await agent.api.list("/v1/messages?direction=inbound"))[0];

  await t.step("the message is there at once, while its picture is still being fetched", async () => {
    equal((await write("Look")).status, 200);
    const message = await until("the message is there", received);
    deepEqual([message.text, message.media.length], ["Look", 1]);
    const [media] = message.media;
    match(media.id, /^med_/);
    deepEqual([media.state, media.url], ["pending", undefined]);
    await until("the fetch has begun", () => host.asked("/photo").length === 1);
  });

  await t.step(
    "what was being fetched when everything was killed is fetched after the next start",
    async () => {
      await system.killAll();
      isOut = true;
      await system.start();
      const media = await until("the picture is kept", async () => {
        const [one] = (await received()).media;
        return one.state === "ready" && one;
      });
      deepEqual([media.contentType, media.sizeBytes], ["image/png", photo.length]);
      for (const link of [media.url, media.previewUrl]) {
        const answer = await fetch(link);
        equal(answer.status, 200);
        equal(Buffer.compare(await collect(answer.body!), photo), 0);
      }
      await using inside = await lookInside(system);
      await until("it was told", async () => {
        const { state } = await inside.jsm.streams.info(inside.names.eventStream, { subjects_filter: ">" });
        const told = Object.entries(state.subjects ?? {}).filter(([subject]) =>
          subject.endsWith(".message.media")
        );
        return told.length === 1 && told[0]![1] === 1;
      });
      equal(await api.metric("patchbay_media_fetches_total", { provider: "twilio", result: "ready" }), 1);
    },
  );

  await t.step(
    "an agent uploads a picture and answers with it; the provider fetches it by a signed link",
    async () => {
      const picture = png(60_000);
      const uploaded = await fetch(`${system.url}/v1/media`, {
        method: "POST",
        headers: { authorization: `Bearer ${agent.api.key}` },
        body: picture as Uint8Array<ArrayBuffer>,
      });
      equal(uploaded.status, 201);
      const { id } = await uploaded.json();
      const { sessionId } = await received();
      const { messageId } = await agent.api.post(`/v1/sessions/${sessionId}/messages`, {
        text: "Nice",
        media: [{ id }],
      });
      const call = await until(
        "the carrier has it",
        () => simulator.record().find(({ media }) => media?.length === 1),
      );
      deepEqual([call.text, call.messageId], ["Nice", messageId]);
      const link = call.media![0]!;
      ok(link.startsWith(`${system.url}/media/med_`), link);
      const whole = await fetch(link);
      deepEqual([whole.status, whole.headers.get("content-type")], [200, "image/png"]);
      equal(Buffer.compare(await collect(whole.body!), picture), 0);
      const part = await fetch(link, { headers: { range: "bytes=100-199" } });
      equal(part.status, 206);
      equal(Buffer.compare(await collect(part.body!), picture.subarray(100, 200)), 0);
      const changed = await fetch(`${link.slice(0, -1)}${link.endsWith("A") ? "B" : "A"}`);
      equal(changed.status, 404);
      await changed.body?.cancel();
    },
  );

  await t.step(
    "IN-4: a channel that takes no media leaves them out and says so; one that sends none refuses them",
    async () => {
      const media = { inbound: false, outbound: false };
      await api.ok("PATCH", `/v1/channels/${channel.id}`, { media });
      equal((await write("Again")).status, 200);
      const message = await until("the message is there", async () => {
        const newest = await received();
        return newest.text === "Again" && newest;
      });
      deepEqual([message.media, message.note], [[], "left out, as the channel takes no media: 1"]);
      const refused = await agent.api.call("POST", `/v1/sessions/${message.sessionId}/messages`, {
        text: "x",
        media: [{ url }],
      });
      equal(refused.status, 422);
    },
  );
});
