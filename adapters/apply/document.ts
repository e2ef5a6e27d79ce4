/**
 * Reads a file for `apply`: YAML or JSON, with `${ENV:NAME}` for what does not belong in a file.
 *
 * @module
 */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from "yaml";

/** Something wrong in a file. */
export interface DocumentFault {
  /** From 1. */
  readonly line: number;
  /** Where it stands, e.g. `numbers.2.destination`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

export type ReadDocument =
  | {
    readonly kind: "document";
    readonly content: Readonly<Record<string, unknown>>;
    /** The line of what stands at a path, or of the closest thing around it. */
    readonly lineOf: (path: string) => number;
  }
  | { readonly kind: "faults"; readonly faults: readonly DocumentFault[] };

const VARIABLE = /\$\{ENV:([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Reads `text`; `env` gives the values of variables. */
export function readDocument(text: string, env: (name: string) => string | undefined): ReadDocument {
  const lines = new LineCounter();
  // Aliases are useful; what grows by them beyond measure is an attack or a mistake.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const faults: DocumentFault[] = document.errors.map((error) => ({
    line: lineAt(error.pos[0]),
    path: "",
    message: firstLine(error.message),
  }));
  if (faults.length > 0) return { kind: "faults", faults };
  if (document.contents !== null && !isMap(document.contents)) {
    return {
      kind: "faults",
      faults: [{ line: 1, path: "", message: "must be lists by name: channels, numbers, …" }],
    };
  }
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value !== "string") return;
      node.value = node.value.replace(VARIABLE, (whole, name: string) => {
        const value = env(name);
        if (value !== undefined && value !== "") return value;
        faults.push({
          line: lineAt(node.range?.[0] ?? 0),
          path: "",
          message: `the variable ${name} is not set`,
        });
        return whole;
      });
    },
  });
  if (faults.length > 0) return { kind: "faults", faults };
  const root: Node | null = document.contents;
  return {
    kind: "document",
    content: document.toJS({ maxAliasCount: 100 }) ?? {},
    lineOf: (path) => lineAt(offsetOf(root, path.split("."))),
  };
}

/** Where the last part of `path` that exists begins: a key for fields, the item itself in lists. */
function offsetOf(root: Node | null, path: readonly string[]): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part);
      if (pair === undefined) break;
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      const item = node.items[Number(part)] as Node | undefined;
      if (item === undefined) break;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else break;
  }
  return offset;
}

function firstLine(text: string): string {
  return text.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, "");
}
