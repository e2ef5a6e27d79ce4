/**
 * The configuration of a process, read once: options of the command line, then the environment, then
 * defaults. Nothing else reads the environment.
 *
 * @module
 */
import type { z } from "zod";
import { type Setting, type SettingName, SETTINGS } from "./settings.ts";

type Parsed<Name extends SettingName> = z.output<(typeof SETTINGS)[Name]["schema"]>;

/** Settings that have a value whether or not one is given. */
type Given =
  | "roles"
  | "host"
  | "port"
  | "dataDir"
  | "namespace"
  | "partitions"
  | "replicas"
  | "allowPrivate"
  | "mediaS3Region"
  | "allocator"
  | "logLevel"
  | "publicUrl";

/** What `start` runs with. What is null was not given. */
export type Config =
  & { readonly [Name in Given]: Parsed<Name> }
  & { readonly [Name in Exclude<SettingName, Given>]: Parsed<Name> | null };

export type ConfigResult =
  | { readonly kind: "config"; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly kind: "help" }
  /** One readable line for each. */
  | { readonly kind: "faults"; readonly faults: readonly string[] };

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ReadConfigOptions {
  /** What follows the command. */
  readonly args: readonly string[];
  readonly env: Environment;
  /** Further checks of settings whose form another part knows: sentences, none if all is well. */
  readonly checks?: { readonly [Name in SettingName]?: (value: string) => readonly string[] };
}

/** Variables of this program that are read elsewhere. */
const OTHER_VARIABLES = new Set(["PATCHBAY_CACHE_DIR", "PATCHBAY_URL", "PATCHBAY_TEST_DATABASE_URL"]);

/** Reads and checks everything; all faults are told at once. */
export function readConfig({ args, env, checks = {} }: ReadConfigOptions): ConfigResult {
  const options = readOptions(args);
  if (options.help) return { kind: "help" };
  const faults = [...options.faults];
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting][]) {
    const option = options.values.get(name);
    // An empty variable counts as not given: that is how compose files and shells leave one out.
    const fromEnv = env[setting.env] === "" ? undefined : env[setting.env];
    const text = option ?? fromEnv ?? setting.fallback;
    const source = option === undefined ? setting.env : `--${setting.option}`;
    if (text === undefined) {
      values[name] = null;
      continue;
    }
    const result = setting.schema.safeParse(text);
    if (result.success) values[name] = result.data;
    else faults.push(`${source}: ${result.error.issues[0]!.message}`);
    faults.push(...(checks[name]?.(text) ?? []).map((sentence) => `${source}: ${sentence}`));
  }
  faults.push(...missingTogether(values));
  if (faults.length > 0) return { kind: "faults", faults };
  values.publicUrl ??= `http://localhost:${values.port}`;
  return { kind: "config", config: values as Config, warnings: unknownVariables(env) };
}

const S3_SETTINGS = ["mediaS3Endpoint", "mediaS3Bucket", "mediaS3Key", "mediaS3Secret"] as const;

const NATS_TLS_SETTINGS = ["natsTlsCertFile", "natsTlsKeyFile"] as const;

/** A bucket needs all of its settings, or none; a certificate needs its key. */
function missingTogether(values: Partial<Record<SettingName, unknown>>): string[] {
  return [
    ...missingOf(S3_SETTINGS, values, "as media are to be kept in a bucket"),
    ...missingOf(NATS_TLS_SETTINGS, values, "as the embedded nats-server is to speak TLS"),
  ];
}

function missingOf(
  names: readonly SettingName[],
  values: Partial<Record<SettingName, unknown>>,
  why: string,
): string[] {
  const missing = names.filter((name) => values[name] === null);
  if (missing.length === names.length) return [];
  return missing.map((name) => `${SETTINGS[name].env}: is needed too, ${why}`);
}

interface Options {
  readonly values: ReadonlyMap<SettingName, string>;
  readonly faults: readonly string[];
  readonly help: boolean;
}

