import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { PROVIDERS } from "../../adapters/providers/registry.ts";
import { channelOf, MESSAGE_ID, outgoing, summary, webhook } from "./support.ts";

const quality = PROVIDERS.get("quality")!;
const URL_IN = "https://sms.example.test/webhooks/quality/secret";
const ACCOUNT = { endpoint: "https://sms.example.test/send", user: "acme", password: "s3cret" };
const OUT = outgoing({ to: "+59899123456", text: "Olá & más" });

function channel(over: Record<string, unknown> = {}) {
  return channelOf("quality", quality.credentials.parse({ ...ACCOUNT, ...over }), quality.defaults);
}

const SENDS: readonly [
  over: Record<string, unknown>,
  method: string,
  query: string,
  body: string | undefined,
][] = [
  [
    { from: "ACME" },
    "POST",
    "",
    `user=acme&password=s3cret&from=ACME&to=59899123456&message=Ol%C3%A1+%26+m%C3%A1s&id=${MESSAGE_ID}`,
  ],
  [
    { transport: "get", from: "1" },
    "GET",
    `?user=acme&password=s3cret&from=1&to=59899123456&message=Ol%C3%A1%20%26%20m%C3%A1s&id=${MESSAGE_ID}`,
    undefined,
  ],
  [
    { transport: "json", login: "basic" },
    "POST",
    "",
    `{"from":"+14155550199","to":"59899123456","message":"Olá & más","id":"${MESSAGE_ID}"}`,
  ],
  [
    { transport: "xml" },
    "POST",
    "",
    `<sms><user>acme</user><password>s3cret</password><from>+14155550199</from><to>59899123456</to><message>Olá &#38; más</message><id>${MESSAGE_ID}</id></sms>`,
  ],
  [
    { login: "bearer", phoneFormat: "national", charset: "latin-1" },
    "POST",
    "",
    `from=%2B14155550199&to=099123456&message=Ol%E1+%26+m%E1s&id=${MESSAGE_ID}`,
  ],
  [
    { phoneFormat: "e164", login: "bearer" },
    "POST",
    "",
    `from=%2B14155550199&to=%2B59899123456&message=Ol%C3%A1+%26+m%C3%A1s&id=${MESSAGE_ID}`,
  ],
  [
    { numberRules: [{ pattern: "^598", replacement: "0" }], login: "bearer" },
    "POST",
    "",
    `from=%2B14155550199&to=099123456&message=Ol%C3%A1+%26+m%C3%A1s&id=${MESSAGE_ID}`,
  ],
];

Deno.test("quality sends in every transport, with every login and number format", () => {
  for (const [over, method, query, body] of SENDS) {
    const call = quality.buildSend(OUT, channel(over));
    deepStrictEqual(
      [call.method, call.url, call.body],
      [method, ACCOUNT.endpoint + query, body],
      JSON.stringify(over),
    );
  }
  strictEqual(
    quality.buildSend(OUT, channel({ login: "basic" })).headers["authorization"],
    "Basic YWNtZTpzM2NyZXQ=",
  );
  strictEqual(quality.buildSend(OUT, channel({ login: "bearer" })).headers["authorization"], "Bearer s3cret");
});

const ANSWERS: readonly [status: number, body: string, result: string][] = [
  [200, "OK;0b6f-1", "accepted 0b6f-1"],
  [200, "OK", "accepted null"],
  [200, '{"status":"ok","id":"778812"}', "accepted 778812"],
  [200, "ERROR;Saldo insuficiente", "no-credit"],
  [200, "ERROR;Crédito agotado", "no-credit"],
  [200, '{"status":"error","message":"N\\u00famero inv\\u00e1lido"}', "invalid-number"],
  [200, "ERROR;Usuario o clave incorrectos", "auth"],
  [200, "ERROR;límite excedido", "throttled"],
  [200, "ERROR;numero dado de baja", "opted-out"],
  [200, "FAIL: ?", "rejected"],
  [400, "número inválido", "invalid-number"],
  [400, "what?", "bad-request"],
  [401, "número", "auth"],
  [403, "", "auth"],
  [429, "", "throttled"],
  [500, "saldo", "provider-error"],
  [502, "<html>", "provider-error"],
];

