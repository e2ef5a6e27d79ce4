import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { Vonage } from "@vonage/server-sdk";
import { nexmo, NexmoCredentialsSchema } from "../../adapters/providers/nexmo.ts";
import { channelOf, MESSAGE_ID, outgoing, RECEIVED_MS, summary, webhook } from "./support.ts";

const URL_IN = "https://sms.example.test/webhooks/nexmo/secret";
const ID = "0A0000000123ABCD1";
const SECRET = "sig-secret-0001";
const base = { apiKey: "abcd1234", apiSecret: "s3cret" };
const channel = channelOf("nexmo", NexmoCredentialsSchema.parse(base));
const signing = (over: Record<string, unknown> = {}) =>
  channelOf("nexmo", NexmoCredentialsSchema.parse({ ...base, signatureSecret: SECRET, ...over }));

const MESSAGE = {
  "api-key": "abcd1234",
  msisdn: "447700900001",
  to: "447700900000",
  messageId: ID,
  text: "Hi",
  type: "text",
  keyword: "HI",
  "message-timestamp": "2026-01-02 03:04:05",
};

const FROM = "+447700900001>+447700900000";

type Over = Readonly<Record<string, string | undefined>>;

const part = (index: string, over: Over = {}): Over => ({
  concat: "true",
  "concat-ref": "108",
  "concat-total": "3",
  "concat-part": index,
  ...over,
});

const INBOUND: readonly [label: string, over: Over, result: string][] = [
  ["a text", {}, `${FROM} "Hi" #${ID}`],
  [
    "accents and signs",
    { text: "Olá & más = 50% 😀", type: "unicode" },
    `${FROM} "Olá & más = 50% 😀" #${ID}`,
  ],
  ["an empty text", { text: "" }, `${FROM} "" #${ID}`],
  ["a short code", { to: "12345" }, `+447700900001>12345 "Hi" #${ID}`],
  ["a plus", { msisdn: "+447700900001" }, `${FROM} "Hi" #${ID}`],
  ["bytes", { text: undefined, type: "binary", data: "48690a", udh: "0500" }, `${FROM} "48690a" #${ID}`],
  ["a NUL", { text: "a\u0000b" }, `${FROM} "a\ufffdb" #${ID}`],
  ["fields nobody knows", { __proto__x: "1", constructor: "2" }, `${FROM} "Hi" #${ID}`],
  ["no text", { text: undefined }, "malformed text"],
  ["a text that is too long", { text: "x".repeat(10_001) }, "malformed text"],
  ["no sender", { msisdn: undefined }, "malformed msisdn"],
  ["no destination", { to: "" }, "malformed to"],
  ["a destination that is none", { to: "; drop table" }, "malformed to"],
  ["no id", { messageId: undefined }, "malformed messageId"],
  ["another account", { "api-key": "ffff0000" }, "malformed api-key"],
  ["a probe of the address", { msisdn: undefined, to: undefined, messageId: undefined }, "nothing"],
];

const REPORTS: readonly [label: string, over: Over, result: string][] = [
  ["accepted", { status: "accepted", "err-code": "0" }, `sent - ${ID}`],
  ["buffered", { status: "buffered", "err-code": "0" }, `sent - ${ID}`],
  ["delivered", { status: "delivered", "err-code": "0" }, `delivered - ${ID}`],
  ["our own id", { status: "delivered", "client-ref": MESSAGE_ID }, `delivered ${MESSAGE_ID} ${ID}`],
  ["somebody's reference", { status: "delivered", "client-ref": "mine" }, `delivered - ${ID}`],
  ["expired", { status: "expired", "err-code": "0" }, `expired - ${ID} unreachable -`],
  ["failed: absent", { status: "failed", "err-code": "2" }, `failed - ${ID} unreachable 2`],
  ["failed: gone", { status: "failed", "err-code": "3" }, `failed - ${ID} invalid-number 3`],
  ["failed: opted out", { status: "failed", "err-code": "9" }, `failed - ${ID} opted-out 9`],
  ["failed: a code nobody knows", { status: "failed", "err-code": "77" }, `failed - ${ID} unknown 77`],
  ["rejected: spam", { status: "rejected", "err-code": "6" }, `rejected - ${ID} blocked 6`],
  ["rejected: regulation", { status: "rejected", "err-code": "54" }, `rejected - ${ID} blocked 54`],
  ["unknown", { status: "unknown" }, `sent - ${ID}`],
  ["a status nobody knows", { status: "eaten" }, "malformed status"],
  ["no status", { status: "" }, "malformed status"],
];

