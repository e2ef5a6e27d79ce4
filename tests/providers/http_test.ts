import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { http } from "../../adapters/providers/generic/kinds.ts";
import type { OutgoingMessage, WebhookRequest } from "../../core/ports/provider.ts";
import { channelOf, MESSAGE_ID, outgoing, summary, webhook } from "./support.ts";

const URL_IN = "https://sms.example.test/webhooks/http/secret";
const BASE = { url: "https://gw.example.test/send", parameters: { to: "${phone}", text: "${message}" } };

function channel(over: Record<string, unknown> = {}) {
  return channelOf("http", http.credentials.parse({ ...BASE, ...over }));
}

const UY = outgoing({ to: "+59899123456", text: 'Olá "x"' });

function sent(over: Record<string, unknown>, message: Partial<OutgoingMessage> = {}) {
  const { method, url, headers, body, bodyCharset } = http.buildSend({ ...UY, ...message }, channel(over));
  return {
    method,
    url: url.replace("https://gw.example.test", ""),
    type: headers["content-type"],
    body,
    bodyCharset,
  };
}

const bodyOf = (over: Record<string, unknown>, message?: Partial<OutgoingMessage>) =>
  sent(over, message).body;
const template = (body: string, over: Record<string, unknown> = {}) => ({ parameters: {}, body, ...over });

Deno.test("http sends its parameters in a form, in the address or as JSON", () => {
  deepStrictEqual(sent({}), {
    method: "POST",
    url: "/send",
    type: "application/x-www-form-urlencoded",
    body: "to=59899123456&text=Ol%C3%A1+%22x%22",
    bodyCharset: undefined,
  });
  strictEqual(
    sent({ method: "GET", parametersIn: "query" }).url,
    "/send?to=59899123456&text=Ol%C3%A1%20%22x%22",
  );
  strictEqual(
    sent({ method: "PUT", parametersIn: "json" }).body,
    '{"to":"59899123456","text":"Olá \\"x\\""}',
  );
  strictEqual(
    sent({ url: "https://gw.example.test/s?a=1", parametersIn: "query", spaceAs: "+" }).url,
    "/s?a=1&to=59899123456&text=Ol%C3%A1+%22x%22",
  );
  strictEqual(
    bodyOf({ url: "https://gw.example.test/s?a=${id_num}", queryIn: "form" })?.replace(/\d{9,}&/, "N&"),
    "a=N&to=59899123456&text=Ol%C3%A1+%22x%22",
  );
});

Deno.test("http leaves out parameters that come out empty", () => {
  const parameters = { to: "${phone}", ttl: "${validity}", media: "${media}", user: "${user}" };
  strictEqual(bodyOf({ parameters, parametersIn: "json" }), '{"to":"59899123456"}');
  strictEqual(
    bodyOf({ parameters, parametersIn: "json", user: "u" }, {
      validitySeconds: 60,
      media: [{ url: "https://m.test/1" }],
    }),
    '{"to":"59899123456","ttl":"60","media":"https://m.test/1","user":"u"}',
  );
});

Deno.test("http escapes for the place: JSON with and without quotes, XML, form, plain text", () => {
  strictEqual(
    bodyOf(template('{"to":${phone},"text":${message}}')),
    '{"to":"59899123456","text":"Olá \\"x\\""}',
  );
  strictEqual(
    bodyOf(template('{"a":"<${message}>","b":{"c":[${phone}]}}')),
    '{"a":"<Olá \\"x\\">","b":{"c":["59899123456"]}}',
  );
  strictEqual(
    bodyOf(template("<m to='${phone}'>${message}</m>", { bodyFormat: "xml" })),
    "<m to='59899123456'>Olá &#34;x&#34;</m>",
  );
  strictEqual(bodyOf(template("t=${message}", { bodyFormat: "form" })), "t=Ol%C3%A1+%22x%22");
  strictEqual(bodyOf(template("${phone} ${message}", { bodyFormat: "text" })), '59899123456 Olá "x"');
  const media = [{ url: "https://m.test/1" }, { url: "https://m.test/2" }];
  strictEqual(
    bodyOf(template('{"m":${media},"t":${message}}'), { media, text: "x" }),
    '{"m":["https://m.test/1","https://m.test/2"],"t":"x"}',
  );
});

