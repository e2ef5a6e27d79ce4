/**
 * The program: `start` and what goes with it. Composes nothing itself; see `adapters/server/server.ts`.
 *
 * @module
 */
import { beginAnewIfBetter } from "./adapters/embedded/begin_anew.ts";

const COMMANDS: Readonly<Record<string, { readonly about: string; run(args: string[]): Promise<number> }>> = {
  start: {
    about: "starts Patchbay: everything in one process, or the roles asked for",
    run: async (args) => (await import("./adapters/server/start.ts")).start(args),
  },
  migrate: {
    about: "brings the database up to date",
    run: async (args) => (await import("./adapters/server/migrate_command.ts")).migrate(args),
  },
  apply: {
    about: "creates or updates channels, numbers, extensions, queues … from one file",
    run: async (args) => (await import("./adapters/apply/command.ts")).apply(args),
  },
  docs: {
    about: "writes docs/providers.md from the providers in the code",
    run: async (args) => (await import("./adapters/providers/docs_command.ts")).writeDocs(args),
  },
  simulate: {
    about: "the carrier simulator alone",
    run: async (args) => (await import("./bench/simulator/command.ts")).runSimulate(args),
  },
  demo: {
    about: "the system, the carrier simulator, scripted agents and a bot, with a live table",
    run: async (args) => (await import("./bench/demo/command.ts")).demo(args),
  },
  audit: {
    about: "checks a run against what contacts and carriers saw of it",
    run: async (args) => (await import("./bench/audit/command.ts")).auditCommand(args),
  },
  bench: {
    about: "the bench suite",
    run: async (args) => (await import("./bench/command.ts")).bench(args),
  },
};

/** The commands that do much work. */
const BUSY = new Set(["start", "simulate", "demo", "bench"]);

function usage(): string {
  const lines = Object.entries(COMMANDS).map(([name, { about }]) => `  deno task ${name.padEnd(9)} ${about}`);
  return `Patchbay: text messages for phone systems and contact centres.\n\n${lines.join("\n")}\n\n` +
    "Each of them takes --help.\n";
}

if (import.meta.main) {
  const [name = "", ...rest] = Deno.args;
  const command = COMMANDS[name];
  if (command === undefined) {
    const asked = name === "" || name === "help" || name === "--help";
    (asked ? console.log : console.error)(asked ? usage() : `There is no command ${name}.\n\n${usage()}`);
    Deno.exit(asked ? 0 : 2);
  }
  if (BUSY.has(name)) beginAnewIfBetter(".data");
  // `deno task start -- --help` hands the dashes on.
  Deno.exit(await command.run(rest.filter((argument) => argument !== "--")));
}
