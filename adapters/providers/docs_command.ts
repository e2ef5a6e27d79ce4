/**
 * `docs`: writes `docs/providers.md`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { describeProviders } from "./describe.ts";
import { PROVIDERS } from "./registry.ts";

const DOCS = new URL("../../docs/", import.meta.url);

const HELP = `Usage: docs

Writes docs/providers.md from the providers in the code.
`;

/** Kinds that share a page with their relatives. */
const SHARED: Readonly<Record<string, string>> = {
  http: "generic",
  urlsms: "generic",
  urlsmsauth: "generic",
  urlsmspost: "generic",
  urlpostsms: "generic",
  urlpostsmsauth: "generic",
};

function pageOf(kind: string): string | null {
  const page = `providers/${SHARED[kind] ?? kind}.md`;
  try {
    Deno.statSync(new URL(page, DOCS));
    return page;
  } catch {
    return null;
  }
}

/** The text of `docs/providers.md`. */
export function providersPage(): string {
  return describeProviders(PROVIDERS.values(), pageOf);
}

/** Runs the command. Gives the exit code: 0, or 2 when the options do not fit. */
export function writeDocs(args: string[]): number {
  try {
    const { values } = parseArgs({
      args,
      options: { help: { type: "boolean", default: false } },
      strict: true,
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  Deno.writeTextFileSync(new URL("providers.md", DOCS), providersPage());
  console.log("Wrote docs/providers.md.");
  return 0;
}
