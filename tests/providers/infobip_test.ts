import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { infobip, InfobipCredentialsSchema } from "../../adapters/providers/infobip.ts";
import type { WebhookRequest } from "../../core/ports/provider.ts";
import { channelOf, MESSAGE_ID, outgoing, summary, webhook } from "./support.ts";

const URL_IN = "https://sms.example.test/webhooks/infobip/secret";
const base = { apiKey: "key-1" };
const channelWith = (over: Record<string, unknown> = {}, settings = {}) =>
  channelOf("infobip", InfobipCredentialsSchema.parse({ ...base, ...over }), settings);
const channel = channelWith();

const MESSAGE = {
  messageId: "abc",
  from: "14155550100",
  to: "14155550199",
  text: "KEY Hi",
  cleanText: "Hi",
  keyword: "KEY",
  receivedAt: "2026-01-02T03:04:05.000+0000",
  smsCount: 1,
};
const FROM = "+14155550100>+14155550199";
const batch = (...results: unknown[]) => ({ results, messageCount: results.length, pendingMessageCount: 0 });
const JPG = "https://api.infobip.com/mms/1/media/1.jpg";

type Over = Record<string, unknown>;
const mms = (...message: unknown[]): Over => ({ text: undefined, message });

const INBOUND: readonly [label: string, over: Over, result: string][] = [
  ["a text with its keyword", {}, `${FROM} "KEY Hi" #abc`],
  ["accents, signs and a NUL", { text: "Olá & 😀\u0000" }, `${FROM} "Olá & 😀\ufffd" #abc`],
  ["an empty text", { text: "" }, `${FROM} "" #abc`],
  ["a short code", { to: "12345" }, `+14155550100>12345 "KEY Hi" #abc`],
  ["numbers as numbers", { from: 14155550100 }, `${FROM} "KEY Hi" #abc`],
  [
    "a picture with a text",
    mms({ contentType: "text/plain", value: "Look" }, { contentType: "image/jpeg", url: JPG }),
    `${FROM} "Look" ${JPG} #abc`,
  ],
  [
    "pictures alone",
    mms({ contentType: "image/jpeg", url: JPG }, { contentType: "image/png", url: `${JPG}2` }),
    `${FROM} "" ${JPG} ${JPG}2 #abc`,
  ],
  ["a link that is none", mms({ contentType: "image/jpeg", url: "x" }), "malformed results.0.message.0.url"],
  ["no text and no media", { text: undefined }, "malformed results.0.text"],
  ["a text that is too long", { text: "x".repeat(10_001) }, "malformed results.0.text"],
  ["no sender", { from: "" }, "malformed results.0.from"],
  ["a destination that is none", { to: "; drop table" }, "malformed results.0.to"],
  ["no id", { messageId: undefined }, "malformed results.0.messageId"],
];

Deno.test("infobip reads messages that come in, and names the field that is wrong", () => {
  for (const [label, over, expected] of INBOUND) {
    const request = webhook(URL_IN, { json: batch({ ...MESSAGE, ...over }) });
    strictEqual(summary(infobip.parseWebhook(request, channel)), expected, label);
  }
  const bodies: readonly [body: unknown, result: string][] = [
    [batch(), "nothing"],
    [{}, "malformed results"],
    [{ results: "x" }, "malformed results"],
    [batch("x"), "malformed results.0"],
    [[], "malformed"],
  ];
  for (const [json, expected] of bodies) {
    strictEqual(summary(infobip.parseWebhook(webhook(URL_IN, { json }), channel)), expected);
  }
});

Deno.test("infobip reads every result of a batch, or refuses all of them", () => {
  const second = { ...MESSAGE, messageId: "def", text: "Two" };
  const delivered = { messageId: MESSAGE_ID, status: { groupId: 3, id: 5 } };
  const of = (...results: unknown[]) =>
    summary(infobip.parseWebhook(webhook(URL_IN, { json: batch(...results) }), channel));
  strictEqual(
    of(MESSAGE, delivered, second),
    `${FROM} "KEY Hi" #abc; ${FROM} "Two" #def; delivered ${MESSAGE_ID} ${MESSAGE_ID}`,
  );
  strictEqual(of(MESSAGE, { ...second, to: "" }), "malformed results.1.to");
});

