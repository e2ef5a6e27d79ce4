import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, createHmac, generateKeyPairSync } from "node:crypto";
import { verifySignature } from "@vonage/jwt";
import fc from "fast-check";
import { createVonage } from "../../adapters/providers/vonage.ts";
import { VonageCredentialsSchema } from "../../adapters/providers/vonage_credentials.ts";
import type { WebhookRequest } from "../../core/ports/provider.ts";
import { channelOf, MESSAGE_ID, outgoing, RECEIVED_MS, summary, webhook } from "./support.ts";

const URL_IN = "https://sms.example.test/webhooks/vonage/secret";
const ID = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab";
const SECRET = "vector-signature-secret-32-bytes!!";
const { privateKey, publicKey } = generateKeyPairSync("rsa", {
  modulusLength: 2_048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

let now = RECEIVED_MS;
let uuids = 0;
const vonage = createVonage({ nowMs: () => now, newUuid: () => `uuid-${++uuids}` });
const base = { apiKey: "abcd1234", apiSecret: "s3cret", signatureSecret: SECRET };
const channelWith = (over: Record<string, unknown> = {}, settings = {}) =>
  channelOf("vonage", VonageCredentialsSchema.parse({ ...base, ...over }), settings);
const channel = channelWith();

type Claims = Readonly<Record<string, unknown>>;

function token(body: string, { secret = SECRET, alg = "HS256", claims = {} as Claims } = {}): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${encode({ alg, typ: "JWT" })}.${
    encode({
      iat: RECEIVED_MS / 1_000,
      jti: "j",
      iss: "Vonage",
      payload_hash: createHash("sha256").update(body).digest("hex"),
      api_key: "abcd1234",
      ...claims,
    })
  }`;
  const hash = alg === "HS512" ? "sha512" : "sha256";
  return `${text}.${createHmac(hash, secret).update(text).digest("base64url")}`;
}

function post(body: string, bearer: string | null, over: Partial<WebhookRequest> = {}): WebhookRequest {
  const headers = new Headers({ "content-type": "application/json" });
  if (bearer !== null) headers.set("authorization", `Bearer ${bearer}`);
  return { ...webhook(URL_IN, { method: "POST", ...over }), headers, body: new TextEncoder().encode(body) };
}

function signed(value: unknown, over: Partial<WebhookRequest> = {}): WebhookRequest {
  const body = JSON.stringify(value);
  return post(body, token(body), over);
}

const MESSAGE = {
  channel: "sms",
  message_uuid: ID,
  to: "447700900000",
  from: "447700900001",
  timestamp: "2026-01-02T03:04:05.000Z",
  message_type: "text",
  text: "Hi",
  sms: { num_messages: "1" },
};
const FROM = "+447700900001>+447700900000";
const JPG = "https://api-us.nexmo.com/v3/media/1b456509-974c-458b-aafa-45fc48a4d976";
const MMS = { channel: "mms", text: undefined };

const INBOUND: readonly [label: string, over: Record<string, unknown>, result: string][] = [
  ["a text", {}, `${FROM} "Hi" #${ID}`],
  ["accents, signs and a NUL", { text: "Olá & 😀\u0000" }, `${FROM} "Olá & 😀\ufffd" #${ID}`],
  ["an empty text", { text: "" }, `${FROM} "" #${ID}`],
  ["a short code", { to: "12345" }, `+447700900001>12345 "Hi" #${ID}`],
  ["a picture", { ...MMS, message_type: "image", image: { url: JPG } }, `${FROM} "" ${JPG} #${ID}`],
  [
    "a picture with a caption",
    { ...MMS, message_type: "image", image: { url: JPG, caption: "Look" } },
    `${FROM} "Look" ${JPG} #${ID}`,
  ],
  ["a film", { ...MMS, message_type: "video", video: { url: JPG } }, `${FROM} "" ${JPG} #${ID}`],
  ["a contact's card", { ...MMS, message_type: "vcard", vcard: { url: JPG } }, `${FROM} "" ${JPG} #${ID}`],
  [
    "several things",
    {
      ...MMS,
      message_type: "content",
      content: [{ type: "image", url: JPG, caption: "One" }, { type: "file", url: `${JPG}2` }, {
        type: "text",
        text: "Two",
      }],
    },
    `${FROM} "One\\nTwo" ${JPG} ${JPG}2 #${ID}`,
  ],
  ["a thing without a link", { ...MMS, image: { caption: "x" } }, "malformed image.url"],
  [
    "a link that is none",
    { ...MMS, content: [{ type: "image", url: "file:///x" }] },
    "malformed content.0.url",
  ],
  ["no text and no media", { text: undefined }, "malformed text"],
  ["a text that is too long", { text: "x".repeat(10_001) }, "malformed text"],
  ["no sender", { from: undefined }, "malformed from"],
  ["a sender that is an object", { from: { type: "sms", number: "1" } }, "malformed from"],
  ["no destination", { to: "" }, "malformed to"],
  ["no id", { message_uuid: undefined }, "malformed message_uuid"],
];

Deno.test("vonage reads messages that come in, and names the field that is wrong", () => {
  for (const [label, over, expected] of INBOUND) {
    strictEqual(summary(vonage.parseWebhook(signed({ ...MESSAGE, ...over }), channel)), expected, label);
  }
  for (const body of ["", "[]", "null", "{", '"x"']) {
    strictEqual(summary(vonage.parseWebhook(post(body, token(body)), channel)), "malformed", body);
  }
});

const STATUS = { message_uuid: ID, to: "447700900001", from: "447700900000", channel: "sms" };
const errorOf = (title: string) => ({
  error: { type: `https://developer.vonage.com/api-errors/messages#${title}`, title, detail: "?" },
});

const REPORTS: readonly [label: string, over: Record<string, unknown>, result: string][] = [
  ["submitted", { status: "submitted" }, `sent - ${ID}`],
  ["delivered", { status: "delivered" }, `delivered - ${ID}`],
  ["read", { status: "read" }, `delivered - ${ID}`],
  ["our own id", { status: "delivered", client_ref: MESSAGE_ID }, `delivered ${MESSAGE_ID} ${ID}`],
  ["somebody's reference", { status: "delivered", client_ref: "mine" }, `delivered - ${ID}`],
  ["rejected", { status: "rejected", ...errorOf("1240") }, `rejected - ${ID} opted-out 1240`],
  ["rejected without a code", { status: "rejected" }, `rejected - ${ID} rejected -`],
  ["undeliverable", { status: "undeliverable", ...errorOf("1180") }, `undelivered - ${ID} unreachable 1180`],
  [
    "a code in the type alone",
    { status: "undeliverable", error: { type: "https://x.test/messages#1190", title: "Absent" } },
    `undelivered - ${ID} invalid-number 1190`,
  ],
  [
    "a code nobody knows",
    { status: "undeliverable", ...errorOf("9999") },
    `undelivered - ${ID} unreachable 9999`,
  ],
  ["a status nobody knows", { status: "eaten" }, "malformed status"],
  ["no status", { status: "" }, "malformed status"],
  ["no id", { status: "delivered", message_uuid: null }, "malformed message_uuid"],
];

Deno.test("vonage reads statuses", () => {
  for (const [label, over, expected] of REPORTS) {
    const request = signed({ ...STATUS, ...over }, { path: "status" });
    strictEqual(summary(vonage.parseWebhook(request, channel)), expected, label);
  }
  const named = signed({ ...STATUS, status: "delivered" }, { path: `status/${MESSAGE_ID}` });
  strictEqual(summary(vonage.parseWebhook(named, channel)), `delivered ${MESSAGE_ID} ${ID}`);
  const elsewhere = signed({ ...STATUS, status: "delivered" });
  strictEqual(
    summary(vonage.parseWebhook(elsewhere, channel)),
    `delivered - ${ID}`,
    "on the messages' address",
  );
});

const VECTOR_BODY =
  '{"channel":"sms","message_uuid":"aaaaaaaa-bbbb-cccc-dddd-0123456789ab","to":"447700900000","from":"447700900001","timestamp":"2026-01-02T03:04:05.000Z","text":"Hi","sms":{"num_messages":"1"}}';
const VECTOR_TOKEN =
  "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE3NjczMjMwNDUsImp0aSI6ImM1YmE4ZjI0LTFhMTQtNGMxMC1iZmRmLTNmYmU4Y2U1MTFiNSIsImlzcyI6IlZvbmFnZSIsInBheWxvYWRfaGFzaCI6IjMwNGVhMjk0YTdiZDEyM2YyYjU2NmU4MDIzNGY5MmYwNjI0YWRmZWZiNjhkZmJkMGEyMTgyZDVhOWUxZTIxMjUiLCJhcGlfa2V5IjoiYWJjZDEyMzQiLCJhcHBsaWNhdGlvbl9pZCI6ImFhYWFhYWFhLWJiYmItY2NjYy1kZGRkLTAxMjM0NTY3ODlhYiJ9.ihsVIuhc1a5ukJFPpljL8ld0cqq3QZuWJNtDyqaVmbo";

Deno.test("vonage accepts the published test vector, and no other body with its token", () => {
  strictEqual(summary(vonage.parseWebhook(post(VECTOR_BODY, VECTOR_TOKEN), channel)), `${FROM} "Hi" #${ID}`);
  ok(verifySignature(VECTOR_TOKEN, SECRET), "as does Vonage's own library");
  const changed = VECTOR_BODY.replace("Hi", "Ho");
  strictEqual(summary(vonage.parseWebhook(post(changed, VECTOR_TOKEN), channel)), "unsigned");
  const other = channelWith({ signatureSecret: "another-signature-secret" });
  strictEqual(summary(vonage.parseWebhook(post(VECTOR_BODY, VECTOR_TOKEN), other)), "unsigned");
});

Deno.test("vonage refuses tokens that are missing, old, unsigned or somebody else's", () => {
  const body = JSON.stringify(MESSAGE);
  const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${
    Buffer.from("{}").toString("base64url")
  }.`;
  const cases: readonly [label: string, token: string | null, over?: Partial<WebhookRequest>][] = [
    ["none", null],
    ["an empty one", ""],
    ["one part", "x"],
    ["an algorithm of its own choice", none],
    ["another algorithm", token(body, { alg: "HS512" })],
    ["another secret", token(body, { secret: "wrong" })],
    ["another account's", token(body, { claims: { api_key: "ffff0000" } })],
    ["no time", token(body, { claims: { iat: undefined } })],
    ["no hash", token(body, { claims: { payload_hash: undefined } })],
    ["expired", token(body, { claims: { exp: RECEIVED_MS / 1_000 - 1 } })],
    ["too old", token(body), { receivedMs: RECEIVED_MS + 90_001_000 }],
    ["from the future", token(body), { receivedMs: RECEIVED_MS - 90_001_000 }],
    ["changed", token(body).replace(/.$/, (last) => last === "A" ? "Q" : "A")],
    ["longer than any", `${"a".repeat(9_000)}.b.c`],
  ];
  for (const [label, bearer, over] of cases) {
    strictEqual(summary(vonage.parseWebhook(post(body, bearer, over), channel)), "unsigned", label);
  }
  const old = { receivedMs: RECEIVED_MS + 80_000_000 };
  strictEqual(vonage.parseWebhook(post(body, token(body), old), channel).kind, "accepted", "a repeat");
  const strict = channelWith({ signatureMaxAgeSeconds: 300 });
  strictEqual(summary(vonage.parseWebhook(post(body, token(body), old), strict)), "unsigned");
  const application = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab";
  const own = channelWith({ applicationId: application, privateKey });
  const of = (id: string) => post(body, token(body, { claims: { application_id: id } }));
  strictEqual(vonage.parseWebhook(of(application), own).kind, "accepted");
  strictEqual(summary(vonage.parseWebhook(of("other"), own)), "unsigned");
  const rotating = channelWith({ signatureSecret: "the-new-secret", previousSignatureSecret: SECRET });
  strictEqual(vonage.parseWebhook(post(body, token(body)), rotating).kind, "accepted");
});

Deno.test("vonage agrees with Vonage's library about tokens, whatever they hold", () => {
  const body = JSON.stringify(MESSAGE);
  const secret = fc.constantFrom(SECRET, "wrong", `${SECRET} `);
  const alg = fc.constantFrom("HS256", "HS512", "none", "RS256");
  fc.assert(
    fc.property(secret, alg, fc.dictionary(fc.string(), fc.jsonValue()), (secret, alg, extra) => {
      // What the library does not look at is left as it has to be.
      const {
        iat: _,
        api_key: __,
        payload_hash: ___,
        exp: ____,
        nbf: _____,
        application_id: ______,
        ...claims
      } = extra;
      const bearer = token(body, { secret, alg, claims: { ...claims } });
      const ours = vonage.parseWebhook(post(body, bearer), channel).kind === "accepted";
      strictEqual(ours, verifySignature(bearer, SECRET), bearer);
    }),
    { numRuns: 100 },
  );
});

const bodyOf = (over: Parameters<typeof outgoing>[0], credentials = {}) =>
  JSON.parse(vonage.buildSend(outgoing(over), channelWith(credentials)).body!);

Deno.test("vonage builds text messages", () => {
  const call = vonage.buildSend(outgoing({ validitySeconds: 5 }), channel);
  strictEqual(call.url, "https://api.nexmo.com/v1/messages");
  strictEqual(call.headers["authorization"], `Basic ${btoa("abcd1234:s3cret")}`);
  deepStrictEqual(JSON.parse(call.body!), {
    channel: "sms",
    from: "14155550199",
    to: "14155550100",
    message_type: "text",
    text: "Olá & más 50%",
    sms: { encoding_type: "unicode" },
    client_ref: MESSAGE_ID,
    webhook_url: outgoing().statusUrl,
    webhook_version: "v1",
    ttl: 20,
  });
  const plain = bodyOf({ from: "ACME", text: "Hi", encoding: "gsm7", statusUrl: "" });
  deepStrictEqual([plain.from, plain.sms.encoding_type, plain.webhook_url], ["ACME", "text", undefined]);
  const url = (over: Claims, settings = {}) => vonage.buildSend(outgoing(), channelWith(over, settings)).url;
  strictEqual(url({ region: "eu" }), "https://api-eu.nexmo.com/v1/messages");
  strictEqual(url({ region: "eu" }, { baseUrl: "http://127.0.0.1:9/" }), "http://127.0.0.1:9/v1/messages");
});

Deno.test("vonage builds media messages: one thing with its caption, or a list", () => {
  const one = bodyOf({ text: "Look", media: [{ url: "https://m.test/1", contentType: "image/png" }] });
  deepStrictEqual([one.channel, one.message_type, one.image], ["mms", "image", {
    url: "https://m.test/1",
    caption: "Look",
  }]);
  const kinds = [
    [{ url: "https://m.test/1", contentType: "video/mp4" }, "video"],
    [{ url: "https://m.test/1", contentType: "audio/amr" }, "audio"],
    [{ url: "https://m.test/1", contentType: "text/x-vcard" }, "vcard"],
    [{ url: "https://m.test/1", contentType: "application/pdf" }, "file"],
    [{ url: "https://m.test/1.JPG?x=1" }, "image"],
    [{ url: "https://m.test/1.vcf" }, "vcard"],
    [{ url: "https://m.test/1" }, "file"],
  ] as const;
  for (const [media, kind] of kinds) strictEqual(bodyOf({ text: "", media: [media] }).message_type, kind);
  const many = bodyOf({
    text: "Look",
    media: [{ url: "https://m.test/1.jpg" }, { url: "https://m.test/2.mp4" }],
  });
  deepStrictEqual([many.message_type, many.content], ["content", [
    { type: "image", url: "https://m.test/1.jpg", caption: "Look" },
    { type: "video", url: "https://m.test/2.mp4" },
  ]]);
});

Deno.test("vonage signs with the application's key: a token that Vonage's library accepts, for ten minutes", () => {
  const applicationId = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab";
  const keyed = channelWith({ applicationId, privateKey: privateKey.replaceAll("\n", "\\n") });
  now = Date.now();
  const bearer = () => vonage.buildSend(outgoing(), keyed).headers["authorization"]!.replace("Bearer ", "");
  const first = bearer();
  ok(verifySignature(first, publicKey));
  const claims = JSON.parse(Buffer.from(first.split(".")[1]!, "base64url").toString());
  strictEqual(claims.application_id, applicationId);
  strictEqual(claims.exp - claims.iat, 900);
  ok(claims.jti !== undefined);
  now += 599_000;
  strictEqual(bearer(), first);
  now += 2_000;
  ok(bearer() !== first, "a new one after ten minutes");
  now = RECEIVED_MS;
});

const problem = (type: string, title: string, more = {}) =>
  JSON.stringify({ type: `https://developer.vonage.com/api-errors${type}`, title, ...more });

const ANSWERS: readonly [status: number, body: string, result: string][] = [
  [202, `{"message_uuid":"${ID}"}`, `accepted ${ID}`],
  [202, "{}", "bad-response -"],
  [202, "<html>", "bad-response -"],
  [401, problem("#unauthorized", "You did not provide correct credentials."), "auth unauthorized"],
  [402, problem("#low-balance", "Low balance"), "no-credit low-balance"],
  [403, problem("#forbidden", "Forbidden"), "auth forbidden"],
  [422, problem("/messages#1120", "Illegal Sender Address"), "invalid-sender 1120"],
  [422, problem("/messages#1150", "1150", { invalid_parameters: [{ name: "to" }] }), "invalid-number 1150"],
  [
    422,
    problem("#invalid-params", "Invalid", { invalid_parameters: [{ name: "ttl" }] }),
    "bad-request invalid-params",
  ],
  [422, problem("/messages#1430", "1430"), "invalid-number 1430"],
  [429, problem("#throttled", "Rate Limit Hit"), "throttled throttled"],
  [400, problem("#__proto__", "?"), "bad-request -"],
  [422, "", "bad-request -"],
  [500, "", "provider-error -"],
];

Deno.test("vonage reads answers to sends", () => {
  for (const [status, body, expected] of ANSWERS) {
    const result = vonage.readSend({ status, body, headers: {} }, channel);
    const found = result.kind === "accepted"
      ? `accepted ${result.providerId}`
      : `${result.error.class} ${result.error.providerCode ?? "-"}`;
    strictEqual(found, expected, body);
  }
});

Deno.test("vonage proves the key by a call without content, key and secret by the balance", () => {
  strictEqual(vonage.buildVerify(channel)?.url, "https://rest.nexmo.com/account/get-balance");
  const keyed = channelWith({ applicationId: "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab", privateKey });
  strictEqual(vonage.buildVerify(keyed)?.body, "{}");
  const verdict = (status: number, body = "") => vonage.readVerify({ status, body, headers: {} }, channel).ok;
  deepStrictEqual([verdict(422), verdict(200, '{"value":1}'), verdict(200), verdict(401), verdict(202)], [
    true,
    true,
    false,
    false,
    false,
  ]);
});

Deno.test("vonage's settings say what is missing or no key", () => {
  const faults = (input: object) =>
    VonageCredentialsSchema.safeParse(input).error?.issues.map((issue) => issue.path.join("."));
  strictEqual(faults(base), undefined);
  const { apiSecret: _, ...bare } = base;
  deepStrictEqual(faults(bare), ["privateKey"]);
  deepStrictEqual(faults({ ...bare, applicationId: "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab" }), [
    "privateKey",
    "privateKey",
  ]);
  deepStrictEqual(
    faults({ ...base, applicationId: "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab", privateKey: "x" }),
    [
      "privateKey",
    ],
  );
});
