import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { plivo, PlivoCredentialsSchema } from "../../adapters/providers/plivo.ts";
import { plivoV3Text } from "../../adapters/providers/plivo_signature.ts";
import { readFormText } from "../../adapters/providers/fields.ts";
import type { WebhookRequest } from "../../core/ports/provider.ts";
import { channelOf, MESSAGE_ID, outgoing, summary, webhook } from "./support.ts";

/** Plivo's own SDK accepts both signatures. */
const VECTOR = {
  token: "MjAwMDAwMDAwMDAwMDAwMDAwMDAw",
  nonce: "12345678901234567890",
  url: "https://sms.example.test/hooks/plivo",
  form: "From=14155550100&MessageUUID=5b40a428-bfc7-4daf-9d06-726c558bf3b8&Text=Hi&To=14155550199&Type=sms",
  base:
    "https://sms.example.test/hooks/plivo?From14155550100MessageUUID5b40a428-bfc7-4daf-9d06-726c558bf3b8TextHiTo14155550199Typesms",
  v3: "1qA/cqQTWrEZR3FsqpF9KE+YdTpsJhZ9lWMfOPDGDhI=",
  v2: "5WjPqIgrDa+kHB4GUipA7qtdc9tfYvhdm2P8iKvq7oI=",
};

const credentials = PlivoCredentialsSchema.parse({
  authId: "MAXXXXXXXXXXXXXXXXXX",
  authToken: "bmV3LXRva2Vu",
  previousAuthToken: VECTOR.token,
});
const channel = channelOf("plivo", credentials);
const parse = (request: WebhookRequest) => summary(plivo.parseWebhook(request, channel));

const ID = "5b40a428-bfc7-4daf-9d06-726c558bf3b8";
const HI = `+14155550100>+14155550199 "Hi" #${ID}`;

Deno.test("plivo: the vectors' signatures are taken, and anything else is refused", () => {
  strictEqual(plivoV3Text(VECTOR.url, readFormText(VECTOR.form)), VECTOR.base);
  const from = (headers: Record<string, string>, form = VECTOR.form, url = VECTOR.url) =>
    parse(webhook(url, { form, headers: new Headers(headers) }));
  const v3 = { "x-plivo-signature-v3": VECTOR.v3, "x-plivo-signature-v3-nonce": VECTOR.nonce };
  const v2 = { "x-plivo-signature-v2": VECTOR.v2, "x-plivo-signature-v2-nonce": VECTOR.nonce };
  const tampered = VECTOR.form.replace("Hi", "Ho");
  strictEqual(from(v3), HI);
  strictEqual(from(v2), HI);
  strictEqual(from({ ...v3, ...v2 }), HI);
  strictEqual(from(v3, tampered), "unsigned");
  // The second kind covers the address alone.
  strictEqual(from(v2, tampered), HI.replace("Hi", "Ho"));
  strictEqual(from({ ...v3, ...v2 }, tampered), "unsigned");
  strictEqual(from(v2, VECTOR.form, VECTOR.url + "/x"), "unsigned");
  strictEqual(from(v2, VECTOR.form, VECTOR.url + "?a=1"), HI);
  strictEqual(from(v3, VECTOR.form, VECTOR.url + "?a=1"), "unsigned");
  strictEqual(from({ ...v3, "x-plivo-signature-v3-nonce": "1" }), "unsigned");
  strictEqual(from({ "x-plivo-signature-v3": VECTOR.v3 }), "unsigned");
  strictEqual(from({}), "unsigned");
  strictEqual(from({ ...v3, "x-plivo-signature-v3": `AAAA, ${VECTOR.v3}` }), HI);
  strictEqual(
    from({ "x-plivo-signature-ma-v3": VECTOR.v3, "x-plivo-signature-v3-nonce": VECTOR.nonce }),
    HI,
  );
  strictEqual(
    from({ "x-plivo-signature-ma-v2": VECTOR.v2, "x-plivo-signature-v2-nonce": VECTOR.nonce }),
    HI,
  );
});

