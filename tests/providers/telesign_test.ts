import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import RestClient from "telesignsdk/src/RestClient.js";
import { telesignDigest } from "../../adapters/providers/telesign_signature.ts";
import { createTelesign, TelesignCredentialsSchema } from "../../adapters/providers/telesign.ts";
import type { WebhookRequest } from "../../core/ports/provider.ts";
import { channelOf, MESSAGE_ID, outgoing, RECEIVED_MS, summary, webhook } from "./support.ts";

const URL_IN = "https://sms.example.test/webhooks/telesign/secret";
const CUSTOMER = "00000000-1111-2222-3333-444444444444";
const KEY = "dGVzdC12ZWN0b3Ita2V5LWZvci10ZWxlc2lnbi0wMDE=";
const REFERENCE = "0123456789ABCDEF0123456789ABCDEF";
const NONCE = "11111111-2222-4333-8444-555555555555";

const telesign = createTelesign({ nowMs: () => RECEIVED_MS, newUuid: () => NONCE });
const channelWith = (over: Record<string, unknown> = {}, settings = {}) =>
  channelOf(
    "telesign",
    TelesignCredentialsSchema.parse({ customerId: CUSTOMER, apiKey: KEY, ...over }),
    settings,
  );
const channel = channelWith();

function post(
  body: string,
  headers: Record<string, string>,
  over: Partial<WebhookRequest> = {},
): WebhookRequest {
  const given = new Headers({ "content-type": "application/json", ...headers });
  return {
    ...webhook(URL_IN, { method: "POST", ...over }),
    headers: given,
    body: new TextEncoder().encode(body),
  };
}

const hmac = (body: string, key = KEY) =>
  createHmac("sha256", Buffer.from(key, "base64")).update(body).digest("base64");

function signed(value: unknown, over: Partial<WebhookRequest> = {}): WebhookRequest {
  const body = JSON.stringify(value);
  return post(body, { authorization: `TSA ${CUSTOMER}:${hmac(body)}` }, over);
}

const RESPONSE = {
  sender_id: "14155550199",
  iso_country_code: "US",
  action: "generic",
  keyword: "",
  phone_number: "14155550100",
  mo_message: "Hi",
};
const FROM = "+14155550100>+14155550199";

function message(response: Record<string, unknown> = {}, over: Record<string, unknown> = {}) {
  return {
    reference_id: REFERENCE,
    status: { code: 1500, description: "Delivered", updated_on: "2026-01-02T03:04:05.000000Z" },
    sub_resource: "mo_sms",
    errors: {},
    user_response: { ...RESPONSE, ...response },
    ...over,
  };
}

const mms = (content: Record<string, unknown>) =>
  message({ mo_message: undefined, content }, { sub_resource: "mo_mms" });

const INBOUND: readonly [label: string, body: unknown, result: string][] = [
  ["a text", message(), `${FROM} "Hi" #${REFERENCE}`],
  [
    "accents, signs and a NUL",
    message({ mo_message: "Olá & 😀\u0000" }),
    `${FROM} "Olá & 😀\ufffd" #${REFERENCE}`,
  ],
  ["an empty text", message({ mo_message: "" }), `${FROM} "" #${REFERENCE}`],
  ["a keyword", message({ action: "stop", mo_message: "STOP" }), `${FROM} "STOP" #${REFERENCE}`],
  ["a short code", message({ sender_id: "12345" }), `+14155550100>12345 "Hi" #${REFERENCE}`],
  ["numbers as numbers", message({ phone_number: 14155550100 }), `${FROM} "Hi" #${REFERENCE}`],
  [
    "a picture",
    mms({ url_image_1: "https://m.test/1.jpg" }),
    `${FROM} "" https://m.test/1.jpg #${REFERENCE}`,
  ],
  [
    "things in the order of their numbers",
    mms({
      subject: "Trip",
      text_2: "two",
      text_1: "one",
      url_video_2: "https://m.test/2",
      url_image_10: "https://m.test/10",
      url_audio_1: "https://m.test/1",
    }),
    `${FROM} "Trip\\none\\ntwo" https://m.test/1 https://m.test/2 https://m.test/10 #${REFERENCE}`,
  ],
  ["a link that is none", mms({ url_image_1: "ftp://m.test" }), "malformed content.url_image_1"],
  ["nothing in it", mms({}), "malformed mo_message"],
  ["a text that is too long", message({ mo_message: "x".repeat(10_001) }), "malformed mo_message"],
  ["no sender", message({ phone_number: undefined }), "malformed phone_number"],
  ["no destination", message({ sender_id: "" }), "malformed sender_id"],
  ["no reference", message({}, { reference_id: null }), "malformed reference_id"],
  ["a list", [], "malformed"],
];

