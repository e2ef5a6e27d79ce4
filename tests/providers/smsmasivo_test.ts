import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { smsmasivo } from "../../adapters/providers/smsmasivo.ts";
import { channelOf, MESSAGE_ID, outgoing, summary, webhook } from "./support.ts";

const URL_IN = "https://sms.example.test/webhooks/smsmasivo/secret";
const AR = { user: "DEMO500", password: "cl&ve", inboundNumber: "70700" };
const MX = { variant: "mx", apiKey: "key-1" };
const ID = MESSAGE_ID.replace("_", "");
const [poll] = smsmasivo.polls!;

function channel(over: Record<string, unknown> = AR) {
  return channelOf("smsmasivo", smsmasivo.credentials.parse(over), smsmasivo.defaults);
}

const SENDS: readonly [over: Record<string, unknown>, to: string, text: string, url: string, body: string][] =
  [
    [
      AR,
      "+5491122334455",
      "¡Hola! ¿Año? “50%” & más",
      "https://servicio.smsmasivos.com.ar/enviar_sms.asp",
      `api=1&usuario=DEMO500&clave=cl%26ve&tos=1122334455&texto=!Hola!+%3FAno%3F+50%25++mas&idinterno=${ID}&respuestanumerica=1`,
    ],
    [
      { ...AR, variant: "uy", sandbox: true },
      "+59899123456",
      "a\nb",
      "https://servicio.smsmasivos.com.uy/enviar_sms.asp",
      `api=1&usuario=DEMO500&clave=cl%26ve&tos=99123456&texto=a+b&idinterno=${ID}&respuestanumerica=1&test=1`,
    ],
    [
      { variant: "gt", apiKey: "k", countryCode: true },
      "+50251234567",
      "x",
      "https://servicio.smsmasivos.com.ar/enviar_sms.asp",
      `api=1&apikey=k&tos=50251234567&texto=x&idinterno=${ID}&respuestanumerica=1`,
    ],
    [
      MX,
      "+525512345678",
      'Año "x"',
      "https://api.smsmasivos.com.mx/sms/send",
      '{"message":"Año \\"x\\"","numbers":"5512345678","country_code":"52"}',
    ],
    [
      { ...MX, sender: "ACME", sandbox: true },
      "+5215512345678",
      "x",
      "https://api.smsmasivos.com.mx/sms/send",
      '{"message":"x","numbers":"5512345678","country_code":"52","sender":"ACME","sandbox":1}',
    ],
  ];

Deno.test("smsmasivo sends as each company wants it", () => {
  for (const [over, to, text, url, body] of SENDS) {
    const call = smsmasivo.buildSend(outgoing({ to, text }), channel(over));
    deepStrictEqual([call.method, call.url, call.body], ["POST", url, body]);
  }
  strictEqual(smsmasivo.buildSend(outgoing({ to: "+525512345678" }), channel(MX)).headers["apikey"], "key-1");
  throws(() => smsmasivo.buildSend(outgoing({ to: "+59899123456" }), channel(AR)), /\+54 only/);
  throws(() => smsmasivo.buildSend(outgoing({ to: "70700" }), channel(MX)), /E\.164/);
});

Deno.test("smsmasivo writes no character that the service in Argentina does not take, and an id of letters and digits", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 80 }), (text) => {
    const { body } = smsmasivo.buildSend(outgoing({ to: "+5491122334455", text }), channel(AR));
    const fields = new URLSearchParams(body);
    match(fields.get("texto")!, /^[A-Za-z0-9 !?#$%()*+\-./:;=@,]*$/);
    match(fields.get("idinterno")!, /^[A-Za-z0-9]{1,50}$/);
  }));
});

