import assert from "node:assert/strict";
import fc from "fast-check";
import { unstorableFields } from "../../adapters/http/storable.ts";
import { channelInput, testApp } from "../support/http_app.ts";
import { testPostgres } from "../support/postgres.ts";

Deno.test("what the database cannot hold is refused wherever it stands, and the field is named", async (t) => {
  await using postgres = await testPostgres();
  await using database = await postgres.database();
  using app = await testApp(database);
  const channel = await app.make("/v1/channels", channelInput("Main"));
  const refused = async (method: string, path: string, body?: unknown) => {
    const answer = await app.call(method, path, body);
    assert.equal(answer.status, 400, `${path} ${JSON.stringify(body)}: ${answer.text}`);
    assert.equal(answer.headers.get("content-type"), "application/problem+json");
    return answer.body.errors.map(({ field }: { field: string }) => field).join();
  };

  for (const [what, text] of [["half a pair", "a\ud800b"], ["a NUL", "a\0b"]] as const) {
    await t.step(`in bodies: ${what}`, async () => {
      const number = { channelId: channel.id, number: "+14155550191", type: "mobile" };
      const cases: readonly [path: string, body: unknown, field: string][] = [
        ["/v1/numbers", { ...number, label: text }, "label"],
        ["/v1/numbers", { ...number, channelId: text }, "channelId"],
        ["/v1/channels", channelInput("Types", { media: { types: ["image/png", text] } }), "media.types.1"],
        ["/v1/channels", channelInput("Pattern", { destinationPattern: text }), "destinationPattern"],
        [
          "/v1/channels",
          channelInput("Secret", { credentials: { accountSid: "AC1", authToken: text } }),
          "credentials.authToken",
        ],
        ["/v1/extensions", { extension: "101", name: "Alice", skills: { [text]: 3 } }, "skills"],
        ["/v1/keys", { name: "key", role: "agent", extensionId: text }, "extensionId"],
        ["/v1/apply", { document: { numbers: [{ ...number, label: text }] } }, "document.numbers.0.label"],
        ["/v1/queues", text, "body"],
      ];
      for (const [path, body, field] of cases) {
        assert.equal(
          await refused("POST", path, typeof body === "string" ? JSON.stringify(body) : body),
          field,
        );
      }
    });
  }

  await t.step("in queries and paths: a NUL", async () => {
    assert.equal(await refused("GET", "/v1/audit?kind=channel&actor=a%00b"), "actor");
    const { status } = await app.call("GET", "/v1/numbers/a%00b");
    assert.equal(status, 404);
  });

  await t.step("whole pairs as escapes, and the escapes' own signs, are texts like any other", async () => {
    const made = await app.call(
      "POST",
      "/v1/numbers",
      `{"channelId":"${channel.id}","number":"+14155550192","label":"\\ud83d\\ude00 \\\\ud800 \\\\u0000"}`,
    );
    assert.equal(made.status, 201, made.text);
    assert.equal(made.body.label, "😀 \\ud800 \\u0000");
    const { body } = await app.call("GET", `/v1/numbers/${made.body.id}`);
    assert.equal(body.label, made.body.label);
  });

  await t.step("what is no JSON is told as such, not as a fault of ours", async () => {
    const { status, body } = await app.call("POST", "/v1/queues", '{"name":"\\ud800');
    assert.deepEqual([status, body.detail], [400, "The body is not valid JSON."]);
  });
  assert.deepEqual(app.errors, []);
});

Deno.test("every text in a document is looked at", () => {
  const holds = (value: unknown): boolean => !/\\u0000|\\ud[89a-f]/.test(JSON.stringify(value));
  const text = fc.string({ unit: fc.constantFrom("a", "😀", "\ud800", "\udc00", "\0") });
  fc.assert(fc.property(fc.jsonValue(), text, (value, text) => {
    const document = [value, { [text]: 1 }, text];
    assert.equal(unstorableFields(document).length === 0, holds(document));
  }));
  const deep = JSON.parse(`${"[".repeat(100_000)}"\\u0000"${"]".repeat(100_000)}`);
  assert.equal(unstorableFields(deep).length, 1);
});
