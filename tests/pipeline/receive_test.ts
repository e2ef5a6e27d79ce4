import { deepEqual, equal, match, ok } from "node:assert/strict";
import { startSimulator } from "../../bench/simulator/server.ts";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { startGenerator } from "../../bench/simulator/generator.ts";
import { assertAudited, untilAtRest, webhookOf } from "../support/auditor.ts";
import { addChannel, configure } from "../support/configured.ts";
import { EventClient } from "../support/event_client.ts";
import { lookInside } from "../support/inside.ts";
import { System } from "../support/system.ts";
import { until } from "../support/until.ts";

const CONTACT = "+12025550001";

Deno.test("receiving", async (t) => {
  await using simulator = startSimulator();
  await using system = await System.start();
  const { api } = system;
  const { channel, numbers } = await configure(api, simulator);
  const voicemeup = await addChannel(api, simulator, "voicemeup", "voicemeup");
  const urlsms = await addChannel(api, simulator, "urlsms", "generic");
  const voicemeupNumber = "+15145550101";
  const urlsmsNumber = "+59899000101";
  await api.post("/v1/numbers", { channelId: voicemeup.id, number: voicemeupNumber });
  await api.post("/v1/numbers", { channelId: urlsms.id, number: urlsmsNumber });
  await using inside = await lookInside(system);
  await using client = new EventClient(api);
  await client.connect();
  const { sql } = inside;
  const count = async () => (await sql<{ n: number }[]>`select count(*)::int as n from messages`)[0]!.n;
  const outcome = (provider: string, name: string) =>
    api.metric("patchbay_webhooks_total", { provider, outcome: name });

  await t.step("every provider's form becomes a message of its number", async () => {
    const forms = [
      { ...channel.webhook, method: "POST", to: numbers.queue, text: "Twilio POST é 👋" },
      { ...channel.webhook, method: "GET", to: numbers.queue, text: "Twilio GET & more" },
      { ...voicemeup.webhook, to: voicemeupNumber, text: "VoiceMeUp ça va" },
      { ...urlsms.webhook, method: "GET", to: urlsmsNumber, text: "URLSMS ¿qué tal?" },
      { ...urlsms.webhook, method: "POST", to: urlsmsNumber, text: "URLSMS POST" },
    ] as const;
    for (const form of forms) {
      const answer = await writeAsContact({ ...form, from: CONTACT });
      equal(answer.status, 200, `${form.text}: ${answer.body}`);
    }
    await until("all are stored", async () => await count() === forms.length);
    const rows = await sql<{ text: string; number: string; contact: string }[]>`
      select text, number, contact from messages order by id`;
    deepEqual(
      rows.map(({ text, number, contact }) => `${text} ${number} ${contact}`).sort(),
      forms.map(({ text, to }) => `${text} ${to} ${CONTACT}`).sort(),
    );
  });

  await t.step(
    "half of a surrogate pair is never refused, and is U+FFFD in the row as in the event",
    async () => {
      const text = "half \ud83d of it \udc00";
      const { status } = await writeAsContact({
        ...voicemeup.webhook,
        from: CONTACT,
        to: voicemeupNumber,
        text,
      });
      equal(status, 200);
      const { data } = await client.sees("the message", ({ data }) => String(data.text).startsWith("half"));
      const [row] = await sql<{ text: string }[]>`select text from messages where text like 'half%'`;
      deepEqual([data.text, row?.text], Array(2).fill("half \ufffd of it \ufffd"));
    },
  );

  await t.step(
    "a message delivered again, at the same time too, changes nothing and is answered 2xx",
    async () => {
      const before = await count();
      const message = { ...channel.webhook, from: CONTACT, to: numbers.queue, text: "only once" };
      const first = await writeAsContact(message);
      const again = await Promise.all(
        Array.from({ length: 10 }, () => writeAsContact({ ...message, id: first.id })),
      );
      ok(again.every(({ status }) => status === 200));
      const fresh = "SM" + "f".repeat(32);
      const together = await Promise.all(
        Array.from({ length: 10 }, () => writeAsContact({ ...message, id: fresh, text: "at once" })),
      );
      ok(together.every(({ status }) => status === 200));
      await untilAtRest(inside);
      equal(await count(), before + 2);
    },
  );

  await t.step(
    "what is ill-formed, unsigned or unknown gets its 4xx, is counted and never routed",
    async () => {
      const before = await count();
      const twilio = { ...channel.webhook, from: CONTACT, to: numbers.queue, text: "never routed" };
      const refusedBefore = await outcome("twilio", "unsigned");
      for (const signature of ["wrong", "missing"] as const) {
        const answer = await writeAsContact({ ...twilio, signature });
        equal(answer.status, 403, answer.body);
      }
      const letters = await until("both are kept aside", async () => {
        const found = await api.list("/v1/dead-letters?kind=unsigned");
        return found.length === 2 && found;
      });
      match(letters[0].reason, /signature/i);
      equal((await api.call("POST", `/v1/dead-letters/${letters[0].id}/replay`)).status, 409);
      equal(await outcome("twilio", "unsigned"), refusedBefore + 2);

      const unknownUrl = new URL(channel.webhook.url);
      unknownUrl.pathname = unknownUrl.pathname.slice(0, -4) + "AAAA";
      equal((await writeAsContact({ ...twilio, url: unknownUrl.href })).status, 404);
      const wrongKind = channel.webhook.url.replace("/twilio/", "/urlsms/");
      equal((await writeAsContact({ ...twilio, url: wrongKind })).status, 404);
      ok(await outcome("unknown", "unknown") >= 2);

      const stranger = await writeAsContact({ ...twilio, to: "+14155559999" });
      equal(stranger.status, 422);
      deepEqual(JSON.parse(stranger.body).errors.map(({ field }: { field: string }) => field), ["to"]);
      ok(await outcome("twilio", "unknown") >= 1);

      const malformed = await writeAsContact({
        ...voicemeup.webhook,
        from: "*",
        to: voicemeupNumber,
        text: "x",
      });
      equal(malformed.status, 400);
      const problem = JSON.parse(malformed.body);
      deepEqual(problem.errors.map(({ field }: { field: string }) => field), ["source_number"]);
      equal(await outcome("voicemeup", "malformed"), 1);

      await untilAtRest(inside);
      equal(await count(), before);
    },
  );

  await t.step("an oversized body is refused before it is read", async () => {
    const before = await count();
    const url = new URL(voicemeup.webhook.url);
    // A length is declared, and nothing of the body is ever sent.
    const connection = await Deno.connect({ hostname: url.hostname, port: Number(url.port) });
    try {
      await connection.write(new TextEncoder().encode(
        `POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\n` +
          "content-length: 50000000\r\n\r\n",
      ));
      const answer = new Uint8Array(4096);
      const length = await connection.read(answer);
      match(new TextDecoder().decode(answer.subarray(0, length ?? 0)), /^HTTP\/1\.1 413 /);
    } finally {
      connection.close();
    }
    equal(await outcome("voicemeup", "too-large"), 1);
    const streamed = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(32)),
      }),
    }).then((response) => response.body?.cancel().then(() => response.status), () => "cut");
    ok(streamed === 413 || streamed === "cut", `answered ${streamed}`);
    await until("both are counted", async () => await outcome("voicemeup", "too-large") === 2);
    equal(await count(), before);
  });

  await t.step("thousands at once, many of them twice or out of order, are each stored once", async () => {
    const earlier = await sql<{ id: string; from: string; to: string; text: string }[]>`
      select coalesce(provider_id, '') as id, contact as from, number as to, text from messages`;
    const generator = startGenerator({
      ...channel.webhook,
      numbers: [numbers.queue, numbers.extension, numbers.nowhere],
      conversations: 500,
      firstContact: 1_000,
      connections: 16,
      messages: 3_000,
      warmupMs: 0,
      disorder: { duplicates: 0.3, reorder: 0.1 },
    });
    const result = await generator.done;
    equal(result.accepted, 3_000, JSON.stringify(result.statuses));
    ok(result.duplicates > 500);
    await untilAtRest(inside);
    await assertAudited(inside, { webhooks: [...earlier.map(webhookOf), ...generator.messages()] });
  });
});

