import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { PROVIDERS } from "../../adapters/providers/registry.ts";
import {
  urlpostsms,
  urlpostsmsauth,
  urlsms,
  urlsmsauth,
  urlsmspost,
} from "../../adapters/providers/generic/kinds.ts";
import { channelOf, MESSAGE_ID, outgoing, summary, webhook } from "./support.ts";

const URL_IN = "https://sms.example.test/webhooks/urlsms/secret";
const TEMPLATE = "http://gateway.example.test/x.php?celular=${phone}&mensaje=${message}&id=${id}";

function channel(over: Record<string, unknown> = {}, settings: Record<string, unknown> = {}) {
  return channelOf("urlsms", urlsms.credentials.parse({ url: TEMPLATE, ...over }), settings);
}

const UY = outgoing({ to: "+59899123456" });
const BASE = "+59899123456>+59824000000";

const SENDS: readonly [over: Record<string, unknown>, url: string][] = [
  [
    {},
    `http://gateway.example.test/x.php?celular=59899123456&mensaje=Ol%C3%A1%20%26%20m%C3%A1s%2050%25&id=${MESSAGE_ID}`,
  ],
  [
    { charset: "latin-1" },
    `http://gateway.example.test/x.php?celular=59899123456&mensaje=Ol%E1%20%26%20m%E1s%2050%25&id=${MESSAGE_ID}`,
  ],
  [
    { spaceAs: "+" },
    `http://gateway.example.test/x.php?celular=59899123456&mensaje=Ol%C3%A1+%26+m%C3%A1s+50%25&id=${MESSAGE_ID}`,
  ],
  [{ url: "http://g.test/{phone}/{encoding}/${parts}" }, "http://g.test/59899123456/ucs2/1"],
  [
    { url: "http://g.test/?a=${phone_plus}&b=${phone_national}&f=${from}" },
    "http://g.test/?a=%2B59899123456&b=099123456&f=%2B14155550199",
  ],
  [
    { url: "http://g.test/?a=${phone}&f=${from}", phoneFormat: "e164", from: "ACME 1" },
    "http://g.test/?a=%2B59899123456&f=ACME%201",
  ],
  [{ url: "http://g.test/?a=${phone}", phoneFormat: "national" }, "http://g.test/?a=099123456"],
  [
    { url: "http://g.test/?u=${user}&p=${password}", user: "acme", password: "s&c=t" },
    "http://g.test/?u=acme&p=s%26c%3Dt",
  ],
  [
    { url: "http://g.test/?d=${date}" },
    `http://g.test/?d=${encodeURIComponent(new Date(parseInt("01jd000000", 32)).toISOString())}`,
  ],
  [{ url: "http://g.test/?x={1}&y={}&z=$&w={phone" }, "http://g.test/?x={1}&y={}&z=$&w={phone"],
];

Deno.test("urlsms fills its template and escapes every value", () => {
  for (const [over, expected] of SENDS) {
    const call = urlsms.buildSend(UY, channel(over));
    strictEqual(call.url, expected);
    strictEqual(call.method, "GET");
  }
});

Deno.test("urlsms writes an id of digits for receivers that want digits, the same each time", () => {
  const id = () => urlsms.buildSend(UY, channel({ url: "http://g.test/?i=${id_num}" })).url.split("=")[1]!;
  match(id(), /^\d{1,19}$/);
  strictEqual(id(), id());
  ok(BigInt(id()) < 2n ** 63n);
});

Deno.test("urlsms sends headers, and goes to another host when told to", () => {
  const call = urlsms.buildSend(
    UY,
    channel({ headers: { "X-Id": "m-${id}" } }, { baseUrl: "http://127.0.0.1:9/gw/" }),
  );
  deepStrictEqual(call.headers, { "x-id": `m-${MESSAGE_ID}` });
  ok(call.url.startsWith("http://127.0.0.1:9/gw/x.php?celular=59899123456"));
});

Deno.test("urlsms never lets a value out of its place", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.constantFrom("utf-8", "latin-1"),
      (text, charset) => {
        const url = new URL(urlsms.buildSend(outgoing({ text }), channel({ charset })).url);
        strictEqual(url.origin, "http://gateway.example.test");
        deepStrictEqual([...url.searchParams.keys()], ["celular", "mensaje", "id"]);
        if (charset === "utf-8") strictEqual(url.searchParams.get("mensaje"), text.toWellFormed());
      },
    ),
  );
});

