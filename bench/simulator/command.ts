/**
 * `simulate`: the carrier simulator as a program of its own.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { z } from "zod";
import { pause } from "./clock.ts";
import { type FaultSettings, FaultSettingsSchema, type ProviderName, PROVIDERS } from "./faults.ts";
import { type Generator, startGenerator } from "./generator.ts";
import { jsonLines } from "./record.ts";
import { type Simulator, startSimulator } from "./server.ts";
import { TWILIO_DEFAULT_ACCOUNT } from "./twilio_account.ts";

const HELP = `Usage: simulate [options]

Stands in for telephony providers over HTTP: takes sends, answers with delivery reports, goes wrong on demand.
With --target it also writes messages as contacts do.

  --port N             where to listen (8090)
  --host ADDRESS       (127.0.0.1)
  --providers LIST     which providers answer: ${PROVIDERS.join(",")} (all)
  --account-sid SID    Twilio account (${TWILIO_DEFAULT_ACCOUNT.sid})
  --auth-token TOKEN   its token: checked on sends, signs webhooks (${TWILIO_DEFAULT_ACCOUNT.authToken})
  --no-reports         no delivery reports
  --report-ms N        from taking a message to its last report (30)
  --report-url URL     where URLSMS reports go; may hold {id} and {status}
  --faults JSON        e.g. '{"twilio":{"throttle":{"rateMps":5},"delayMs":[20,80]}}'; @FILE reads a file

  --target URL         a channel's webhook URL: contacts write to it
  --public-url URL     the same URL as the provider knows it, where it differs: what is signed
  --target-provider P  in whose format (the first of --providers)
  --number LIST        our numbers that contacts write to (+14155550199)
  --rate N             contacts' messages a second, 0: as fast as possible (10)
  --conversations N    (10000)
  --connections N      (32)
  --seconds N          contacts stop writing after so long (never)
  --webhooks FILE      at the end, what contacts wrote and how it was answered, as JSON lines: for the auditor
  --record FILE        at the end, the calls as JSON lines, as GET /control/record gives them
  --help

While it runs: POST /control/faults, POST /control/reports, POST /control/reset,
POST /control/inbox (a message for whoever polls the Dinstar gateway),
GET /control/record (JSON lines; ?since=SEQUENCE&limit=N), GET /control/statistics.
`;

const OPTIONS = {
  port: { type: "string", default: "8090" },
  host: { type: "string", default: "127.0.0.1" },
  providers: { type: "string", default: PROVIDERS.join(",") },
  "account-sid": { type: "string", default: TWILIO_DEFAULT_ACCOUNT.sid },
  "auth-token": { type: "string", default: TWILIO_DEFAULT_ACCOUNT.authToken },
  "no-reports": { type: "boolean", default: false },
  "report-ms": { type: "string", default: "30" },
  "report-url": { type: "string" },
  faults: { type: "string" },
  target: { type: "string" },
  "public-url": { type: "string" },
  "target-provider": { type: "string" },
  number: { type: "string", default: "+14155550199" },
  rate: { type: "string", default: "10" },
  conversations: { type: "string", default: "10000" },
  connections: { type: "string", default: "32" },
  seconds: { type: "string" },
  webhooks: { type: "string" },
  record: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

const list = (text: string) => text.split(",").map((item) => item.trim()).filter((item) => item !== "");
const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const url = z.url({ protocol: /^https?$/ });

const ArgumentsSchema = z.object({
  port: whole(0, 65_535),
  host: z.string().min(1),
  providers: z.string().transform(list).pipe(z.array(z.enum(PROVIDERS)).min(1)),
  "account-sid": z.string().regex(/^AC[0-9a-f]{32}$/, "AC and 32 hex digits are expected"),
  "auth-token": z.string().min(1),
  "no-reports": z.boolean(),
  "report-ms": z.coerce.number().min(0).max(600_000),
  "report-url": z.string().regex(/^https?:\/\//, "an http URL is expected").optional(),
  faults: z.string().optional(),
  target: url.optional(),
  "public-url": url.optional(),
  "target-provider": z.enum(PROVIDERS).optional(),
  number: z.string().transform(list).pipe(z.array(z.string()).min(1)),
  rate: z.coerce.number().min(0).max(1_000_000),
  conversations: whole(1, 1_000_000),
  connections: whole(1, 1_024),
  seconds: z.coerce.number().positive().optional(),
  webhooks: z.string().min(1).optional(),
  record: z.string().min(1).optional(),
  help: z.boolean(),
});

type Arguments = z.output<typeof ArgumentsSchema>;

/**
 * Runs `simulate` until Ctrl-C or SIGTERM. Gives the exit code: 0, or 2 when the options do not fit, after
 * one line per fault.
 */
