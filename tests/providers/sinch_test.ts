import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { sinch, SinchCredentialsSchema } from "../../adapters/providers/sinch.ts";
import { channelOf, MESSAGE_ID, outgoing, summary, webhook } from "./support.ts";

const URL_IN = "https://sms.example.test/webhooks/sinch/secret";
/** Sinch' own SDK accepts this signature. */
const VECTOR = {
  secret: "sinch-hook-secret-1",
  body:
    '{"type":"mo_text","id":"01FC66621XXXXX119Z8PMV1QPA","from":"14155550100","to":"14155550199","body":"Hi"}',
  nonce: "01FJA8B4A7BM43YGWSG9GBV067",
  timestamp: "1767323045",
  signature: "4ULNhNkrAfrsrhkbTLn2xOU3cyF+iCcDgC/AE4uLxIk=",
};

const plain = { servicePlanId: "plan1", apiToken: "t0ken", region: "eu" };
const channel = channelOf("sinch", SinchCredentialsSchema.parse(plain));
const signing = channelOf(
  "sinch",
  SinchCredentialsSchema.parse({
    ...plain,
    webhookSecret: "sinch-hook-secret-2",
    previousWebhookSecret: VECTOR.secret,
  }),
);

const ID = "01FC66621XXXXX119Z8PMV1QPA";
const BASE = "+14155550100>+14155550199";

Deno.test("sinch: the vector's signature is taken, and anything else is refused", () => {
  const from = (over: Partial<typeof VECTOR> = {}, drop?: string) => {
    const { body, nonce, timestamp, signature } = { ...VECTOR, ...over };
    const headers = new Headers({
      "x-sinch-webhook-signature": signature,
      "x-sinch-webhook-signature-nonce": nonce,
      "x-sinch-webhook-signature-timestamp": timestamp,
      "x-sinch-webhook-signature-algorithm": "HmacSHA256",
    });
    if (drop !== undefined) headers.delete(drop);
    const request = { ...webhook(URL_IN, { method: "POST" }), headers, body: new TextEncoder().encode(body) };
    return summary(sinch.parseWebhook(request, signing));
  };
  strictEqual(from(), `${BASE} "Hi" #${ID}`);
  strictEqual(from({ body: VECTOR.body.replace("Hi", "Ho") }), "unsigned");
  strictEqual(from({ nonce: "x" }), "unsigned");
  strictEqual(from({ timestamp: "1767323046" }), "unsigned");
  strictEqual(from({}, "x-sinch-webhook-signature"), "unsigned");
  strictEqual(from({}, "x-sinch-webhook-signature-nonce"), "unsigned");
  strictEqual(from({}, "x-sinch-webhook-signature-timestamp"), "unsigned");
  const fresh = createHmac("sha256", "sinch-hook-secret-2")
    .update(`${VECTOR.body}.${VECTOR.nonce}.${VECTOR.timestamp}`).digest("base64");
  strictEqual(from({ signature: fresh }), `${BASE} "Hi" #${ID}`);
});

Deno.test("sinch: HTTP Basic where that is set up instead", () => {
  const guarded = channelOf(
    "sinch",
    SinchCredentialsSchema.parse({ ...plain, webhookUser: "hook", webhookPassword: "pw" }),
  );
  const from = (authorization?: string) => {
    const headers = new Headers(authorization === undefined ? {} : { authorization });
    return summary(sinch.parseWebhook(webhook(URL_IN, { json: JSON.parse(VECTOR.body), headers }), guarded));
  };
  strictEqual(from(`Basic ${btoa("hook:pw")}`), `${BASE} "Hi" #${ID}`);
  strictEqual(from(`Basic ${btoa("hook:px")}`), "unsigned");
  strictEqual(from(), "unsigned");
  ok(!SinchCredentialsSchema.safeParse({ ...plain, webhookUser: "hook" }).success);
});

const parse = (json: unknown, path = "") =>
  summary(sinch.parseWebhook(webhook(URL_IN, { json, path }), channel));
