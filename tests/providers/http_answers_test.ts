import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { http } from "../../adapters/providers/generic/kinds.ts";
import { channel } from "./http_channel.ts";

const JSON_ERROR = '{"result":{"code":"E12","text":"Saldo insuficiente"},"ok":false}';

const ANSWERS: readonly [
  label: string,
  over: Record<string, unknown>,
  status: number,
  body: string,
  result: string,
][] = [
  ["no rules", {}, 201, "", "accepted null"],
  ["an id by path", { idPaths: ["x", "data[0].id"] }, 200, '{"data":[{"id":"a-1"}]}', "accepted a-1"],
  ["an id in XML", { idPaths: ["r.id"] }, 200, "<?xml version='1.0'?><r><id>a-1</id></r>", "accepted a-1"],
  ["an id in an attribute", { idPaths: ["r.id"] }, 200, "<r id='7'/>", "accepted 7"],
  ["an id of a tag with attributes", { idPaths: ["r.id"] }, 200, "<r><id t='x'>7</id></r>", "accepted 7"],
  ["an id in a header", { idHeader: "X-Id" }, 200, "", "accepted h-1"],
  ["success at a path", { successPath: "status" }, 200, '{"status":"OK"}', "accepted null"],
  ["no success at a path", { successPath: "status" }, 200, '{"status":"KO"}', "rejected -"],
  ["truth at a path", { successPath: "ok", successValues: ["TRUE"] }, 200, '{"ok":true}', "accepted null"],
  ["nothing at the path", { successPath: "ok" }, 200, "OK", "rejected -"],
  ["another class", { successContains: "OK", unmatched: "provider-error" }, 200, "?", "provider-error -"],
  ["a failure in words", { failurePattern: "error" }, 200, "ERROR 5", "rejected -"],
  ["a code", { codePaths: ["result.code"], codes: { E12: "no-credit" } }, 200, JSON_ERROR, "no-credit E12"],
  [
    "a code of success",
    { codePattern: "^(-?\\d+);", codes: { "0": "success" } },
    200,
    "0;done",
    "accepted null",
  ],
  [
    "a code by pattern",
    { codePattern: "^(-?\\d+);", codes: { "-7": "invalid-number" } },
    200,
    "-7;x",
    "invalid-number -7",
  ],
  ["an unknown code", { codePattern: "^(-?\\d+);", failurePattern: "^-" }, 200, "-1;x", "rejected -1"],
  [
    "a rule by path",
    { errorRules: [{ path: "ok", value: "False", class: "blocked" }] },
    200,
    JSON_ERROR,
    "blocked -",
  ],
  ["a rule by status", { errorRules: [{ status: [409], class: "opted-out" }] }, 409, "", "opted-out -"],
  [
    "a rule by both",
    { errorRules: [{ status: [400], pattern: "número", class: "invalid-number" }] },
    400,
    "NÚMERO",
    "invalid-number -",
  ],
  [
    "a rule by both, half",
    { errorRules: [{ status: [400], pattern: "x", class: "invalid-number" }] },
    422,
    "x",
    "bad-request -",
  ],
  [
    "rules first",
    { errorRules: [{ pattern: "saldo", class: "no-credit" }] },
    200,
    "OK saldo 5",
    "no-credit -",
  ],
  [
    "rules for failures",
    { errorRules: [{ pattern: "saldo", class: "no-credit" }], errorRulesFor: "failures" },
    200,
    "OK saldo 5",
    "accepted null",
  ],
  ["an HTML page", { successPath: "a" }, 200, "<html><body><p>down<br></body></html>", "rejected -"],
  [
    "entities of its own",
    { idPaths: ["a"] },
    200,
    '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
    "accepted null",
  ],
];

Deno.test("http reads answers by its rules", () => {
  for (const [label, over, status, body, expected] of ANSWERS) {
    const result = http.readSend({ status, body, headers: { "x-id": "h-1" } }, channel(over));
    const found = result.kind === "accepted"
      ? `accepted ${result.providerId}`
      : `${result.error.class} ${result.error.providerCode ?? "-"}`;
    strictEqual(found, expected, label);
  }
});

Deno.test("http pauses for as long as the gateway asks, else as long as is set", () => {
  const pause = (headers: Record<string, string>) => {
    const result = http.readSend({ status: 429, body: "", headers }, channel({ throttleSeconds: 30 }));
    return result.kind === "failed" && result.retryAfterMs;
  };
  deepStrictEqual([pause({}), pause({ "retry-after": "5" })], [30_000, 5_000]);
});
