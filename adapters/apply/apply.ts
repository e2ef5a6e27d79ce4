/**
 * The command `apply FILE`: sends the file to the running system and prints what came of it.
 *
 * @module
 */
import { z } from "zod";
import { type DocumentFault, readDocument } from "./document.ts";
import type { ApplyOptions } from "./options.ts";

export interface ApplySurroundings {
  readonly readFile: (path: string) => Promise<string>;
  readonly env: (name: string) => string | undefined;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Takes one line. */
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
}

/** The parts of an answer that are printed; from a newer server there may be more. */
const AnswerSchema = z.object({
  plan: z.array(z.object({
    action: z.enum(["create", "update", "unchanged"]),
    kind: z.string(),
    name: z.string(),
    changes: z.array(z.string()),
  })),
  secrets: z.array(z.object({ kind: z.string(), name: z.string(), secret: z.string() })),
});

const ProblemSchema = z.object({
  detail: z.string(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).default([]),
});

const MARKS = { create: "+", update: "~", unchanged: "=" } as const;
const TIMEOUT_MS = 60_000;

/** Resolves with the exit code: 0 when all is as the file says, 1 when something is wrong. */
export async function runApply(options: ApplyOptions, surroundings: ApplySurroundings): Promise<number> {
  const { print, printError } = surroundings;
  const tell = ({ line, path, message }: DocumentFault) =>
    printError(`${options.file}:${line}: ${path === "" ? "" : `${path}: `}${message}`);
  let text: string;
  try {
    text = await surroundings.readFile(options.file);
  } catch (error) {
    printError(`${options.file}: cannot be read: ${(error as Error).message}`);
    return 1;
  }
  const document = readDocument(text, surroundings.env);
  if (document.kind === "faults") {
    document.faults.forEach(tell);
    return 1;
  }
  let response: Response;
  let body: unknown;
  try {
    response = await surroundings.fetch(`${options.url}/v1/apply`, {
      method: "POST",
      headers: { authorization: `Bearer ${options.key}`, "content-type": "application/json" },
      body: JSON.stringify({ document: document.content, dryRun: options.dryRun }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    body = await response.json();
  } catch (error) {
    printError(`${options.url}: no answer (${(error as Error).message}). Is Patchbay running there?`);
    return 1;
  }
  if (!response.ok) {
    const problem = ProblemSchema.safeParse(body);
    if (!problem.success) printError(`${options.url}: answered ${response.status}`);
    else if (problem.data.errors.length === 0) printError(`${options.url}: ${problem.data.detail}`);
    else {
      for (const { field, message } of problem.data.errors) {
        const path = field.replace(/^document(\.|$)/, "");
        tell({ line: document.lineOf(path), path, message });
      }
    }
    return 1;
  }
  const answer = AnswerSchema.safeParse(body);
  if (!answer.success) {
    printError(`${options.url}: did not answer as Patchbay does`);
    return 1;
  }
  printPlan(answer.data, options.dryRun, print);
  return 0;
}

function printPlan(
  { plan, secrets }: z.output<typeof AnswerSchema>,
  dryRun: boolean,
  print: (line: string) => void,
) {
  for (const { action, kind, name, changes } of plan) {
    print(`${MARKS[action]} ${kind} ${name}`);
    for (const change of changes) print(`    ${change}`);
  }
  const count = (wanted: string) => plan.filter(({ action }) => action === wanted).length;
  const would = dryRun ? "would be " : "";
  print(
    `${count("create")} ${would}created, ${count("update")} ${would}changed, ${
      count("unchanged")
    } as they are` +
      (dryRun ? " (dry run: nothing was done)" : ""),
  );
  for (const { kind, name, secret } of secrets) print(`${kind} ${name}: ${secret}   (shown only this once)`);
}
