import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { voicemeup, VoiceMeUpCredentialsSchema } from "../../adapters/providers/voicemeup.ts";
import { channelOf, MESSAGE_ID, outgoing, summary, webhook } from "./support.ts";

const URL_IN = "https://sms.example.test/webhooks/voicemeup/secret";
const HASH = "3f0c1c1e-0000-4000-8000-000000000001";
const credentials = VoiceMeUpCredentialsSchema.parse({
  username: "acme",
  authToken: "s3cret",
  errorClasses: { no_funds: "no-credit" },
});
const channel = channelOf("voicemeup", credentials);

const MESSAGE = {
  sms_log_id: "1001",
  sms_hash: HASH,
  direction: "inbound",
  source_number: "15145550100",
  destination_number: "15145550199",
  message: "Bonjour",
  attachment: null as string | null,
  datetime_transmission: "2026-01-02 03:04:05",
  status: "enabled",
  transmission_status: "completed",
};

const JPG = "https://clients.voicemeup.com/file/abc.mms.jpg";
const WRAPPER = "https://clients.voicemeup.com/file/abc.mms.html";
const FIRST = "[1/2 of 2026-01-02 03:04:05]";
const SECOND = "[2/2 of 2026-01-02 03:04:05]";
const BASE = "+15145550100>+15145550199";

const INBOUND: readonly [label: string, over: Record<string, unknown>, result: string][] = [
  ["a text", {}, `${BASE} "Bonjour" #${HASH}`],
  ["ten digits", { source_number: "5145550100" }, `${BASE} "Bonjour" #${HASH}`],
  ["a plus", { source_number: "+15145550100" }, `${BASE} "Bonjour" #${HASH}`],
  ["numbers as numbers", { source_number: 15145550100 }, `${BASE} "Bonjour" #${HASH}`],
  ["a short code", { source_number: "12345" }, `12345>+15145550199 "Bonjour" #${HASH}`],
  [
    "a picture",
    { message: "", attachment: JPG, attachment_mime_type: "image/jpeg" },
    `${BASE} "" ${JPG} #${HASH} ${SECOND}`,
  ],
  [
    "a picture under its older name",
    { message: "", attachment_url: JPG },
    `${BASE} "" ${JPG} #${HASH} ${SECOND}`,
  ],
  ["a picture with a text", { attachment: JPG }, `${BASE} "Bonjour" ${JPG} #${HASH}`],
  [
    "a picture of no MMS",
    { message: "", attachment: "https://x.test/a.jpg" },
    `${BASE} "" https://x.test/a.jpg #${HASH}`,
  ],
  ["an MMS's first half", { message: "Look", attachment: WRAPPER }, `${BASE} "Look" #${HASH} ${FIRST}`],
  ["a first half known by its type", {
    message: "Look",
    attachment: "https://x.test/a.mms.b",
    attachment_mime_type: "text/html",
  }, `${BASE} "Look" #${HASH} ${FIRST}`],
  [
    "an MMS's first half without text",
    { message: "", attachment: WRAPPER },
    `${BASE} "" #${HASH} ${FIRST}`,
  ],
  [
    "a first half without its time",
    { message: "Look", attachment: WRAPPER, datetime_transmission: "" },
    `${BASE} "Look" #${HASH}`,
  ],
  ["one without text and time", { message: "", attachment: WRAPPER, datetime_transmission: null }, "nothing"],
  [
    "a second half without its time",
    { message: "", attachment: JPG, datetime_transmission: "" },
    `${BASE} "" ${JPG} #${HASH}`,
  ],
  ["no hash", { sms_hash: null }, `${BASE} "Bonjour" #1001`],
  ["no id at all", { sms_hash: "", sms_log_id: undefined }, `${BASE} "Bonjour"`],
  ["a NUL and half a surrogate pair", { message: "a\u0000b\ud800" }, `${BASE} "a\ufffdb\ufffd" #${HASH}`],
  ["an empty text", { message: "" }, `${BASE} "" #${HASH}`],
  ["no text", { message: undefined }, "malformed message"],
  ["a text that is a list", { message: ["x"] }, "malformed message"],
  ["a text that is too long", { message: "x".repeat(10_001) }, "malformed message"],
  ["no sender", { source_number: "" }, "malformed source_number"],
  ["no destination", { destination_number: undefined }, "malformed destination_number"],
  ["an attachment that is no link", { attachment: "file:///etc/passwd" }, "malformed attachment"],
  ["a hash that is no id", { sms_hash: "a b" }, "malformed sms_hash"],
  ["a report", { direction: "outbound" }, `delivered - ${HASH}`],
  ["a failure", { direction: "outbound", transmission_status: "failed" }, `failed - ${HASH} unknown -`],
  ["a report of nothing new", { direction: "outbound", transmission_status: "pending" }, "nothing"],
  [
    "a status nobody knows",
    { direction: "outbound", transmission_status: "eaten" },
    "malformed transmission_status",
  ],
];

Deno.test("voicemeup reads JSON webhooks, and names the field that is wrong", () => {
  for (const [label, over, expected] of INBOUND) {
    strictEqual(
      summary(voicemeup.parseWebhook(webhook(URL_IN, { json: { ...MESSAGE, ...over } }), channel)),
      expected,
      label,
    );
  }
});

Deno.test("voicemeup reads the same from a form and from a query", () => {
  for (const [label, over, expected] of INBOUND) {
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...MESSAGE, ...over })) {
      if (typeof value === "string" || typeof value === "number") form.set(name, String(value));
    }
    strictEqual(
      summary(voicemeup.parseWebhook(webhook(URL_IN, { form: form.toString() }), channel)),
      expected,
      label,
    );
    strictEqual(summary(voicemeup.parseWebhook(webhook(`${URL_IN}?${form}`), channel)), expected, label);
  }
});