const OK = { groupId: 0, groupName: "OK", id: 0, name: "NO_ERROR", permanent: false };

const REPORTS: readonly [label: string, over: Over, result: string][] = [
  ["accepted", { status: { groupId: 1, id: 26 } }, "nothing"],
  ["with the carrier", { status: { groupId: 1, id: 7 } }, "sent - r1"],
  ["waiting for the handset", { status: { groupId: 1, id: 3 } }, "sent - r1"],
  ["delivered to the carrier", { status: { groupId: 3, id: 2 }, error: OK }, "sent - r1"],
  ["delivered", { status: { groupId: 3, id: 5 }, error: OK }, "delivered - r1"],
  ["a group by its name", { status: { groupName: "DELIVERED", id: 5 } }, "delivered - r1"],
  [
    "our own id",
    { messageId: MESSAGE_ID, status: { groupId: 3, id: 5 } },
    `delivered ${MESSAGE_ID} ${MESSAGE_ID}`,
  ],
  ["undeliverable", { status: { groupId: 2, id: 9 }, error: OK }, "undelivered - r1 unreachable 9"],
  ["absent", { status: { groupId: 2, id: 9 }, error: { id: 27 } }, "undelivered - r1 unreachable 27"],
  [
    "unknown number",
    { status: { groupId: 2, id: 9 }, error: { id: 1 } },
    "undelivered - r1 invalid-number 1",
  ],
  ["expired", { status: { groupId: 4, id: 15 } }, "expired - r1 unreachable 15"],
  ["opted out", { status: { groupId: 5, id: 14 } }, "rejected - r1 opted-out 14"],
  [
    "stopped by the contact",
    { status: { groupId: 5, id: 99 }, error: { id: 573 } },
    "rejected - r1 opted-out 573",
  ],
  ["spam", { status: { groupId: 2, id: 4 }, error: { id: 607 } }, "undelivered - r1 blocked 607"],
  ["10DLC limit", { status: { groupId: 5, id: 99 }, error: { id: 4202 } }, "rejected - r1 throttled 4202"],
  [
    "codes nobody knows",
    { status: { groupId: 5, id: 999 }, error: { id: 9999 } },
    "rejected - r1 rejected 9999",
  ],
  ["a group nobody knows", { status: { groupId: 9 } }, "malformed results.0.status.groupId"],
  ["no id", { messageId: null, status: { groupId: 3, id: 5 } }, "malformed results.0.messageId"],
];

Deno.test("infobip reads delivery reports", () => {
  for (const [label, over, expected] of REPORTS) {
    const json = batch({ bulkId: "b", messageId: "r1", to: "14155550100", sender: "14155550199", ...over });
    strictEqual(
      summary(infobip.parseWebhook(webhook(URL_IN, { json, path: "status" }), channel)),
      expected,
      label,
    );
  }
  const json = batch({ messageId: "r1", status: { groupId: 3, id: 5 } });
  const named = webhook(URL_IN, { json, path: `status/${MESSAGE_ID}` });
  strictEqual(summary(infobip.parseWebhook(named, channel)), `delivered ${MESSAGE_ID} r1`);
});

const VECTOR =
  '{"results":[{"messageId":"abc","from":"14155550100","to":"14155550199","text":"Hi","receivedAt":"2026-01-02T03:04:05.000+0000","smsCount":1}],"messageCount":1,"pendingMessageCount":0}';
const HEX = "df9a2376a0bc1c773feef7967080948884b50b8760d372c099451c63719ed3af";
const BASE64 = "35ojdqC8HHc/7veWcICUiIS1C4dg03LAmUUcY3Ge068=";

function post(body: string, headers: Record<string, string>): WebhookRequest {
  const given = new Headers({ "content-type": "application/json", ...headers });
  return { ...webhook(URL_IN, { method: "POST" }), headers: given, body: new TextEncoder().encode(body) };
}

