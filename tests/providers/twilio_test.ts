import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import twilioSdk from "twilio";
import { z } from "zod";
import { twilio } from "../../adapters/providers/twilio.ts";
import { TwilioCredentialsSchema } from "../../adapters/providers/twilio_credentials.ts";
import type { HttpAnswer, WebhookRequest } from "../../core/ports/provider.ts";
import { channelOf, MESSAGE_ID, outgoing, summary, webhook } from "./support.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const ACCOUNT = "AC00000000000000000000000000000001";
const SID = "SM00000000000000000000000000000002";
const URL_IN = "https://sms.example.test/webhooks/twilio/secret";
const channel = channelOf("twilio", { accountSid: ACCOUNT, authToken: TOKEN });

type Params = Readonly<Record<string, string | readonly string[]>>;

/** Signed by Twilio's own library. */
function sdkSignature(url: string, params: Params, token = TOKEN): string {
  return twilioSdk.getExpectedTwilioSignature(token, url, params);
}

function formOf(params: Params): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of typeof value === "string" ? [value] : value) form.append(name, one);
  }
  return form.toString();
}

function signed(params: Params, over: Partial<WebhookRequest> & { url?: string; token?: string } = {}) {
  const { url = URL_IN, token, ...rest } = over;
  const signature = sdkSignature(url, params, token);
  return webhook(url, {
    ...rest,
    form: formOf(params),
    headers: new Headers({ "x-twilio-signature": signature }),
  });
}

const MESSAGE: Record<string, string> = {
  MessageSid: SID,
  SmsSid: SID,
  AccountSid: ACCOUNT,
  From: "+14155550100",
  To: "+14155550199",
  Body: "Hello",
  NumMedia: "0",
  NumSegments: "1",
  SmsStatus: "received",
  ApiVersion: "2010-04-01",
};

function without(...names: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(MESSAGE).filter(([name]) => !names.includes(name)));
}

const MEDIA_URL = `https://api.twilio.com/2010-04-01/Accounts/${ACCOUNT}/Messages/MM1/Media/ME1`;

const INBOUND: readonly [label: string, params: Params, result: string][] = [
  ["a text", MESSAGE, `+14155550100>+14155550199 "Hello" #${SID}`],
  [
    "accents and signs",
    { ...MESSAGE, Body: "Olá & mañana = 50% 😀+1" },
    `+14155550100>+14155550199 "Olá & mañana = 50% 😀+1" #${SID}`,
  ],
  [
    "unknown new fields",
    { ...MESSAGE, ChannelMetadata: "{}", "Zé": "ü" },
    `+14155550100>+14155550199 "Hello" #${SID}`,
  ],
  ["an empty text", { ...MESSAGE, Body: "" }, `+14155550100>+14155550199 "" #${SID}`],
  ["a short code", { ...MESSAGE, To: "12345" }, `+14155550100>12345 "Hello" #${SID}`],
  ["a NUL", { ...MESSAGE, Body: "a\u0000b" }, `+14155550100>+14155550199 "a\ufffdb" #${SID}`],
  [
    "a name that comes twice",
    { ...MESSAGE, Extra: ["b", "a", "b"] },
    `+14155550100>+14155550199 "Hello" #${SID}`,
  ],
  [
    "__proto__",
    { ...MESSAGE, ["__proto__x"]: "1", constructor: "2" },
    `+14155550100>+14155550199 "Hello" #${SID}`,
  ],
  ["no account", without("AccountSid"), `+14155550100>+14155550199 "Hello" #${SID}`],
  ["no NumMedia", without("NumMedia"), `+14155550100>+14155550199 "Hello" #${SID}`],
  [
    "a picture without text",
    { ...without("Body"), NumMedia: "1", MediaUrl0: MEDIA_URL, MediaContentType0: "image/jpeg" },
    `+14155550100>+14155550199 "" ${MEDIA_URL} #${SID}`,
  ],
  [
    "10,000 characters",
    { ...MESSAGE, Body: "x".repeat(10_000) },
    `+14155550100>+14155550199 "${"x".repeat(10_000)}" #${SID}`,
  ],
  ["a text that is too long", { ...MESSAGE, Body: "x".repeat(10_001) }, "malformed Body"],
  ["no text and no media", without("Body"), "malformed Body"],
  ["no sender", without("From"), "malformed From"],
  ["another channel's address", { ...MESSAGE, From: "whatsapp:+14155550100" }, "malformed From"],
  ["a destination that is none", { ...MESSAGE, To: "x; drop table" }, "malformed To"],
  ["no destination", without("To"), "malformed To"],
  ["no id", without("MessageSid", "SmsSid"), "malformed MessageSid"],
  ["an id with a line break", { ...MESSAGE, MessageSid: "SM\n1" }, "malformed MessageSid"],
  ["NumMedia that is no number", { ...MESSAGE, NumMedia: "1e1" }, "malformed NumMedia"],
  ["too many media", { ...MESSAGE, NumMedia: "11" }, "malformed NumMedia"],
  ["media without a link", { ...MESSAGE, NumMedia: "1" }, "malformed MediaUrl0"],
  [
    "media that is no link",
    { ...MESSAGE, NumMedia: "1", MediaUrl0: "javascript:alert(1)" },
    "malformed MediaUrl0",
  ],
  ["another account", { ...MESSAGE, AccountSid: "AC" + "f".repeat(32) }, "malformed AccountSid"],
];

