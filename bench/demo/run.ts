/**
 * The demo's parts, started one after the other and stopped in the reverse order.
 *
 * @module
 */
import { removeDataFolder } from "../../adapters/embedded/postgres_place.ts";
import { type Server, startServer } from "../../adapters/server/server.ts";
import { VERSION } from "../../adapters/server/version.ts";
import { readConfig } from "../../adapters/system/config.ts";
import { systemLog } from "../../adapters/system/log.ts";
import { ApiClient } from "../api_client.ts";
import { pause } from "../simulator/clock.ts";
import { startGenerator } from "../simulator/generator.ts";
import { startSimulator } from "../simulator/server.ts";
import { scriptedAgent } from "./agent.ts";
import { scriptedBot } from "./bot.ts";
import { DEMO_RATE, type DemoInstallation, installDemo } from "./demo_installation.ts";
import { listenToEvents } from "./event_stream.ts";
import { Screen } from "./screen.ts";
import { Tally } from "./tally.ts";
import { toTry } from "./to_try.ts";

export interface DemoOptions {
  readonly port: number;
  readonly rateMps: number;
  /** Null: until Ctrl-C. */
  readonly seconds: number | null;
}

const CONVERSATIONS = 30;
const TEXTS = ["Hello, where is my order?", "Is it on its way?", "When will it be here?", "Thank you!"];
const LIMIT_POLL_MS = 1_000;
/** What is under way when the contacts stop: answers that wait for their turn, and their reports. */
const LAST_REPORTS_MS = 500;

/** Runs until the time is over or a signal comes. Resolves with the exit code. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const stopping = new AbortController();
  let server: Server | null = null;
  const onSignal = () => {
    if (stopping.signal.aborted) {
      server?.killNow();
      Deno.exit(130);
    }
    stopping.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, onSignal);
  const dataDir = await Deno.makeTempDir({ prefix: "patchbay-demo-" });
  try {
    await using stack = new AsyncDisposableStack();
    console.log("Starting Patchbay, a carrier simulator, two agents and a bot …");
    server = await startDemoServer(options.port, dataDir, stopping.signal);
    const running = server;
    stack.defer(() => running.stop());
    const carrier = stack.use(
      startSimulator({ reports: { sentAfterMs: 100, deliveredAfterMs: [200, 1_500] } }),
    );
    await play(options, server, carrier.url, stopping.signal);
    console.log("Stopping …");
    return 0;
  } catch (error) {
    if (stopping.signal.aborted) return 130;
    console.error(`The demo cannot go on: ${error instanceof Error ? error.message : error}`);
    return 1;
  } finally {
    await removeDataFolder(dataDir);
    for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(signal, onSignal);
  }
}

async function startDemoServer(port: number, dataDir: string, signal: AbortSignal): Promise<Server> {
  const args = [`--port=${port}`, `--data-dir=${dataDir}`, `--public-url=http://127.0.0.1:${port}`];
  // Nothing of the environment: the demo has parts of its own wherever it runs.
  const read = readConfig({ args, env: { PATCHBAY_ALLOW_PRIVATE: "127.0.0.1", PATCHBAY_LOG: "warn" } });
  if (read.kind !== "config") {
    throw new Error(read.kind === "faults" ? read.faults.join("; ") : "no configuration");
  }
  const { config } = read;
  const say = (text: string) => console.log(text);
  return await startServer({ config, version: VERSION, log: systemLog(config.logLevel), say, signal });
}

/** Everybody at work until the time is over. */
async function play(
  options: DemoOptions,
  server: Server,
  carrierUrl: string,
  signal: AbortSignal,
): Promise<void> {
  const api = new ApiClient(server.url, server.newAdminKey!);
  const installation = await installDemo(api, carrierUrl);
  console.log(toTry(api, installation));

  const leaving = new AbortController();
  const onFault = (error: unknown) => console.error(error instanceof Error ? error.message : error);
  const tally = new Tally();
  const people = await goToWork(api, installation, tally, { onFault, signal: leaving.signal });
  const contacts = startGenerator({
    provider: "twilio",
    url: installation.webhookUrl,
    numbers: installation.numbers,
    conversations: CONVERSATIONS,
    connections: 4,
    rateMps: options.rateMps,
    warmupMs: 0,
    text: (sequence) => TEXTS[sequence % TEXTS.length]!,
  });
  let limitMps: number = DEMO_RATE.rateMps;
  const limitTimer = setInterval(() => {
    api.get<{ rateMps: number }>(`/v1/channels/${installation.channelId}`).then(({ rateMps }) =>
      limitMps = rateMps
    )
      .catch(onFault);
  }, LIMIT_POLL_MS);
  const screen = new Screen({
    figures: () => tally.figures(),
    names: new Map(installation.agents.map(({ extensionId, name }) => [extensionId, name])),
    limitMps: () => limitMps,
    isTerminal: Deno.stdout.isTerminal(),
  });
  await pause(options.seconds === null ? 2 ** 31 - 1 : options.seconds * 1000, signal);
  contacts.stop();
  await contacts.done;
  await pause(LAST_REPORTS_MS, signal);
  clearInterval(limitTimer);
  screen.stop();
  leaving.abort();
  await people.done;
}

interface AtWork {
  readonly onFault: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/** Agents, bot and the one who counts; resolves, with the end of their work, when all of them listen. */
async function goToWork(
  api: ApiClient,
  installation: DemoInstallation,
  tally: Tally,
  { onFault, signal }: AtWork,
): Promise<{ readonly done: Promise<unknown> }> {
  const [first, second] = installation.agents;
  if (first === undefined || second === undefined) throw new Error("the demo has two agents");
  const workers = [
    scriptedAgent({ agent: first, colleague: second, onFault, seed: 1, signal }),
    scriptedAgent({ agent: second, colleague: first, onFault, seed: 2, signal }),
    scriptedBot({ installation, onFault, seed: 3, signal }),
  ];
  const listening: Promise<void>[] = [];
  const ends: Promise<void>[] = [];
  const begin = (run: (onOpen: () => void) => Promise<void>) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    listening.push(promise);
    ends.push(run(resolve).catch(reject));
  };
  begin((onOpen) =>
    listenToEvents({ url: api.url, key: api.key, signal, onOpen, onEvent: (event) => tally.add(event) })
  );
  for (const worker of workers) begin((onOpen) => worker.run(onOpen));
  await Promise.all(listening);
  return { done: Promise.all(ends) };
}
