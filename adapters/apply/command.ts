/**
 * `deno task apply FILE`.
 *
 * @module
 */
import { runApply } from "./apply.ts";
import { APPLY_HELP, readApplyOptions } from "./options.ts";

/** Resolves with the exit code. */
export async function apply(args: string[]): Promise<number> {
  const read = readApplyOptions(args, Deno.env.toObject());
  if (read.kind === "help") {
    console.log(APPLY_HELP);
    return 0;
  }
  if (read.kind === "faults") {
    for (const fault of read.faults) console.error(fault);
    return 2;
  }
  return await runApply(read.options, {
    readFile: (path) => Deno.readTextFile(path),
    env: (name) => Deno.env.get(name),
    fetch: (url, init) => fetch(url, init),
    print: (line) => console.log(line),
    printError: (line) => console.error(line),
  });
}