Deno.test("twilio reads messages that come in, and names the field that is wrong", () => {
  for (const [label, params, expected] of INBOUND) {
    strictEqual(summary(twilio.parseWebhook(signed(params), channel)), expected, label);
  }
});

const REPORT = { MessageSid: SID, AccountSid: ACCOUNT, To: "+14155550100", From: "+14155550199" };

const REPORTS: readonly [label: string, path: string, params: Params, result: string][] = [
  ["sent", `status/${MESSAGE_ID}`, { MessageStatus: "sent" }, `sent ${MESSAGE_ID} ${SID}`],
  ["delivered", "status", { MessageStatus: "delivered" }, `delivered - ${SID}`],
  ["read", "status", { MessageStatus: "read" }, `delivered - ${SID}`],
  ["partially delivered", "status", { MessageStatus: "partially_delivered" }, `delivered - ${SID}`],
  [
    "on the same address as messages",
    "",
    { MessageStatus: "delivered", SmsStatus: "delivered" },
    `delivered - ${SID}`,
  ],
  ["the old field alone", "status", { SmsStatus: "delivered" }, `delivered - ${SID}`],
  [
    "undelivered",
    "status",
    { MessageStatus: "undelivered", ErrorCode: "30003" },
    `undelivered - ${SID} unreachable 30003`,
  ],
  [
    "undelivered without a code",
    "status",
    { MessageStatus: "undelivered" },
    `undelivered - ${SID} unreachable -`,
  ],
  ["failed", "status", { MessageStatus: "failed", ErrorCode: "30008" }, `failed - ${SID} unknown 30008`],
  [
    "failed with a code nobody knows",
    "status",
    { MessageStatus: "failed", ErrorCode: "39999" },
    `failed - ${SID} unknown 39999`,
  ],
  [
    "failed by opt-out",
    "status",
    { MessageStatus: "failed", ErrorCode: "21610" },
    `rejected - ${SID} opted-out 21610`,
  ],
  ["filtered", "status", { MessageStatus: "failed", ErrorCode: "30007" }, `rejected - ${SID} blocked 30007`],
  [
    "not registered",
    "status",
    { MessageStatus: "failed", ErrorCode: "30034" },
    `rejected - ${SID} invalid-sender 30034`,
  ],
  ["cancelled", "status", { MessageStatus: "canceled" }, `rejected - ${SID} rejected -`],
  ["queued", "status", { MessageStatus: "queued" }, "nothing"],
  ["a status nobody knows", "status", { MessageStatus: "eaten" }, "malformed MessageStatus"],
  ["a name of every object", "status", { MessageStatus: "constructor" }, "malformed MessageStatus"],
  ["no status", "status", {}, "malformed MessageStatus"],
  ["a path that names no message", "status/../../x", { MessageStatus: "sent" }, `sent - ${SID}`],
];