Deno.test("telesign reads messages that come in, and names the field that is wrong", () => {
  for (const [label, body, expected] of INBOUND) {
    strictEqual(summary(telesign.parseWebhook(signed(body), channel)), expected, label);
  }
});

const report = (code: unknown, over: Record<string, unknown> = {}) => ({
  reference_id: REFERENCE,
  status: { code, description: "?", updated_on: "2026-01-02T03:04:05.000000Z" },
  ...over,
});

const REPORTS: readonly [label: string, body: unknown, result: string][] = [
  ["in progress", report(290), "nothing"],
  ["delayed", report(295), "nothing"],
  ["handed to the gateway", report(203), `sent - ${REFERENCE}`],
  ["never confirmed", report(251), `sent - ${REFERENCE}`],
  ["delivered", report(200), `delivered - ${REFERENCE}`],
  ["a code as text", report("200"), `delivered - ${REFERENCE}`],
  ["our own id", report(200, { external_id: MESSAGE_ID }), `delivered ${MESSAGE_ID} ${REFERENCE}`],
  ["somebody's id", report(200, { external_id: "msg-42" }), `delivered - ${REFERENCE}`],
  ["switched off", report(210), `undelivered - ${REFERENCE} unreachable 210`],
  ["the contact's credit", report(511), `undelivered - ${REFERENCE} unreachable 511`],
  ["a bad number", report(507), `failed - ${REFERENCE} invalid-number 507`],
  ["a fault of the gateway", report(505), `failed - ${REFERENCE} provider-error 505`],
  ["a sender that is not registered", report(521), `failed - ${REFERENCE} invalid-sender 521`],
  ["opted out", report(510), `rejected - ${REFERENCE} opted-out 510`],
  ["spam", report(515), `rejected - ${REFERENCE} blocked 515`],
  ["a code nobody knows", report(4711), "malformed status.code"],
  ["no code", report(undefined), "malformed status.code"],
  ["no reference", report(200, { reference_id: "" }), "malformed reference_id"],
];

Deno.test("telesign reads delivery reports", () => {
  for (const [label, body, expected] of REPORTS) {
    strictEqual(summary(telesign.parseWebhook(signed(body, { path: "status" }), channel)), expected, label);
  }
  const elsewhere = signed(report(200));
  strictEqual(summary(telesign.parseWebhook(elsewhere, channel)), `delivered - ${REFERENCE}`);
  const named = signed(report(200), { path: `status/${MESSAGE_ID}` });
  strictEqual(summary(telesign.parseWebhook(named, channel)), `delivered ${MESSAGE_ID} ${REFERENCE}`);
});

const VECTOR =
  '{"reference_id":"0123456789ABCDEF0123456789ABCDEF","status":{"code":200,"description":"Delivered to handset","updated_on":"2026-01-02T03:04:05.000000Z"},"external_id":"msg-42"}';
const VECTOR_SIGNATURE = "jVO5MAmFq0g1v7yERteOJ1jm/cfcIlwXaFzrTU8i6Ec=";

