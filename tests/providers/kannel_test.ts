import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { PROVIDERS } from "../../adapters/providers/registry.ts";
import { channelOf, MESSAGE_ID, outgoing, summary, webhook } from "./support.ts";

const kannel = PROVIDERS.get("kannel")!;
const ACCOUNT = {
  endpoint: "http://kannel.example.test:13013/cgi-bin/sendsms",
  user: "acme",
  password: "s3cret",
};
const channel = channelOf("kannel", kannel.credentials.parse(ACCOUNT), kannel.defaults);
const URL_IN = "https://sms.example.test/webhooks/kannel/secret";

Deno.test("kannel sends as sendsms wants it, UCS-2 where the text needs it, with the address of its reports", () => {
  const fields = (over: Parameters<typeof outgoing>[0]) => {
    const { url } = kannel.buildSend(outgoing({ to: "+59899123456", ...over }), channel);
    return Object.fromEntries(new URL(url).searchParams);
  };
  deepStrictEqual(fields({ statusUrl: "https://s.test/status/m" }), {
    username: "acme",
    password: "s3cret",
    from: "+14155550199",
    to: "+59899123456",
    text: "Olá & más 50%",
    charset: "UTF-8",
    coding: "2",
    "dlr-mask": "31",
    "dlr-url": "https://s.test/status/m?status=%d&code=%A",
  });
  strictEqual(fields({ text: "plain", encoding: "gsm7" })["coding"], "0");
});

Deno.test("kannel reads its answers", () => {
  const read = (status: number, body: string) => {
    const result = kannel.readSend({ status, body, headers: {} }, channel);
    return result.kind === "accepted" ? "accepted" : result.error.class;
  };
  strictEqual(read(202, "0: Accepted for delivery"), "accepted");
  strictEqual(read(202, "3: Queued for later delivery"), "accepted");
  strictEqual(read(403, "Authorization failed for sendsms"), "auth");
  strictEqual(read(400, "Missing receiver number, rejected"), "bad-request");
  strictEqual(read(503, "Temporal failure, try again later."), "provider-error");
  strictEqual(read(200, "?"), "bad-response");
});

Deno.test("kannel's reports and messages are understood", () => {
  const report = (query: string) =>
    summary(kannel.parseWebhook(webhook(`${URL_IN}?${query}`, { path: `status/${MESSAGE_ID}` }), channel));
  strictEqual(report("status=8"), `sent ${MESSAGE_ID} -`);
  strictEqual(report("status=1"), `delivered ${MESSAGE_ID} -`);
  strictEqual(report("status=2&code=err%3A001"), `undelivered ${MESSAGE_ID} - unreachable err:001`);
  strictEqual(report("status=16"), `rejected ${MESSAGE_ID} - rejected 16`);
  strictEqual(report("status=4"), "nothing");
  const inbound = webhook(`${URL_IN}?from=%2B59899123456&to=%2B59824000000&text=Ol%C3%A1&id=7`);
  strictEqual(summary(kannel.parseWebhook(inbound, channel)), '+59899123456>+59824000000 "Olá" #7');
});
