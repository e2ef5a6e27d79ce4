/**
 * `demo`: the whole system with a carrier, contacts, two agents and a bot at work, until Ctrl-C.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { freePort } from "../../adapters/embedded/free_port.ts";
import { runDemo } from "./run.ts";

const HELP = `Usage: deno task demo -- [options]

Starts Patchbay on a folder of its own, a carrier simulator, contacts who write, two scripted agents and a bot
that answer, and shows what happens. Ctrl-C stops everything and leaves nothing behind.

  --port N      where Patchbay listens, 0 for any free port (8080)
  --rate N      contacts' messages a second (5)
  --seconds N   stops by itself after so long (never)
  --help
`;

const OPTIONS = {
  port: { type: "string", default: "8080" },
  rate: { type: "string", default: "5" },
  seconds: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

/** Resolves with the exit code: 0, 1 when it could not be started, 2 for wrong options. */
export async function demo(args: string[]): Promise<number> {
  let values;
  try {
    ({ values } = parseArgs({ args, options: OPTIONS, strict: true }));
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const port = Number(values.port);
  const rateMps = Number(values.rate);
  const seconds = values.seconds === undefined ? null : Number(values.seconds);
  const faults: string[] = [];
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    faults.push("--port: must be from 0 to 65535");
  }
  if (!(rateMps > 0 && rateMps <= 1_000)) faults.push("--rate: must be above 0 and at most 1000");
  if (seconds !== null && !(seconds > 0)) faults.push("--seconds: must be above 0");
  if (faults.length > 0) {
    for (const fault of faults) console.error(fault);
    return 2;
  }
  return await runDemo({ port: port === 0 ? freePort() : port, rateMps, seconds });
}