const RECEIPT: Over = { text: undefined, type: undefined, keyword: undefined, scts: "2601020304" };

function formOf(fields: Over): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given as [string, string][]).toString();
}

/** The same fields as form, JSON and query. */
function transports(fields: Over, over: { path?: string } = {}) {
  const query = webhook(`${URL_IN}?${formOf(fields)}`, over);
  return [
    webhook(URL_IN, { ...over, form: formOf(fields) }),
    webhook(URL_IN, { ...over, json: fields }),
    query,
  ];
}

Deno.test("nexmo reads messages from forms, JSON and queries, and names the field that is wrong", () => {
  for (const [label, over, expected] of INBOUND) {
    for (const request of transports({ ...MESSAGE, ...over })) {
      strictEqual(summary(nexmo.parseWebhook(request, channel)), expected, `${label} by ${request.method}`);
    }
  }
});

Deno.test("nexmo reads delivery receipts from forms, JSON and queries", () => {
  for (const [label, over, expected] of REPORTS) {
    for (const path of ["status", "status/x"]) {
      for (const request of transports({ ...MESSAGE, ...RECEIPT, ...over }, { path })) {
        strictEqual(summary(nexmo.parseWebhook(request, channel)), expected, label);
      }
    }
  }
  const request = webhook(URL_IN, {
    path: "",
    form: formOf({ ...MESSAGE, ...RECEIPT, status: "delivered" }),
  });
  strictEqual(summary(nexmo.parseWebhook(request, channel)), `delivered - ${ID}`, "on the messages' address");
  const named = { ...request, path: `status/${MESSAGE_ID}` };
  strictEqual(summary(nexmo.parseWebhook(named, channel)), `delivered ${MESSAGE_ID} ${ID}`);
});

Deno.test("nexmo says which part of a long text has come, and lets nonsense stand by itself", () => {
  const fragment = (over: Over) => {
    const result = nexmo.parseWebhook(webhook(URL_IN, { form: formOf({ ...MESSAGE, ...over }) }), channel);
    ok(result.kind === "accepted");
    return result.inbound[0]!.fragment;
  };
  deepStrictEqual(fragment(part("2")), { group: "108", index: 2, of: 3 });
  const alone: Over[] = [
    {},
    part("0"),
    part("4"),
    part("x"),
    part("1", { "concat-total": "1" }),
    part("1", { "concat-total": "256" }),
    part("1", { "concat-ref": "" }),
    part("1", { concat: "false" }),
  ];
  for (const over of alone) strictEqual(fragment(over), undefined, JSON.stringify(over));
});

const VECTOR: Readonly<Record<string, string>> = {
  msisdn: "447700900001",
  to: "447700900000",
  messageId: ID,
  text: "a&b=c, ok",
  type: "text",
  keyword: "A&B=C",
  "message-timestamp": "2026-01-02 03:04:05",
  timestamp: "1767323045",
  nonce: "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
  "api-key": "abcd1234",
};

const SIGNATURES: readonly [method: string, sig: string][] = [
  ["md5hash", "222b06d01d05e22222fa132d266610a9"],
  ["md5", "1d6f1e9f736a740f0287cd74a534a75b"],
  ["sha1", "fca03e2a3c11041900409cc3ca8dc6d996fc78d9"],
  ["sha256", "7ab825c29da7e4131dbc8a97fef5f7590e4428b417a11ee856b1f69a881699ef"],
  [
    "sha512",
    "d3a579b0d514dc50256d468a924b67f506fa511c0ebb027153874bd643655a7912da69d8f42b401078deed822d0739af884be563a6c9728c547aa5597e4135da",
  ],
];