Deno.test("twilio reads status callbacks", () => {
  for (const [label, path, params, expected] of REPORTS) {
    const result = twilio.parseWebhook(signed({ ...REPORT, ...params }, { path }), channel);
    strictEqual(summary(result), expected, label);
  }
});

Deno.test("twilio answers with empty TwiML", () => {
  const result = twilio.parseWebhook(signed(MESSAGE), channel);
  ok(result.kind === "accepted");
  strictEqual(result.reply.contentType.split(";")[0], "text/xml");
  ok(/<Response\/>$/.test(result.reply.body));
});

Deno.test("twilio accepts the published test vectors", () => {
  const form = {
    AccountSid: ACCOUNT,
    ApiVersion: "2010-04-01",
    Body: "Olá & mañana = 50%",
    From: "+14155550100",
    MessageSid: SID,
    NumMedia: "0",
    NumSegments: "1",
    SmsStatus: "received",
    To: "+14155550199",
  };
  const formRequest = webhook("https://sms.example.test/hooks/twilio/in?tenant=42", {
    form: formOf(form),
    headers: new Headers({ "x-twilio-signature": "CDAhFwMRu4XuxCdJdEhRDIzTMvU=" }),
  });
  strictEqual(
    summary(twilio.parseWebhook(formRequest, channel)),
    `+14155550100>+14155550199 "Olá & mañana = 50%" #${SID}`,
  );

  const hash = "9239c422a41b555493841e492401a13c6081045f49bd7223f575c7e1f7d86f7f";
  const json = (body: unknown) =>
    webhook(`https://sms.example.test/hooks/twilio/json?bodySHA256=${hash}`, {
      json: body,
      headers: new Headers({ "x-twilio-signature": "AJb7x5AmsMj/KXpCil64ZqWR6Z4=" }),
    });
  strictEqual(summary(twilio.parseWebhook(json({ event: "ping", n: 1 }), channel)), "malformed MessageSid");
  strictEqual(summary(twilio.parseWebhook(json({ event: "ping", n: 2 }), channel)), "unsigned");
});

Deno.test("twilio accepts what Twilio's library signs, and nothing that was changed afterwards", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).map((text) =>
    `x${text.toWellFormed()}`
  );
  const value = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc.array(fc.string({ maxLength: 8 }), { minLength: 1, maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.dictionary(name, value), fc.webUrl({ withQueryParameters: true }), (extra, url) => {
      const params = { ...extra, ...MESSAGE };
      ok(twilio.parseWebhook(signed(params, { url }), channel).kind === "accepted");
      const request = signed(params, { url });
      const tampered = { ...request, body: new TextEncoder().encode(formOf({ ...params, Body: "Hellp" })) };
      strictEqual(summary(twilio.parseWebhook(tampered, channel)), "unsigned");
      const moved = { ...request, url: `${url}x` };
      strictEqual(summary(twilio.parseWebhook(moved, channel)), "unsigned");
    }),
    { numRuns: 60 },
  );
});

Deno.test("twilio takes the address with and without its default port, and without its fragment", () => {
  const pairs = [
    ["https://sms.example.test/in?a=1", "https://sms.example.test:443/in?a=1"],
    ["https://sms.example.test:443/in", "https://sms.example.test/in"],
    ["http://sms.example.test/in", "http://sms.example.test:80/in"],
    ["http://[2001:db8::1]:8080/in", "http://[2001:db8::1]/in"],
    ["https://sms.example.test/in#rc=3", "https://sms.example.test/in"],
  ];
  for (const [url, signedUrl] of pairs) {
    const headers = new Headers({ "x-twilio-signature": sdkSignature(signedUrl!, MESSAGE) });
    const result = twilio.parseWebhook(webhook(url!, { form: formOf(MESSAGE), headers }), channel);
    strictEqual(result.kind, "accepted", `${url} signed as ${signedUrl}`);
  }
});

