import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import fc from "fast-check";
import { telnyx, TelnyxCredentialsSchema } from "../../adapters/providers/telnyx.ts";
import type { WebhookRequest } from "../../core/ports/provider.ts";
import { channelOf, MESSAGE_ID, outgoing, RECEIVED_MS, summary, webhook } from "./support.ts";

const URL_IN = "https://sms.example.test/webhooks/telnyx/secret";
/** Made with the seed below; Telnyx' own SDK accepts it and refuses tampered and stale copies. */
const VECTOR = {
  seedHex: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
  publicKey: "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
  timestamp: "1767323045",
  body:
    '{"data":{"event_type":"message.received","id":"b301ed3f-1490-491f-995f-6e64e69674d4","payload":{"direction":"inbound","id":"84cca175-9755-4859-b67f-4730d7f58aa3","text":"Hi"}}}',
  signature: "eU8h8xDpIe9yvyYZnsDwsilqPyepxu5ol3UlILyiv6o8aco+bqIXdU+xJiyvM1K3vtQhunxOXnzlCJsD6qZsBg==",
};

const privateKey = createPrivateKey({
  key: Buffer.concat([
    Buffer.from("302e020100300506032b657004220420", "hex"),
    Buffer.from(VECTOR.seedHex, "hex"),
  ]),
  format: "der",
  type: "pkcs8",
});
const rotated = generateKeyPairSync("ed25519");
const rotatedPublic = rotated.publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString(
  "base64",
);

const credentials = TelnyxCredentialsSchema.parse({
  apiKey: "KEY0123",
  publicKey: rotatedPublic,
  previousPublicKey: VECTOR.publicKey,
});
const channel = channelOf("telnyx", credentials);

function signed(
  body: string,
  { key = privateKey, path = "", seconds = RECEIVED_MS / 1_000 }: {
    key?: KeyObject;
    path?: string;
    seconds?: number;
  } = {},
): WebhookRequest {
  const signature = sign(null, Buffer.from(`${seconds}|${body}`), key).toString("base64");
  const headers = new Headers({
    "content-type": "application/json",
    "telnyx-signature-ed25519": signature,
    "telnyx-timestamp": String(seconds),
  });
  return { ...webhook(URL_IN, { method: "POST", path }), headers, body: new TextEncoder().encode(body) };
}

const parse = (request: WebhookRequest) => summary(telnyx.parseWebhook(request, channel));
const event = (kind: string, payload: unknown) =>
  JSON.stringify({
    data: { event_type: kind, id: "b301ed3f", occurred_at: "2026-01-02T03:04:05Z", payload },
    meta: { attempt: 1 },
  });

const ID = "84cca175-9755-4859-b67f-4730d7f58aa3";
const MESSAGE = {
  direction: "inbound",
  id: ID,
  from: { phone_number: "+14155550100", carrier: "x" },
  to: [{ phone_number: "+14155550199", status: "webhook_delivered" }],
  text: "Hi",
  media: [] as unknown[],
};
const BASE = "+14155550100>+14155550199";

Deno.test("telnyx: the vector's signature is taken, and anything else is refused", () => {
  const headers = new Headers({
    "telnyx-signature-ed25519": VECTOR.signature,
    "telnyx-timestamp": VECTOR.timestamp,
  });
  const body = new TextEncoder().encode(VECTOR.body);
  const request = { ...webhook(URL_IN, { method: "POST" }), headers, body };
  // The vector has no sender: that it is named shows that the signature was found to fit.
  strictEqual(parse(request), "malformed from.phone_number");
  const tampered = new TextEncoder().encode(VECTOR.body.replace("Hi", "Ho"));
  strictEqual(parse({ ...request, body: tampered }), "unsigned");
  const late = { ...request, receivedMs: RECEIVED_MS + 300_001 };
  strictEqual(parse(late), "unsigned");
  strictEqual(parse({ ...request, receivedMs: RECEIVED_MS + 300_000 }), "malformed from.phone_number");
  strictEqual(parse({ ...request, receivedMs: RECEIVED_MS - 300_001 }), "unsigned");
  for (const name of ["telnyx-signature-ed25519", "telnyx-timestamp"]) {
    const without = new Headers(headers);
    without.delete(name);
    strictEqual(parse({ ...request, headers: without }), "unsigned", name);
  }
  const other = channelOf("telnyx", TelnyxCredentialsSchema.parse({ apiKey: "K", publicKey: rotatedPublic }));
  strictEqual(summary(telnyx.parseWebhook(request, other)), "unsigned");
});