export async function runSimulate(args: string[]): Promise<number> {
  let options: Arguments;
  let faults: FaultSettings | undefined;
  try {
    const { values } = parseArgs({ args, options: OPTIONS, strict: true });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    options = ArgumentsSchema.parse(values);
    faults = await readFaults(options.faults);
  } catch (error) {
    for (const line of faultLines(error)) console.error(line);
    return 2;
  }
  let simulator: Simulator;
  try {
    simulator = start(options, faults);
  } catch (error) {
    for (const line of faultLines(error)) console.error(line);
    return 2;
  }
  console.log(`The carrier simulator listens on ${simulator.url} as ${options.providers.join(", ")}.`);
  console.log(`Twilio account ${options["account-sid"]}; faults by POST ${simulator.url}/control/faults.`);
  const generator = contacts(options, simulator);
  await untilSignal(() => console.log(statusLine(simulator, generator)));
  generator?.stop();
  await generator?.done;
  await simulator.stop();
  if (options.webhooks !== undefined) {
    await writeLines(options.webhooks, jsonLines(generator?.messages() ?? []));
  }
  if (options.record !== undefined) await writeLines(options.record, jsonLines(simulator.record()));
  return 0;
}

function start(options: Arguments, faults: FaultSettings | undefined): Simulator {
  const reportUrl = options["report-url"];
  return startSimulator({
    port: options.port,
    host: options.host,
    providers: options.providers,
    twilio: { accounts: [{ sid: options["account-sid"], authToken: options["auth-token"] }] },
    reports: {
      enabled: !options["no-reports"],
      sentAfterMs: options["report-ms"] / 2,
      deliveredAfterMs: options["report-ms"] / 2,
    },
    ...(reportUrl === undefined ? {} : { urlsms: { reportUrl } }),
    ...(faults === undefined ? {} : { faults }),
  });
}

function contacts(options: Arguments, simulator: Simulator): Generator | null {
  if (options.target === undefined) return null;
  const provider: ProviderName = options["target-provider"] ?? options.providers[0]!;
  const publicUrl = options["public-url"];
  return startGenerator({
    provider,
    url: options.target,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    accountSid: options["account-sid"],
    authToken: options["auth-token"],
    numbers: options.number,
    conversations: options.conversations,
    connections: options.connections,
    ...(options.rate === 0 ? {} : { rateMps: options.rate }),
    ...(options.seconds === undefined ? {} : { seconds: options.seconds }),
    warmupMs: 0,
    disorder() {
      const { duplicateWebhooks, duplicateAtOnce, reorderWebhooks } = simulator.faults(provider);
      return { duplicates: duplicateWebhooks, duplicateAtOnce, reorder: reorderWebhooks };
    },
  });
}

async function writeLines(path: string, blocks: Iterable<string>): Promise<void> {
  await Deno.writeTextFile(path, ReadableStream.from(blocks));
}

async function readFaults(text: string | undefined): Promise<FaultSettings | undefined> {
  if (text === undefined) return undefined;
  const json = text.startsWith("@") ? await Deno.readTextFile(text.slice(1)) : text;
  return FaultSettingsSchema.parse(JSON.parse(json)) as FaultSettings;
}

function faultLines(error: unknown): string[] {
  if (error instanceof z.ZodError) {
    return error.issues.map((issue) => `${issue.path.join(".") || "--faults"}: ${issue.message}`);
  }
  if (error instanceof SyntaxError) return [`--faults: not JSON: ${error.message}`];
  return [error instanceof Error ? error.message : String(error)];
}

function statusLine(simulator: Simulator, generator: Generator | null): string {
  const { calls, accepted, reports } = simulator.statistics();
  const sends = PROVIDERS.filter((name) => calls[name] > 0).map((name) =>
    `${name} ${accepted[name]}/${calls[name]}`
  );
  const written = generator?.progress();
  return `sends taken ${sends.join(", ") || "none"} · reports ${reports.accepted}/${reports.sent}` +
    (written === undefined ? "" : ` · contacts' messages accepted ${written.accepted}/${written.sent}`);
}

const STATUS_EVERY_MS = 5_000;

/** Calls `report` every five seconds until the process is asked to end. */
async function untilSignal(report: () => void): Promise<void> {
  const asked = new AbortController();
  const ask = () => asked.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, ask);
  while (!asked.signal.aborted) {
    await pause(STATUS_EVERY_MS, asked.signal);
    if (!asked.signal.aborted) report();
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(signal, ask);
}

if (import.meta.main) Deno.exit(await runSimulate(Deno.args));
