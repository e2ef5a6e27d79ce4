/**
 * `audit`: checks a run of the system, finished or cut, against what contacts and carriers saw of it.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { jetstreamManager } from "@nats-io/jetstream";
import { connectNats } from "../../adapters/nats/connection.ts";
import { Names } from "../../adapters/nats/topology.ts";
import { connectDatabase, type Sql } from "../../adapters/postgres/database.ts";
import { pause } from "../simulator/clock.ts";
import { audit } from "./audit.ts";
import { readLogEnds, readTold } from "./broker.ts";
import { readLeftovers, readStored } from "./database.ts";
import { reportText } from "./report.ts";
import type { Leftovers, Run, Sample, Told } from "./run.ts";
import { readCalls, readOptOuts, readPromised, readWebhooks } from "./sources.ts";
import { watchProgress } from "./watch.ts";

const HELP = `Usage: deno task audit -- [options]

Compares what contacts and carriers saw of a run with what the system kept of it: nothing accepted is lost or
stored twice, nothing sent is forgotten or sent twice, order, rates, opt-outs, statistics. What it is not given it
does not check, and says so.

  --record FILE|URL   the carrier's calls: JSON lines, or the simulator's address
  --webhooks FILE     what contacts wrote and how it was answered (simulate --webhooks FILE)
  --promised FILE     commands answered 2xx: {"messageId":…,"text":…} a line
  --opted-out FILE    contacts who opted out elsewhere: {"contact":…,"number":…,"sinceMs":…,"untilMs":…} a line; all but the
                      first may be left out
  --watch             first looks at cursors and epochs while the run goes on, until Ctrl-C or --seconds
  --seconds N         how long to watch
  --no-reports        the carrier sends no delivery reports: messages may end as sent
  --cut               the run was cut off: what is unfinished is listed and is no fault
  --json              the report as JSON
  --help

DATABASE_URL   the database of the run; required
NATS_URL       its broker (with NATS_TOKEN, PATCHBAY_NAMESPACE): events and logs are checked too

Exit code: 0 when every promise that was checked is kept, 1 when one is broken, 2 when it could not be checked.
`;

const OPTIONS = {
  record: { type: "string" },
  webhooks: { type: "string" },
  promised: { type: "string" },
  "opted-out": { type: "string" },
  watch: { type: "boolean", default: false },
  seconds: { type: "string" },
  "no-reports": { type: "boolean", default: false },
  cut: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** Resolves with the exit code. */
export async function auditCommand(args: string[]): Promise<number> {
  try {
    const { values } = parseArgs({ args, options: OPTIONS, strict: true });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const seconds = values.seconds === undefined ? Infinity : Number(values.seconds);
    if (!(seconds > 0)) throw new Error("--seconds: must be a number above 0");
    const databaseUrl = Deno.env.get("DATABASE_URL");
    if (!databaseUrl) throw new Error("DATABASE_URL: must name the database of the run");
    const sql = connectDatabase(databaseUrl, { max: 2, applicationName: "patchbay audit" });
    try {
      const samples = values.watch ? await watch(sql, seconds) : null;
      const report = audit(await gather(sql, values, samples));
      console.log(values.json ? JSON.stringify(report, null, 2) : reportText(report));
      return report.sound ? 0 : 1;
    } finally {
      await sql.end({ timeout: 1 });
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 2;
  }
}

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

async function gather(sql: Sql, values: Values, samples: readonly Sample[] | null): Promise<Run> {
  const [calls, webhooks, promised, told] = await Promise.all([
    values.record === undefined ? null : readCalls(values.record),
    values.webhooks === undefined ? null : readWebhooks(values.webhooks),
    values.promised === undefined ? null : readPromised(values.promised),
    values["opted-out"] === undefined ? [] : readOptOuts(values["opted-out"]),
  ]);
  const natsUrl = Deno.env.get("NATS_URL");
  const broker = natsUrl ? await lookAtBroker(natsUrl, sql) : { events: null, leftovers: null };
  const openEnd = values.cut ? "any" : values["no-reports"] ? "reports" : "none";
  const stored = await readStored(sql);
  const optOuts = [...stored.optOuts, ...told];
  return { ...stored, calls, webhooks, promised, optOuts, samples, ...broker, openEnd };
}

async function lookAtBroker(url: string, sql: Sql): Promise<{ events: Told[]; leftovers: Leftovers }> {
  const token = Deno.env.get("NATS_TOKEN");
  const nats = await connectNats({ url, name: "patchbay audit", ...(token ? { token } : {}) });
  try {
    const names = new Names(Deno.env.get("PATCHBAY_NAMESPACE") ?? "patchbay");
    const broker = { nats, jsm: await jetstreamManager(nats), names };
    const [installation] = await sql<{ partitions: number }[]>`select partitions from installation`;
    const logEnds = await readLogEnds(broker, installation?.partitions ?? 0);
    return { events: await readTold(broker), leftovers: await readLeftovers(sql, logEnds) };
  } finally {
    await nats.close();
  }
}

/** Samples until the time is over or Ctrl-C. */
async function watch(sql: Sql, seconds: number): Promise<readonly Sample[]> {
  const ending = new AbortController();
  const end = () => ending.abort();
  Deno.addSignalListener("SIGINT", end);
  const watching = watchProgress(sql);
  console.error("Watching cursors and epochs; Ctrl-C ends it and audits.");
  try {
    await pause(Math.min(seconds * 1_000, 2 ** 31 - 1), ending.signal);
    return await watching.stop();
  } finally {
    Deno.removeSignalListener("SIGINT", end);
  }
}
