/**
 * Every provider of the registry against whatever comes: nothing throws, nothing hangs, and what is accepted can be
 * stored as it is.
 */
import { deepEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { PROVIDERS } from "../../adapters/providers/registry.ts";
import type { Channel } from "../../core/channel.ts";
import { InboundEntrySchema, ReportEntrySchema } from "../../core/entry.ts";
import { inboundEntry } from "../../core/from_provider.ts";
import type { Provider, WebhookRequest, WebhookResult } from "../../core/ports/provider.ts";
import { FIELD_NAMES } from "./field_names.ts";
import { sampleChannel } from "./sample_channels.ts";
import { resign } from "./signers.ts";
import { MESSAGE_ID, webhook } from "./support.ts";

const URL_IN = "https://sms.example.test/webhooks/x/secret";

/** Optional settings without which a provider's webhooks need not be signed, or nothing can be sent. */
const SIGNING = ["signatureSecret", "apiSecret", "webhookSecret"];

/** What a request is made of; signed afterwards, so that the reading behind the signature is reached too. */
interface Draft {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly contentType: string;
  readonly query: string;
  readonly body: Uint8Array;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const name = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...FIELD_NAMES) },
  fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty", "", "%", "%ff"),
);
const word = fc.oneof(
  fc.constantFrom(
    ...[
      "",
      "0",
      "1",
      "2",
      "-1",
      "1e400",
      "NaN",
      "null",
      "true",
      "+14155550100",
      "14155550199",
      "447700900001",
    ],
    ...["whatsapp:+1", "delivered", "failed", "DELIVRD", "inbound", "outbound", "image/jpeg", "2026-01-02"],
    ...["https://m.test/1", "javascript:alert(1)", "%", "%zz", "%ff%fe", "+", "\u0000", "\ud800", "😀"],
    ...["a".repeat(20_000), "AC00000000000000000000000000000001", "ff", "0500030A0201"],
  ),
  fc.string({ unit: "binary", maxLength: 30 }),
);
const { tree } = fc.letrec<{ tree: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.oneof(word, fc.double(), fc.boolean(), fc.constant(null), fc.integer()),
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("leaf"),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(name, tie("tree"), { maxKeys: 8 }),
  ),
}));
const pairs = fc.array(fc.tuple(name, word), { maxLength: 16 });
const form = pairs.map((list) => list.map(([name, value]) => `${name}=${value}`).join("&"));
const encodedForm = pairs.map((list) =>
  list.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value.toWellFormed())}`)
    .join("&")
);
const json = fc.oneof(
  tree.map((value) => JSON.stringify(value) ?? ""),
  // A name twice, and names that only JSON.parse makes properties of.
  pairs.map((list) =>
    `{${list.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`
  ),
);
const body = fc.oneof(
  form.map(bytes),
  encodedForm.map(bytes),
  json.map(bytes),
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ unit: "binary", maxLength: 100 }).map((text) => Uint8Array.from(text, (c) => c.charCodeAt(0))),
);
const draft: fc.Arbitrary<Draft> = fc.record({
  method: fc.constantFrom("GET", "POST"),
  path: fc.constantFrom("", "", "status", `status/${MESSAGE_ID}`, "status/x", "status/__proto__"),
  contentType: fc.constantFrom(
    "application/json",
    "application/x-www-form-urlencoded",
    "application/json; charset=latin-1",
    "text/xml",
    "multipart/form-data; boundary=x",
    "",
  ),
  query: fc.oneof(fc.constant(""), form, encodedForm),
  body,
});

function requestOf({ method, path, contentType, query, body }: Draft): WebhookRequest {
  const text = query.replace(/[^\x21-\x7e]/g, (c) => encodeURIComponent(c.toWellFormed()));
  const url = text === "" ? URL_IN : `${URL_IN}?${text}`;
  const headers = new Headers(contentType === "" ? {} : { "content-type": contentType });
  const query_ = new URLSearchParams(text);
  return { ...webhook(URL_IN, { method, path }), url, query: query_, headers, body };
}

/** Throws unless the result is one that the ingress can act on. */
function check(result: WebhookResult, channel: Channel): void {
  if (result.kind === "refused") {
    ok(["unsigned", "malformed"].includes(result.why) && result.reason.length > 0);
    ok(result.reason.length < 2_000 && result.reason.isWellFormed());
    return;
  }
  ok(result.reply.status >= 200 && result.reply.status < 300);
  for (const message of result.inbound) {
    const entry = InboundEntrySchema.parse(inboundEntry(channel, message, 0));
    storable(entry);
    ok(entry.text.length <= 10_000);
    const { index, of } = message.fragment ?? { index: 1, of: 1 };
    ok(Number.isSafeInteger(index) && Number.isSafeInteger(of) && index >= 1 && index <= of);
  }
  for (const report of result.reports) {
    storable(ReportEntrySchema.parse({ kind: "report", at: 0, channelId: channel.id, ...report }));
    ok(report.messageId !== undefined || report.providerId !== undefined, "a report about nothing");
  }
}

/** PostgreSQL and UTF-8 hold neither NUL nor lone surrogates. */
function storable(value: unknown): void {
  const text = JSON.stringify(value);
  ok(!text.includes("\\u0000") && !/\\ud[89a-f]/i.test(text), text.slice(0, 500));
}

function each(test: (provider: Provider, channel: Channel) => void): void {
  for (const provider of PROVIDERS.values()) test(provider, sampleChannel(provider, SIGNING));
}

Deno.test("no request makes a provider's parser throw, and what it accepts can be stored", () => {
  each((provider, channel) => {
    fc.assert(
      fc.property(draft, fc.boolean(), (draft, isSigned) => {
        const request = requestOf(draft);
        const result = provider.parseWebhook(
          isSigned ? resign(provider, request, channel) : request,
          channel,
        );
        check(result, channel);
        if (!isSigned && provider.supports.signature) ok(result.kind === "refused", provider.kind);
      }),
      { numRuns: 400 },
    );
  });
});

Deno.test("fields of 10 MB, and fields by the hundred thousand, do no harm", () => {
  const long = "x".repeat(10_000_000);
  const bodies: readonly [contentType: string, body: string][] = [
    ...FIELD_NAMES.slice(0, 12).map((name) =>
      ["application/x-www-form-urlencoded", `a=1&${name}=${long}`] as [string, string]
    ),
    [
      "application/json",
      JSON.stringify(Object.fromEntries(FIELD_NAMES.map((name) => [name, "x".repeat(99_999)]))),
    ],
    ["application/json", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    ["application/json", `{"results":[${"{},".repeat(200_000)}{}]}`],
    ["application/x-www-form-urlencoded", "a=1&".repeat(500_000)],
    ["application/x-www-form-urlencoded", `Body=${"%".repeat(1_000_000)}`],
  ];
  each((provider, channel) => {
    for (const [contentType, text] of bodies) {
      const request = requestOf({ method: "POST", path: "", contentType, query: "", body: bytes(text) });
      check(provider.parseWebhook(resign(provider, request, channel), channel), channel);
    }
  });
});

Deno.test("no answer makes a provider throw", () => {
  const header = fc.constantFrom("retry-after", "date", "content-type", "location", "www-authenticate");
  const answer = fc.record({
    status: fc.integer({ min: 100, max: 599 }),
    headers: fc.dictionary(header, fc.string({ maxLength: 40 })),
    body: fc.oneof(json, form, fc.string({ unit: "binary" })),
  });
  each((provider, channel) => {
    fc.assert(
      fc.property(answer, (answer) => {
        const result = provider.readSend(answer, channel);
        if (result.kind === "failed") {
          ok(result.error.reason.length > 0);
          storable(result.error);
        } else if (result.providerId !== null) ok(/^[\x21-\x7e]{1,128}$/.test(result.providerId));
        ok(provider.readVerify(answer, channel).reason.length > 0);
      }),
      { numRuns: 300 },
    );
  });
});

Deno.test("every provider's examples make a channel that can send and be verified", () => {
  each((provider, channel) => {
    const call = provider.buildVerify(channel);
    ok(call === null || URL.canParse(call.url), provider.kind);
  });
  deepEqual([...PROVIDERS.keys()].length, new Set(PROVIDERS.keys()).size);
});