const FAULTS: readonly [over: Record<string, unknown>, path: string, message: RegExp][] = [
  [{ url: "http://g.test/?a=${telefono}" }, "url", /there is no variable telefono/],
  [{ url: "http://g.test/?a={mesage}" }, "url", /there is no variable mesage/],
  [{ url: "http://${phone}.test/" }, "url", /host part/],
  [{ url: "http://u:p@g.test/" }, "url", /host part/],
  [{ url: "ftp://g.test/" }, "url", /http/],
  [{ url: "http://[x/" }, "url", /web address/],
  [{ url: undefined }, "url", /./],
  [{ headers: { "X-A": "${message}" } }, "headers.X-A", /cannot hold the message/],
  [{ headers: { "X-A": "a\r\nb: c" } }, "headers.X-A", /ASCII/],
  [{ headers: { Host: "x" } }, "headers.Host", /./],
  [{ successPattern: "(" }, "successPattern", /./],
  [{ successPattern: "(?=a)" }, "successPattern", /looks ahead/],
  [{ idPaths: ["a..b"] }, "idPaths.0", /path/],
  [{ defaultCountry: "XX" }, "defaultCountry", /country/],
  [{ inboundNumber: "?" }, "inboundNumber", /number/],
  [{ webhookHeader: "X-Key" }, "webhookHeaderValue", /together/],
  [{ webhookUser: "u" }, "webhookPassword", /together/],
  [{ errorRules: [{ pattern: "x", class: "sad" }] }, "errorRules.0.class", /./],
  [{ statusWords: { ok: "fine" } }, "statusWords.ok", /./],
  [{ colour: "red" }, "", /colour/],
];

Deno.test("urlsms refuses settings that could only fail later, and names the field", () => {
  for (const [over, path, message] of FAULTS) {
    const issue = urlsms.credentials.safeParse({ url: TEMPLATE, ...over }).error?.issues[0];
    strictEqual(issue?.path.join("."), path, JSON.stringify(over));
    match(issue?.message ?? "", message);
  }
});

const WORDS = { user: "u1", password: "p1" };

const ANSWERS: readonly [over: Record<string, unknown>, status: number, body: string, result: string][] = [
  [{}, 200, "anything", "accepted null"],
  [{}, 204, "", "accepted null"],
  [{ successContains: "OK" }, 200, "OK;77", "accepted null"],
  [{ successContains: "OK" }, 200, "ERROR", "rejected"],
  [{ successPattern: "^OK", idPattern: "^OK;(.+)$" }, 200, "OK;77", "accepted 77"],
  [{ idPattern: "^OK;(.+)$" }, 200, "OK;a b", "accepted null"],
  [{ idPaths: ["messages[0].id"] }, 200, '{"messages":[{"id":12}]}', "accepted 12"],
  [{ idPaths: ["a.__proto__.b", "constructor"] }, 200, '{"a":{}}', "accepted null"],
  [{ idPaths: ["id"] }, 200, "no JSON", "accepted null"],
  [{ successStatus: [202] }, 200, "", "bad-response"],
  [{ successStatus: [202] }, 202, "", "accepted null"],
  [
    { errorRules: [{ pattern: "saldo", class: "no-credit" }, { pattern: "err", class: "rejected" }] },
    200,
    "ERR: Saldo",
    "no-credit",
  ],
  [{}, 301, "", "bad-response"],
  [{}, 400, "", "bad-request"],
  [{}, 401, "", "auth"],
  [{}, 408, "", "timeout"],
  [{}, 429, "", "throttled"],
  [{}, 500, "", "provider-error"],
];

Deno.test("urlsms reads answers by its rules", () => {
  for (const [over, status, body, expected] of ANSWERS) {
    const result = urlsms.readSend({ status, body, headers: {} }, channel({ ...WORDS, ...over }));
    strictEqual(
      result.kind === "accepted" ? `accepted ${result.providerId}` : result.error.class,
      expected,
      `${status} ${body}`,
    );
  }
  const pause = urlsms.readSend({ status: 429, body: "", headers: { "retry-after": "7" } }, channel());
  strictEqual(pause.kind === "failed" && pause.retryAfterMs, 7_000);
});

