import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { dinstarweb } from "../../adapters/providers/dinstar.ts";
import { dinstarDelivery } from "../../adapters/providers/dinstar_codes.ts";
import { DinstarCredentialsSchema, parsePorts } from "../../adapters/providers/dinstar_settings.ts";
import type { HttpAnswer, WebhookRequest } from "../../core/ports/provider.ts";
import { channelOf, MESSAGE_ID, outgoing, summary, webhook } from "./support.ts";

const URL_IN = "https://sms.example.test/webhooks/dinstarweb/secret";
const SN = "da00-0022-5000-0001";
const plain = {
  endpoint: "http://192.0.2.10",
  user: "apiuser",
  password: "s3cret",
  portNumbers: { "0": "+59899000000", "3": "+59899000003" },
  defaultCountry: "UY",
};
const channelWith = (over: Record<string, unknown> = {}, settings = {}) =>
  channelOf("dinstarweb", DinstarCredentialsSchema.parse({ ...plain, ...over }), settings);
const channel = channelWith();

const SMS = {
  incoming_sms_id: 51,
  port: 3,
  number: "+59899123456",
  smsc: "+59899000000",
  timestamp: "2026-01-02 03:04:05",
  text: "Hola",
  imsi: "748010000000001",
};
const HOLA = `+59899123456>+59899000003 "Hola" #${SN}:51:20260102030405`;

const parse = (json: unknown, to = channel) =>
  summary(dinstarweb.parseWebhook(webhook(URL_IN, { json }), to));
const push = (...sms: Record<string, unknown>[]) => ({ sn: SN, sms: sms.map((one) => ({ ...SMS, ...one })) });

const INBOUND: readonly [label: string, body: unknown, result: string][] = [
  ["a text", push({}), HOLA],
  ["a national number", push({ number: "099 123 456" }), HOLA],
  ["a short code", push({ number: "12345" }), HOLA.replace("+59899123456>", "12345>")],
  ["a sender's name", push({ number: "Antel" }), HOLA.replace("+59899123456>", "Antel>")],
  [
    "a name that nobody can read",
    push({ number: "Movistar Promociones!" }),
    HOLA.replace("+59899123456>", "Movistar Promociones!>"),
  ],
  ["numbers as texts", push({ port: "3", incoming_sms_id: "51" }), HOLA],
  ["an empty text", push({ text: "" }), HOLA.replace("Hola", "")],
  [
    "two ports",
    push({}, { port: 0, incoming_sms_id: 52 }),
    `${HOLA}; +59899123456>+59899000000 "Hola" #${SN}:52:20260102030405`,
  ],
  ["one that can be read and one that cannot", push({ port: 9 }, {}), HOLA],
  ["a port without a number", push({ port: 9 }), "malformed sms[0].port"],
  ["no port", push({ port: null }), "malformed sms[0].port"],
  ["no id", push({ incoming_sms_id: "x" }), "malformed sms[0].incoming_sms_id"],
  ["no sender", push({ number: " " }), "malformed sms[0].number"],
  ["a text that is too long", push({ text: "x".repeat(10_001) }), "malformed sms[0].text"],
  ["an entry that is nothing", { sn: SN, sms: [null] }, "malformed sms[0].incoming_sms_id"],
  ["other kinds of news", { sn: SN, register: [{ port: 1 }], cdr: [], ussd: [{}] }, "nothing"],
  ["a list", [], "malformed"],
  ["too much", { sn: SN, sms: Array(1_001).fill(SMS) }, "malformed"],
  [
    "a result",
    { sn: SN, sms_result: [{ user_id: 7, status: "SENT_OK", count: 2, succ_count: 2 }] },
    "sent - 7",
  ],
  ["a delivery", { sn: SN, sms_result: [{ user_id: 7, status: "DELIVERED" }] }, "delivered - 7"],
  [
    "some parts",
    { sn: SN, sms_result: [{ user_id: 7, status: "SENT_OK", count: 2, succ_count: 1 }] },
    "failed - 7 unknown PARTIAL",
  ],
  ["a failure", { sn: SN, sms_result: [{ user_id: 7, status: "FAILED" }] }, "failed - 7 unknown FAILED"],
  [
    "a cancellation",
    { sn: SN, sms_result: [{ user_id: 7, status: "CANCELED" }] },
    "rejected - 7 rejected CANCELED",
  ],
  ["a result that nobody knows", { sn: SN, sms_result: [{ user_id: 7, status: "UNKNOWN" }] }, "sent - 7"],
  ["a message still going", { sn: SN, sms_result: [{ user_id: 7, status: "SENDING" }] }, "nothing"],
  ["a result without its number", { sn: SN, sms_result: [{ status: "SENT_OK" }] }, "nothing"],
];

