import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { parse } from "yaml";
import { readPreset } from "../../adapters/providers/generic/preset.ts";
import { PROVIDERS } from "../../adapters/providers/registry.ts";
import { parseChannel } from "../../core/configuration/channel_input.ts";
import { secretFields } from "../../core/configuration/credentials.ts";
import { channelOf, outgoing } from "./support.ts";
import { sampleCredentials } from "./sample_channels.ts";

const FOLDER = new URL("../../adapters/providers/presets/", import.meta.url);
const FILES = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();

Deno.test("every preset file is a provider of its name, whose examples make a channel that can send", () => {
  ok(FILES.length >= 3);
  for (const file of FILES) {
    const { kind } = parse(Deno.readTextFileSync(new URL(file, FOLDER))) as { kind: string };
    strictEqual(`${kind}.yaml`, file);
    const provider = PROVIDERS.get(kind)!;
    const credentials = sampleCredentials(provider);
    parseChannel(PROVIDERS, { name: kind, provider: kind, credentials });
    const call = provider.buildSend(outgoing(), channelOf(kind, credentials, provider.defaults));
    ok(`${decodeURIComponent(call.url)}${call.body ?? ""}`.includes("14155550100"), kind);
    ok(secretFields(provider).has("password") && secretFields(provider).has("webhookHmacSecret"), kind);
    ok(provider.description.facts.length > 0 && provider.description.errors.length > 0, kind);
  }
});

/** As `docs/providers/generic.md` has it. */
const EXAMPLE = `
kind: example
title: Example
docsUrl: https://gateway.example.com/docs
channel: { rateMps: 3, maxTextLength: 480 }
fields:
  region: { text: "[a-z]{2}", required: true, title: Region, description: In the address, example: uy }
  key: { setting: password, required: true, title: Key, description: From the portal, example: k-1 }
  from: { setting: from }
  charset: { setting: charset }
  route:
    title: Route
    description: What the contract says
    default: normal
    choices:
      normal: {}
      premium: { parameters: { route: p, key: null }, auth: bearer }
gateway:
  url: https://@{region}.gateway.example.com/send
  charset: latin-1
  parameters: { key: "\${password}", to: "\${phone}", text: "\${message}" }
`;

function send(credentials: Record<string, unknown>) {
  const provider = readPreset(EXAMPLE);
  const parsed = provider.credentials.parse({ region: "uy", key: "k&1", ...credentials });
  const { url, body, headers } = provider.buildSend(outgoing({ text: "á" }), channelOf("example", parsed));
  return [url, body, headers["authorization"]];
}

Deno.test("a preset fills its gateway from fields, texts, choices and overrides, in this order", () => {
  const url = "https://uy.gateway.example.com/send";
  deepStrictEqual(send({}), [url, "key=k%261&to=14155550100&text=%E1", undefined]);
  deepStrictEqual(send({ charset: "utf-8" }), [url, "key=k%261&to=14155550100&text=%C3%A1", undefined]);
  deepStrictEqual(send({ route: "premium" }), [url, "to=14155550100&text=%E1&route=p", "Bearer k&1"]);
  deepStrictEqual(send({ region: "ar", overrides: { parameters: { to: null, dst: "${phone_plus}" } } }), [
    "https://ar.gateway.example.com/send",
    "key=k%261&text=%E1&dst=%2B14155550100",
    undefined,
  ]);
});

Deno.test("a preset names the field that does not fit, its own or the override", () => {
  const { credentials } = readPreset(EXAMPLE);
  const paths = (over: Record<string, unknown>) =>
    credentials.safeParse({ region: "uy", key: "k", ...over }).error?.issues.map(({ path }) =>
      path.join(".")
    );
  deepStrictEqual(paths({ region: "u/x" }), ["region"]);
  deepStrictEqual(paths({ key: undefined }), ["key"]);
  deepStrictEqual(paths({ route: "cheap" }), ["route"]);
  deepStrictEqual(paths({ overrides: { idPattern: "(" } }), ["overrides.idPattern"]);
  deepStrictEqual(paths({ overrides: { nothing: 1 } }), ["overrides.nothing"]);
  deepStrictEqual(paths({ overrides: { webhookHmacSecret: "12345678" } }), ["overrides.webhookHmacSecret"]);
  deepStrictEqual(paths({ webhookUser: "u" }), ["webhookPassword"]);
  deepStrictEqual(paths({ colour: "red" }), [""]);
  deepStrictEqual(paths({}), undefined);
});

Deno.test("a preset file that does not fit is refused with the place", () => {
  const faults: readonly [change: (text: string) => string, message: RegExp][] = [
    [(text) => text.replace("kind: example", "kind: Example Co"), /kind/],
    [(text) => text.replace("charset: latin-1", "charsets: latin-1"), /gateway.charsets/],
    [(text) => text.replace("default: normal", "default: cheap"), /not one of the choices/],
    [(text) => text.replace("@{region}", "@{city}"), /@\{city\}/],
    [(text) => text.replace("setting: from", "setting: sender"), /fields/],
    [(text) => text.replace("title: Example", ""), /title/],
    [(text) => `${text}\nextra: 1`, /extra/],
    [() => "", /./],
  ];
  for (const [change, message] of faults) {
    throws(
      () => readPreset(change(EXAMPLE)),
      (error) => message.test((error as Error).message),
      String(message),
    );
  }
  match(readPreset(EXAMPLE).title, /Example/);
});