const MESSAGE = { type: "mo_text", id: ID, from: "14155550100", to: "14155550199", body: "Hi" as unknown };
const JPG = "https://mms.sinch.test/a.jpg";

const INBOUND: readonly [label: string, over: Record<string, unknown>, result: string][] = [
  ["a text", {}, `${BASE} "Hi" #${ID}`],
  ["numbers with a plus", { from: "+14155550100" }, `${BASE} "Hi" #${ID}`],
  ["a short code", { to: "54321" }, `+14155550100>54321 "Hi" #${ID}`],
  ["an empty text", { body: "" }, `${BASE} "" #${ID}`],
  [
    "a picture",
    {
      type: "mo_media",
      body: {
        subject: "S",
        message: "M",
        media: [{ url: JPG, content_type: "image/jpeg", status: "Uploaded" }],
      },
    },
    `${BASE} "S\\nM" ${JPG} #${ID}`,
  ],
  [
    "a picture that was lost",
    { type: "mo_media", body: { message: "M", media: [{ status: "Failed", code: 400 }] } },
    `${BASE} "M" #${ID}`,
  ],
  ["a binary message", { type: "mo_binary", body: "AQID" }, `${BASE} "(binary message, base64) AQID" #${ID}`],
  ["a kind nobody knows", { type: "mo_hologram" }, "nothing"],
  ["no kind", { type: undefined }, "malformed type"],
  ["no id", { id: undefined }, "malformed id"],
  ["no sender", { from: undefined }, "malformed from"],
  ["no recipient", { to: "" }, "malformed to"],
  ["no text", { body: undefined }, "malformed body"],
  ["a text that is an object", { body: {} }, "malformed body"],
  ["media without content", { type: "mo_media", body: "x" }, "malformed body"],
  [
    "media that is no link",
    { type: "mo_media", body: { media: [{ url: "x" }] } },
    "malformed body.media[0].url",
  ],
  ["a text that is too long", { body: "x".repeat(10_001) }, "malformed body"],
];

Deno.test("sinch reads messages that come in, and names the field that is wrong", () => {
  for (const [label, over, expected] of INBOUND) strictEqual(parse({ ...MESSAGE, ...over }), expected, label);
  strictEqual(parse([]), "malformed");
});

const REPORTS: readonly [status: string, code: number | undefined, result: string][] = [
  ["Queued", 400, "nothing"],
  ["Dispatched", 401, `sent ${MESSAGE_ID} B1`],
  ["Delivered", 0, `delivered ${MESSAGE_ID} B1`],
  ["Unknown", undefined, `sent ${MESSAGE_ID} B1`],
  ["Failed", 300, `failed ${MESSAGE_ID} B1 invalid-number 300`],
  ["Rejected", 402, `rejected ${MESSAGE_ID} B1 rejected 402`],
  ["Rejected", 62, `rejected ${MESSAGE_ID} B1 blocked 62`],
  ["Aborted", 403, `failed ${MESSAGE_ID} B1 provider-error 403`],
  ["Aborted", 406, `expired ${MESSAGE_ID} B1 unreachable 406`],
  ["Aborted", 413, `rejected ${MESSAGE_ID} B1 account 413`],
  ["Cancelled", 407, `rejected ${MESSAGE_ID} B1 rejected 407`],
  ["Expired", 999, `expired ${MESSAGE_ID} B1 unreachable 999`],
  ["Deleted", undefined, `rejected ${MESSAGE_ID} B1 rejected -`],
  ["Eaten", 1, "malformed status"],
  ["", 1, "malformed status"],
];

Deno.test("sinch reads reports of one recipient and of a batch", () => {
  for (const [status, code, expected] of REPORTS) {
    const one = {
      type: "recipient_delivery_report_sms",
      batch_id: "B1",
      recipient: "14155550100",
      status,
      code,
    };
    strictEqual(parse({ ...one, client_reference: MESSAGE_ID }), expected, status);
    strictEqual(parse({ ...one, type: "recipient_delivery_report_mms" }, `status/${MESSAGE_ID}`), expected);
    const batch = { type: "delivery_report_sms", batch_id: "B1", statuses: [{ code, status, count: 1 }] };
    strictEqual(parse(batch, `status/${MESSAGE_ID}`), expected, status);
  }
  strictEqual(parse({ type: "delivery_report_sms", statuses: [] }), "malformed batch_id");
});