Deno.test("dinstarweb reads what the device posts, and names the field that is wrong", () => {
  for (const [label, body, expected] of INBOUND) strictEqual(parse(body), expected, label);
  const known = channelWith({ serial: SN });
  strictEqual(parse(push({}), known), HOLA);
  strictEqual(parse({ ...push({}), sn: "other" }, known), "unsigned");
  strictEqual(
    parse(push({ port: 9 }), channelWith({ defaultNumber: "+59899000009" })).slice(0, 25),
    "+59899123456>+59899000009",
  );
});

Deno.test("dinstarweb hears its device only, where its address is set", () => {
  const from = (remote: string | undefined, over: Record<string, unknown>, forwarded?: string) => {
    const request = webhook(URL_IN, {
      json: push({}),
      headers: new Headers(forwarded === undefined ? {} : { "x-forwarded-for": forwarded }),
      ...(remote !== undefined && { remoteAddress: () => remote }),
    });
    return summary(dinstarweb.parseWebhook(request, channelWith(over)));
  };
  const known = { webhookAddresses: ["192.0.2.0/28"] };
  strictEqual(from("192.0.2.10", known), HOLA);
  strictEqual(from("::ffff:192.0.2.10", known), HOLA);
  strictEqual(from("192.0.2.99", known), "unsigned");
  strictEqual(from(undefined, known), "unsigned");
  strictEqual(from("192.0.2.99", {}), HOLA);
  strictEqual(from("10.0.0.1", { ...known, webhookProxies: 1 }, "1.2.3.4, 192.0.2.10"), HOLA);
  strictEqual(from("192.0.2.10", { ...known, webhookProxies: 1 }, "192.0.2.10, 1.2.3.4"), "unsigned");
});

Deno.test("dinstarweb never throws, whatever the bytes", () => {
  const item = fc.dictionary(
    fc.constantFrom(...Object.keys(SMS), "user_id", "status", "__proto__"),
    fc.jsonValue(),
  );
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.record({ sn: fc.jsonValue(), sms: fc.array(item), sms_result: fc.array(item) })
      .map((value) => new TextEncoder().encode(JSON.stringify(value))),
  );
  fc.assert(fc.property(body, (body) => {
    const request: WebhookRequest = { ...webhook(URL_IN, { method: "POST" }), body };
    const result = dinstarweb.parseWebhook(request, channel);
    ok(result.kind === "accepted" || result.why === "malformed");
  }));
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), fc.option(fc.string()), (body, mark) => {
    const answer = { status: 200, headers: {}, body };
    const sends = [{ number: 1, messageId: MESSAGE_ID, to: "+1", sentMs: 0, note: "1:2" }];
    for (const poll of dinstarweb.polls!) poll.read(answer, channel, mark, sends);
  }));
});

const sent = (from = "+59899000000", over: Record<string, unknown> = {}, number = 1, message = {}) => {
  const call = dinstarweb.buildSend(
    outgoing({ from, to: "+59899123456", text: "Hi", ...message }),
    channelWith(over),
  );
  ok(call.numbered?.messageId === MESSAGE_ID && call.numbered.to === "+59899123456");
  const built = call.numbered.build(number);
  strictEqual(built.url, "http://192.0.2.10/api/send_sms");
  return JSON.parse(built.body!);
};

Deno.test("dinstarweb builds sends with the number that the result will carry", () => {
  deepStrictEqual(sent(undefined, {}, 1_042, { encoding: "gsm7" }), {
    text: "Hi",
    port: [0],
    encoding: "gsm-7bit",
    param: [{ number: "+59899123456", user_id: 1_042 }],
    request_status_report: true,
  });
  strictEqual(sent(undefined, {}, 1, { encoding: "ucs2" }).encoding, "unicode");
  strictEqual(sent(undefined, { phoneFormat: "digits" }).param[0].number, "59899123456");
  strictEqual(sent(undefined, { phoneFormat: "national" }).param[0].number, "099123456");
  strictEqual(sent(undefined, { statusReports: false }).request_status_report, false);
  const literal = sent(undefined, {}, 1, { text: "a #param# b" });
  deepStrictEqual([literal.text, literal.param[0].text_param], ["#param#", ["a #param# b"]]);
});