Deno.test("twilio reads forms sent by GET", () => {
  const url = `${URL_IN}?${formOf(MESSAGE)}`;
  const get = (over: string, signature = sdkSignature(url, {})) =>
    summary(
      twilio.parseWebhook(
        webhook(over, { headers: new Headers({ "x-twilio-signature": signature }) }),
        channel,
      ),
    );
  strictEqual(get(url), `+14155550100>+14155550199 "Hello" #${SID}`);
  strictEqual(get(url.replace("Hello", "Hellp")), "unsigned");
  strictEqual(get(url, "AAAAAAAAAAAAAAAAAAAAAAAAAAA="), "unsigned");
});

Deno.test("twilio refuses what is not signed, or not with this channel's token", () => {
  const cases: readonly [signature: string | null][] = [[null], [""], ["x"], ["é".repeat(28)], [
    "A".repeat(5_000),
  ]];
  for (const [signature] of cases) {
    const headers = new Headers();
    try {
      if (signature !== null) headers.set("x-twilio-signature", signature);
    } catch {
      continue;
    }
    strictEqual(
      summary(twilio.parseWebhook(webhook(URL_IN, { form: formOf(MESSAGE), headers }), channel)),
      "unsigned",
    );
  }
  const old = "ffffffffffffffffffffffffffffffff";
  strictEqual(summary(twilio.parseWebhook(signed(MESSAGE, { token: old }), channel)), "unsigned");
  const rotating = channelOf("twilio", { accountSid: ACCOUNT, authToken: TOKEN, previousAuthToken: old });
  strictEqual(twilio.parseWebhook(signed(MESSAGE, { token: old }), rotating).kind, "accepted");
  strictEqual(summary(twilio.parseWebhook(signed(MESSAGE), channelOf("twilio", {}))), "unsigned");
});

Deno.test("twilio takes a JSON body only if its hash is in the signed address", () => {
  const json = webhook(URL_IN, {
    json: MESSAGE,
    headers: new Headers({ "x-twilio-signature": sdkSignature(URL_IN, {}) }),
  });
  strictEqual(summary(twilio.parseWebhook(json, channel)), "unsigned");
  const body = JSON.stringify(MESSAGE);
  const url = `${URL_IN}?bodySHA256=${twilioSdk.getExpectedBodyHash(body)}`;
  const headers = new Headers({ "x-twilio-signature": sdkSignature(url, {}) });
  strictEqual(twilio.parseWebhook(webhook(url, { json: MESSAGE, headers }), channel).kind, "accepted");
});

/** Signs whatever the fields are, so that the reading behind the signature is reached too. */
function signRaw(form: string, path: string): WebhookRequest {
  const grouped: Record<string, string[]> = Object.create(null);
  for (const [name, value] of new URLSearchParams(form)) (grouped[name] ??= []).push(value);
  const params: Record<string, string | string[]> = Object.create(null);
  for (const [name, values] of Object.entries(grouped)) {
    params[name] = values.length === 1 ? values[0]! : values;
  }
  return webhook(URL_IN, {
    path,
    form,
    headers: new Headers({ "x-twilio-signature": sdkSignature(URL_IN, params) }),
  });
}

Deno.test("twilio never throws, whatever the bytes", () => {
  const key = fc.constantFrom(
    ...Object.keys(MESSAGE),
    "MessageStatus",
    "ErrorCode",
    "MediaUrl0",
    "__proto__",
    "toString",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.constantFrom("%", "%zz", "%ff%fe", "+", "1", "a".repeat(20_000)),
  );
  const form = fc.array(fc.tuple(key, text), { maxLength: 12 }).map((pairs) =>
    pairs.map(([name, value]) => `${name}=${value}`).join("&")
  );
  const path = fc.constantFrom("", "status", "status/", `status/${MESSAGE_ID}`, "x");
  fc.assert(fc.property(form, path, (form, path) => {
    const result = twilio.parseWebhook(signRaw(form, path), channel);
    ok(result.kind === "accepted" || result.why === "malformed", `${form} ${JSON.stringify(result)}`);
  }));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), fc.string(), (body, isJson, url) => {
    const headers = new Headers({ "x-twilio-signature": "CDAhFwMRu4XuxCdJdEhRDIzTMvU=" });
    if (isJson) headers.set("content-type", "application/json");
    const base = webhook(URL_IN, { headers, method: "POST" });
    strictEqual(twilio.parseWebhook({ ...base, headers, body, url }, channel).kind, "refused");
  }));
  const many = "a=1&".repeat(100_000);
  strictEqual(twilio.parseWebhook(signRaw(many, ""), channel).kind, "refused");
});