Deno.test("quality reads every answer that is proposed for it", () => {
  for (const [status, body, expected] of ANSWERS) {
    const result = quality.readSend({ status, body, headers: {} }, channel());
    strictEqual(
      result.kind === "accepted" ? `accepted ${result.providerId}` : result.error.class,
      expected,
      `${status} ${body}`,
    );
    if (result.kind === "failed") match(result.error.reason, /^[^<]+$/);
  }
});

Deno.test("quality can be told what a success looks like", () => {
  const strict = channel({ successPattern: "(?i)\\b(ok|success|0)\\b" });
  const kind = (body: string) => quality.readSend({ status: 200, body, headers: {} }, strict).kind;
  deepStrictEqual(["Ok", "0", "10", "sent"].map(kind), ["accepted", "accepted", "failed", "failed"]);
});

const XML = { headers: new Headers({ "content-type": "text/xml" }), method: "POST" as const };
const xml = (text: string) => ({ ...webhook(URL_IN, XML), body: new TextEncoder().encode(text) });
const TAKEN = '+59899123456>4455 "Hola" #7';

Deno.test("quality takes messages by GET, as a form, as JSON and as XML", () => {
  const query = "origen=59899123456&destino=4455&mensaje=Hola&id=7&fecha=2026-01-02";
  const requests = [
    webhook(`${URL_IN}?${query}`),
    webhook(URL_IN, { form: query }),
    webhook(URL_IN, { json: { sender: "099123456", to: 4455, texto: "Hola", message_id: 7 } }),
    xml("<sms><msisdn>59899123456</msisdn><destino>4455</destino><texto>Hola</texto><id>7</id></sms>"),
  ];
  for (const request of requests) strictEqual(summary(quality.parseWebhook(request, channel())), TAKEN);
  const lacking = webhook(`${URL_IN}?from=59899123456&text=Hola&id=7`);
  strictEqual(summary(quality.parseWebhook(lacking, channel())), "malformed to");
  strictEqual(summary(quality.parseWebhook(lacking, channel({ inboundNumber: "4455" }))), TAKEN);
});

const REPORTS: readonly [path: string, query: string, result: string][] = [
  ["status", "id=9&status=encolado", "nothing"],
  ["status", "id=9&status=enviado", "sent - 9"],
  ["status", "id=9&status=entregado", "delivered - 9"],
  ["status", "id=9&status=no+entregado", "undelivered - 9 unreachable no entregado"],
  ["status", "id=9&status=vencido", "expired - 9 unknown vencido"],
  ["status", "id=9&status=fallido", "failed - 9 unknown fallido"],
  ["status", "id=9&status=rechazado", "rejected - 9 rejected rechazado"],
  [`status/${MESSAGE_ID}`, "status=delivered", `delivered ${MESSAGE_ID} -`],
  ["status/failed", "id=9", "failed - 9 unknown failed"],
  ["status", "id=9&status=perdido", "malformed status"],
];

Deno.test("quality takes reports in Spanish and English", () => {
  for (const [path, query, expected] of REPORTS) {
    strictEqual(
      summary(quality.parseWebhook(webhook(`${URL_IN}?${query}`, { path }), channel())),
      expected,
      query,
    );
  }
});

Deno.test("quality refuses callers that do not bring what the channel asks for", () => {
  const guarded = channel({ webhookUser: "q", webhookPassword: "pw" });
  const request = webhook(`${URL_IN}?from=59899123456&to=4455&text=x`);
  strictEqual(summary(quality.parseWebhook(request, guarded)), "unsigned");
  const known = { ...request, headers: new Headers({ authorization: `Basic ${btoa("q:pw")}` }) };
  strictEqual(summary(quality.parseWebhook(known, guarded)), '+59899123456>4455 "x"');
});

Deno.test("quality is slow and plain until the contract says otherwise", () => {
  const { settings } = channel();
  deepStrictEqual([settings.rateMps, settings.maxTextLength, quality.supports.mms], [1, 1_600, false]);
  const check = quality.buildVerify(channel());
  ok(check !== null);
  match(quality.readVerify({ status: 200, body: "", headers: {} }, channel()).reason, /not proved/);
});