Deno.test("dinstarweb: ports take turns, and messages of a number leave by its own ports", () => {
  const ports = (from: string, over: Record<string, unknown>) =>
    [1, 2, 3, 4, 5, 6].map((number) => sent(from, over, number).port?.[0] ?? "-").join(" ");
  const none = { portNumbers: {}, defaultNumber: "+59899000000" };
  strictEqual(ports("+59899000000", { ...none, ports: "0-3" }), "0 1 2 3 0 1");
  strictEqual(ports("+59899000000", { ...none, ports: "0,2,5-6" }), "0 2 5 6 0 2");
  strictEqual(ports("+59899000000", none), "- - - - - -");
  strictEqual(ports("+59899000003", { ports: "0-3" }), "3 3 3 3 3 3");
  const shared = { "0": "+59899000000", "1": "+59899000000", "2": "+59899000002" };
  strictEqual(ports("+59899000000", { portNumbers: shared, ports: "0-3" }), "0 1 0 1 0 1");
  strictEqual(ports("+59899000000", { portNumbers: shared }), "0 1 0 1 0 1");
  deepStrictEqual(["0-3", "3", "0, 2", "31", "5-3", "32", "", "a", "1-", "1,,2"].map(parsePorts), [
    [0, 1, 2, 3],
    [3],
    [0, 2],
    [31],
    null,
    null,
    null,
    null,
    null,
    null,
  ]);
});

const ANSWERS: readonly [status: number, body: string, result: string][] = [
  [200, '{"error_code":202,"sn":"x","sms_in_queue":1,"task_id":7}', "accepted 42"],
  [200, '{"error_code":400}', "bad-request 400"],
  [200, '{"error_code":413}', "too-long 413"],
  [200, '{"error_code":500}', "provider-error 500"],
  [200, '{"error_code":550}', "throttled 550"],
  [200, '{"error_code":"550"}', "throttled 550"],
  [200, '{"error_code":777}', "bad-response 777"],
  [200, "<html>", "bad-response -"],
  [401, "<html>", "auth -"],
  [403, "", "auth -"],
  [503, "", "provider-error -"],
];

Deno.test("dinstarweb reads answers to sends by their body", () => {
  for (const [status, body, expected] of ANSWERS) {
    const result = dinstarweb.readSend({ status, body, headers: {}, number: 42 }, channel);
    const found = result.kind === "accepted"
      ? `accepted ${result.providerId}`
      : `${result.error.class} ${result.error.providerCode ?? "-"}`;
    strictEqual(found, expected, `${status} ${body}`);
  }
});

const [inbox, results, deliveries] = dinstarweb.polls! as [
  NonNullable<typeof dinstarweb.polls>[0],
  NonNullable<typeof dinstarweb.polls>[0],
  NonNullable<typeof dinstarweb.polls>[0],
];
const answerOf = (body: Record<string, unknown>): HttpAnswer => ({
  status: 200,
  headers: {},
  body: JSON.stringify({ error_code: 200, sn: SN, ...body }),
});

Deno.test("dinstarweb: what is polled, and how often", () => {
  strictEqual(inbox.intervalMs(channel), 5_000);
  strictEqual(inbox.intervalMs(channelWith({ inbound: "push" })), null);
  strictEqual(results.intervalMs(channelWith({ resultIntervalSeconds: 30 })), 30_000);
  strictEqual(deliveries.intervalMs(channelWith({ statusReports: false })), null);
  const url = (mark: string | null, over = {}) => inbox.build(channelWith(over), mark, []).url;
  strictEqual(url(null), "http://192.0.2.10/api/query_incoming_sms?flag=all&incoming_sms_id=0");
  strictEqual(
    url('{"id":51,"timestamp":"x"}', { ports: "0-1" }),
    "http://192.0.2.10/api/query_incoming_sms?flag=all&incoming_sms_id=50&port=0%2C1",
  );
  const other = inbox.read(answerOf({ sms: [SMS] }), channelWith({ serial: "other" }), null, []);
  ok(other.kind === "failed" && other.error.class === "bad-response");
  const refused = inbox.read({ status: 401, headers: {}, body: "" }, channel, null, []);
  ok(refused.kind === "failed" && refused.error.class === "auth");
});

interface Lying {
  readonly id: number;
  readonly timestamp: string;
  readonly text: string;
}