const ANSWERS: readonly [over: Record<string, unknown>, status: number, body: string, result: string][] = [
  [AR, 200, "0;OK", "accepted null"],
  [AR, 200, "1;OK\r\n", "accepted null"],
  [AR, 200, "1", "accepted null"],
  [AR, 200, "OK", "accepted null"],
  [AR, 200, "-6;texto largo", "too-long -6"],
  [AR, 200, "-7;numero corto", "invalid-number -7"],
  [AR, 200, "-8;", "invalid-number -8"],
  [AR, 200, "-11;caracteres", "bad-request -11"],
  [AR, 200, "-3;Sin saldo", "no-credit -3"],
  [AR, 200, "-2;Usuario o clave incorrectos", "auth -2"],
  [AR, 200, "-50;otra cosa", "rejected -50"],
  [AR, 200, "IP no autorizada", "auth -"],
  [AR, 200, "<html>error</html>", "provider-error -"],
  [AR, 200, "", "provider-error -"],
  [AR, 500, "", "provider-error -"],
  [AR, 429, "", "throttled -"],
  [
    MX,
    200,
    '{"success":true,"references":[{"reference":"r-1","number":"5512345678"}],"credit":9}',
    "accepted r-1",
  ],
  [MX, 200, '{"success":true}', "accepted null"],
  [MX, 401, '{"success":false,"message":"bad key","status":401,"code":"auth_03"}', "auth auth_03"],
  [MX, 200, '{"success":false,"code":"auth_01"}', "auth auth_01"],
  [MX, 200, '{"success":false,"code":"sms_06"}', "no-credit sms_06"],
  [MX, 200, '{"success":false,"code":"sms_07"}', "no-credit sms_07"],
  [MX, 200, '{"success":false,"code":"sms_12"}', "invalid-number sms_12"],
  [MX, 200, '{"success":false,"code":"sms_99","message":"?"}', "rejected sms_99"],
  [MX, 200, "OK", "bad-response -"],
  [MX, 429, "", "throttled -"],
  [MX, 502, "<html>", "provider-error -"],
];

Deno.test("smsmasivo reads every code that is known", () => {
  for (const [over, status, body, expected] of ANSWERS) {
    const result = smsmasivo.readSend({ status, body, headers: {} }, channel(over));
    const found = result.kind === "accepted"
      ? `accepted ${result.providerId}`
      : `${result.error.class} ${result.error.providerCode ?? "-"}`;
    strictEqual(found, expected, `${status} ${body}`);
  }
});

Deno.test("smsmasivo fetches answers, marks them as read only when they are durable, and misses none between", () => {
  const one = channel(AR);
  strictEqual(poll!.intervalMs(one), 10_000);
  const flags = (mark: string | null) => {
    const call = poll!.build(one, mark, []);
    const fields = new URLSearchParams(call.body);
    return [
      call.url.replace(/^.*\//, ""),
      fields.get("solonoleidos"),
      fields.get("marcarcomoleidos"),
      call.answerCharset,
    ];
  };
  deepStrictEqual(flags(null), ["obtener_sms_entrada.asp", "1", "0", "latin-1"]);
  deepStrictEqual(flags("stored"), ["obtener_sms_entrada.asp", "1", "1", "latin-1"]);
  const body =
    "1122334455\tSí, año\t2026-01-02 03:04:05\t901\tmsg01\r\n1122334456\tno\t2026-01-02 03:04:06\t902\r\n";
  const read = (mark: string | null, body: string) => {
    const result = poll!.read({ status: 200, body, headers: {} }, one, mark, []);
    ok(result.kind === "polled");
    const reply = { status: 200, contentType: "", body: "" };
    const text = summary({ kind: "accepted", inbound: result.inbound, reports: [], reply });
    return [text, result.mark, result.more, result.unreadable?.length ?? 0];
  };
  const both = '+5491122334455>70700 "Sí, año" #901; +5491122334456>70700 "no" #902';
  deepStrictEqual(read(null, body), [both, "stored", true, 0]);
  deepStrictEqual(read("stored", body), [both, null, false, 0]);
  deepStrictEqual(read(null, ""), ["nothing", null, false, 0]);
  deepStrictEqual(read("stored", ""), ["nothing", null, false, 0]);
  const broken = "1122334455\tx\t2026\t9\nhalf a line\n";
  deepStrictEqual(read(null, broken), ['+5491122334455>70700 "x" #9', "stored", true, 0]);
  deepStrictEqual(read("stored", broken), ['+5491122334455>70700 "x" #9', null, false, 1]);
});

Deno.test("smsmasivo says why a fetch failed, and never throws on what it fetches", () => {
  const one = channel(AR);
  const failure = (status: number, body: string) => {
    const result = poll!.read({ status, body, headers: {} }, one, null, []);
    return result.kind === "failed" && result.error.class;
  };
  deepStrictEqual([
    failure(500, ""),
    failure(200, "-2;clave incorrecta"),
    failure(200, "<html>"),
    failure(200, "OK"),
  ], [
    "provider-error",
    "auth",
    "provider-error",
    "bad-response",
  ]);
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom("\t", "\n", "1", "-", ";"), fc.string({ unit: "binary", maxLength: 3 })),
  });
  fc.assert(fc.property(text, fc.constantFrom(null, "stored", "?"), (body, mark) => {
    poll!.read({ status: 200, body, headers: {} }, one, mark, []);
    smsmasivo.readSend({ status: 200, body, headers: {} }, one);
    smsmasivo.readSend({ status: 200, body, headers: {} }, channel(MX));
  }));
});