Deno.test("telesign accepts the test vector by either header, and nothing that was changed or is another's", () => {
  const expected = `delivered - ${REFERENCE}`;
  const full = { authorization: `TSA ${CUSTOMER}:${VECTOR_SIGNATURE}` };
  const of = (body: string, headers: Record<string, string>, to = channel) =>
    summary(telesign.parseWebhook(post(body, headers, { path: "status" }), to));
  strictEqual(of(VECTOR, full), expected);
  strictEqual(of(VECTOR, { "x-ts-authorization": VECTOR_SIGNATURE }), expected);
  const wrong: readonly [label: string, body: string, headers: Record<string, string>][] = [
    ["a changed body", VECTOR.replace("200", "210"), full],
    ["no header", VECTOR, {}],
    ["another customer", VECTOR, { authorization: `TSA ${CUSTOMER.replace("0", "1")}:${VECTOR_SIGNATURE}` }],
    ["another scheme", VECTOR, { authorization: `Basic ${VECTOR_SIGNATURE}` }],
    ["a short signature", VECTOR, { "x-ts-authorization": VECTOR_SIGNATURE.slice(4) }],
    ["no base64", VECTOR, { "x-ts-authorization": "%%%" }],
    ["another key", VECTOR, { "x-ts-authorization": hmac(VECTOR, "b3RoZXIta2V5") }],
  ];
  for (const [label, body, headers] of wrong) strictEqual(of(body, headers), "unsigned", label);
  const rotating = channelWith({ apiKey: "dGhlLW5ldy1rZXk=", previousApiKey: KEY });
  strictEqual(of(VECTOR, full, rotating), expected);
  strictEqual(of(VECTOR, full, channelWith({ apiKey: "dGhlLW5ldy1rZXk=" })), "unsigned");
});

const digest = () => channelWith({ authentication: "digest" });

Deno.test("telesign signs requests as the test vectors have it", () => {
  const get = telesign.buildVerify(digest());
  const expected = hmac(
    `GET\n\nFri, 02 Jan 2026 03:04:05 GMT\nx-ts-auth-method:HMAC-SHA256\nx-ts-nonce:${NONCE}\n/v1/messaging/${
      "0".repeat(32)
    }`,
  );
  strictEqual(get?.headers["authorization"], `TSA ${CUSTOMER}:${expected}`);
  const vectors = [
    [
      "POST",
      "/v1/messaging",
      "phone_number=15558675309&message=Hello+%26+bye&message_type=ARN",
      "V5uqlaAm881eCLdvBa0oEa1+mzEi2Pw0NizWzqs2vlo=",
    ],
    ["GET", `/v1/messaging/${REFERENCE}`, "", "w0Hbi0oNwGb5ihhUorV0ZPetKrYw95eX+oKeDIdVTHk="],
  ] as const;
  for (const [method, resource, body, signature] of vectors) {
    const contentType = method === "POST" ? "application/x-www-form-urlencoded" : "";
    const date = "Fri, 02 Jan 2026 03:04:05 GMT";
    const ours = telesignDigest({ method, resource, contentType, body, date, nonce: NONCE }, CUSTOMER, KEY);
    strictEqual(ours["authorization"], `TSA ${CUSTOMER}:${signature}`);
  }
});

Deno.test("telesign signs every send as TeleSign's library does", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 });
  fc.assert(fc.property(text, fc.boolean(), (text, hasMedia) => {
    const media = hasMedia ? [{ url: "https://m.test/1?a=b", contentType: "image/png" }] : [];
    const call = telesign.buildSend(outgoing({ text, media }), digest());
    const { Date: date, ...theirs } = RestClient.generateTeleSignHeaders(
      CUSTOMER,
      KEY,
      "POST",
      new URL(call.url).pathname,
      call.headers["content-type"]!,
      call.body!,
      "Fri, 02 Jan 2026 03:04:05 GMT",
      NONCE,
    );
    strictEqual(call.headers["date"], date);
    for (const name of ["Authorization", "Content-Type", "x-ts-auth-method", "x-ts-nonce"] as const) {
      strictEqual(call.headers[name.toLowerCase()], theirs[name], name);
    }
  }));
});