/** A device that answers as devices do: `incoming_sms_id` counts in or not, and an answer has room for some only. */
class Gateway {
  inbox: Lying[] = [];
  received: Lying[] = [];
  #lastId = 0;
  #second = 0;

  constructor(readonly countsIn: boolean) {}

  receive(text: string) {
    const timestamp = new Date(1_767_323_045_000 + this.#second++ * 1_000).toISOString().slice(0, 19).replace(
      "T",
      " ",
    );
    const sms = { id: ++this.#lastId, timestamp, text };
    this.inbox.push(sms);
    this.received.push(sms);
  }

  reset() {
    this.inbox = [];
    this.#lastId = 0;
  }

  answer(url: string): HttpAnswer {
    const from = Number(new URL(url).searchParams.get("incoming_sms_id"));
    const sms: unknown[] = [];
    let room = 8_192;
    for (const { id, timestamp, text } of this.inbox) {
      if (this.countsIn ? id < from : id <= from) continue;
      const one = { ...SMS, incoming_sms_id: id, timestamp, text };
      room -= JSON.stringify(one).length;
      if (room < 0) break;
      sms.push(one);
    }
    return answerOf({ sms });
  }
}

Deno.test("dinstarweb: whatever happens between polls, each message is fetched, and known when it comes again", () => {
  const happening = fc.constantFrom(
    ...["receive", "receive", "long", "long", "poll", "poll", "crash", "reset", "clear", "glitch"],
  );
  fc.assert(
    fc.property(
      fc.array(happening, { maxLength: 60 }),
      fc.boolean(),
      (happenings, countsIn) => {
        const gateway = new Gateway(countsIn);
        const taken = new Set<string>();
        const keyOf = ({ id, timestamp }: Lying) => `${SN}:${id}:${timestamp.replace(/\D/g, "")}`;
        let mark: string | null = null;
        const poll = (roundsMax: number, keeps = true) => {
          for (let round = 0; round < roundsMax; round++) {
            const answer = gateway.answer(inbox.build(channel, mark, []).url);
            const result = inbox.read(answer, channel, mark, []);
            ok(result.kind === "polled" && (result.unreadable ?? []).length === 0);
            for (const message of result.inbound) taken.add(message.providerId!);
            if (keeps) mark = result.mark;
            if (!result.more || !keeps) return;
          }
        };
        for (const what of [...happenings, "poll", "poll"]) {
          if (what === "receive") gateway.receive("Hola");
          else if (what === "long") gateway.receive("x".repeat(7_000));
          else if (what === "poll") poll(200);
          // What was fetched is durable, and the mark was not stored.
          else if (what === "crash") poll(1, false);
          else if (what === "glitch") {
            const { inbox: lying } = gateway;
            gateway.inbox = [];
            poll(1);
            gateway.inbox = lying;
          } else {
            // What lies there and was not fetched is lost with the inbox, whoever asks.
            poll(200);
            if (what === "reset") gateway.reset();
            else gateway.inbox = [];
          }
        }
        deepStrictEqual([...taken].sort(), [...new Set(gateway.received.map(keyOf))].sort());
      },
    ),
    { numRuns: 1_000 },
  );
});

Deno.test("dinstarweb: what lay there for a week is put aside, not taken again, when ids begin anew", () => {
  const old = { ...SMS, incoming_sms_id: 3, timestamp: "2025-12-01 00:00:00" };
  const mark = JSON.stringify({ was: { id: 51, timestamp: SMS.timestamp } });
  const result = inbox.read(answerOf({ sms: [old, { ...SMS, incoming_sms_id: 4 }] }), channel, mark, []);
  ok(result.kind === "polled");
  deepStrictEqual([result.inbound.length, result.unreadable?.length], [1, 1]);
});

Deno.test("dinstarweb: a message of a port without a number is put aside with its reason", () => {
  const result = inbox.read(answerOf({ sms: [{ ...SMS, port: 9 }, SMS] }), channel, null, []);
  ok(result.kind === "polled");
  strictEqual(result.inbound.length, 1);
  strictEqual(result.unreadable?.[0]?.reason, "the field port has no number in the channel's settings: 9");
});

const send = (number: number, note: string | null = null, to = "+59899123456") => ({
  number,
  messageId: `msg_${String(number).padStart(26, "0")}`,
  to,
  sentMs: Date.parse("2026-01-02T03:04:05Z") + number * 1_000,
  note,
});

Deno.test("dinstarweb asks for results by number, and for the network's reports by port, reference and destination", () => {
  deepStrictEqual(JSON.parse(results.build(channel, null, [send(1), send(2)]).body!), { user_id: [1, 2] });
  const item = {
    port: 3,
    number: "099123456",
    time: "2026-01-02 03:04:10",
    count: 1,
    succ_count: 1,
    ref_id: 7,
  };
  const read = results.read(
    answerOf({
      result: [
        { ...item, user_id: 1, status: "SENT_OK" },
        { ...item, user_id: 2, status: "SENDING" },
        { ...item, user_id: 3, status: "FAILED" },
        { ...item, user_id: 4, status: "SENT_OK", number: "091111111" },
        { ...item, user_id: 99, status: "SENT_OK" },
        { ...item, user_id: 5, status: "UNKNOWN" },
      ],
    }),
    channel,
    null,
    [send(1), send(2), send(3), send(4), send(5, "3:7")],
  );
  ok(read.kind === "polled");
  deepStrictEqual(read.reports.map(({ providerId, status }) => `${providerId} ${status}`), [
    "1 sent",
    "3 failed",
  ]);
  deepStrictEqual(read.sends, [
    { number: 1, note: "3:7", ended: false },
    { number: 3, note: "3:7", ended: true },
  ]);

  const asked = [send(1, "3:7"), send(2, "3:8"), send(3, "3:7"), send(4, "0:7")];
  deepStrictEqual(
    JSON.parse(deliveries.build(channelWith({ timeZone: "America/Montevideo" }), null, asked).body!),
    {
      number: ["+59899123456"],
      port: [3, 0],
      time_after: "2026-01-01 23:54:06",
    },
  );
  strictEqual(JSON.parse(deliveries.build(channel, null, asked).body!).time_after, undefined);
  const delivered = deliveries.read(
    answerOf({
      result: [
        { port: 3, number: "+59899123456", time: "2026-01-02 03:04:09", ref_id: 7, status_code: 0 },
        { port: 3, number: "+59899123456", time: "2026-01-02 03:04:09", ref_id: 8, status_code: 33 },
        { port: 0, number: "+59899123456", time: "", ref_id: 7, status_code: 66 },
        { port: 1, number: "+59899123456", time: "", ref_id: 7, status_code: 0 },
      ],
    }),
    channel,
    null,
    asked,
  );
  ok(delivered.kind === "polled");
  deepStrictEqual(
    delivered.reports.map(({ providerId, status, error }) =>
      `${providerId} ${status} ${error?.class ?? "-"}`
    ),
    ["3 delivered -", "4 undelivered rejected"],
  );
  deepStrictEqual(delivered.sends?.map(({ number, ended }) => `${number} ${ended}`), ["3 true", "4 true"]);
});

Deno.test("dinstarweb: the network's status codes", () => {
  const cases: [code: number, status: string | undefined][] = [
    [0, "delivered"],
    [1, "sent"],
    [2, "delivered"],
    [31, "delivered"],
    [32, undefined],
    [63, undefined],
    [64, "undelivered"],
    [70, "expired"],
    [127, "undelivered"],
    [255, "undelivered"],
    [256, undefined],
    [NaN, undefined],
  ];
  for (const [code, status] of cases) strictEqual(dinstarDelivery(code)?.status, status, String(code));
});

Deno.test("dinstarweb proves credentials by its ports, and warns of the factory's password", () => {
  strictEqual(
    dinstarweb.buildVerify(channel)?.url,
    "http://192.0.2.10/api/get_port_info?info_type=reg%2Cnumber",
  );
  const info = [{ port: 0, reg: "REGISTER_OK" }, { port: 1, reg: "NO_SIM" }];
  deepStrictEqual(dinstarweb.readVerify(answerOf({ info }), channel), {
    ok: true,
    reason: "the gateway accepts the credentials: port 0 registered, port 1 not registered",
  });
  const factory = dinstarweb.readVerify(answerOf({}), channelWith({ password: "admin" }));
  ok(factory.ok && factory.reason.includes("change it"));
  strictEqual(dinstarweb.readVerify({ status: 401, body: "", headers: {} }, channel).ok, false);
  for (
    const over of [{ ports: "9-3" }, { portNumbers: { "40": "+59899123456" } }, { timeZone: "Mars/North" }]
  ) {
    ok(!DinstarCredentialsSchema.safeParse({ ...plain, ...over }).success, JSON.stringify(over));
  }
});