/** `--name=value`, `--name value`, and `--` anywhere, which `deno task` hands on. */
function readOptions(args: readonly string[]): Options {
  const byOption = new Map(
    (Object.entries(SETTINGS) as [SettingName, Setting][])
      .flatMap(([name, { option }]) => option === undefined ? [] : [[option, name] as const]),
  );
  const values = new Map<SettingName, string>();
  const faults: string[] = [];
  let help = false;
  const left = args.filter((arg) => arg !== "--");
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    if (arg === "--help" || arg === "-h") {
      help = true;
      continue;
    }
    const [, option, attached] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const name = option === undefined ? undefined : byOption.get(option);
    if (option === undefined) faults.push(`${arg}: is no option; options begin with --, see --help`);
    else if (name === undefined) {
      faults.push(`--${option}: there is no such option${meant(option, byOption)}`);
    } else {
      const value = attached ?? (left[0]?.startsWith("--") ? undefined : left.shift());
      if (value === undefined) faults.push(`--${option}: needs a value`);
      else values.set(name, value);
    }
  }
  return { values, faults, help };
}

/** Likely slips of the pen in the environment. Only a warning: others may use the prefix as well. */
function unknownVariables(env: Environment): string[] {
  const known = new Map<string, unknown>(Object.values(SETTINGS).map(({ env: name }) => [name, true]));
  return Object.keys(env)
    .filter((name) => name.startsWith("PATCHBAY_") && !known.has(name) && !OTHER_VARIABLES.has(name))
    .map((name) => `${name}: there is no such setting${meant(name, known)}`);
}

function meant(name: string, known: ReadonlyMap<string, unknown>): string {
  const close = [...known.keys()].map((other) => [distance(name, other), other] as const)
    .filter(([edits]) => edits <= 2).sort(([a], [b]) => a - b)[0];
  if (close === undefined) return "";
  return `; did you mean ${close[1].startsWith("PATCHBAY_") ? "" : "--"}${close[1]}?`;
}

/** Edits between two short words (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The text of `start -- --help`. */
export function helpText(): string {
  const settings = Object.values(SETTINGS) as Setting[];
  const entry = ({ option, env, value, about, fallback, otherwise }: Setting) => {
    const names = option === undefined ? `${env}=${value}` : `--${option}=${value}   ${env}`;
    const standard = otherwise ?? fallback ?? "";
    return `  ${names}\n      ${about}${standard === "" ? "" : ` [${standard}]`}\n`;
  };
  return [
    "Usage: deno task start -- [OPTION…]\n",
    "Starts Patchbay. Every option can be given as an environment variable; the option wins.",
    "With NATS_URL and DATABASE_URL set, nothing embedded is started.\n",
    "Options and the variables of the same meaning [default]:\n",
    ...settings.filter(({ option }) => option !== undefined).map(entry),
    "Environment only:\n",
    ...settings.filter(({ option }) => option === undefined).map(entry),
    "  --help\n      this text\n",
  ].join("\n");
}

/** The configuration as it may be logged: secrets left out. */
export function describeConfig(config: Config): Readonly<Record<string, unknown>> {
  return {
    roles: [...config.roles].join(","),
    listen: `${config.host}:${config.port}`,
    publicUrl: config.publicUrl,
    nats: config.natsServers === null ? "embedded" : config.natsServers.map(withoutUser).join(","),
    database: config.databaseUrl === null ? "embedded" : withoutUser(config.databaseUrl),
    namespace: config.namespace,
    partitions: config.partitions,
    media: config.mediaS3Endpoint === null ? "nats" : `${config.mediaS3Endpoint}/${config.mediaS3Bucket}`,
  };
}

function withoutUser(url: string): string {
  return url.replace(/^([a-z]+:\/\/)?[^@\/]*@/, "$1").replace(/\?.*$/, "");
}