Deno.test("voicemeup reads reports on the address that names our message", () => {
  const request = webhook(URL_IN, { path: `status/${MESSAGE_ID}`, json: { transmission_status: "sent" } });
  strictEqual(summary(voicemeup.parseWebhook(request, channel)), `sent ${MESSAGE_ID} -`);
  strictEqual(summary(voicemeup.parseWebhook({ ...request, path: "status" }, channel)), "malformed sms_hash");
});

Deno.test("voicemeup never throws, whatever the bytes", () => {
  const contentType = fc.constantFrom(
    "application/json",
    "application/x-www-form-urlencoded",
    "",
    "text/plain",
  );
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => new TextEncoder().encode(text)),
    fc.dictionary(fc.constantFrom(...Object.keys(MESSAGE), "__proto__", "toString"), fc.jsonValue())
      .map((fields) => new TextEncoder().encode(JSON.stringify({ ...MESSAGE, ...fields }))),
  );
  fc.assert(
    fc.property(body, contentType, fc.constantFrom("", "status", "status/x"), (body, contentType, path) => {
      const headers = new Headers(contentType === "" ? {} : { "content-type": contentType });
      const result = voicemeup.parseWebhook(
        { ...webhook(URL_IN, { path, method: "POST" }), headers, body },
        channel,
      );
      ok(result.kind === "accepted" || result.why === "malformed");
    }),
  );
});

Deno.test("voicemeup builds sends, and adds the links of further media to the text", () => {
  const call = voicemeup.buildSend(
    outgoing({
      media: [{ url: "https://m.test/1" }, { url: "https://m.test/2" }, { url: "https://m.test/3" }],
    }),
    channel,
  );
  strictEqual(call.url, "https://clients.voicemeup.com/api/v1.1/json/queue_sms");
  deepStrictEqual([...new URLSearchParams(call.body)], [
    ["username", "acme"],
    ["auth_token", "s3cret"],
    ["source_number", "14155550199"],
    ["destination_number", "14155550100"],
    ["message", "Olá & más 50%\nhttps://m.test/2\nhttps://m.test/3"],
    ["attachment", "https://m.test/1"],
  ]);
  const picture = voicemeup.buildSend(outgoing({ text: "", media: [{ url: "https://m.test/1" }] }), channel);
  strictEqual(new URLSearchParams(picture.body).has("message"), false);
  const bases = ["http://127.0.0.1:9", "http://127.0.0.1:9/", "http://127.0.0.1:9/api/v1.1/json/"];
  for (const baseUrl of bases) {
    const call = voicemeup.buildSend(outgoing(), channelOf("voicemeup", credentials, { baseUrl }));
    strictEqual(call.url, "http://127.0.0.1:9/api/v1.1/json/queue_sms");
  }
});

function answer(status: "success" | "error", message: unknown): string {
  return JSON.stringify({ response_details: { response_status: status, response_messages: { message } } });
}

const ANSWERS: readonly [status: number, body: string, result: string][] = [
  [200, answer("success", [{ code: "queued_sms_hash", _content: HASH }]), `accepted ${HASH}`],
  [200, answer("success", { code: "queued_sms_hash", _content: HASH }), `accepted ${HASH}`],
  [
    200,
    answer("success", [{ code: "note" }, { code: "queued_sms_hash", _content: HASH }]),
    `accepted ${HASH}`,
  ],
  [200, answer("success", null), "accepted null"],
  [200, answer("error", { code: "duplicate_entry", _content: "Duplicate" }), "rejected duplicate_entry"],
  [200, answer("error", [{ code: "permission_refused" }]), "auth permission_refused"],
  [200, answer("error", [{ code: "no_funds" }]), "no-credit no_funds"],
  [200, answer("error", [{ code: "weird", _content: "Strange" }]), "rejected weird"],
  [200, answer("error", [{ code: "__proto__" }]), "rejected __proto__"],
  [200, answer("error", []), "rejected -"],
  [429, answer("error", [{ code: "slow" }]), "throttled slow"],
  [200, "<html>", "bad-response -"],
  [200, '{"response_details":null}', "bad-response -"],
  [401, "", "auth -"],
  [403, "no", "auth -"],
  [429, "", "throttled -"],
  [502, "<html>", "provider-error -"],
];

Deno.test("voicemeup reads answers to sends by their body", () => {
  for (const [status, body, expected] of ANSWERS) {
    const result = voicemeup.readSend({ status, body, headers: {} }, channel);
    const found = result.kind === "accepted"
      ? `accepted ${result.providerId}`
      : `${result.error.class} ${result.error.providerCode ?? "-"}`;
    strictEqual(found, expected, `${status} ${body}`);
  }
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
    voicemeup.readSend({ status: 200, body, headers: {} }, channel);
    voicemeup.readVerify({ status: 200, body, headers: {} }, channel);
  }));
});

Deno.test("voicemeup proves credentials with a send that has no destination, or with a method that reads", () => {
  const call = voicemeup.buildVerify(channel);
  strictEqual(new URLSearchParams(call?.body).get("destination_number"), "");
  const reading = voicemeup.buildVerify(channelOf("voicemeup", { ...credentials, verifyMethod: "get_dids" }));
  strictEqual(reading?.url, "https://clients.voicemeup.com/api/v1.1/json/get_dids");
  const verdict = (body: string, status = 200) =>
    voicemeup.readVerify({ status, body, headers: {} }, channel).ok;
  strictEqual(verdict(answer("error", { code: "invalid_number" })), true);
  strictEqual(verdict(answer("error", { code: "permission_refused" })), false);
  strictEqual(verdict("<html>"), false);
  strictEqual(verdict("", 401), false);
});