const PLUS = "from=%2B59899123456&to=%2B59824000000";

const INBOUND: readonly [label: string, over: Record<string, unknown>, query: string, result: string][] = [
  ["plain names", {}, `${PLUS}&text=Hola+a%20todos`, `${BASE} "Hola a todos"`],
  [
    "names in Spanish",
    {},
    "celular=59899123456&destino=59824000000&mensaje=Ol%C3%A1&id=9",
    `${BASE} "Olá" #9`,
  ],
  ["a national number", { defaultCountry: "UY" }, "sender=099123456&to=2400%200000&body=x", `${BASE} "x"`],
  ["Latin-1", { charset: "latin-1" }, `${PLUS}&text=Ol%E1`, `${BASE} "Olá"`],
  ["bytes that are not UTF-8", {}, `${PLUS}&text=Ol%E1`, `${BASE} "Ol\ufffd"`],
  ["no number of ours", { inboundNumber: "+59824000000" }, "from=%2B59899123456&text=x", `${BASE} "x"`],
  [
    "own names",
    { fields: { text: ["t"], from: ["f"] } },
    "f=%2B59899123456&to=%2B59824000000&t=x&text=y",
    `${BASE} "x"`,
  ],
  ["media", {}, `${PLUS}&media=https%3A%2F%2Fm.test%2F1`, `${BASE} "" https://m.test/1`],
  ["a NUL", {}, `${PLUS}&text=a%00b`, `${BASE} "a\ufffdb"`],
  ["an empty text", {}, `${PLUS}&text=`, `${BASE} ""`],
  ["no number of ours anywhere", {}, "from=%2B59899123456&text=x", "malformed to"],
  ["no text", {}, PLUS, "malformed text"],
  ["no sender", {}, "to=%2B59824000000&text=x", "malformed from"],
  ["a sender that is none", {}, "from=%3Cscript%3E&to=%2B59824000000&text=x", "malformed from"],
  ["a long text", {}, `${PLUS}&text=${"x".repeat(10_001)}`, "malformed text"],
  ["media that is no link", {}, `${PLUS}&media=x`, "malformed media"],
  ["an id that is too long", {}, `${PLUS}&text=x&id=${"1".repeat(129)}`, "malformed id"],
  ["__proto__", {}, `${PLUS}&text=x&__proto__=1`, `${BASE} "x"`],
];

Deno.test("urlsms reads messages from a query, a form and a query behind an empty form", () => {
  for (const [label, over, query, expected] of INBOUND) {
    const found = [
      webhook(`${URL_IN}?${query}`),
      webhook(URL_IN, { form: query }),
      webhook(`${URL_IN}?${query}`, { form: "" }),
    ].map((request) => summary(urlsms.parseWebhook(request, channel(over))));
    deepStrictEqual(found, [expected, expected, expected], label);
  }
});

Deno.test("urlsms reads messages from JSON", () => {
  const json = { from: 59899123456, to: "+59824000000", text: 'Olá "x"', id: 7, more: { deep: 1 } };
  strictEqual(summary(urlsms.parseWebhook(webhook(URL_IN, { json }), channel())), `${BASE} "Olá \\"x\\"" #7`);
  for (const bad of [null, [], "x", 5, [1], [[]]]) {
    strictEqual(summary(urlsms.parseWebhook(webhook(URL_IN, { json: bad }), channel())), "malformed");
  }
});

const REPORTS: readonly [path: string, query: string, over: Record<string, unknown>, result: string][] = [
  ["status", "id=77&status=delivered", {}, "delivered - 77"],
  ["status", `id=${MESSAGE_ID}&status=ENTREGADO`, {}, `delivered ${MESSAGE_ID} -`],
  [`status/${MESSAGE_ID}`, "id=77&estado=enviado", {}, `sent ${MESSAGE_ID} 77`],
  [`status/${MESSAGE_ID}`, "status=fallido", {}, `failed ${MESSAGE_ID} - unknown fallido`],
  ["status/delivered", "id=77", {}, "delivered - 77"],
  ["status", "id=77&status=vencido", {}, "expired - 77 unknown vencido"],
  ["status", "id=77&status=rechazado", {}, "rejected - 77 rejected rechazado"],
  ["status", "id=77&status=no+entregado", {}, "undelivered - 77 unreachable no entregado"],
  ["status", "id=77&status=DELIVRD", { statusWords: { delivrd: "delivered" } }, "delivered - 77"],
  ["status", "id=77&status=encolado", {}, "nothing"],
  ["status", "id=77&status=eaten", {}, "malformed status"],
  ["status", "id=77&status=constructor", {}, "malformed status"],
  ["status", "id=77", {}, "malformed status"],
  ["status", "status=sent", {}, "malformed id"],
  ["status/", "status=sent&id=a%20b", {}, "malformed id"],
];