Deno.test("nexmo accepts the test vectors of all five signatures, in either case, and nothing that was changed", () => {
  const expected = `${FROM} "a&b=c, ok" #${ID}`;
  for (const [signatureMethod, sig] of SIGNATURES) {
    const channel = signing({ signatureMethod });
    for (const request of transports({ ...VECTOR, sig })) {
      strictEqual(summary(nexmo.parseWebhook(request, channel)), expected, signatureMethod);
    }
    const upper = webhook(URL_IN, { form: formOf({ ...VECTOR, sig: sig.toUpperCase() }) });
    strictEqual(summary(nexmo.parseWebhook(upper, channel)), expected);
    const wrong: Over[] = [
      { ...VECTOR, sig, text: "a&b=c, oK" },
      { ...VECTOR, sig, added: "1" },
      { ...VECTOR, sig: sig.replace(/^./, "z") },
      { ...VECTOR, sig: sig.slice(2) },
      { ...VECTOR, sig: "" },
      VECTOR,
    ];
    for (const fields of wrong) {
      for (const request of transports(fields)) {
        strictEqual(summary(nexmo.parseWebhook(request, channel)), "unsigned", JSON.stringify(fields));
      }
    }
    const other = signing({ signatureMethod: signatureMethod === "sha1" ? "sha256" : "sha1" });
    strictEqual(summary(nexmo.parseWebhook(upper, other)), "unsigned");
  }
});

Deno.test("nexmo takes a secret that is being changed, and no signature that is too old", () => {
  const [, sig] = SIGNATURES[3]!;
  const request = webhook(URL_IN, { form: formOf({ ...VECTOR, sig }) });
  const rotating = signing({
    signatureMethod: "sha256",
    signatureSecret: "the-new-secret",
    previousSignatureSecret: SECRET,
  });
  strictEqual(nexmo.parseWebhook(request, rotating).kind, "accepted");
  const strict = signing({ signatureMethod: "sha256", signatureMaxAgeSeconds: 300 });
  const at = (ms: number) =>
    summary(nexmo.parseWebhook({ ...request, receivedMs: RECEIVED_MS + ms }, strict));
  strictEqual(at(299_000), `${FROM} "a&b=c, ok" #${ID}`);
  strictEqual(at(-299_000), `${FROM} "a&b=c, ok" #${ID}`);
  strictEqual(at(301_000), "unsigned");
  const timeless = createHmac("sha256", SECRET).update("&messageId=1").digest("hex");
  const without = webhook(URL_IN, { form: `messageId=1&sig=${timeless}` });
  strictEqual(summary(nexmo.parseWebhook(without, strict)), "unsigned");
});

/** Signs as Vonage documents it, written down once more. */
function sign(fields: Readonly<Record<string, string>>): string {
  const text = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `&${name}=${value.replace(/[&=]/g, "_")}`).join("");
  return createHmac("sha256", SECRET).update(text).digest("hex");
}

/** Vonage's own library as the judge. */
const { sms } = new Vonage({ apiKey: base.apiKey, apiSecret: base.apiSecret });
type Algorithm = Parameters<typeof sms.verifySignature>[3];
const judge = (fields: Readonly<Record<string, string>>, algorithm = "SHA256HMAC") =>
  sms.verifySignature(fields["sig"] ?? "", { ...fields }, SECRET, algorithm as Algorithm);

Deno.test("nexmo agrees with Vonage's library on every vector and on what was changed in it", () => {
  const algorithms = ["MD5HASH", "MD5HMAC", "SHA1HMAC", "SHA256HMAC", "SHA512HMAC"];
  for (const [i, [signatureMethod, sig]] of SIGNATURES.entries()) {
    const changes: Record<string, string>[] = [{}, { text: "changed" }, { sig: "00" }, { keyword: "A_B_C" }];
    for (const change of changes) {
      const fields = { ...VECTOR, sig, ...change };
      const ours = nexmo.parseWebhook(
        webhook(URL_IN, { form: formOf(fields) }),
        signing({ signatureMethod }),
      );
      strictEqual(ours.kind === "accepted", judge(fields, algorithms[i]!), JSON.stringify(change));
    }
  }
});