Deno.test("http loses no media where nothing says where they go", () => {
  const media = [{ url: "https://m.test/1" }, { url: "https://m.test/2" }];
  strictEqual(
    bodyOf({ parameters: { t: "${message}" }, parametersIn: "json" }, { media, text: "Look" }),
    '{"t":"Look\\nhttps://m.test/1\\nhttps://m.test/2"}',
  );
});

Deno.test("http writes UTF-8, Latin-1, GSM octets, and hex of UCS-2 and GSM", () => {
  const text = "Olá €";
  deepStrictEqual(sent(template('{"t":${message}}', { charset: "latin-1" }), { text }), {
    method: "POST",
    url: "/send",
    type: "application/json",
    body: '{"t":"Ol\\u00e1 \\u20ac"}',
    bodyCharset: "latin-1",
  });
  deepStrictEqual(
    sent(template("<t>${message}</t>", { bodyFormat: "xml", charset: "latin-1" }), { text }).body,
    "<t>Ol&#225; &#8364;</t>",
  );
  const plain = sent(template("${message}", { bodyFormat: "text", charset: "latin-1" }), { text });
  deepStrictEqual([plain.body, plain.type, plain.bodyCharset], [
    "Olá ?",
    "text/plain; charset=iso-8859-1",
    "latin-1",
  ]);
  strictEqual(bodyOf({ charset: "gsm", parameters: { t: "${message}" } }, { text: "é €@" }), "t=%05+%1Be%00");
  const hex = (messageAs: string, over: Partial<OutgoingMessage>) =>
    bodyOf({ messageAs, parameters: { t: "${message}", c: "${encoding} ${dcs} ${coding}" } }, over);
  strictEqual(hex("ucs2-hex", { text: "á😀" }), "t=00E1D83DDE00&c=ucs2+8+2");
  strictEqual(hex("gsm-hex", { text: "é€", encoding: "gsm7" }), "t=051B65&c=gsm7+0+0");
  strictEqual(hex("auto-hex", { text: "é", encoding: "gsm7" }), "t=05&c=gsm7+0+0");
  strictEqual(hex("auto-hex", { text: "á", encoding: "ucs2" }), "t=00E1&c=ucs2+8+2");
});

Deno.test("http logs in by HTTP Basic, by bearer or by a header of the gateway's own", () => {
  const login = (over: Record<string, unknown>) => {
    const { "content-type": _, ...headers } =
      http.buildSend(UY, channel({ user: "acme", password: "s3cret", ...over })).headers;
    return headers;
  };
  deepStrictEqual(login({ auth: "basic" }), { authorization: "Basic YWNtZTpzM2NyZXQ=" });
  deepStrictEqual(login({ auth: "bearer" }), { authorization: "Bearer s3cret" });
  deepStrictEqual(login({ headers: { "X-Api-Key": "${password}", "X-Sender": "${from}" } }), {
    "x-api-key": "s3cret",
    "x-sender": "+14155550199",
  });
});

Deno.test("http applies its number rules in order, and refuses what is no number after them", () => {
  const rules = [{ pattern: "^598", replacement: "" }, { pattern: "^(9\\d{7})$", replacement: "0$1" }];
  strictEqual(bodyOf({ numberRules: rules, parameters: { t: "${phone}" } }), "t=099123456");
  throws(() => sent({ numberRules: [{ pattern: "^.*$", replacement: "none" }] }), /no number/);
});

Deno.test("http names our id, the status address and the time", () => {
  const parameters = { i: "${id}", s: "${status_url}", d: "${date}" };
  deepStrictEqual(JSON.parse(bodyOf({ parameters, parametersIn: "json" })!), {
    i: MESSAGE_ID,
    s: UY.statusUrl,
    d: new Date(parseInt("01jd000000", 32)).toISOString(),
  });
});

Deno.test("http never lets a value out of its place in any body", () => {
  const formats: readonly [string, string, (body: string) => unknown][] = [
    ["json", '{"a":${message},"b":"x${message}y"}', (body) => Object.keys(JSON.parse(body))],
    ["form", "a=${message}&b=1", (body) => [...new URLSearchParams(body).keys()]],
  ];
  fc.assert(fc.property(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.constantFrom(...formats),
    fc.constantFrom("utf-8", "latin-1"),
    (text, [bodyFormat, body, keys], charset) => {
      deepStrictEqual(keys(bodyOf(template(body, { bodyFormat, charset }), { text })!), ["a", "b"]);
    },
  ));
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
    const call = http.buildSend({ ...UY, from: text }, channel({ headers: { "X-A": "${from}" } }));
    ok(/^[\x20-\x7e]*$/.test(call.headers["x-a"]!));
    ok(!/[<>]/.test(bodyOf(template("<m>${message}</m>", { bodyFormat: "xml" }), { text })!.slice(3, -4)));
  }));
});

