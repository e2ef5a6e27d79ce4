import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { http } from "../../adapters/providers/generic/kinds.ts";
import type { OutgoingMessage } from "../../core/ports/provider.ts";
import { BASE, channel } from "./http_channel.ts";
import { MESSAGE_ID, outgoing } from "./support.ts";

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