Deno.test("plivo: what the third kind covers of addresses with a query, and of a GET", () => {
  const cases: [url: string, form: string | null, text: string][] = [
    ["https://x.test/a?b=2&a=1", "T=x&F=y", "https://x.test/a?a=1&b=2.FyTx"],
    ["https://x.test/a?b=2&a=1", null, "https://x.test/a?a=1&b=2"],
    ["https://x.test/a", null, "https://x.test/a"],
    ["https://x.test/a", "", "https://x.test/a"],
    ["https://x.test/a", "T=b&T=a", "https://x.test/a?TaTb"],
  ];
  for (const [url, form, text] of cases) {
    strictEqual(plivoV3Text(url, form === null ? null : readFormText(form)), text);
  }
});

function signed(fields: Record<string, string>, { path = "", method = "POST" as "GET" | "POST" } = {}) {
  const form = new URLSearchParams(fields).toString();
  const url = VECTOR.url + (path === "" ? "" : `/${path}`) + (method === "GET" ? `?${form}` : "");
  const text = plivoV3Text(url, method === "GET" ? null : readFormText(form));
  const signature = createHmac("sha256", credentials.authToken).update(`${text}.n1`).digest("base64");
  const headers = new Headers({ "x-plivo-signature-v3": signature, "x-plivo-signature-v3-nonce": "n1" });
  return webhook(url, { path, headers, method, ...(method === "POST" && { form }) });
}

const MESSAGE = { From: "14155550100", To: "14155550199", Text: "Hi", MessageUUID: ID, Type: "sms" };
const JPG = "https://media.plivo.test/a.jpg";
const INBOUND: readonly [label: string, fields: Record<string, string>, result: string][] = [
  ["a text", MESSAGE, HI],
  ["numbers with a plus", { ...MESSAGE, From: "+14155550100" }, HI],
  ["a short code", { ...MESSAGE, From: "12345" }, `12345>+14155550199 "Hi" #${ID}`],
  ["spaces and signs", { ...MESSAGE, Text: "a+b & c=d 50%" }, HI.replace("Hi", "a+b & c=d 50%")],
  [
    "two pictures",
    { ...MESSAGE, Text: "", Type: "mms", Media0: JPG, Media1: `${JPG}?2` },
    `+14155550100>+14155550199 "" ${JPG} ${JPG}?2 #${ID}`,
  ],
  ["no text", { From: MESSAGE.From, To: MESSAGE.To, MessageUUID: ID }, "malformed Text"],
  ["no id", { ...MESSAGE, MessageUUID: "" }, "malformed MessageUUID"],
  ["no sender", { ...MESSAGE, From: "" }, "malformed From"],
  ["no recipient", { ...MESSAGE, To: "?" }, "malformed To"],
  ["media that is no link", { ...MESSAGE, Media0: "x" }, "malformed Media0"],
  ["a text that is too long", { ...MESSAGE, Text: "x".repeat(10_001) }, "malformed Text"],
];

Deno.test("plivo reads messages that come in by POST and by GET", () => {
  for (const [label, fields, expected] of INBOUND) {
    strictEqual(parse(signed(fields)), expected, label);
    if (fields["Text"]?.length !== 10_001) {
      strictEqual(parse(signed(fields, { method: "GET" })), expected, label);
    }
  }
  const result = plivo.parseWebhook(signed(MESSAGE), channel);
  ok(result.kind === "accepted" && !result.reply.body.includes("Message"));
});

const REPORTS: readonly [fields: Record<string, string>, result: string][] = [
  [{ Status: "queued" }, "nothing"],
  [{ Status: "sent" }, `sent ${MESSAGE_ID} ${ID}`],
  [{ Status: "delivered" }, `delivered ${MESSAGE_ID} ${ID}`],
  [{ Status: "delivered", PartInfo: "1 of 2" }, `sent ${MESSAGE_ID} ${ID}`],
  [{ Status: "delivered", PartInfo: "2 of 2", ParentMessageUUID: "p1" }, `delivered ${MESSAGE_ID} p1`],
  [{ Status: "undelivered", ErrorCode: "80" }, `undelivered ${MESSAGE_ID} ${ID} unreachable 80`],
  [{ Status: "undelivered", ErrorCode: "30" }, `rejected ${MESSAGE_ID} ${ID} blocked 30`],
  [{ Status: "failed", ErrorCode: "200" }, `rejected ${MESSAGE_ID} ${ID} opted-out 200`],
  [{ Status: "failed", ErrorCode: "20" }, `failed ${MESSAGE_ID} ${ID} provider-error 20`],
  [{ Status: "rejected", ErrorCode: "" }, `rejected ${MESSAGE_ID} ${ID} unknown -`],
  [{ Status: "failed", ErrorCode: "4711" }, `failed ${MESSAGE_ID} ${ID} unknown 4711`],
  [{ Status: "eaten" }, "malformed Status"],
  [{}, "malformed Status"],
];

