/**
 * What people are shown of each provider: settings that a form can be drawn from, and an error table without holes.
 */
import { deepEqual, ok } from "node:assert/strict";
import { z } from "zod";
import { PROVIDERS } from "../../adapters/providers/registry.ts";
import { FINAL_CLASSES, RETRYABLE_CLASSES } from "../../core/errors.ts";

/** Providers whose settings and description are complete. */
const DESCRIBED = ["twilio", "voicemeup", "nexmo", "vonage", "telesign", "infobip"];

Deno.test("every setting of a described provider has a title, help and an example that fits", () => {
  for (const kind of DESCRIBED) {
    const { credentials } = PROVIDERS.get(kind)!;
    const { properties = {} } = z.toJSONSchema(credentials, { io: "input", unrepresentable: "any" });
    for (const [name, property] of Object.entries(properties)) {
      const { title, description, examples } = property as z.core.JSONSchema.BaseSchema;
      ok(title && description && examples?.length, `${kind}.${name}`);
      // A private key is shown in part only.
      if (name === "privateKey") continue;
      const schema = credentials.shape[name] as z.ZodType;
      for (const example of examples) ok(schema.safeParse(example).success, `${kind}.${name}: ${example}`);
    }
  }
});

Deno.test("every description says where its facts come from, and names each code once", () => {
  const classes: readonly string[] = [...RETRYABLE_CLASSES, ...FINAL_CLASSES];
  for (const kind of DESCRIBED) {
    const { description } = PROVIDERS.get(kind)!;
    ok(URL.canParse(description.docsUrl), kind);
    ok(description.authentication.length > 0 && description.facts.length >= 5, kind);
    const codes = description.errors.map((error) => error.code);
    deepEqual(codes.filter((code, i) => codes.indexOf(code) !== i), [], `${kind}: codes named twice`);
    for (const error of description.errors) {
      ok(error.reason.length > 0 && classes.includes(error.class), `${kind} ${error.code}`);
    }
  }
});

Deno.test("every described provider has a page that names the settings one has to fill in", () => {
  for (const kind of DESCRIBED) {
    const page = Deno.readTextFileSync(new URL(`../../docs/providers/${kind}.md`, import.meta.url));
    const { required = [] } = z.toJSONSchema(PROVIDERS.get(kind)!.credentials, {
      io: "input",
      unrepresentable: "any",
    });
    for (const name of required) ok(page.includes(`\`${name}\``), `${kind}.md does not name ${name}`);
    for (const section of ["## Connecting", "## Limits", "## Assumed"]) {
      ok(page.includes(section), `${kind} ${section}`);
    }
  }
});
