import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { bandwidth, BandwidthCredentialsSchema } from "../../adapters/providers/bandwidth.ts";
import type { WebhookRequest } from "../../core/ports/provider.ts";
import { channelOf, MESSAGE_ID, outgoing, summary, webhook } from "./support.ts";

const URL_IN = "https://sms.example.test/webhooks/bandwidth/secret";
const APPLICATION = "93de2206-9669-4e07-948d-329f4b722ee2";
const plain = {
  accountId: "9900000",
  applicationId: APPLICATION,
  apiToken: "token",
  apiSecret: "s3cret",
};
const channel = channelOf("bandwidth", BandwidthCredentialsSchema.parse(plain));
const guarded = channelOf(
  "bandwidth",
  BandwidthCredentialsSchema.parse({
    ...plain,
    webhookUser: "hook",
    webhookPassword: "new",
    previousWebhookPassword: "old",
  }),
);

const ID = "14762070468292kw2fuqty55yp2b2";
const MESSAGE = {
  id: ID,
  time: "2026-01-02T03:04:05Z",
  to: ["+14155550199"],
  from: "+14155550100",
  text: "Hi",
  applicationId: APPLICATION,
  owner: "+14155550199",
  direction: "in",
  segmentCount: 1,
};
const received = (over: Record<string, unknown> = {}) => ({
  type: "message-received",
  time: "2026-01-02T03:04:05Z",
  description: "Incoming message received",
  to: "+14155550199",
  message: { ...MESSAGE, ...over },
});
const BASE = "+14155550100>+14155550199";
const JPG = `https://messaging.bandwidth.com/api/v2/users/9900000/media/${ID}/0/a.jpg`;
const SMIL = `https://messaging.bandwidth.com/api/v2/users/9900000/media/${ID}/0/0.smil`;

const parse = (json: unknown, path = "") =>
  summary(bandwidth.parseWebhook(webhook(URL_IN, { json, path }), channel));

const INBOUND: readonly [label: string, events: unknown, result: string][] = [
  ["a text", [received()], `${BASE} "Hi" #${ID}`],
  ["a picture with its layout", [received({ media: [SMIL, JPG] })], `${BASE} "Hi" ${JPG} #${ID}`],
  ["a picture and no text", [received({ text: undefined, media: [JPG] })], `${BASE} "" ${JPG} #${ID}`],
  [
    "a group: the owner is ours, wherever it stands",
    [received({ to: ["+14155550111", "+14155550199"], owner: "+14155550199" })],
    `${BASE} "Hi" #${ID}`,
  ],
  ["no owner", [received({ owner: undefined })], `${BASE} "Hi" #${ID}`],
  ["a short code", [received({ from: "12345" })], `12345>+14155550199 "Hi" #${ID}`],
  [
    "two at once",
    [received(), received({ id: "b", text: "Ho" })],
    `${BASE} "Hi" #${ID}; ${BASE} "Ho" #b`,
  ],
  ["an object instead of a list", received(), `${BASE} "Hi" #${ID}`],
  ["an event of another kind", [{ type: "toll-free-verification" }], "nothing"],
  ["an empty list", [], "nothing"],
  ["no kind", [{ message: MESSAGE }], "malformed [0].type"],
  ["no message", [{ type: "message-received" }], "malformed [0].message"],
  ["no sender in the second", [received(), received({ from: "" })], "malformed [1].message.from"],
  ["no id", [received({ id: "" })], "malformed [0].message.id"],
  ["a recipient that is none", [received({ owner: "??" })], "malformed [0].message.owner"],
  ["media that is no link", [received({ media: ["x"] })], "malformed [0].message.media[0]"],
  ["media that is no text", [received({ media: [{}] })], "malformed [0].message.media[0]"],
  ["too much media", [received({ media: Array(21).fill(JPG) })], "malformed [0].message.media"],
  ["a text that is too long", [received({ text: "x".repeat(10_001) })], "malformed [0].message.text"],
  ["an event that is nothing", [null], "malformed [0]"],
  ["a text", "x", "malformed"],
  ["too many events", Array(1_001).fill({ type: "x" }), "malformed"],
];

