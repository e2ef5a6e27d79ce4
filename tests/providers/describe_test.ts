import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import { describeProviders } from "../../adapters/providers/describe.ts";
import { providersPage } from "../../adapters/providers/docs_command.ts";
import { readPreset } from "../../adapters/providers/generic/preset.ts";
import { GatewayShape } from "../../adapters/providers/generic/settings.ts";
import { VARIABLES } from "../../adapters/providers/generic/variables.ts";
import { PROVIDERS } from "../../adapters/providers/registry.ts";
import { FINAL_CLASSES, RETRYABLE_CLASSES } from "../../core/errors.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("docs/providers.md is what the code says; deno task docs writes it", () => {
  ok(Deno.readTextFileSync(new URL("docs/providers.md", ROOT)) === providersPage(), "run deno task docs");
});

Deno.test("every provider says what is documented and what is assumed of it, and what its codes mean", () => {
  const classes: readonly string[] = [...RETRYABLE_CLASSES, ...FINAL_CLASSES];
  for (const { kind, description } of PROVIDERS.values()) {
    match(description.docsUrl, /^https:\/\//);
    ok(description.authentication.length > 10 && description.facts.length > 0, kind);
    ok(description.errors.length > 0, `${kind} names no errors`);
    for (const error of description.errors) {
      ok(
        classes.includes(error.class) && error.reason.length > 3 && error.code !== "",
        `${kind} ${error.code}`,
      );
    }
  }
});

type Property = {
  readonly title?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
};

Deno.test("every setting has a title, a word of help and an example: enough to draw a form from", () => {
  const lacking = [...PROVIDERS.values()].flatMap(({ kind, credentials }) => {
    const schema = z.toJSONSchema(credentials, { io: "input", unrepresentable: "any" });
    return Object.entries(schema.properties as Record<string, Property>)
      .filter(([, { title, description, examples }]) =>
        !title || !description || (examples?.length ?? 0) === 0
      )
      .map(([name]) => `${kind}.${name}`);
  });
  deepStrictEqual(lacking, []);
});

Deno.test("every provider has a page that says how to connect it", () => {
  const pages = [...Deno.readDirSync(new URL("docs/providers/", ROOT))].map(({ name }) => name);
  ok(pages.includes("generic.md"));
  const linked = new Set(
    [...providersPage().matchAll(/\]\(providers\/([\w-]+\.md)\)/g)].map((one) => one[1]!),
  );
  deepStrictEqual(pages.filter((page) => !linked.has(page)), []);
  const text = providersPage();
  const kinds = [...PROVIDERS.keys()]
    .filter((kind) => !new RegExp(`^## ${kind}\n\n.*How to connect it`, "m").test(text));
  deepStrictEqual(kinds, []);
});

Deno.test("docs/providers/generic.md names every variable and every setting, and its preset is one", () => {
  const page = Deno.readTextFileSync(new URL("docs/providers/generic.md", ROOT));
  const names = [...Object.keys(VARIABLES), ...Object.keys(GatewayShape)];
  deepStrictEqual(names.filter((name) => !page.includes(`\`${name}\``)), []);
  for (const [name, about] of Object.entries(VARIABLES)) ok(page.includes(about), `${name}: ${about}`);
  const preset = /```yaml\n(kind:[\s\S]*?)```/.exec(page)?.[1];
  strictEqual(readPreset(preset ?? "").kind, "acmesms");
  const rules = /```yaml\n(channels:[\s\S]*?)```/.exec(page)?.[1];
  const { channels } = parse(rules ?? "") as { channels: { provider: string; credentials: unknown }[] };
  for (const { provider, credentials } of channels) PROVIDERS.get(provider)!.credentials.parse(credentials);
});

Deno.test("describeProviders keeps what it is told within its cells", () => {
  const [provider] = PROVIDERS.values();
  const description = {
    docsUrl: "https://example.com",
    authentication: "a|b <c>",
    facts: [{ fact: "one|two", source: "assumed" as const }],
    errors: [{ code: "a|b", class: "auth" as const, reason: "x\ny <z>", source: "documented" as const }],
  };
  const text = describeProviders([{ ...provider!, description }], () => null);
  match(text, /\| `a\\\|b` \| auth \| x y &lt;z> \| documented \|/);
  match(text, /One\|two\. \*Assumed\.\*/);
  strictEqual(text.split("\n## ").length, 2);
});
