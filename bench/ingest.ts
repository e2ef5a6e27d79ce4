/**
 * `ingest`: webhooks accepted with an fsync before the 2xx, against the same endpoint without the durable write.
 *
 * @module
 */
import { freePort } from "../adapters/embedded/free_port.ts";
import { type Bench, type BenchContext, freshSystem, installForReceiving } from "./bench_context.ts";
import { assertClean, letContactsWrite } from "./contacts.ts";
import { type Installation, untilCounts } from "./installation.ts";
import { UsageWatch, type Watched } from "./process_usage.ts";
import { type BenchRow, costs, median } from "./report.ts";
import type { GeneratorResult } from "./simulator/generator.ts";
import type { SystemUnderTest } from "./system_under_test.ts";

const PAIRS = 3;
const SECONDS = 6;
const HALF_RATE_SECONDS = 15;
const RATIO_TARGET = 0.25;
const P99_TARGET_MS = 50;
const APPLIED_MS_MAX = 120_000;
const SECRET = "bench-secret-0123456789";

interface Endpoint {
  readonly what: string;
  readonly webhookUrl: string;
  readonly numbers: readonly string[];
  readonly watched: readonly Watched[];
}

interface Run {
  readonly rateMps: number;
  readonly result: GeneratorResult;
  readonly row: BenchRow;
}

export const ingest: Bench = {
  name: "ingest",
  about: "Twilio webhooks, signed, accepted with an fsync before the 2xx",
  run: async (context) => {
    const seconds = context.seconds ?? SECONDS;
    const { runs, topMps, half } = await measureIngress(context, seconds);
    const ceilingMps = median(runs.ceiling.map(({ rateMps }) => rateMps));
    const ratio = topMps / ceilingMps;
    const whole = await measureAllRoles(context, seconds, ceilingMps);
    return {
      rows: [
        {
          ...middle(runs.durable).row,
          rateMps: topMps,
          ceiling: { what: "the same endpoint without the durable write", rateMps: ceilingMps, ratio },
          targets: [{ text: `ratio ≥ ${RATIO_TARGET}`, met: ratio >= RATIO_TARGET }],
        },
        {
          ...half.row,
          what: "accepted, role ingress, half the top rate",
          targets: [{ text: `p99 < ${P99_TARGET_MS} ms`, met: half.result.latency.p99Ms < P99_TARGET_MS }],
        },
        ...whole,
        { ...middle(runs.ceiling).row, rateMps: ceilingMps },
      ],
      notes: [
        `Rates and ratio: medians of ${PAIRS} pairs, the two endpoints in turn; the latencies beside them are of the ` +
        "run in the middle.",
        "Role ingress: one process that accepts, while others route and send. All roles: the default, one process " +
        "that applies what it accepts at the same time.",
        "Latency counts from when a message was due, with its wait behind slow answers.",
      ],
    };
  },
};

/** Endpoint and ceiling in turn, then the endpoint at half its rate. */
async function measureIngress(context: BenchContext, seconds: number) {
  await using system = await freshSystem(context);
  const ingress = await system.start("ingress");
  const installation = await installForReceiving(ingress);
  const durable: Endpoint = {
    what: "accepted, role ingress",
    ...installation,
    watched: system.watched(ingress),
  };
  const ceiling = await ceilingEndpoint(system, installation);
  const runs: { durable: Run[]; ceiling: Run[] } = { durable: [], ceiling: [] };
  for (let pair = 1; pair <= PAIRS; pair++) {
    runs.durable.push(await measure(context, durable, null, seconds, `pair ${pair} of ${PAIRS}`));
    runs.ceiling.push(await measure(context, ceiling, null, seconds, `pair ${pair} of ${PAIRS}`));
  }
  const topMps = median(runs.durable.map(({ rateMps }) => rateMps));
  const halfSeconds = context.seconds ?? HALF_RATE_SECONDS;
  const half = await measure(context, durable, topMps / 2, halfSeconds, "half the top rate");
  return { runs, topMps, half };
}

/** The default process: it applies while it accepts, so it accepts more slowly. */
async function measureAllRoles(
  context: BenchContext,
  seconds: number,
  ceilingMps: number,
): Promise<BenchRow[]> {
  await using system = await freshSystem(context);
  const all = await system.start("all");
  const installation = await installForReceiving(all);
  const endpoint: Endpoint = { what: "accepted, all roles", ...installation, watched: system.watched(all) };
  const top = await measure(context, endpoint, null, seconds, "as fast as the connections allow");
  context.say("waiting until all is applied");
  await untilCounts(all.api, installation.channelId, ({ received }) => received >= top.result.accepted, {
    timeoutMs: APPLIED_MS_MAX,
    everyMs: 250,
  });
  const half = await measure(context, endpoint, top.rateMps / 2, seconds, "half of that");
  const ceiling = {
    what: "the same endpoint without the durable write",
    rateMps: ceilingMps,
    ratio: top.rateMps / ceilingMps,
  };
  return [{ ...top.row, ceiling }, { ...half.row, what: "accepted, all roles, half of that" }];
}

async function measure(
  context: BenchContext,
  endpoint: Endpoint,
  rateMps: number | null,
  seconds: number,
  which: string,
): Promise<Run> {
  context.say(`${endpoint.what}: ${which}`);
  const watch = new UsageWatch(endpoint.watched);
  const result = await letContactsWrite({ ...endpoint, rateMps, seconds, connections: context.connections })
    .done;
  const usage = watch.stop();
  assertClean(result);
  const row: BenchRow = {
    what: endpoint.what,
    rateMps: result.acceptedMps,
    latency: result.latency,
    processes: costs(usage, result.accepted),
  };
  return { rateMps: result.acceptedMps, result, row };
}

async function ceilingEndpoint(system: SystemUnderTest, { numbers }: Installation): Promise<Endpoint> {
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = await system.startScript(
    "bench/no_log_program.ts",
    [String(port), SECRET, numbers.join(",")],
    `${url}/readyz`,
  );
  return {
    what: "accepted, without the durable write (ceiling)",
    webhookUrl: `${url}/webhooks/twilio/${SECRET}`,
    numbers,
    watched: [{ name: "endpoint", pid: child.pid, tree: false }, {
      name: "bench",
      pid: Deno.pid,
      tree: false,
    }],
  };
}

function middle(runs: readonly Run[]): Run {
  return [...runs].sort((a, b) => a.rateMps - b.rateMps)[Math.floor(runs.length / 2)]!;
}