Deno.test("plivo reads delivery reports", () => {
  for (const [fields, expected] of REPORTS) {
    const all = { From: "14155550199", To: "14155550100", MessageUUID: ID, ...fields };
    strictEqual(parse(signed(all, { path: `status/${MESSAGE_ID}` })), expected, JSON.stringify(fields));
  }
  strictEqual(parse(signed({ MessageUUID: ID, Status: "sent", From: "1", To: "2" })), `sent - ${ID}`);
});

Deno.test("plivo never throws, whatever the fields", () => {
  const fields = fc.dictionary(
    fc.constantFrom(...Object.keys(MESSAGE), "Status", "PartInfo", "Media0", "__proto__", "ErrorCode"),
    fc.string(),
  );
  fc.assert(fc.property(fields, fc.constantFrom("", "status", "status/x"), (over, path) => {
    const result = plivo.parseWebhook(signed({ ...MESSAGE, ...over }, { path }), channel);
    ok(result.kind === "accepted" || result.why === "malformed");
  }));
});

Deno.test("plivo builds sends", () => {
  const call = plivo.buildSend(outgoing({ validitySeconds: 90_000 }), channel);
  strictEqual(call.url, "https://api.plivo.com/v1/Account/MAXXXXXXXXXXXXXXXXXX/Message/");
  strictEqual(call.headers["authorization"], `Basic ${btoa("MAXXXXXXXXXXXXXXXXXX:bmV3LXRva2Vu")}`);
  deepStrictEqual(JSON.parse(call.body!), {
    src: "+14155550199",
    dst: "+14155550100",
    type: "sms",
    text: "Olá & más 50%",
    url: "https://sms.example.test/webhooks/x/secret/status/" + MESSAGE_ID,
    method: "POST",
    message_expiry: 14_400,
  });
  const pooled = channelOf("plivo", { ...credentials, powerpackId: "pp" });
  const picture = plivo.buildSend(outgoing({ text: "", media: [{ url: "https://m.test/1" }] }), pooled);
  const body = JSON.parse(picture.body!);
  deepStrictEqual([body.type, body.media_urls, body.powerpack_uuid, "src" in body, "text" in body], [
    "mms",
    ["https://m.test/1"],
    "pp",
    false,
    false,
  ]);
});

Deno.test("plivo shows its credentials to its own media hosts only", () => {
  const shown = (url: string) => plivo.mediaAuthorization?.(new URL(url), channel) !== null;
  strictEqual(shown("https://media.plivo.com/Account/x/Message/y/Media/z"), true);
  strictEqual(shown("https://plivo.com.evil.test/x"), false);
  strictEqual(shown("http://media.plivo.com/x"), false);
});

const ANSWERS: readonly [status: number, body: string, result: string][] = [
  [202, JSON.stringify({ message: "queued", message_uuid: [ID], api_id: "x" }), `accepted ${ID}`],
  [202, '{"message_uuid":[],"invalid_number":["1"]}', "invalid-number -"],
  [202, "{}", "bad-response -"],
  [200, "<html>", "bad-response -"],
  [400, '{"error":"src is wrong"}', "bad-request -"],
  [400, '{"error":{"error":"dst is wrong"}}', "bad-request -"],
  [401, "could not verify", "auth -"],
  [402, "{}", "no-credit -"],
  [429, "{}", "throttled -"],
  [500, "", "provider-error -"],
];

Deno.test("plivo reads answers to sends, and proves credentials by the account", () => {
  for (const [status, body, expected] of ANSWERS) {
    const result = plivo.readSend({ status, body, headers: {} }, channel);
    const found = result.kind === "accepted"
      ? `accepted ${result.providerId}`
      : `${result.error.class} ${result.error.providerCode ?? "-"}`;
    strictEqual(found, expected, `${status} ${body}`);
  }
  strictEqual(plivo.buildVerify(channel)?.url, "https://api.plivo.com/v1/Account/MAXXXXXXXXXXXXXXXXXX/");
  strictEqual(plivo.readVerify({ status: 200, body: "{}", headers: {} }, channel).ok, true);
  strictEqual(plivo.readVerify({ status: 401, body: "", headers: {} }, channel).ok, false);
});
