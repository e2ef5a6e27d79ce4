/**
 * `backlog`: a million messages wait to be sent. What one costs, against a queue that is nearly empty.
 *
 * @module
 */
import { connectDatabase } from "../adapters/postgres/database.ts";
import { type Bench, type BenchContext, freshSystem } from "./bench_context.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { install, type Installation, untilCounts } from "./installation.ts";
import { cpuMsEach, type ProcessUsage, UsageWatch, type Watched } from "./process_usage.ts";
import { insertQueued } from "./queued_rows.ts";
import { type BenchRow, costs } from "./report.ts";
import type { Program } from "./system_under_test.ts";
import { atMost, number, promised, within } from "./targets.ts";

const MESSAGES = 1_000_000;
const WARMUP_MESSAGES = 10_000;
const SMALL_MESSAGES = 20_000;
const MEMORY_TARGET_MB = 500;
const UNLIMITED = { rateMps: 100_000, burst: 100_000 };
/** Slower than this, it is no bench any more. */
const MPS_MIN = 200;

interface Setting {
  readonly context: BenchContext;
  readonly program: Program;
  readonly carrier: Carrier;
  readonly installation: Installation;
  readonly watched: readonly Watched[];
  readonly databaseUrl: string;
}

interface Drained {
  readonly rateMps: number;
  readonly usage: readonly ProcessUsage[];
  /** Of sender, nats-server and PostgreSQL. */
  readonly cpuMs: number;
  readonly senderMb: number;
}

export const backlog: Bench = {
  name: "backlog",
  about: "a million messages waiting to be sent, drained; cost of one against a nearly empty queue",
  takes: { firstSeconds: 240, laterSeconds: 240 },
  once: true,
  run: async (context) => {
    const messages = context.messages ?? MESSAGES;
    await using carrier = await startCarrier();
    await using system = await freshSystem(context);
    const program = await system.start("ingress,router");
    const sender = await system.start("sender");
    const installation = await install({ api: program.api, carrierUrl: carrier.url, ...UNLIMITED });
    const watched = system.watched(sender);
    const { databaseUrl } = system.embedded;
    const setting: Setting = { context, program, carrier, installation, watched, databaseUrl };
    await drain(setting, 0, WARMUP_MESSAGES);
    const small = await drain(setting, WARMUP_MESSAGES, SMALL_MESSAGES);
    await carrier.reset();
    const large = await drain(setting, WARMUP_MESSAGES + SMALL_MESSAGES, messages);
    const share = (large.cpuMs / small.cpuMs) * 100;
    return {
      rows: [
        {
          ...rowOf(`${number(messages)} waiting`, messages, large),
          headline: `\`backlog\` ${number(messages)} messages waiting, drained`,
          figure: `${number(Math.round(large.rateMps))}/s, ${number(large.cpuMs)} ms of CPU a message, ` +
            `sender ${Math.round(large.senderMb)} MB`,
          targets: [
            within(80, 120, {
              what: "CPU a message",
              value: share,
              unit: ` % of that with ${number(SMALL_MESSAGES)}`,
            }),
            promised(atMost(MEMORY_TARGET_MB, { what: "memory", value: large.senderMb, unit: " MB" })),
          ],
        },
        rowOf(`${number(SMALL_MESSAGES)} waiting (what it is held against)`, SMALL_MESSAGES, small),
      ],
      notes: [
        "The waiting messages were written straight into the database, over 10,000 conversations, while the channel was " +
        "disabled; measured from its enabling until the last result was stored.",
        "CPU a message: of the sender, nats-server and PostgreSQL together.",
      ],
    };
  },
};

function rowOf(what: string, messages: number, { rateMps, usage, cpuMs }: Drained): BenchRow {
  return { what, rateMps, processes: costs(usage, messages), more: { messages, "CPU a message, ms": cpuMs } };
}

async function drain(setting: Setting, first: number, count: number): Promise<Drained> {
  const { context, program, carrier, installation, watched } = setting;
  const { channelId, numbers } = installation;
  const { api } = program;
  context.say(`writing ${number(count)} waiting messages into the database`);
  await api.patch(`/v1/channels/${channelId}`, { enabled: false });
  const { items } = await api.get<{ items: { id: string; number: string }[] }>("/v1/numbers");
  const sql = connectDatabase(setting.databaseUrl, {
    max: 1,
    applicationName: "patchbay bench",
    statementTimeoutMs: 600_000,
  });
  try {
    const own = items.find(({ number }) => number === numbers[0])!;
    await insertQueued(sql, { channelId, number: own, count, first, nowMs: Date.now() });
  } finally {
    await sql.end({ timeout: 2 });
  }
  const before = await untilCounts(api, channelId, () => true, { timeoutMs: 0, everyMs: 0 });
  const taken = await carrier.taken();
  context.say("draining");
  await api.patch(`/v1/channels/${channelId}`, { enabled: true });
  while (await carrier.taken() === taken) await new Promise((resolve) => setTimeout(resolve, 10));
  const watch = new UsageWatch([...watched, { name: "carrier", pid: carrier.pid, tree: false }]);
  const startMs = performance.now();
  const after = await untilCounts(api, channelId, ({ sent }) => sent >= before.sent + count, {
    timeoutMs: 60_000 + (count / MPS_MIN) * 1_000,
    everyMs: 250,
  });
  const seconds = (performance.now() - startMs) / 1000;
  const usage = watch.stop();
  const sent = after.sent - before.sent;
  if (sent !== count) throw new Error(`${sent} of ${count} waiting messages were sent`);
  const system = watched.map(({ name }) => name).filter((name) => name !== "bench");
  return {
    rateMps: count / seconds,
    usage,
    cpuMs: cpuMsEach(usage, system, count),
    senderMb: usage[0]!.peakMb,
  };
}