const FAULTS: readonly [over: Record<string, unknown>, path: string, message: RegExp][] = [
  [{ method: "GET" }, "parametersIn", /no body/],
  [{ method: "GET", parameters: {}, body: "x" }, "body", /no body/],
  [{ body: "x" }, "body", /parameters/],
  [template("{${phone}}"), "body", /not JSON/],
  [template("<a>${phone}", { bodyFormat: "xml" }), "body", /not XML/],
  [template("[${phone}", {}), "body", /not JSON/],
  [template("${nothing}", { bodyFormat: "text" }), "body", /no variable nothing/],
  [{ parameters: { a: "{x}" } }, "parameters.a", /no variable x/],
  [{ parametersIn: "json", charset: "gsm" }, "charset", /JSON/],
  [{ auth: "basic", password: "x" }, "user", /needs a user/],
  [{ auth: "bearer" }, "password", /needs a password/],
  [{ errorRules: [{ class: "auth" }] }, "errorRules.0", /status, a pattern or a path/],
  [{ errorRules: [{ class: "auth", path: "a" }] }, "errorRules.0.value", /together/],
  [{ webhookAddresses: ["10.0.0.0/33"] }, "webhookAddresses.0", /0 to 32/],
  [{ webhookAddresses: ["example.test"] }, "webhookAddresses.0", /address/],
  [{ numberRules: [{ pattern: "(" }] }, "numberRules.0.pattern", /\( without/],
  [{ webhookHmacSecret: "short" }, "webhookHmacSecret", /./],
];

Deno.test("http refuses settings that could only fail later, and names the field", () => {
  for (const [over, path, message] of FAULTS) {
    const issue = http.credentials.safeParse({ ...BASE, ...over }).error?.issues[0];
    strictEqual(issue?.path.join("."), path, JSON.stringify(over));
    match(issue?.message ?? "", message);
  }
});

const JSON_ERROR = '{"result":{"code":"E12","text":"Saldo insuficiente"},"ok":false}';

const ANSWERS: readonly [
  label: string,
  over: Record<string, unknown>,
  status: number,
  body: string,
  result: string,
][] = [
  ["no rules", {}, 201, "", "accepted null"],
  ["an id by path", { idPaths: ["x", "data[0].id"] }, 200, '{"data":[{"id":"a-1"}]}', "accepted a-1"],
  ["an id in XML", { idPaths: ["r.id"] }, 200, "<?xml version='1.0'?><r><id>a-1</id></r>", "accepted a-1"],
  ["an id in an attribute", { idPaths: ["r.id"] }, 200, "<r id='7'/>", "accepted 7"],
  ["an id of a tag with attributes", { idPaths: ["r.id"] }, 200, "<r><id t='x'>7</id></r>", "accepted 7"],
  ["an id in a header", { idHeader: "X-Id" }, 200, "", "accepted h-1"],
  ["success at a path", { successPath: "status" }, 200, '{"status":"OK"}', "accepted null"],
  ["no success at a path", { successPath: "status" }, 200, '{"status":"KO"}', "rejected -"],
  ["truth at a path", { successPath: "ok", successValues: ["TRUE"] }, 200, '{"ok":true}', "accepted null"],
  ["nothing at the path", { successPath: "ok" }, 200, "OK", "rejected -"],
  ["another class", { successContains: "OK", unmatched: "provider-error" }, 200, "?", "provider-error -"],
  ["a failure in words", { failurePattern: "error" }, 200, "ERROR 5", "rejected -"],
  ["a code", { codePaths: ["result.code"], codes: { E12: "no-credit" } }, 200, JSON_ERROR, "no-credit E12"],
  [
    "a code of success",
    { codePattern: "^(-?\\d+);", codes: { "0": "success" } },
    200,
    "0;done",
    "accepted null",
  ],
  [
    "a code by pattern",
    { codePattern: "^(-?\\d+);", codes: { "-7": "invalid-number" } },
    200,
    "-7;x",
    "invalid-number -7",
  ],
  ["an unknown code", { codePattern: "^(-?\\d+);", failurePattern: "^-" }, 200, "-1;x", "rejected -1"],
  [
    "a rule by path",
    { errorRules: [{ path: "ok", value: "False", class: "blocked" }] },
    200,
    JSON_ERROR,
    "blocked -",
  ],
  ["a rule by status", { errorRules: [{ status: [409], class: "opted-out" }] }, 409, "", "opted-out -"],
  [
    "a rule by both",
    { errorRules: [{ status: [400], pattern: "número", class: "invalid-number" }] },
    400,
    "NÚMERO",
    "invalid-number -",
  ],
  [
    "a rule by both, half",
    { errorRules: [{ status: [400], pattern: "x", class: "invalid-number" }] },
    422,
    "x",
    "bad-request -",
  ],
  [
    "rules first",
    { errorRules: [{ pattern: "saldo", class: "no-credit" }] },
    200,
    "OK saldo 5",
    "no-credit -",
  ],
  [
    "rules for failures",
    { errorRules: [{ pattern: "saldo", class: "no-credit" }], errorRulesFor: "failures" },
    200,
    "OK saldo 5",
    "accepted null",
  ],
  ["an HTML page", { successPath: "a" }, 200, "<html><body><p>down<br></body></html>", "rejected -"],
  [
    "entities of its own",
    { idPaths: ["a"] },
    200,
    '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
    "accepted null",
  ],
];

Deno.test("http reads answers by its rules", () => {
  for (const [label, over, status, body, expected] of ANSWERS) {
    const result = http.readSend({ status, body, headers: { "x-id": "h-1" } }, channel(over));
    const found = result.kind === "accepted"
      ? `accepted ${result.providerId}`
      : `${result.error.class} ${result.error.providerCode ?? "-"}`;
    strictEqual(found, expected, label);
  }
});

Deno.test("http pauses for as long as the gateway asks, else as long as is set", () => {
  const pause = (headers: Record<string, string>) => {
    const result = http.readSend({ status: 429, body: "", headers }, channel({ throttleSeconds: 30 }));
    return result.kind === "failed" && result.retryAfterMs;
  };
  deepStrictEqual([pause({}), pause({ "retry-after": "5" })], [30_000, 5_000]);
});

const XML = "application/xml";
const FROM_TO = "+59899123456>+59824000000";

function read(contentType: string, body: string | Uint8Array, over: Record<string, unknown> = {}, path = "") {
  const request: WebhookRequest = {
    ...webhook(URL_IN, { method: "POST", path }),
    headers: new Headers({ "content-type": contentType }),
    body: typeof body === "string" ? new TextEncoder().encode(body) : body,
  };
  return summary(http.parseWebhook(request, channel(over)));
}

const DEEP = JSON.stringify({
  sms: { from: "59899123456", to: ["+59824000000"], body: { text: "Olá" } },
  id: 9,
});
const DEEP_FIELDS = { fields: { from: ["sms.from"], to: ["sms.to"], text: ["sms.body.text"] } };
const LIST = JSON.stringify({
  results: [
    { from: "+59899123456", to: "+59824000000", text: "a", id: "1" },
    { from: "+59899123457", to: "+59824000000", text: "b", id: "2" },
  ],
});

const INBOUND: readonly [
  label: string,
  contentType: string,
  body: string,
  over: Record<string, unknown>,
  result: string,
][] = [
  ["JSON with paths", "application/json", DEEP, DEEP_FIELDS, `${FROM_TO} "Olá" #9`],
  [
    "a list",
    "application/json",
    LIST,
    { itemsPath: "results" },
    `${FROM_TO} "a" #1; +59899123457>+59824000000 "b" #2`,
  ],
  [
    "a bare list",
    "application/json",
    JSON.stringify(JSON.parse(LIST).results),
    {},
    `${FROM_TO} "a" #1; +59899123457>+59824000000 "b" #2`,
  ],
  [
    "a list with one that is none",
    "application/json",
    '[{"from":"+59899123456","to":"+59824000000","text":"a"},{"from":"x"}]',
    {},
    "malformed to",
  ],
  ["an empty list", "application/json", "[]", {}, "malformed"],
  [
    "XML",
    XML,
    "<sms><from>59899123456</from><to>59824000000</to><text>Ol&#225; &lt;b&gt;</text><id>5</id></sms>",
    {},
    `${FROM_TO} "Olá <b>" #5`,
  ],
  [
    "XML with attributes",
    "text/xml; charset=utf-8",
    '<?xml version="1.0"?><m from="59899123456" to="59824000000"><text><![CDATA[<a>]]></text></m>',
    {},
    `${FROM_TO} "<a>"`,
  ],
  [
    "an XML list",
    XML,
    "<r><m><from>59899123456</from><to>59824000000</to><text>a</text></m><m><from>59899123456</from><to>59824000000</to><text>b</text></m></r>",
    { itemsPath: "m" },
    `${FROM_TO} "a"; ${FROM_TO} "b"`,
  ],
  [
    "XML with entities of its own",
    XML,
    '<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><m><from>59899123456</from><to>59824000000</to><text>&b;</text></m>',
    {},
    "malformed",
  ],
  [
    "XML that reaches for prototypes",
    XML,
    "<m><__proto__><from>59899123456</from></__proto__></m>",
    {},
    "malformed",
  ],
  ["no XML", XML, "from=1", {}, "malformed"],
  [
    "media",
    "application/json",
    '{"from":"59899123456","to":"59824000000","text":"","media":["https://m.test/1","https://m.test/2"]}',
    {},
    `${FROM_TO} "" https://m.test/1 https://m.test/2`,
  ],
  [
    "numbered media",
    "application/x-www-form-urlencoded",
    "from=59899123456&to=59824000000&MediaUrl0=https://m.test/1&MediaUrl1=https://m.test/2",
    {},
    `${FROM_TO} "" https://m.test/1 https://m.test/2`,
  ],
  ["hex", "application/x-www-form-urlencoded", "from=59899123456&to=59824000000&text=004F006C00E1", {
    inboundTextAs: "ucs2-hex",
  }, `${FROM_TO} "Olá"`],
  ["no hex", "application/x-www-form-urlencoded", "from=59899123456&to=59824000000&text=hola", {
    inboundTextAs: "ucs2-hex",
  }, "malformed text"],
  [
    "an object where a text belongs",
    "application/json",
    '{"from":"59899123456","to":"59824000000","text":{"a":1}}',
    {},
    "malformed text",
  ],
  [
    "__proto__",
    "application/json",
    '{"__proto__":{"from":"59899123456"},"to":"59824000000","text":"x"}',
    {},
    "malformed from",
  ],
];

Deno.test("http reads messages from JSON, XML and forms, one or several a call", () => {
  for (const [label, contentType, body, over, expected] of INBOUND) {
    strictEqual(read(contentType, body, over), expected, label);
  }
});

function multipart(...parts: readonly (readonly [header: string, value: string])[]): string {
  return parts.map(([header, value]) =>
    `--b0\r\nContent-Disposition: form-data; ${header}\r\n\r\n${value}\r\n`
  ).join("") + "--b0--\r\n";
}

Deno.test("http reads multipart forms, without their files", () => {
  const type = 'multipart/form-data; boundary="b0"';
  const sender = ['name="from"', "59899123456"] as const;
  const parts = [sender, ['name="to"', "59824000000"], ['name="text"', "Olá\r\n--b"]] as const;
  strictEqual(read(type, multipart(...parts)), `${FROM_TO} "Olá\\r\\n--b"`);
  strictEqual(
    read(type, multipart(...parts, ['name="id"; filename="x.jpg"', "7"])),
    `${FROM_TO} "Olá\\r\\n--b"`,
  );
  strictEqual(read(type, multipart(sender).slice(0, -8)), "malformed");
  strictEqual(read(type, "nothing of the kind"), "malformed");
  strictEqual(read("multipart/form-data", multipart(...parts)), "malformed from");
  strictEqual(
    read(type, multipart(...Array.from({ length: 600 }, (_, i) => [`name="f${i}"`, "x"] as const))),
    "malformed",
  );
});

Deno.test("http takes reports from an address of their own, from fields, paths and codes", () => {
  const json = (value: unknown, over = {}, path = "status") =>
    read("application/json", JSON.stringify(value), over, path);
  strictEqual(json({ id: "77", status: "DELIVRD" }), "delivered - 77");
  strictEqual(json({ id: "77", status: "UNDELIV", error_code: "EC_9" }), "undelivered - 77 unreachable EC_9");
  strictEqual(
    json({ dlr: { ref: MESSAGE_ID, s: 5 } }, {
      fields: { id: ["dlr.ref"], status: ["dlr.s"] },
      statusWords: { "5": "rejected" },
    }),
    `rejected ${MESSAGE_ID} - rejected 5`,
  );
  strictEqual(
    json([{ id: "1", status: "sent" }, { id: "2", status: "queued" }, { id: "3", status: "delivered" }]),
    "sent - 1; delivered - 3",
  );
  strictEqual(json({ id: "77", dlr: "delivered" }, { reportField: "dlr" }, ""), "delivered - 77");
  strictEqual(json({ id: "77", status: "eaten" }), "malformed status");
  strictEqual(
    read(XML, "<r><id>77</id><status>expired</status></r>", {}, "status"),
    "expired - 77 unknown expired",
  );
});

Deno.test("http accepts what was signed as it is set: the vector of the documents", () => {
  const body = '{"from":"+14155550100","to":"+14155550199","text":"Hi"}';
  const signature = "sha256=7ab473963e56e8a0e8f85fb873541c3b4ea1fb9154a04674fb49981557ac05fb";
  const hmac = { webhookHmacSecret: "yeastar-secret", webhookHmacPrefix: "sha256=" };
  const signed = (given: Record<string, string>, over: Record<string, unknown> = {}) => {
    const headers = new Headers({ "content-type": "application/json", ...given });
    const request = { ...webhook(URL_IN, { method: "POST" }), headers, body: new TextEncoder().encode(body) };
    return summary(http.parseWebhook(request, channel({ ...hmac, ...over })));
  };
  const taken = '+14155550100>+14155550199 "Hi"';
  strictEqual(signed({ "X-Signature": signature }), taken);
  strictEqual(signed({ "X-Signature": signature.toUpperCase().replace("SHA256", "sha256") }), taken);
  strictEqual(signed({ "X-Signature": signature.slice(7) }), "unsigned");
  strictEqual(signed({ "X-Signature": signature.replace(/.$/, "0") }), "unsigned");
  strictEqual(signed({}), "unsigned");
  for (const algorithm of ["sha1", "sha512"] as const) {
    const over = {
      webhookHmacAlgorithm: algorithm,
      webhookHmacEncoding: "base64",
      webhookHmacHeader: "X-Sig",
      webhookHmacPrefix: "",
    };
    const value = createHmac(algorithm, "yeastar-secret").update(body).digest("base64");
    strictEqual(signed({ "X-Sig": value }, over), taken);
    strictEqual(signed({ "X-Sig": value.toLowerCase() }, over), "unsigned");
  }
});

Deno.test("http takes calls from the addresses that are set, behind as many proxies as are set", () => {
  const from = (address: string | undefined, over: Record<string, unknown>, forwarded?: string) => {
    const headers = new Headers(forwarded === undefined ? {} : { "x-forwarded-for": forwarded });
    const remote = address === undefined ? {} : { remoteAddress: () => address };
    const request = { ...webhook(`${URL_IN}?from=59899123456&to=59824000000&text=x`), headers, ...remote };
    return summary(http.parseWebhook(request, channel(over))) !== "unsigned";
  };
  const ranges = { webhookAddresses: ["203.0.113.0/24", "2001:db8::/32", "198.51.100.7"] };
  const table: readonly [string | undefined, Record<string, unknown>, string | undefined, boolean][] = [
    ["203.0.113.9", ranges, undefined, true],
    ["::ffff:203.0.113.9", ranges, undefined, true],
    ["203.0.114.9", ranges, undefined, false],
    ["2001:db8::1", ranges, undefined, true],
    ["2001:db9::1", ranges, undefined, false],
    ["198.51.100.7", ranges, undefined, true],
    ["198.51.100.8", ranges, undefined, false],
    [undefined, ranges, undefined, false],
    ["10.0.0.1", ranges, "203.0.113.9", false],
    ["10.0.0.1", { ...ranges, webhookProxies: 1 }, "203.0.113.9", true],
    ["10.0.0.1", { ...ranges, webhookProxies: 1 }, "203.0.113.9, 192.0.2.1", false],
    ["10.0.0.1", { ...ranges, webhookProxies: 2 }, "203.0.113.9, 192.0.2.1", true],
    ["10.0.0.1", { ...ranges, webhookProxies: 2 }, "203.0.113.9", false],
    ["10.0.0.1", {}, undefined, true],
  ];
  for (const [address, over, forwarded, expected] of table) {
    strictEqual(from(address, over, forwarded), expected, `${address} ${forwarded}`);
  }
});