Deno.test("urlsms reads reports in its own words", () => {
  for (const [path, query, over, expected] of REPORTS) {
    strictEqual(
      summary(urlsms.parseWebhook(webhook(`${URL_IN}?${query}`, { path }), channel(over))),
      expected,
      `${path}?${query}`,
    );
  }
});

Deno.test("urlsms wants the header and the user that are set", () => {
  const guarded = channel({
    webhookHeader: "X-Key",
    webhookHeaderValue: "12345678",
    webhookUser: "acme",
    webhookPassword: "s3cret",
  });
  const read = (headers: Record<string, string>) =>
    summary(
      urlsms.parseWebhook(webhook(`${URL_IN}?${PLUS}&text=x`, { headers: new Headers(headers) }), guarded),
    );
  strictEqual(read({ "x-key": "12345678", authorization: "Basic YWNtZTpzM2NyZXQ=" }), `${BASE} "x"`);
  strictEqual(read({ "x-key": "12345678" }), "unsigned");
  strictEqual(read({ authorization: "Basic YWNtZTpzM2NyZXQ=" }), "unsigned");
  strictEqual(read({ "x-key": "12345679", authorization: "Basic YWNtZTpzM2NyZXQ=" }), "unsigned");
  strictEqual(read({ "x-key": "12345678", authorization: "Basic xx" }), "unsigned");
});

Deno.test("urlsms answers what its receiver wants to read", () => {
  const result = urlsms.parseWebhook(
    webhook(`${URL_IN}?${PLUS}&text=x`),
    channel({ reply: { status: 202, contentType: "text/xml", body: "<ok/>" } }),
  );
  ok(result.kind === "accepted");
  deepStrictEqual(result.reply, { status: 202, contentType: "text/xml", body: "<ok/>" });
});

Deno.test("urlsms never throws on what comes in, whatever the bytes and even with settings that are wrong", () => {
  const channels = [channel(), channel({ charset: "latin-1" }), channelOf("urlsms", {})];
  const contentType = fc.constantFrom("application/json", "application/x-www-form-urlencoded");
  fc.assert(fc.property(
    fc.uint8Array({ maxLength: 200 }),
    fc.string({ unit: "binary", maxLength: 60 }),
    contentType,
    fc.constantFrom("", "status", "status/x"),
    fc.constantFrom(...channels),
    (body, query, contentType, path, channel) => {
      const headers = new Headers({ "content-type": contentType });
      const base = webhook(URL_IN, { path, method: "POST" });
      for (const method of ["GET", "POST"] as const) {
        urlsms.parseWebhook(
          { ...base, method, url: `${URL_IN}?from=1&text=${query}`, headers, body },
          channel,
        );
      }
      urlsms.readSend({ status: 200, body: query, headers: {} }, channel);
    },
  ));
});

const FORM = `celular=59899123456&mensaje=Ol%C3%A1+%26+m%C3%A1s+50%25&id=${MESSAGE_ID}`;
const ACME = { url: TEMPLATE, user: "acme", password: "s3cret" };

Deno.test("urlsmsauth sends the login of HTTP Basic with the same GET", () => {
  const call = urlsmsauth.buildSend(UY, channelOf("urlsmsauth", urlsmsauth.credentials.parse(ACME)));
  strictEqual(call.url, urlsms.buildSend(UY, channel()).url);
  deepStrictEqual([call.method, call.headers], ["GET", { authorization: "Basic YWNtZTpzM2NyZXQ=" }]);
});