Deno.test("bandwidth reads lists of messages, and names the event and the field that is wrong", () => {
  for (const [label, events, expected] of INBOUND) strictEqual(parse(events), expected, label);
});

const REPORTS: readonly [event: Record<string, unknown>, result: string][] = [
  [{ type: "message-sending" }, `sent ${MESSAGE_ID} ${ID}`],
  [{ type: "message-delivered" }, `delivered ${MESSAGE_ID} ${ID}`],
  [{ type: "message-failed", errorCode: 4432 }, `rejected ${MESSAGE_ID} ${ID} rejected 4432`],
  [{ type: "message-failed", errorCode: "4720" }, `undelivered ${MESSAGE_ID} ${ID} invalid-number 4720`],
  [{ type: "message-failed", errorCode: 4770 }, `rejected ${MESSAGE_ID} ${ID} blocked 4770`],
  [{ type: "message-failed", errorCode: 4775 }, `rejected ${MESSAGE_ID} ${ID} opted-out 4775`],
  [{ type: "message-failed", errorCode: 4360 }, `expired ${MESSAGE_ID} ${ID} unreachable 4360`],
  [{ type: "message-failed", errorCode: 4403 }, `failed ${MESSAGE_ID} ${ID} invalid-sender 4403`],
  [{ type: "message-failed", errorCode: 4799 }, `rejected ${MESSAGE_ID} ${ID} rejected 4799`],
  [{ type: "message-failed", errorCode: 4199 }, `failed ${MESSAGE_ID} ${ID} bad-request 4199`],
  [{ type: "message-failed", errorCode: 5211 }, `failed ${MESSAGE_ID} ${ID} provider-error 5211`],
  [{ type: "message-failed", errorCode: 5620 }, `undelivered ${MESSAGE_ID} ${ID} provider-error 5620`],
  [{ type: "message-failed", errorCode: 5299 }, `failed ${MESSAGE_ID} ${ID} provider-error 5299`],
  [{ type: "message-failed", errorCode: 9902 }, `sent ${MESSAGE_ID} ${ID}`],
  [{ type: "message-failed", errorCode: 9999 }, `failed ${MESSAGE_ID} ${ID} unknown 9999`],
  [{ type: "message-failed" }, `failed ${MESSAGE_ID} ${ID} unknown -`],
];

Deno.test("bandwidth reads reports; the tag names our message", () => {
  for (const [event, expected] of REPORTS) {
    strictEqual(parse([{ ...event, message: { ...MESSAGE, direction: "out", tag: MESSAGE_ID } }]), expected);
  }
  const untagged = [{ type: "message-delivered", message: { ...MESSAGE, tag: "theirs" } }];
  strictEqual(parse(untagged), `delivered - ${ID}`);
  strictEqual(parse(untagged, `status/${MESSAGE_ID}`), `delivered ${MESSAGE_ID} ${ID}`);
  strictEqual(
    parse([{ type: "message-delivered", message: MESSAGE }, received({ id: "b" })]),
    `${BASE} "Hi" #b; delivered - ${ID}`,
  );
});

Deno.test("bandwidth wants the callback user where one is set, with the new or the former password", () => {
  const from = (authorization: string | null) => {
    const headers = new Headers(authorization === null ? {} : { authorization });
    return summary(bandwidth.parseWebhook(webhook(URL_IN, { json: [received()], headers }), guarded));
  };
  strictEqual(from(`Basic ${btoa("hook:new")}`), `${BASE} "Hi" #${ID}`);
  strictEqual(from(`Basic ${btoa("hook:old")}`), `${BASE} "Hi" #${ID}`);
  strictEqual(from(`Basic ${btoa("hook:")}`), "unsigned");
  strictEqual(from(`Basic ${btoa("hook:undefined")}`), "unsigned");
  strictEqual(from(null), "unsigned");
  ok(!BandwidthCredentialsSchema.safeParse({ ...plain, webhookUser: "hook" }).success);
});

