import { deepEqual, equal } from "node:assert/strict";
import { signatureHeaders } from "../../adapters/platforms/signature.ts";
import { asyncApiDocument } from "../../core/asyncapi/document.ts";

const PAGE = await Deno.readTextFile(new URL("../../docs/platforms.md", import.meta.url));

Deno.test("docs/platforms.md: the verification takes what we sign, and nothing else", async () => {
  const sample = /```ts\n([\s\S]*?)```/.exec(PAGE)?.[1] ?? "";
  const module = `data:text/typescript,${encodeURIComponent(`${sample}\nexport { isGenuine };`)}`;
  const { isGenuine } = await import(module) as {
    isGenuine: (secret: string, headers: Headers, body: string) => boolean;
  };
  const body = '{"type":"message.received"}';
  const at = (ageMs: number) => new Headers(signatureHeaders("secret", body, Date.now() - ageMs));
  equal(isGenuine("secret", at(0), body), true);
  const refused = [
    isGenuine("another", at(0), body),
    isGenuine("secret", at(0), `${body} `),
    isGenuine("secret", at(600_000), body),
    isGenuine("secret", new Headers(), body),
  ];
  deepEqual(refused, [false, false, false, false]);
});

Deno.test("docs/platforms.md: the table has all requests", () => {
  const { channels } = asyncApiDocument({ version: "", namespace: "patchbay" }) as {
    channels: { platformRequests: { messages: Record<string, unknown> } };
  };
  const requests = Object.keys(channels.platformRequests.messages).map((name) =>
    name.replace("request.", "")
  );
  const described = [...PAGE.matchAll(/^\| `\{"type": "(\w+)"/gm)].map((match) => match[1]);
  deepEqual(described, requests);
});
