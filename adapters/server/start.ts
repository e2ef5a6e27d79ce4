/**
 * `deno task start`: reads the configuration, starts the server, waits for a signal.
 *
 * @module
 */
import { fetchAllocator } from "../embedded/allocator_fetch.ts";
import { beginAnewOn } from "../embedded/begin_anew.ts";
import { EmbeddedStartError } from "../embedded/start_error.ts";
import { parseAllowList } from "../http_client/private_address_guard.ts";
import { UnsuitableServerError } from "../nats/connection.ts";
import { PartitionsMismatchError } from "../postgres/migrate.ts";
import { describeConfig, helpText, readConfig } from "../system/config.ts";
import { systemLog } from "../system/log.ts";
import { SecretBoxError } from "../../core/ports/secret_box.ts";
import { ListenError } from "./http.ts";
import { type Server, startServer } from "./server.ts";
import { VERSION } from "./version.ts";

/** Runs until it is told to stop. Resolves with the exit code: 0 after a stop in order, 1 for a failed start, 2 for a wrong setting. */
export async function start(args: string[]): Promise<number> {
  const read = readConfig({
    args,
    env: Deno.env.toObject(),
    checks: { allowPrivate: (text) => parseAllowList(text).faults },
  });
  if (read.kind === "help") {
    console.log(helpText());
    return 0;
  }
  if (read.kind === "faults") {
    for (const fault of read.faults) console.error(fault);
    return 2;
  }
  const { config } = read;
  const say = (text: string) => console.log(text);
  for (const warning of read.warnings) say(`Warning: ${warning}`);
  const log = systemLog(config.logLevel);
  const started = performance.now();
  const signals = new StopSignals();
  let server: Server;
  try {
    // Only where servers are fetched as well: elsewhere it is for whoever sets the machine up.
    if (config.natsServers === null) {
      const library = await fetchAllocator({ dataDir: config.dataDir, say, signal: signals.first });
      if (library !== null) beginAnewOn(library);
    }
    server = await startServer({ config, version: VERSION, log, say, signal: signals.first });
  } catch (error) {
    if (signals.first.aborted) return 130;
    console.error(isExpected(error) ? `Patchbay cannot start: ${error.message}` : error);
    return 1;
  }
  signals.onSecond(() => {
    server.killNow();
    console.error("Stopped at once.");
    Deno.exit(130);
  });
  log.debug("started", describeConfig(config));
  console.log(welcome(server, performance.now() - started, [...config.roles]));
  await signals.stopped;
  say("Stopping …");
  await server.stop();
  say("Stopped.");
  return 0;
}

function isExpected(error: unknown): error is Error {
  return error instanceof EmbeddedStartError || error instanceof ListenError ||
    error instanceof UnsuitableServerError || error instanceof PartitionsMismatchError ||
    error instanceof SecretBoxError || typeof (error as { code?: unknown } | null)?.code === "string";
}

function welcome(server: Server, tookMs: number, roles: readonly string[]): string {
  const lines = [
    `Patchbay ${VERSION} is ready at ${server.url} (${Math.round(tookMs)} ms, ${roles.join(", ")}).`,
  ];
  if (server.newAdminKey !== null) {
    lines.push(
      "",
      `Administrator's API key, shown this once:  ${server.newAdminKey}`,
      "",
      "What to try next:",
      `  curl -H 'Authorization: Bearer ${server.newAdminKey}' ${server.url}/v1/providers`,
      "  deno task demo        a carrier simulator, agents and a bot at work",
      "  deno task apply FILE  channels, numbers and queues from a file",
    );
  }
  lines.push("", `Status ${server.url}/   API ${server.url}/openapi.json   Ctrl-C stops.`);
  return lines.join("\n");
}

/** The first SIGINT or SIGTERM asks for a stop in order, the second ends everything at once. */
class StopSignals {
  readonly #first = new AbortController();
  readonly stopped: Promise<void>;
  #second: () => void = () => Deno.exit(130);

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.stopped = promise;
    const onSignal = () => {
      if (this.#first.signal.aborted) return this.#second();
      this.#first.abort();
      resolve();
    };
    for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, onSignal);
  }

  get first(): AbortSignal {
    return this.#first.signal;
  }

  onSecond(run: () => void): void {
    this.#second = run;
  }
}