Deno.test("telesign builds text messages", () => {
  const call = telesign.buildSend(outgoing(), channel);
  strictEqual(call.url, "https://rest-api.telesign.com/v1/messaging");
  strictEqual(
    call.headers["authorization"],
    "Basic MDAwMDAwMDAtMTExMS0yMjIyLTMzMzMtNDQ0NDQ0NDQ0NDQ0OmRHVnpkQzEyWldOMGIzSXRhMlY1TFdadmNpMTBaV3hsYzJsbmJpMHdNREU9",
  );
  deepStrictEqual([...new URLSearchParams(call.body)], [
    ["phone_number", "14155550100"],
    ["message", "Olá & más 50%"],
    ["message_type", "ARN"],
    ["external_id", MESSAGE_ID],
    ["sender_id", "14155550199"],
    ["callback_url", outgoing().statusUrl],
  ]);
  const other = channelWith({ sender: "account", messageType: "OTP", service: "full-service" });
  const plain = telesign.buildSend(outgoing({ statusUrl: "" }), other);
  strictEqual(plain.url, "https://rest-ww.telesign.com/v1/messaging");
  const fields = new URLSearchParams(plain.body);
  deepStrictEqual(["sender_id", "callback_url", "message_type"].map((name) => fields.get(name)), [
    null,
    null,
    "OTP",
  ]);
  const elsewhere = channelWith({}, { baseUrl: "http://127.0.0.1:9/" });
  strictEqual(telesign.buildSend(outgoing(), elsewhere).url, "http://127.0.0.1:9/v1/messaging");
});

Deno.test("telesign builds media messages with a text to fall back to, and loses no link", () => {
  const media = [{ url: "https://m.test/1", contentType: "video/mp4" }, { url: "https://m.test/2" }];
  const call = telesign.buildSend(outgoing({ text: "Look", media }), channel);
  strictEqual(call.url, "https://rest-api.telesign.com/v1/omnichannel");
  const { message, channels } = JSON.parse(call.body!);
  deepStrictEqual(channels.map((one: { channel: string }) => one.channel), ["mms", "sms"]);
  deepStrictEqual(message, {
    mms: { template: "video", parameters: { url: "https://m.test/1", text: "Look\nhttps://m.test/2" } },
    sms: { template: "text", parameters: { text: "Look\nhttps://m.test/2\nhttps://m.test/1" } },
  });
});

const status = (code: unknown, over: object = {}) =>
  JSON.stringify({ reference_id: REFERENCE, status: { code, description: "?" }, ...over });
const errors = (code: number) =>
  JSON.stringify({ errors: [{ code, description: "?" }], status: { code: 1 } });

const ANSWERS: readonly [status: number, body: string, result: string][] = [
  [200, status(290), `accepted ${REFERENCE}`],
  [200, status(3001), `accepted ${REFERENCE}`],
  [200, status(290, { errors: [] }), `accepted ${REFERENCE}`],
  [200, status(290, { errors: {} }), `accepted ${REFERENCE}`],
  [200, status(290, { reference_id: null }), "accepted null"],
  [200, status(230), "blocked 230"],
  [200, status(510), "opted-out 510"],
  [200, status(4711), "bad-response 4711"],
  [200, "<html>", "bad-response -"],
  [400, errors(11000), "invalid-number 11000"],
  [400, errors(11009), "bad-request 11009"],
  [400, errors(11013), "invalid-sender 11013"],
  [401, errors(10015), "auth 10015"],
  [401, status(10033), "rejected 10033"],
  [402, errors(10030), "no-credit 10030"],
  [429, errors(10019), "throttled 10019"],
  [503, errors(10000), "provider-error 10000"],
  [403, errors(10010), "account 10010"],
  [400, errors(99999), "bad-request 99999"],
  [500, "", "provider-error -"],
];

Deno.test("telesign reads answers to sends by their code", () => {
  for (const [httpStatus, body, expected] of ANSWERS) {
    const result = telesign.readSend({ status: httpStatus, body, headers: {} }, channel);
    const found = result.kind === "accepted"
      ? `accepted ${result.providerId}`
      : `${result.error.class} ${result.error.providerCode ?? "-"}`;
    strictEqual(found, expected, body);
  }
});

Deno.test("telesign proves credentials by asking after a message that does not exist", () => {
  strictEqual(
    telesign.buildVerify(channel)?.url,
    "https://rest-api.telesign.com/v1/messaging/00000000000000000000000000000000",
  );
  const verdict = (httpStatus: number, body: string) =>
    telesign.readVerify({ status: httpStatus, body, headers: {} }, channel).ok;
  deepStrictEqual(
    [
      verdict(404, errors(10036)),
      verdict(400, errors(11011)),
      verdict(401, errors(10015)),
      verdict(403, errors(10010)),
      verdict(401, ""),
      verdict(200, "<html>"),
      verdict(503, errors(10000)),
    ],
    [true, true, false, false, false, false, false],
  );
});
