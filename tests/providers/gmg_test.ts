import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { PROVIDERS } from "../../adapters/providers/registry.ts";
import { channelOf, MESSAGE_ID, outgoing, summary, webhook } from "./support.ts";

const gmg = PROVIDERS.get("gmg")!;
const URL_IN = "https://sms.example.test/webhooks/gmg/secret";
const ACCOUNT = { endpoint: "https://sms.example.test/send", user: "acme", password: "s3cret", from: "ACME" };
const OUT = outgoing({ to: "+59899123456", text: "Hola" });

function channel(over: Record<string, unknown> = {}) {
  return channelOf("gmg", gmg.credentials.parse({ ...ACCOUNT, ...over }), gmg.defaults);
}

Deno.test("gmg posts JSON, or what the contract wants", () => {
  const call = (over: Record<string, unknown>) => {
    const { method, url, body, headers } = gmg.buildSend(OUT, channel(over));
    return [method, url.slice(ACCOUNT.endpoint.length), body, headers["authorization"]];
  };
  const all = "user=acme&password=s3cret&from=ACME&to=59899123456&message=Hola&id=" + MESSAGE_ID;
  const json = `"from":"ACME","to":"59899123456","message":"Hola","id":"${MESSAGE_ID}"}`;
  deepStrictEqual(call({}), ["POST", "", `{"user":"acme","password":"s3cret",${json}`, undefined]);
  deepStrictEqual(call({ transport: "form" }), ["POST", "", all, undefined]);
  deepStrictEqual(call({ transport: "get" }), ["GET", `?${all}`, undefined, undefined]);
  deepStrictEqual(call({ login: "basic" }), ["POST", "", `{${json}`, "Basic YWNtZTpzM2NyZXQ="]);
  deepStrictEqual(call({ login: "bearer" }), ["POST", "", `{${json}`, "Bearer s3cret"]);
});

const ANSWERS: readonly [status: number, body: string, result: string][] = [
  [200, '{"status":"ok","id":"778812"}', "accepted 778812"],
  [201, '{"messageId":7}', "accepted 7"],
  [202, '{"message_id":"a"}', "accepted a"],
  [200, '{"data":{"id":"b"}}', "accepted b"],
  [200, '{"result":{"id":"c"}}', "accepted c"],
  [200, "queued", "accepted null"],
  [204, "", "bad-response"],
  [200, '{"status":"error","message":"Número inválido"}', "invalid-number"],
  [200, "FAILED: unknown", "rejected"],
  [200, "access denied", "rejected"],
  [401, "", "auth"],
  [403, "balance", "auth"],
  [402, "", "no-credit"],
  [200, "error: sin saldo", "no-credit"],
  [404, "", "bad-request"],
  [422, "phone is wrong", "invalid-number"],
  [400, "text is missing", "bad-request"],
  [400, "blacklisted", "opted-out"],
  [429, "", "throttled"],
  [503, "", "provider-error"],
];

Deno.test("gmg reads every answer that is proposed for it", () => {
  for (const [status, body, expected] of ANSWERS) {
    const result = gmg.readSend({ status, body, headers: {} }, channel());
    strictEqual(
      result.kind === "accepted" ? `accepted ${result.providerId}` : result.error.class,
      expected,
      `${status} ${body}`,
    );
  }
});

Deno.test("gmg waits half a minute when it is throttled, and tries three times", () => {
  const pause = (headers: Record<string, string>) => {
    const result = gmg.readSend({ status: 429, body: "", headers }, channel());
    return result.kind === "failed" ? result.retryAfterMs : null;
  };
  deepStrictEqual([pause({}), pause({ "retry-after": "4" })], [30_000, 4_000]);
  strictEqual(channel().settings.retry.maxTries, 3);
});

const INBOUND: readonly [body: { json: unknown } | { form: string }, result: string][] = [
  [
    { json: { from: "59899123456", to: "59824000000", message: "Hola", id: 5 } },
    '+59899123456>+59824000000 "Hola" #5',
  ],
  [{ form: "sender=59899123456&destino=59824000000&texto=Hol%C3%A1" }, '+59899123456>+59824000000 "Holá"'],
  [{ json: { from: "59899123456", to: "59824000000" } }, "malformed text"],
  [{ json: { to: "59824000000", text: "x" } }, "malformed from"],
];

Deno.test("gmg takes messages and reports, in JSON and forms", () => {
  for (const [body, expected] of INBOUND) {
    strictEqual(summary(gmg.parseWebhook(webhook(URL_IN, body), channel())), expected);
  }
  const report = (json: unknown) =>
    summary(gmg.parseWebhook(webhook(URL_IN, { json, path: "status" }), channel()));
  strictEqual(report({ id: 778812, status: "delivered" }), "delivered - 778812");
  strictEqual(report({ id: MESSAGE_ID, estado: "fallido" }), `failed ${MESSAGE_ID} - unknown fallido`);
  strictEqual(report({ status: "sent" }), "malformed id");
});

Deno.test("gmg is checked by an address of the contract, or only reached", () => {
  const checked = channel({ checkUrl: "https://sms.example.test/balance?u=${user}", login: "bearer" });
  const call = gmg.buildVerify(checked);
  deepStrictEqual([call?.url, call?.headers], ["https://sms.example.test/balance?u=acme", {
    authorization: "Bearer s3cret",
  }]);
  strictEqual(gmg.readVerify({ status: 200, body: "error", headers: {} }, checked).ok, false);
  strictEqual(gmg.readVerify({ status: 200, body: "17", headers: {} }, checked).ok, true);
  match(gmg.readVerify({ status: 404, body: "", headers: {} }, channel()).reason, /not proved/);
});