Deno.test("a message that was answered 2xx is there after kill -9 of everything in that moment", async () => {
  await using simulator = startSimulator();
  await using system = await System.start();
  const { channel, numbers } = await configure(system.api, simulator);
  const texts: string[] = [];
  for (let round = 1; round <= 3; round++) {
    const text = `round ${round}`;
    const answer = await writeAsContact({ ...channel.webhook, from: CONTACT, to: numbers.queue, text });
    await system.killAll();
    equal(answer.status, 200);
    texts.push(text);
    await system.start();
    await until(`${text} is there`, async () => {
      const stored = (await system.api.list("/v1/messages")).map((message) => message.text);
      return stored.reverse().join() === texts.join();
    });
  }
});

Deno.test("an entry that cannot be read goes to the dead letters with its reason, and those behind it go on", async () => {
  await using simulator = startSimulator();
  await using system = await System.start();
  const { api } = system;
  const { channel, numbers } = await configure(api, simulator);
  await using inside = await lookInside(system);
  const unreadable = [
    "no JSON at all",
    '{"v":99,"e":[]}',
    '{"v":1,"e":[{"kind":"inbound","key":1}]}',
    "\u0000\ufffd",
    "",
  ];
  // All partitions, so that some stand in the way of the contact's.
  for (let partition = 0; partition < 32; partition++) {
    for (const payload of unreadable) {
      await inside.jsm.jetstream().publish(inside.names.logSubject("route", partition), payload);
    }
    await inside.jsm.jetstream().publish(
      inside.names.logSubject("route", partition),
      new Uint8Array([0xff, 0xfe, 0x00, 0x80]),
    );
  }
  const { status } = await writeAsContact({
    ...channel.webhook,
    from: CONTACT,
    to: numbers.queue,
    text: "behind them",
  });
  equal(status, 200);
  await until("the message behind is stored", async () => (await api.list("/v1/messages")).length === 1);
  await untilAtRest(inside);
  const letters = await api.list("/v1/dead-letters?kind=undecodable");
  equal(letters.length, 32 * (unreadable.length + 1));
  ok(letters.every(({ reason, stream }) => reason !== "" && /^patchbay_IN_\d\d$/.test(stream)));
  ok(letters.some(({ reason }) => /version 99/.test(reason)));
  const detail = await api.get(
    `/v1/dead-letters/${letters.find(({ reason }) => /version 99/.test(reason)).id}`,
  );
  equal(detail.payload, '{"v":99,"e":[]}');
  equal(await api.metric("patchbay_dead_letters_total", { kind: "undecodable" }), letters.length);
});
