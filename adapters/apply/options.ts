/**
 * What `apply` is called with.
 *
 * @module
 */
export interface ApplyOptions {
  readonly file: string;
  readonly url: string;
  readonly key: string;
  readonly dryRun: boolean;
}

export const APPLY_HELP = `Usage: deno task apply FILE [--dry-run] [--url=URL] [--key=KEY]

Creates or changes channels, numbers, extensions, queues, platforms and keys from one YAML or JSON file,
all or nothing. Nothing is removed. Patchbay must be running.

  --dry-run        only tell what would change
  --url=URL        where it runs   PATCHBAY_URL [http://127.0.0.1:8080]
  --key=KEY        an administrator's API key   PATCHBAY_ADMIN_KEY (safer: other users can see a command line)
  --help           this text

In the file, \${ENV:NAME} stands for the value of a variable.
`;

export type ReadApplyOptions =
  | { readonly kind: "options"; readonly options: ApplyOptions }
  | { readonly kind: "help" }
  | { readonly kind: "faults"; readonly faults: readonly string[] };

/** `defaultKey` is used when none is given, e.g. the one in the data folder. */
export function readApplyOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  defaultKey?: string,
): ReadApplyOptions {
  const faults: string[] = [];
  const files: string[] = [];
  let url = env.PATCHBAY_URL || "http://127.0.0.1:8080";
  let key = env.PATCHBAY_ADMIN_KEY || defaultKey;
  let dryRun = false;
  const left = args.filter((arg) => arg !== "--");
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    const [, name, attached] = /^--(url|key)(?:=(.*))?$/s.exec(arg) ?? [];
    if (arg === "--help" || arg === "-h") return { kind: "help" };
    if (arg === "--dry-run") dryRun = true;
    else if (name !== undefined) {
      const value = attached ?? left.shift();
      if (value === undefined || value === "") faults.push(`--${name}: needs a value`);
      else if (name === "url") url = value;
      else key = value;
    } else if (arg.startsWith("-")) faults.push(`${arg}: there is no such option, see --help`);
    else files.push(arg);
  }
  if (files.length !== 1) {
    faults.push(files.length === 0 ? "FILE: is missing" : "FILE: only one can be given");
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    faults.push("--url: must be an http or https URL");
  }
  if (!key) faults.push("--key: is missing; give it, or set PATCHBAY_ADMIN_KEY");
  if (faults.length > 0) return { kind: "faults", faults };
  return { kind: "options", options: { file: files[0]!, url: url.replace(/\/+$/, ""), key: key!, dryRun } };
}