Deno.test("infobip accepts the test vector in hex and base64, and nothing that was changed", () => {
  const signing = channelWith({ webhookSecret: "ib-secret" });
  const of = (value: string | null, body = VECTOR, to = signing, header = "x-hub-signature") =>
    summary(infobip.parseWebhook(post(body, value === null ? {} : { [header]: value }), to));
  const expected = `${FROM} "Hi" #abc`;
  for (const value of [HEX, HEX.toUpperCase(), BASE64, `sha256=${HEX}`, `SHA256=${BASE64}`]) {
    strictEqual(of(value), expected, value);
  }
  for (const value of [null, "", "x", HEX.slice(2), `${HEX}00`, HEX.replace("d", "e"), "=".repeat(44)]) {
    strictEqual(of(value), "unsigned", String(value));
  }
  strictEqual(of(HEX, VECTOR.replace("Hi", "Ho")), "unsigned");
  const rotating = channelWith({ webhookSecret: "new-secret", previousWebhookSecret: "ib-secret" });
  strictEqual(of(HEX, VECTOR, rotating), expected);
  const other = channelWith({
    webhookSecret: "ib-secret",
    webhookHeader: "X-Signature",
    webhookAlgorithm: "sha512",
  });
  const sha512 = createHmac("sha512", "ib-secret").update(VECTOR).digest("base64");
  strictEqual(of(sha512, VECTOR, other, "x-signature"), expected);
  strictEqual(of(HEX, VECTOR, other, "x-signature"), "unsigned");
});

Deno.test("infobip takes every algorithm in both ways of writing, for any body", () => {
  const algorithms = ["sha256", "sha512", "sha384", "sha224", "sha1", "md5"] as const;
  fc.assert(
    fc.property(fc.constantFrom(...algorithms), fc.string({ unit: "grapheme" }), (algorithm, text) => {
      const channel = channelWith({ webhookSecret: "s", webhookAlgorithm: algorithm });
      const body = JSON.stringify(batch({ ...MESSAGE, text: text.toWellFormed() }));
      for (const encoding of ["hex", "base64"] as const) {
        const value = createHmac(algorithm, "s").update(body).digest(encoding);
        strictEqual(infobip.parseWebhook(post(body, { "x-hub-signature": value }), channel).kind, "accepted");
        const changed = infobip.parseWebhook(post(`${body} `, { "x-hub-signature": value }), channel);
        strictEqual(summary(changed), "unsigned");
      }
    }),
  );
});

Deno.test("infobip takes user and password where a subscription brings them", () => {
  const basic = channelWith({ webhookUser: "u", webhookPassword: "new", previousWebhookPassword: "old" });
  const of = (authorization?: string) =>
    infobip.parseWebhook(post(VECTOR, authorization === undefined ? {} : { authorization }), basic).kind;
  strictEqual(of(`Basic ${btoa("u:new")}`), "accepted");
  strictEqual(of(`Basic ${btoa("u:old")}`), "accepted");
  for (const wrong of [undefined, "", `Basic ${btoa("u:x")}`, `Basic ${btoa("x:new")}`, "Bearer new"]) {
    strictEqual(of(wrong), "refused");
  }
  const faults = InfobipCredentialsSchema.safeParse({ ...base, webhookUser: "u" }).error?.issues;
  deepStrictEqual(faults?.map((issue) => issue.path.join(".")), ["webhookPassword"]);
});

const bodyOf = (over: Parameters<typeof outgoing>[0], credentials: Over = {}) =>
  JSON.parse(infobip.buildSend(outgoing(over), channelWith(credentials)).body!).messages[0];

Deno.test("infobip builds text messages for both versions", () => {
  const call = infobip.buildSend(
    outgoing({ validitySeconds: 90 }),
    channelWith({ host: "xyz.api.infobip.com" }),
  );
  strictEqual(call.url, "https://xyz.api.infobip.com/sms/3/messages");
  strictEqual(call.headers["authorization"], "App key-1");
  deepStrictEqual(JSON.parse(call.body!), {
    messages: [{
      sender: "14155550199",
      destinations: [{ to: "14155550100", messageId: MESSAGE_ID }],
      content: { text: "Olá & más 50%" },
      options: { validityPeriod: { amount: 2, timeUnit: "MINUTES" } },
      webhooks: {
        delivery: { url: outgoing().statusUrl, intermediateReport: true },
        contentType: "application/json",
      },
    }],
  });
  deepStrictEqual(bodyOf({ from: "ACME", statusUrl: "", validitySeconds: 999_999 }, { version: "v2" }), {
    from: "ACME",
    destinations: [{ to: "14155550100", messageId: MESSAGE_ID }],
    text: "Olá & más 50%",
    validityPeriod: 2_880,
  });
  strictEqual(bodyOf({}, { version: "v2" }).notifyUrl, outgoing().statusUrl);
  const url = (over: Over, settings = {}) => infobip.buildSend(outgoing(), channelWith(over, settings)).url;
  strictEqual(url({ version: "v2" }), "https://api.infobip.com/sms/2/text/advanced");
  strictEqual(url({ host: "x.y" }, { baseUrl: "http://127.0.0.1:9/" }), "http://127.0.0.1:9/sms/3/messages");
});