Deno.test("smsmasivo fetches where there is something to fetch for", () => {
  const every = (over: Record<string, unknown>) => poll!.intervalMs(channel(over));
  deepStrictEqual([every({ ...AR, pollSeconds: 60 }), every({ ...AR, pollSeconds: 0 })], [60_000, null]);
  deepStrictEqual([every({ ...AR, inboundNumber: undefined }), every(MX)], [null, null]);
});

Deno.test("smsmasivo takes pushed messages in Latin-1 under any names, and reports from Mexico", () => {
  const pushed = webhook(`${URL_IN}?origen=1122334455&texto=S%ED&id=7`);
  strictEqual(summary(smsmasivo.parseWebhook(pushed, channel(AR))), '+541122334455>70700 "Sí" #7');
  const named = channel({ ...AR, fields: { from: ["nro"], text: ["cuerpo"] } });
  const other = webhook(URL_IN, { form: "nro=%2B5491122334455&cuerpo=x" });
  strictEqual(summary(smsmasivo.parseWebhook(other, named)), '+5491122334455>70700 "x"');
  const report = (json: unknown) =>
    summary(smsmasivo.parseWebhook(webhook(URL_IN, { json, path: "status" }), channel(MX)));
  strictEqual(report({ reference: "r-1", number: "5512345678", status: "delivered" }), "delivered - r-1");
  strictEqual(report({ reference: "r-1", status: "pending" }), "sent - r-1");
  strictEqual(report({ reference: "r-1", status: "not_charged" }), "rejected - r-1 rejected not_charged");
  strictEqual(report({ reference: "r-1", status: "failed" }), "failed - r-1 unknown failed");
  strictEqual(report({ reference: "r-1", status: "eaten" }), "malformed status");
  const guarded = channel({ ...AR, webhookHeader: "X-Key", webhookHeaderValue: "12345678" });
  strictEqual(summary(smsmasivo.parseWebhook(pushed, guarded)), "unsigned");
});

Deno.test("smsmasivo proves its credentials by the balance", () => {
  const verdict = (over: Record<string, unknown>, status: number, body: string) => {
    const one = channel(over);
    return [
      smsmasivo.buildVerify(one)?.url.replace(/^.*?\w\//, ""),
      smsmasivo.readVerify({ status, body, headers: {} }, one).ok,
    ];
  };
  deepStrictEqual(verdict(AR, 200, "480\r\n"), ["obtener_saldo.asp", true]);
  deepStrictEqual(verdict(AR, 200, "Usuario o clave incorrectos"), ["obtener_saldo.asp", false]);
  deepStrictEqual(verdict(AR, 200, "-1"), ["obtener_saldo.asp", false]);
  deepStrictEqual(verdict(AR, 503, ""), ["obtener_saldo.asp", false]);
  deepStrictEqual(verdict(MX, 200, '{"success":true,"credit":12}'), ["credits/consult", true]);
  deepStrictEqual(verdict(MX, 401, '{"success":false,"code":"auth_03"}'), ["credits/consult", false]);
});

const FAULTS: readonly [settings: Record<string, unknown>, path: string][] = [
  [{}, "user"],
  [{ user: "u" }, "password"],
  [{ variant: "mx", user: "u", password: "p" }, "apiKey"],
  [{ variant: "br", apiKey: "k" }, "variant"],
  [{ ...AR, inboundNumber: "?" }, "inboundNumber"],
  [{ ...AR, webhookUser: "u" }, "webhookPassword"],
  [{ ...AR, colour: 1 }, ""],
];

Deno.test("smsmasivo refuses settings that lack something, and names the field", () => {
  for (const [settings, path] of FAULTS) {
    strictEqual(
      smsmasivo.credentials.safeParse(settings).error?.issues[0]?.path.join("."),
      path,
      JSON.stringify(settings),
    );
  }
});