Deno.test("nexmo accepts what Vonage's library accepts, and nothing that was changed afterwards", () => {
  const channel = signing({ signatureMethod: "sha256" });
  const text = fc.string({ unit: "grapheme", maxLength: 60 }).map((text) => text.toWellFormed());
  fc.assert(
    fc.property(text, fc.dictionary(fc.stringMatching(/^x[a-z-]{1,8}$/), text), (text, extra) => {
      const fields = { ...extra, ...MESSAGE, text, timestamp: "1767323045", nonce: "n" };
      ok(judge({ ...fields, sig: sign(fields) }));
      for (const request of transports({ ...fields, sig: sign(fields) })) {
        strictEqual(nexmo.parseWebhook(request, channel).kind, "accepted");
      }
      for (const request of transports({ ...fields, text: `${text}x`, sig: sign(fields) })) {
        strictEqual(summary(nexmo.parseWebhook(request, channel)), "unsigned");
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("nexmo builds sends", () => {
  const call = nexmo.buildSend(outgoing({ validitySeconds: 3_600 }), channel);
  strictEqual(call.url, "https://rest.nexmo.com/sms/json");
  strictEqual(call.headers["authorization"], `Basic ${btoa("abcd1234:s3cret")}`);
  deepStrictEqual([...new URLSearchParams(call.body)], [
    ["from", "14155550199"],
    ["to", "14155550100"],
    ["text", "Olá & más 50%"],
    ["type", "unicode"],
    ["client-ref", MESSAGE_ID],
    ["status-report-req", "true"],
    ["callback", outgoing().statusUrl],
    ["ttl", "3600000"],
  ]);
  const plain = new URLSearchParams(
    nexmo.buildSend(
      outgoing({ from: "ACME", text: "Hi [€]", encoding: "gsm7", statusUrl: "", validitySeconds: 1 }),
      channelOf("nexmo", base, { baseUrl: "http://127.0.0.1:9/" }),
    ).body,
  );
  deepStrictEqual(
    ["from", "type", "callback", "ttl"].map((name) => plain.get(name)),
    ["ACME", "text", null, "20000"],
  );
});

function answer(...messages: readonly unknown[]): string {
  return JSON.stringify({ "message-count": String(messages.length), messages });
}

const OK = { to: "447700900001", "message-id": ID, status: "0" };
const refused = (status: string, text = "") => answer({ status, "error-text": text });

const ANSWERS: readonly [status: number, body: string, result: string][] = [
  [200, answer(OK), `accepted ${ID}`],
  [200, answer(OK, { ...OK, "message-id": "2" }), `accepted ${ID}`],
  [200, answer(OK, { status: "1" }), "rejected 1 -"],
  [200, refused("1", "Throughput Rate Exceeded - please wait [ 250 ] and retry"), "throttled 1 250"],
  [200, refused("10"), "throttled 10 -"],
  [200, refused("2", "Missing to param"), "bad-request 2 -"],
  [200, refused("3", "Invalid value for parameter: to"), "invalid-number 3 -"],
  [200, refused("3", "Invalid from param"), "bad-request 3 -"],
  [200, refused("4", "Bad Credentials"), "auth 4 -"],
  [200, refused("5"), "provider-error 5 -"],
  [200, refused("6"), "unreachable 6 -"],
  [200, refused("7"), "opted-out 7 -"],
  [200, refused("8"), "account 8 -"],
  [200, refused("9"), "no-credit 9 -"],
  [200, refused("12"), "too-long 12 -"],
  [200, refused("15"), "invalid-sender 15 -"],
  [200, refused("29"), "rejected 29 -"],
  [200, refused("33"), "invalid-number 33 -"],
  [200, refused("4711", "Strange"), "rejected 4711 -"],
  [200, refused("__proto__"), "rejected __proto__ -"],
  [200, answer(), "bad-response - -"],
  [200, "<html>", "bad-response - -"],
  [401, "", "auth - -"],
  [429, "", "throttled - -"],
  [503, "", "provider-error - -"],
];

Deno.test("nexmo reads answers to sends part by part", () => {
  for (const [status, body, expected] of ANSWERS) {
    const result = nexmo.readSend({ status, body, headers: {} }, channel);
    const found = result.kind === "accepted"
      ? `accepted ${result.providerId}`
      : `${result.error.class} ${result.error.providerCode ?? "-"} ${result.retryAfterMs ?? "-"}`;
    strictEqual(found, expected, body);
  }
});

Deno.test("nexmo proves credentials by the balance", () => {
  const call = nexmo.buildVerify(channel);
  deepStrictEqual([call?.method, call?.url], ["GET", "https://rest.nexmo.com/account/get-balance"]);
  const verdict = (status: number, body: string) =>
    nexmo.readVerify({ status, body, headers: {} }, channel).ok;
  strictEqual(verdict(200, '{"value":10.28,"autoReload":false}'), true);
  strictEqual(verdict(200, "<html>"), false);
  strictEqual(verdict(401, ""), false);
});