Deno.test("sinch never throws, whatever the bytes", () => {
  const names = fc.constantFrom(...Object.keys(MESSAGE), "status", "statuses", "batch_id", "__proto__");
  const kinds = fc.constantFrom("mo_text", "mo_media", "mo_binary", "delivery_report_sms");
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => new TextEncoder().encode(text)),
    fc.tuple(kinds, fc.dictionary(names, fc.jsonValue()))
      .map(([type, over]) => new TextEncoder().encode(JSON.stringify({ ...MESSAGE, type, ...over }))),
  );
  fc.assert(fc.property(body, (body) => {
    const result = sinch.parseWebhook({ ...webhook(URL_IN, { method: "POST" }), body }, channel);
    ok(result.kind === "accepted" || result.why === "malformed");
  }));
});

Deno.test("sinch builds sends, and adds the links of further media to the text", () => {
  const call = sinch.buildSend(outgoing(), channel);
  strictEqual(call.url, "https://eu.sms.api.sinch.com/xms/v1/plan1/batches");
  strictEqual(call.headers["authorization"], "Bearer t0ken");
  deepStrictEqual(JSON.parse(call.body!), {
    from: "14155550199",
    to: ["14155550100"],
    type: "mt_text",
    body: "Olá & más 50%",
    delivery_report: "per_recipient",
    callback_url: "https://sms.example.test/webhooks/x/secret/status/" + MESSAGE_ID,
    client_reference: MESSAGE_ID,
  });
  const media = [{ url: "https://m.test/1" }, { url: "https://m.test/2" }];
  const picture = JSON.parse(sinch.buildSend(outgoing({ media }), channel).body!);
  deepStrictEqual([picture.type, picture.body], ["mt_media", {
    url: "https://m.test/1",
    message: "Olá & más 50%\nhttps://m.test/2",
  }]);
  const elsewhere = channelOf("sinch", channel.credentials, { baseUrl: "http://127.0.0.1:9" });
  strictEqual(sinch.buildSend(outgoing(), elsewhere).url, "http://127.0.0.1:9/xms/v1/plan1/batches");
});

const ANSWERS: readonly [status: number, body: string, result: string][] = [
  [201, JSON.stringify({ id: ID, to: ["14155550100"] }), `accepted ${ID}`],
  [201, "{}", "bad-response -"],
  [400, '{"code":"syntax_constraint_violation","text":"x"}', "bad-request syntax_constraint_violation"],
  [403, '{"code":"unknown_campaign","text":"x"}', "invalid-sender unknown_campaign"],
  [403, '{"code":"missing_callback_url","text":"x"}', "bad-request missing_callback_url"],
  [401, "", "auth -"],
  [403, "", "auth -"],
  [429, "", "throttled -"],
  [500, '{"code":"__proto__"}', "provider-error __proto__"],
];

Deno.test("sinch reads answers to sends, and proves the token by the list of batches", () => {
  for (const [status, body, expected] of ANSWERS) {
    const result = sinch.readSend({ status, body, headers: {} }, channel);
    const found = result.kind === "accepted"
      ? `accepted ${result.providerId}`
      : `${result.error.class} ${result.error.providerCode ?? "-"}`;
    strictEqual(found, expected, `${status} ${body}`);
  }
  strictEqual(
    sinch.buildVerify(channel)?.url,
    "https://eu.sms.api.sinch.com/xms/v1/plan1/batches?page_size=1",
  );
  strictEqual(sinch.readVerify({ status: 200, body: "{}", headers: {} }, channel).ok, true);
  strictEqual(sinch.readVerify({ status: 401, body: "", headers: {} }, channel).ok, false);
});
