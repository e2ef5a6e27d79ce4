/**
 * Which part may know which: read from the import statements of every source file.
 *
 * `core` knows nobody, `routing` knows `core`, an adapter knows `core`, and the composing adapters and the
 * programs know all. Time and randomness come in as ports. What is allowed beyond that is listed with its reason; an
 * entry that nothing needs any more fails as well.
 */
import { deepEqual } from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = ["adapters", "bench", "core", "migrations", "routing", "main.ts"];
/** They put the parts together. */
const COMPOSING = ["adapters/server", "adapters/apply"];

/** `from` may import `to` beside what the rules say; both are beginnings of paths. */
const ALLOWED: readonly { readonly from: string; readonly to: string; readonly reason: string }[] = [
  {
    from: "adapters/postgres/",
    to: "migrations/",
    reason: "the migrations are what it runs",
  },
];

/** Uses of the machine's time and chance outside of `adapters/system` that are meant to be. */
const ALLOWED_CLOCKS: readonly { readonly file: string; readonly reason: string }[] = [
  {
    file: "core/command_key.ts",
    reason:
      "the key of a command that is never repeated decides nothing; it only has to be unlike all others",
  },
];

interface Import {
  readonly from: string;
  /** A path from the root, or the name of a package. */
  readonly to: string;
  /** Gone when the program runs. */
  readonly isType: boolean;
}

function* filesBelow(path: string): Generator<string> {
  if (path.endsWith(".ts")) return yield path;
  for (const entry of Deno.readDirSync(join(ROOT, path))) {
    if (entry.name === "node_modules") continue;
    const below = `${path}/${entry.name}`;
    if (entry.isDirectory) yield* filesBelow(below);
    else if (below.endsWith(".ts")) yield below;
  }
}

/** The code without its comments; what stands in strings is kept. */
function codeOf(file: string): string {
  const text = Deno.readTextFileSync(join(ROOT, file));
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "").replace(/\s\/\/\s.*$/gm, "");
}

const IMPORT = /^\s*(?:import|export)\b[^;'"]*?\bfrom\s*["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']/gm;

function importsOf(file: string): Import[] {
  return [...codeOf(file).matchAll(IMPORT)].map((match) => {
    const to = match[1] ?? match[2]!;
    const path = to.startsWith(".") ? relative(ROOT, join(ROOT, dirname(file), to)) : to;
    const names = /\{([^}]*)\}/.exec(match[0])?.[1]?.split(",").map((name) => name.trim()).filter((name) =>
      name !== ""
    );
    const isType = /^\s*(?:import|export)\s+type\b/.test(match[0]) ||
      (names !== undefined && names.every((name) => name.startsWith("type ")));
    return { from: file, to: path, isType };
  });
}

const FILES = SOURCES.flatMap((source) => [...filesBelow(source)]).sort();
const IMPORTS = FILES.flatMap(importsOf);

const isOurs = (path: string) => SOURCES.some((source) => path === source || path.startsWith(`${source}/`));
/** `adapters/nats` of `adapters/nats/topology.ts`. */
const partOf = (path: string) => path.split("/").slice(0, path.startsWith("adapters/") ? 2 : 1).join("/");

function isRight({ from, to }: Pick<Import, "from" | "to">): boolean {
  const part = partOf(from);
  if (part === "migrations") return to === "kysely" || to.startsWith("migrations/");
  if (!isOurs(to)) return true;
  if (part === partOf(to)) return true;
  switch (part) {
    case "core":
      return false;
    case "routing":
      return partOf(to) === "core";
    case "main.ts":
      return true;
    case "bench":
      return to !== "main.ts";
    default:
      return partOf(to) === "core" || (COMPOSING.includes(part) && to !== "main.ts");
  }
}

Deno.test("parts import only what lies further in", () => {
  const used = new Set<string>();
  const wrong = IMPORTS.filter((one) => !isRight(one)).filter(({ from, to }) => {
    const allowed = ALLOWED.find((rule) => from.startsWith(rule.from) && to.startsWith(rule.to));
    if (allowed !== undefined) used.add(`${allowed.from} ${allowed.to}`);
    return allowed === undefined;
  });
  deepEqual(wrong.map(({ from, to }) => `${from} imports ${to}`), []);
  deepEqual(
    ALLOWED.map(({ from, to }) => `${from} ${to}`).filter((rule) => !used.has(rule)),
    [],
    "allowed without need",
  );
});

Deno.test("the simulator shares no code with the system's own providers, so that each end judges the other", () => {
  const shared = IMPORTS.filter(({ from, to }) =>
    from.startsWith("bench/simulator/") && isOurs(to) && !to.startsWith("bench/")
  );
  deepEqual(shared.map(({ from, to }) => `${from} imports ${to}`), []);
});

Deno.test("core and routing take time and chance from their ports", () => {
  const CLOCKS =
    /\b(?:Date\.now|Math\.random|setTimeout|setInterval|performance\.now|crypto\.randomUUID|randomBytes)\b|new Date\(\)/;
  const found = FILES.filter((file) => /^(core|routing)\//.test(file)).flatMap((file) => {
    const match = CLOCKS.exec(codeOf(file));
    return match === null ? [] : [{ file, use: match[0] }];
  });
  const allowed = new Set(ALLOWED_CLOCKS.map(({ file }) => file));
  deepEqual(found.filter(({ file }) => !allowed.has(file)).map(({ file, use }) => `${file} uses ${use}`), []);
  deepEqual(
    [...allowed].filter((file) => !found.some((one) => one.file === file)),
    [],
    "allowed without need",
  );
});

Deno.test("the rules refuse what they are meant to refuse", () => {
  const wrong = [
    ["core/entry.ts", "routing/draft.ts"],
    ["core/entry.ts", "adapters/nats/topology.ts"],
    ["routing/draft.ts", "adapters/system/log.ts"],
    ["adapters/http/app.ts", "adapters/webhooks/handler.ts"],
    ["adapters/nats/topology.ts", "routing/draft.ts"],
    ["adapters/server/server.ts", "main.ts"],
    ["migrations/0001_initial.ts", "core/ids.ts"],
    ["migrations/0001_initial.ts", "postgres"],
  ] as const;
  deepEqual(wrong.filter(([from, to]) => isRight({ from, to })), []);
  deepEqual(FILES.length > 100 && IMPORTS.length > 500, true, "the imports were not read");
});

Deno.test("no file needs itself, over others, to be loaded", () => {
  const graph = new Map<string, string[]>();
  for (const { from, to, isType } of IMPORTS) {
    if (isType || !to.endsWith(".ts")) continue;
    const list = graph.get(from);
    if (list === undefined) graph.set(from, [to]);
    else list.push(to);
  }
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, way: readonly string[]): void => {
    const start = way.indexOf(file);
    if (start !== -1) return void circles.push([...way.slice(start), file].join(" → "));
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...way, file]);
    done.add(file);
  };
  for (const file of FILES) visit(file, []);
  deepEqual(circles, []);
});