const API = `https://api.twilio.com/2010-04-01/Accounts/${ACCOUNT}`;

Deno.test("twilio builds sends", () => {
  const call = twilio.buildSend(
    outgoing({
      media: [{ url: "https://m.test/1?a=b&c" }, { url: "https://m.test/2" }],
      validitySeconds: 99_999.5,
    }),
    channel,
  );
  strictEqual(call.url, `${API}/Messages.json`);
  strictEqual(call.headers["authorization"], `Basic ${btoa(`${ACCOUNT}:${TOKEN}`)}`);
  deepStrictEqual([...new URLSearchParams(call.body)], [
    ["To", "+14155550100"],
    ["From", "+14155550199"],
    ["Body", "Olá & más 50%"],
    ["MediaUrl", "https://m.test/1?a=b&c"],
    ["MediaUrl", "https://m.test/2"],
    ["StatusCallback", outgoing().statusUrl],
    ["ValidityPeriod", "36000"],
  ]);
  const keyed = channelOf("twilio", {
    accountSid: ACCOUNT,
    authToken: TOKEN,
    apiKeySid: "SK1",
    apiKeySecret: "s",
    messagingServiceSid: "MG1",
  }, { baseUrl: "http://127.0.0.1:9/" });
  const other = twilio.buildSend(
    outgoing({ text: "", media: [{ url: "https://m.test/1" }], statusUrl: "" }),
    keyed,
  );
  strictEqual(other.url, `http://127.0.0.1:9/2010-04-01/Accounts/${ACCOUNT}/Messages.json`);
  strictEqual(other.headers["authorization"], `Basic ${btoa("SK1:s")}`);
  strictEqual(new URLSearchParams(other.body).get("MessagingServiceSid"), "MG1");
  strictEqual(new URLSearchParams(other.body).has("Body"), false);
});

const ANSWERS: readonly [status: number, body: string, headers: Record<string, string>, result: string][] = [
  [201, `{"sid":"${SID}","status":"queued","error_code":null}`, {}, `accepted ${SID}`],
  [201, "", {}, "bad-response - -"],
  [200, '{"sid":5}', {}, "bad-response - -"],
  [401, '{"code":20003,"message":"Authenticate","status":401}', {}, "auth 20003 -"],
  [429, '{"code":20429,"message":"Too Many Requests"}', { "retry-after": "2" }, "throttled 20429 2000"],
  [
    429,
    "",
    { "retry-after": "Fri, 02 Jan 2026 03:04:10 GMT", date: "Fri, 02 Jan 2026 03:04:05 GMT" },
    "throttled - 5000",
  ],
  [429, "", { "retry-after": "999999" }, "throttled - 3600000"],
  [429, "", { "retry-after": "soon" }, "throttled - -"],
  [400, '{"code":21211,"message":"Invalid To"}', {}, "invalid-number 21211 -"],
  [400, '{"code":21610}', {}, "opted-out 21610 -"],
  [400, '{"code":21611}', {}, "throttled 21611 -"],
  [400, '{"code":21606}', {}, "invalid-sender 21606 -"],
  [400, '{"code":21617}', {}, "too-long 21617 -"],
  [400, '{"code":99999,"message":"?"}', {}, "bad-request 99999 -"],
  [404, "<html>", {}, "bad-request - -"],
  [500, "oops", {}, "provider-error - -"],
  [503, "null", {}, "provider-error - -"],
  [302, "", {}, "bad-response - -"],
];