Deno.test("infobip builds media messages with every link", () => {
  const media = [{ url: "https://m.test/1", contentType: "image/png" }, { url: "https://m.test/2" }];
  const call = infobip.buildSend(outgoing({ text: "Look", media }), channel);
  strictEqual(call.url, "https://api.infobip.com/mms/2/messages");
  deepStrictEqual(JSON.parse(call.body!).messages[0].content.messageSegments, [
    { type: "TEXT", text: "Look" },
    { type: "LINK", contentUrl: "https://m.test/1", contentType: "image/png" },
    { type: "LINK", contentUrl: "https://m.test/2" },
  ]);
  strictEqual(bodyOf({ text: "", media }).content.messageSegments.length, 2);
});

const told = (groupId: number, id: number, more: object = {}) =>
  JSON.stringify({ bulkId: "b", messages: [{ messageId: "m1", status: { groupId, id }, ...more }] });
const legacy = (messageId: string) =>
  JSON.stringify({ requestError: { serviceException: { messageId, text: "?" } } });
const violation = (property: string) =>
  JSON.stringify({ errorCode: "E400", description: "?", violations: [{ property, violation: "?" }] });

const ANSWERS: readonly [status: number, body: string, result: string][] = [
  [200, told(1, 26), "accepted m1"],
  [200, told(0, 0), "accepted m1"],
  [200, told(3, 5), "accepted m1"],
  [200, told(5, 23), "accepted m1"],
  [200, told(5, 99, { error: { id: 5492 } }), "accepted m1"],
  [200, told(5, 12), "no-credit 12"],
  [200, told(5, 14), "opted-out 14"],
  [200, told(5, 20), "throttled 20"],
  [200, told(5, 21), "provider-error 21"],
  [200, told(5, 51), "invalid-number 51"],
  [200, told(5, 11), "invalid-sender 11"],
  [200, told(5, 999), "rejected 999"],
  [200, told(9, 1), "bad-response -"],
  [200, '{"messages":[]}', "bad-response -"],
  [200, "<html>", "bad-response -"],
  [400, violation("messages[0].destinations[0].to"), "invalid-number E400"],
  [400, violation("messages[0].content.text"), "bad-request E400"],
  [400, legacy("BAD_REQUEST"), "bad-request BAD_REQUEST"],
  [401, legacy("UNAUTHORIZED"), "auth UNAUTHORIZED"],
  [403, "", "auth -"],
  [429, legacy("TOO_MANY_REQUESTS"), "throttled TOO_MANY_REQUESTS"],
  [500, legacy("GENERAL_ERROR"), "provider-error GENERAL_ERROR"],
];

Deno.test("infobip reads answers to sends by the message's status", () => {
  for (const [status, body, expected] of ANSWERS) {
    const result = infobip.readSend({ status, body, headers: {} }, channel);
    const found = result.kind === "accepted"
      ? `accepted ${result.providerId}`
      : `${result.error.class} ${result.error.providerCode ?? "-"}`;
    strictEqual(found, expected, body);
  }
});

Deno.test("infobip proves the key by the balance, also where the key may not read it", () => {
  strictEqual(infobip.buildVerify(channel)?.url, "https://api.infobip.com/account/1/balance");
  const verdict = (status: number, body = "") =>
    infobip.readVerify({ status, body, headers: {} }, channel).ok;
  ok(verdict(200, '{"balance":1,"currency":"EUR"}'));
  ok(verdict(403));
  deepStrictEqual([verdict(401), verdict(200, "<html>"), verdict(500)], [false, false, false]);
});