Deno.test("urlsmspost and urlpostsms put the query into a form, or leave it, or post a body of one's own", () => {
  for (const provider of [urlsmspost, urlpostsms]) {
    const send = (over: Record<string, unknown>) => {
      const credentials = provider.credentials.parse({ url: TEMPLATE, ...over });
      const { method, url, headers, body } = provider.buildSend(UY, channelOf(provider.kind, credentials));
      return [method, url.replace(/^.*test/, ""), headers["content-type"], body];
    };
    const form = "application/x-www-form-urlencoded";
    deepStrictEqual(send({}), ["POST", "/x.php", form, FORM]);
    deepStrictEqual(send({ charset: "latin-1" })[3], FORM.replaceAll("%C3%A1", "%E1"));
    deepStrictEqual(send({ queryIn: "query" }), [
      "POST",
      `/x.php?${FORM.replaceAll("+", "%20")}`,
      undefined,
      undefined,
    ]);
    deepStrictEqual(send({ url: "http://g.test/send?k=1", body: '{"to":${phone},"text":${message}}' }), [
      "POST",
      "/send?k=1",
      "application/json",
      '{"to":"59899123456","text":"Olá & más 50%"}',
    ]);
  }
});

Deno.test("urlpostsmsauth posts with a login", () => {
  const credentials = urlpostsmsauth.credentials.parse(ACME);
  const call = urlpostsmsauth.buildSend(UY, channelOf("urlpostsmsauth", credentials));
  deepStrictEqual([call.method, call.body, call.headers["authorization"]], [
    "POST",
    FORM,
    "Basic YWNtZTpzM2NyZXQ=",
  ]);
});

Deno.test("the kinds with a login want user and password, and those without do not", () => {
  for (
    const [provider, missing] of [[urlsmsauth, 2], [urlpostsmsauth, 2], [urlsms, 0], [urlsmspost, 0]] as const
  ) {
    const paths = provider.credentials.safeParse({ url: TEMPLATE }).error?.issues.map(({ path }) =>
      path[0]
    ) ?? [];
    deepStrictEqual(paths, ["user", "password"].slice(0, missing), provider.kind);
  }
});

Deno.test("urlsms says what it was answered, and never the password", () => {
  const secret = channel({ password: "s&c t", successContains: "OK" });
  const said = (body: string) => {
    const result = urlsms.readSend({ status: 200, body, headers: {} }, secret);
    return result.kind === "failed" ? result.error.reason : "";
  };
  match(said("ERROR;Saldo\r\n insuficiente"), /rules: ERROR;Saldo insuficiente$/);
  match(said('{"error":"N\\u00famero"}'), /Número/);
  for (const form of ["s&c t", "s%26c%20t", "s%26c+t"]) {
    const reason = said(`you called x.php?p=${form}&q=1`);
    ok(!reason.includes(form) && reason.includes("p=***&q=1"), reason);
  }
  match(said("<html><body>oops</body></html>"), /success rules$/);
});

Deno.test("urlsms is checked by its check address, or only reached", () => {
  const check = (over: Record<string, unknown>, status: number, body: string) => {
    const one = channel({ user: "u", password: "p q", ...over });
    const call = urlsms.buildVerify(one);
    return [call?.method, call?.url, urlsms.readVerify({ status, body, headers: {} }, one).ok];
  };
  const balance = { checkUrl: "http://gateway.example.test/saldo?u=${user}&p=${password}" };
  const asked = "http://gateway.example.test/saldo?u=u&p=p%20q";
  deepStrictEqual(check(balance, 200, "12"), ["GET", asked, true]);
  deepStrictEqual(check(balance, 403, ""), ["GET", asked, false]);
  deepStrictEqual(check({ ...balance, checkPattern: "^\\d+$" }, 200, "no"), ["GET", asked, false]);
  deepStrictEqual(check({ ...balance, checkPattern: "^\\d+$" }, 200, "12"), ["GET", asked, true]);
  deepStrictEqual(check({}, 404, "what?"), ["GET", "http://gateway.example.test/", true]);
  deepStrictEqual(check({}, 502, ""), ["GET", "http://gateway.example.test/", false]);
});

Deno.test("PROVIDERS holds every provider under its kind, with a schema that can be published", () => {
  ok(PROVIDERS.size > 0);
  for (const [kind, provider] of PROVIDERS) {
    strictEqual(provider.kind, kind);
    ok(JSON.stringify(z.toJSONSchema(provider.credentials, { io: "input" })).includes('"secret":true'));
    channelOf(kind, {}, provider.defaults);
  }
});