Deno.test("telnyx: both the new and the former key sign while it is being changed", () => {
  const body = event("message.received", MESSAGE);
  strictEqual(parse(signed(body)), `${BASE} "Hi" #${ID}`);
  strictEqual(parse(signed(body, { key: rotated.privateKey })), `${BASE} "Hi" #${ID}`);
  strictEqual(parse(signed(body, { key: generateKeyPairSync("ed25519").privateKey })), "unsigned");
});

const JPG = "https://media.telnyx.test/a.jpg";
const INBOUND: readonly [label: string, over: Record<string, unknown>, result: string][] = [
  ["a text", {}, `${BASE} "Hi" #${ID}`],
  [
    "a picture",
    { text: "", media: [{ url: JPG, content_type: "image/jpeg", size: 9 }] },
    `${BASE} "" ${JPG} #${ID}`,
  ],
  ["a picture and no text", { text: null, media: [{ url: JPG }] }, `${BASE} "" ${JPG} #${ID}`],
  ["a short code", { from: { phone_number: "12345" } }, `12345>+14155550199 "Hi" #${ID}`],
  ["emoji and a NUL", { text: "👋\u0000" }, `${BASE} "👋\ufffd" #${ID}`],
  ["no text and no media", { text: undefined }, "malformed text"],
  ["a text that is too long", { text: "x".repeat(10_001) }, "malformed text"],
  ["no sender", { from: undefined }, "malformed from.phone_number"],
  ["no recipient", { to: [] }, "malformed to[0].phone_number"],
  ["recipients that are no list", { to: "x" }, "malformed to[0].phone_number"],
  ["no id", { id: undefined }, "malformed id"],
  ["media that is no link", { media: [{ url: "file:///x" }] }, "malformed media[0].url"],
  ["media that is nothing", { media: [null] }, "malformed media[0].url"],
  ["too much media", { media: Array.from({ length: 21 }, () => ({ url: JPG })) }, "malformed media"],
];

Deno.test("telnyx reads messages that come in, and names the field that is wrong", () => {
  for (const [label, over, expected] of INBOUND) {
    strictEqual(parse(signed(event("message.received", { ...MESSAGE, ...over }))), expected, label);
  }
  strictEqual(parse(signed("{}")), "malformed");
  strictEqual(parse(signed("[]")), "malformed");
  strictEqual(parse(signed('{"data":{}}')), "malformed data.event_type");
  strictEqual(parse(signed('{"data":{"event_type":"message.received"}}')), "malformed data.payload");
  strictEqual(parse(signed('{"data":{"event_type":"10dlc.campaign.update"}}')), "nothing");
});

const REPORTS: readonly [status: string, code: string | undefined, result: string][] = [
  ["queued", undefined, "nothing"],
  ["sending", undefined, "nothing"],
  ["sent", undefined, `sent ${MESSAGE_ID} ${ID}`],
  ["delivered", undefined, `delivered ${MESSAGE_ID} ${ID}`],
  ["delivery_unconfirmed", undefined, `sent ${MESSAGE_ID} ${ID}`],
  ["sending_failed", "40006", `failed ${MESSAGE_ID} ${ID} provider-error 40006`],
  ["sending_failed", undefined, `failed ${MESSAGE_ID} ${ID} unknown -`],
  ["delivery_failed", "40001", `undelivered ${MESSAGE_ID} ${ID} invalid-number 40001`],
  ["delivery_failed", "40002", `rejected ${MESSAGE_ID} ${ID} blocked 40002`],
  ["delivery_failed", "40300", `rejected ${MESSAGE_ID} ${ID} opted-out 40300`],
  ["delivery_failed", "99999", `undelivered ${MESSAGE_ID} ${ID} unreachable 99999`],
  ["expired", undefined, `expired ${MESSAGE_ID} ${ID} unreachable -`],
  ["eaten", undefined, "malformed to[0].status"],
  ["", undefined, "malformed to[0].status"],
];

Deno.test("telnyx reads delivery reports", () => {
  for (const [status, code, expected] of REPORTS) {
    const payload = {
      ...MESSAGE,
      direction: "outbound",
      to: [{ phone_number: "+14155550100", status }],
      errors: code === undefined ? [] : [{ code, title: "x" }],
    };
    const kind = status === "sent" ? "message.sent" : "message.finalized";
    strictEqual(parse(signed(event(kind, payload), { path: `status/${MESSAGE_ID}` })), expected, status);
  }
});