Deno.test("twilio reads answers to sends", () => {
  for (const [status, body, headers, expected] of ANSWERS) {
    const result = twilio.readSend({ status, body, headers }, channel);
    const found = result.kind === "accepted"
      ? `accepted ${result.providerId}`
      : `${result.error.class} ${result.error.providerCode ?? "-"} ${result.retryAfterMs ?? "-"}`;
    strictEqual(found, expected, `${status} ${body}`);
  }
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 599 }), fc.oneof(fc.string(), fc.json()), (status, body) => {
      twilio.readSend({ status, body, headers: {} }, channel);
      twilio.readVerify({ status, body, headers: {} }, channel);
    }),
  );
});

Deno.test("twilio proves credentials with a call that sends nothing", () => {
  const call = twilio.buildVerify(channel);
  deepStrictEqual([call?.method, call?.url], ["GET", `${API}.json`]);
  const key = channelOf("twilio", {
    accountSid: ACCOUNT,
    authToken: TOKEN,
    apiKeySid: "SK1",
    apiKeySecret: "s",
  });
  strictEqual(twilio.buildVerify(key)?.url, `${API}/Messages.json?PageSize=1`);
  const verdict = (answer: Partial<HttpAnswer>) =>
    twilio.readVerify({ status: 200, body: "", headers: {}, ...answer }, channel).ok;
  deepStrictEqual(
    [{ body: '{"status":"active"}' }, { body: '{"status":"suspended"}' }, { status: 401 }, { status: 500 }]
      .map(verdict),
    [true, false, false, false],
  );
});

Deno.test("twilio's credentials schema names what is wrong and marks what is secret", () => {
  const faults = (input: unknown) =>
    TwilioCredentialsSchema.safeParse(input).error?.issues.map((issue) => issue.path.join("."));
  strictEqual(faults({ accountSid: ACCOUNT, authToken: TOKEN }), undefined);
  deepStrictEqual(faults({ accountSid: "x" }), ["accountSid", "authToken"]);
  deepStrictEqual(faults({ accountSid: ACCOUNT, authToken: TOKEN, apiKeySid: "SK" + "0".repeat(32) }), [
    "apiKeySecret",
  ]);
  const schema = z.toJSONSchema(twilio.credentials) as { properties: Record<string, { secret?: boolean }> };
  const secrets = Object.entries(schema.properties).filter(([, field]) => field.secret).map(([name]) => name);
  deepStrictEqual(secrets, ["authToken", "previousAuthToken", "apiKeySecret"]);
});

Deno.test("twilio's regions and edges have the hosts that Twilio's library calls", () => {
  const cases = [{}, { region: "ie1" }, { edge: "dublin", region: "ie1" }, { edge: "ashburn" }];
  for (const place of cases) {
    const channel = channelOf("twilio", { accountSid: ACCOUNT, authToken: TOKEN, ...place });
    const host = twilioSdk(ACCOUNT, TOKEN, place).getHostname("api.twilio.com", place.edge!, place.region!);
    strictEqual(new URL(twilio.buildSend(outgoing(), channel).url).hostname, host, JSON.stringify(place));
  }
});

Deno.test("twilio sends from a Messaging Service with the conversation's number, or lets the service choose", () => {
  const credentials = {
    accountSid: ACCOUNT,
    authToken: TOKEN,
    messagingServiceSid: "MG00000000000000000000000000000001",
  };
  const sender = (over: Record<string, string>) => {
    const parsed = TwilioCredentialsSchema.parse({ ...credentials, ...over });
    const body = new URLSearchParams(twilio.buildSend(outgoing(), channelOf("twilio", parsed)).body);
    return [body.get("From"), body.get("MessagingServiceSid")];
  };
  deepStrictEqual(sender({}), ["+14155550199", credentials.messagingServiceSid]);
  deepStrictEqual(sender({ serviceSender: "service" }), [null, credentials.messagingServiceSid]);
});