Deno.test("bandwidth never throws, whatever the bytes", () => {
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => new TextEncoder().encode(text)),
    fc.array(fc.record({
      type: fc.constantFrom("message-received", "message-failed", "message-delivered"),
      errorCode: fc.jsonValue(),
      message: fc.dictionary(fc.constantFrom(...Object.keys(MESSAGE), "__proto__", "media"), fc.jsonValue())
        .map((over) => ({ ...MESSAGE, ...over })),
    })).map((events) => new TextEncoder().encode(JSON.stringify(events))),
  );
  fc.assert(fc.property(body, (body) => {
    const request: WebhookRequest = { ...webhook(URL_IN, { method: "POST" }), body };
    const result = bandwidth.parseWebhook(request, channel);
    ok(result.kind === "accepted" || result.why === "malformed");
  }));
});

Deno.test("bandwidth builds sends; the tag is our message's id", () => {
  const call = bandwidth.buildSend(
    outgoing({ media: [{ url: "https://m.test/1" }, { url: "https://m.test/2" }] }),
    channel,
  );
  strictEqual(call.url, "https://messaging.bandwidth.com/api/v2/users/9900000/messages");
  strictEqual(call.headers["authorization"], `Basic ${btoa("token:s3cret")}`);
  deepStrictEqual(JSON.parse(call.body!), {
    applicationId: APPLICATION,
    to: ["+14155550100"],
    from: "+14155550199",
    text: "Olá & más 50%",
    media: ["https://m.test/1", "https://m.test/2"],
    tag: MESSAGE_ID,
  });
  const picture = bandwidth.buildSend(outgoing({ text: "", media: [{ url: "https://m.test/1" }] }), channel);
  strictEqual("text" in JSON.parse(picture.body!), false);
});

const ANSWERS: readonly [status: number, body: string, result: string][] = [
  [202, JSON.stringify({ id: ID, segmentCount: 1, direction: "out" }), `accepted ${ID}`],
  [202, "{}", "bad-response -"],
  [202, "<html>", "bad-response -"],
  [400, '{"type":"request-validation","description":"x"}', "bad-request request-validation"],
  [
    400,
    '{"type":"request-validation","fieldErrors":[{"fieldName":"to[0]","description":"x"}]}',
    "invalid-number request-validation",
  ],
  [
    400,
    '{"type":"request-validation","fieldErrors":[{"fieldName":"from","description":"x"}]}',
    "invalid-sender request-validation",
  ],
  [401, '{"type":"unauthorized"}', "auth unauthorized"],
  [403, '{"type":"forbidden"}', "auth forbidden"],
  [415, "", "bad-request -"],
  [429, '{"type":"throttled"}', "throttled throttled"],
  [503, "", "provider-error -"],
];

Deno.test("bandwidth reads answers to sends", () => {
  for (const [status, body, expected] of ANSWERS) {
    const result = bandwidth.readSend({ status, body, headers: {} }, channel);
    const found = result.kind === "accepted"
      ? `accepted ${result.providerId}`
      : `${result.error.class} ${result.error.providerCode ?? "-"}`;
    strictEqual(found, expected, `${status} ${body}`);
  }
});

Deno.test("bandwidth proves credentials by the list of media", () => {
  const call = bandwidth.buildVerify(channel);
  strictEqual(call?.url, "https://messaging.bandwidth.com/api/v2/users/9900000/media");
  const verdict = (status: number) => bandwidth.readVerify({ status, body: "[]", headers: {} }, channel).ok;
  deepStrictEqual([200, 401, 403, 500].map(verdict), [true, false, false, false]);
});