Deno.test("telnyx never throws, whatever the bytes", () => {
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc.dictionary(fc.constantFrom(...Object.keys(MESSAGE), "__proto__", "errors"), fc.jsonValue())
      .map((over) => event("message.received", { ...MESSAGE, ...over })),
    fc.jsonValue().map((payload) => event("message.finalized", payload)),
  );
  fc.assert(fc.property(body, fc.constantFrom("", "status", "status/x"), (body, path) => {
    const result = telnyx.parseWebhook(signed(body, { path }), channel);
    ok(result.kind === "accepted" || result.why === "malformed");
  }));
});

Deno.test("telnyx builds sends", () => {
  const call = telnyx.buildSend(
    outgoing({ media: [{ url: "https://m.test/1" }, { url: "https://m.test/2" }] }),
    channelOf("telnyx", { ...credentials, messagingProfileId: "prof-1" }),
  );
  strictEqual(call.url, "https://api.telnyx.com/v2/messages");
  strictEqual(call.headers["authorization"], "Bearer KEY0123");
  deepStrictEqual(JSON.parse(call.body!), {
    from: "+14155550199",
    to: "+14155550100",
    text: "Olá & más 50%",
    media_urls: ["https://m.test/1", "https://m.test/2"],
    messaging_profile_id: "prof-1",
    webhook_url: "https://sms.example.test/webhooks/x/secret/status/" + MESSAGE_ID,
  });
  const picture = telnyx.buildSend(outgoing({ text: "", media: [{ url: "https://m.test/1" }] }), channel);
  strictEqual("text" in JSON.parse(picture.body!), false);
  const elsewhere = channelOf("telnyx", credentials, { baseUrl: "http://127.0.0.1:9/" });
  strictEqual(telnyx.buildSend(outgoing(), elsewhere).url, "http://127.0.0.1:9/v2/messages");
});

const ANSWERS: readonly [status: number, body: string, result: string][] = [
  [200, JSON.stringify({ data: { id: ID, to: [{ status: "queued" }], parts: 1 } }), `accepted ${ID}`],
  [200, "{}", "bad-response -"],
  [200, '{"data":{"id":7}}', "accepted 7"],
  [200, "<html>", "bad-response -"],
  [400, '{"errors":[{"code":"40300","title":"Blocked"}]}', "opted-out 40300"],
  [400, '{"errors":[{"code":"10016"}]}', "invalid-number 10016"],
  [422, '{"errors":[{"code":40305}]}', "invalid-sender 40305"],
  [401, '{"errors":[{"code":"10009"}]}', "auth 10009"],
  [429, '{"errors":[{"code":"10011"}]}', "throttled 10011"],
  [429, '{"errors":[{"code":"40318"}]}', "throttled 40318"],
  [400, '{"errors":[{"code":"__proto__"}]}', "bad-request __proto__"],
  [500, "", "provider-error -"],
  [403, "[]", "auth -"],
];

Deno.test("telnyx reads answers to sends", () => {
  for (const [status, body, expected] of ANSWERS) {
    const result = telnyx.readSend({ status, body, headers: {} }, channel);
    const found = result.kind === "accepted"
      ? `accepted ${result.providerId}`
      : `${result.error.class} ${result.error.providerCode ?? "-"}`;
    strictEqual(found, expected, `${status} ${body}`);
  }
  const slow = telnyx.readSend({ status: 429, body: "", headers: { "retry-after": "7" } }, channel);
  strictEqual(slow.kind === "failed" && slow.retryAfterMs, 7_000);
});

Deno.test("telnyx proves the key by the balance, and checks settings when they are saved", () => {
  strictEqual(telnyx.buildVerify(channel)?.url, "https://api.telnyx.com/v2/balance");
  strictEqual(telnyx.readVerify({ status: 200, body: "{}", headers: {} }, channel).ok, true);
  strictEqual(telnyx.readVerify({ status: 401, body: "{}", headers: {} }, channel).ok, false);
  for (const publicKey of ["", "abc", "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJV"]) {
    ok(!TelnyxCredentialsSchema.safeParse({ apiKey: "K", publicKey }).success, publicKey);
  }
});
