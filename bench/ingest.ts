/**
 * `ingest`: webhooks accepted with an fsync before the 2xx, against the same endpoint without the durable write; and
 * applying what was accepted, alone.
 *
 * @module
 */
import { freePort } from "../adapters/embedded/free_port.ts";
import { type Bench, type BenchContext, freshSystem, installForReceiving, warmUp } from "./bench_context.ts";
import { prepareContacts } from "./contacts.ts";
import { type EventListener, listenToEvents } from "./event_listener.ts";
import { type Installation, untilCounts } from "./installation.ts";
import { assertClean, type LoadResult } from "./load/plan.ts";
import { UsageWatch, type Watched } from "./process_usage.ts";
import { type BenchRow, costs } from "./report.ts";
import type { SystemUnderTest } from "./system_under_test.ts";
import { atLeast, atMost } from "./targets.ts";

const SECONDS = 6;
const RATIO_TARGET = 0.35;
const P99_TARGET_MS = 50;
const APPLIED_MS_MAX = 300_000;
const SECRET = "bench-secret-0123456789";
const CEILING = "the same endpoint without the durable write";

interface Endpoint {
  readonly what: string;
  readonly webhookUrl: string;
  readonly numbers: readonly string[];
  readonly watched: readonly Watched[];
}

interface Run {
  readonly rateMps: number;
  readonly result: LoadResult;
  readonly row: BenchRow;
}

export const ingest: Bench = {
  name: "ingest",
  about: "Twilio webhooks, signed, accepted with an fsync before the 2xx; then applying them, alone",
  takes: { firstSeconds: 80, laterSeconds: 40 },
  run: async (context) => {
    const seconds = context.seconds ?? SECONDS;
    const { durable, ceiling, half, applied } = await measureIngress(context, seconds);
    const ratio = durable.rateMps / ceiling.rateMps;
    context.found.acceptMps = durable.rateMps;
    context.found.slowestStage = durable.rateMps < applied.rateMps!
      ? { what: "accepting alone", rateMps: durable.rateMps }
      : { what: "applying alone", rateMps: applied.rateMps! };
    const whole = context.run === 1 ? await measureAllRoles(context, seconds, ceiling.rateMps) : [];
    return {
      rows: [
        {
          ...durable.row,
          headline: "`ingest` signed Twilio webhooks, fsync before 2xx, role ingress",
          ceiling: { what: CEILING, rateMps: ceiling.rateMps, ratio },
          targets: [atLeast(RATIO_TARGET, { what: "ratio", value: ratio })],
        },
        {
          ...half.row,
          what: "accepted, role ingress, half the top rate",
          headline: "… at half of that rate",
          shows: "latency",
          targets: [atMost(P99_TARGET_MS, { what: "p99", value: half.result.latency.p99Ms, unit: " ms" })],
        },
        { ...applied, headline: "… applying, committing and publishing alone, role router" },
        ...whole,
        ceiling.row,
      ],
      notes: [
        "Role ingress: one process that accepts, while others route and send. All roles: the default, one process " +
        "that applies what it accepts at the same time; measured once.",
        "A ratio above 1: packs leave on a beat, and requests that come and go together cost both sides less, by more than " +
        "the write costs; the endpoint without it answers each by itself.",
        "Latency counts from when a message was due, with its wait behind slow answers.",
      ],
    };
  },
};

/** The endpoint, its ceiling, the endpoint at half its rate; then a router applies what waits. */
async function measureIngress(context: BenchContext, seconds: number) {
  await using system = await freshSystem(context);
  const ingress = await system.start("ingress");
  const installation = await installForReceiving(ingress);
  await using listener = await listenToEvents(system.embedded);
  const opener = await system.start("router");
  await warmUp(context, installation, listener);
  await opener.stop();
  const endpoint: Endpoint = {
    what: "accepted, role ingress",
    ...installation,
    watched: system.watched(ingress),
  };
  const before = listener.received;
  const durable = await measure(context, endpoint, null, seconds, "as fast as the connections allow");
  const ceiling = await measure(
    context,
    await ceilingEndpoint(system, installation),
    null,
    seconds,
    "as fast as the connections allow",
  );
  const half = await measure(context, endpoint, durable.rateMps / 2, seconds, "half the top rate");
  const waiting = durable.result.accepted + half.result.accepted;
  const applied = await measureApplying(context, system, listener, before + waiting);
  return { durable, ceiling, half, applied };
}

/** From a router's first event to its last. */
async function measureApplying(
  context: BenchContext,
  system: SystemUnderTest,
  listener: EventListener,
  until: number,
): Promise<BenchRow> {
  const before = listener.received;
  const messages = until - before;
  context.say(`applying ${messages} messages from the log`);
  const firstMs = firstEvent(() => listener.received > before);
  const router = await system.start("router");
  const watch = new UsageWatch(system.watched(router));
  if (!await listener.until(until, APPLIED_MS_MAX)) throw new Error("the log was not drained");
  const seconds = (listener.lastMs - await firstMs) / 1000;
  return {
    what: "applying, committing and publishing from a full log, role router",
    rateMps: messages / seconds,
    processes: costs(watch.stop(), messages),
  };
}

/** When something first held, by `performance.now()`. */
async function firstEvent(holds: () => boolean): Promise<number> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
  return performance.now();
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
  return [
    {
      ...top.row,
      headline: "… with all roles in the process",
      ceiling: { what: CEILING, rateMps: ceilingMps, ratio: top.rateMps / ceilingMps },
    },
    { ...half.row, what: "accepted, all roles, half of that" },
  ];
}

async function measure(
  context: BenchContext,
  endpoint: Endpoint,
  rateMps: number | null,
  seconds: number,
  which: string,
): Promise<Run> {
  context.say(`${endpoint.what}: ${which}`);
  using contacts = await prepareContacts({ ...endpoint, rateMps, seconds, connections: context.connections });
  const watch = new UsageWatch(endpoint.watched);
  const result = await contacts.run();
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
