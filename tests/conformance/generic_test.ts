import { deepEqual, equal, ok } from "node:assert/strict";
import { GATEWAY_KEYS } from "../../bench/simulator/gateway_json.ts";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { GATEWAY_LOGIN } from "../../bench/simulator/urlsms.ts";
import { PROVIDERS } from "../../adapters/providers/registry.ts";
import { channelOf } from "../providers/support.ts";
import { serveEndpoint } from "./endpoint.ts";
import { type Conformance, conforms } from "./harness.ts";

const RULES = {
  successPattern: "^OK;",
  idPattern: "^OK;(.+)$",
  errorRules: [
    { pattern: "dado de baja", class: "opted-out" },
    { pattern: "numero invalido", class: "invalid-number" },
  ],
};
const QUERY = "celular=${phone}&mensaje=${message}&id=${id}&from=${from}";

function login(good: boolean) {
  return { user: GATEWAY_LOGIN.user, password: good ? GATEWAY_LOGIN.password : "wrong" };
}

const methods: Conformance["webhooks"] = [{ method: "GET" }, { method: "POST" }];

for (const charset of ["utf-8", "latin-1"]) {
  conforms({
    kind: "urlsms",
    label: charset,
    simulator: { urlsms: GATEWAY_LOGIN },
    credentials: (url, good) => ({
      ...RULES,
      ...login(good),
      charset,
      url: `${url}/x.php?${QUERY}&user=\${user}&password=\${password}`,
      checkUrl: `${url}/saldo.php?user=\${user}&password=\${password}`,
      checkPattern: "^\\d+$",
    }),
    webhooks: charset === "utf-8" ? methods : [],
    ...(charset === "latin-1" && { text: "Olá & mañana = 50% + 1" }),
    reports: "set",
  });
}

for (
  const [kind, carrier, folder] of [
    ["urlsmsauth", "urlsmsauth", "auth"],
    ["urlsmspost", "urlsmspost", "post"],
    ["urlpostsms", "urlsmspost", "post"],
    ["urlpostsmsauth", "urlpostsmsauth", "postauth"],
  ] as const
) {
  const hasLogin = kind.endsWith("auth");
  conforms({
    kind,
    carrier,
    credentials: (url, good) => ({
      ...RULES,
      ...(hasLogin && { ...login(good), checkUrl: `${url}/${folder}/saldo.php` }),
      // Without a login there is nothing to be wrong: a check of what is not there stands for it.
      ...(!hasLogin && { checkUrl: good ? `${url}/${folder}/saldo.php` : `${url}/none` }),
      url: `${url}/${folder}/x.php?${QUERY}`,
    }),
    webhooks: methods,
    reports: "set",
    checksCredentials: hasLogin,
  });
}

const GATEWAY = {
  auth: "bearer",
  body:
    '{"sender":${from},"recipients":[${phone}],"content":{"text":${message},"media":${media}},"callback":${status_url}}',
  idPaths: ["data[0].message.id"],
  codePaths: ["error.code"],
  codes: { E1: "auth", E10: "invalid-number", E21: "opted-out", E429: "throttled", E500: "provider-error" },
  webhookHmacSecret: GATEWAY_KEYS.secret,
  webhookHmacPrefix: "sha256=",
};
const NESTED = {
  itemsPath: "events",
  fields: {
    from: ["message.from"],
    to: ["message.to"],
    text: ["message.content.text"],
    media: ["message.content.media"],
    id: ["message.id"],
    status: ["state.name"],
  },
};
const PLAIN = { fields: { media: ["media0"] } };

const gateway = (url: string, good: boolean, inbound: object) => ({
  ...GATEWAY,
  ...inbound,
  url: `${url}/gateway/messages`,
  checkUrl: `${url}/gateway/account`,
  password: good ? GATEWAY_KEYS.key : "wrong",
});

conforms({ kind: "http", credentials: (url, good) => gateway(url, good, NESTED) });

const MESSAGE = { from: "+12025550123", to: "+14155550199", text: "Olá <& mañana> 😀" };

Deno.test("http: XML, multipart and form calls arrive as they were written, and only signed ones", async () => {
  const http = PROVIDERS.get("http")!;
  const channel = channelOf("http", http.credentials.parse(gateway("http://127.0.0.1:9", true, PLAIN)));
  for (const format of ["xml", "multipart", "form"]) {
    await using endpoint = serveEndpoint(http, channel, MESSAGE.to);
    const write = { provider: "http", url: endpoint.url, format, ...MESSAGE } as const;
    const media = [0, 1].map((index) => ({ url: `https://m.test/${index}.jpg`, contentType: "image/jpeg" }));
    const { status, body, id } = await writeAsContact({ ...write, media });
    equal(status, 200, `${format}: ${body}`);
    const [message] = endpoint.parsed;
    ok(message !== undefined);
    deepEqual([message.number, message.contact, message.text, message.providerId], [
      MESSAGE.to,
      MESSAGE.from,
      MESSAGE.text,
      id,
    ]);
    deepEqual(message.media.map(({ url }) => url), media.map(({ url }) => url), format);
    for (const signature of ["wrong", "missing"] as const) {
      equal((await writeAsContact({ ...write, signature })).status, 403, `${format} ${signature}`);
    }
    equal(endpoint.entries.length, 1);
  }
});

Deno.test("http: callers from elsewhere than the addresses that are set are refused", async () => {
  const http = PROVIDERS.get("http")!;
  for (const [addresses, status] of [[["127.0.0.0/8"], 200], [["203.0.113.0/24"], 403]] as const) {
    const settings = { ...gateway("http://127.0.0.1:9", true, NESTED), webhookAddresses: addresses };
    await using endpoint = serveEndpoint(
      http,
      channelOf("http", http.credentials.parse(settings)),
      MESSAGE.to,
    );
    equal((await writeAsContact({ provider: "http", url: endpoint.url, ...MESSAGE })).status, status);
  }
});
