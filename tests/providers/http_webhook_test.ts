import { strictEqual } from "node:assert/strict";
import { createHmac } from "node:crypto";
import { http } from "../../adapters/providers/generic/kinds.ts";
import type { WebhookRequest } from "../../core/ports/provider.ts";
import { channel } from "./http_channel.ts";
import { MESSAGE_ID, summary, webhook } from "./support.ts";

const URL_IN = "https://sms.example.test/webhooks/http/secret";
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
