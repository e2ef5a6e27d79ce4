/**
 * `send`: from `POST /v1/messages` to the carrier's socket to the stored result; then at a limited rate.
 *
 * @module
 */
import { type Bench, type BenchContext, freshSystem } from "./bench_context.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { install, type Installation, untilCounts } from "./installation.ts";
import { prepareLoad } from "./load/load.ts";
import { assertClean, type LoadResult } from "./load/plan.ts";
import { UsageWatch } from "./process_usage.ts";
import { type BenchRow, costs } from "./report.ts";
import { limitedRow } from "./send_limited.ts";
import { apiSends, carrierSends } from "./send_requests.ts";
import type { Program, SystemUnderTest } from "./system_under_test.ts";
import { atLeast } from "./targets.ts";

const SECONDS = 8;
const LIMITED_SECONDS = 10;
const SINK_SECONDS = 4;
const WARMUP_MESSAGES = 10_000;
const UNLIMITED = { rateMps: 100_000, burst: 100_000 };
const SENT_MS_MAX = 300_000;
const TARGET_MPS = 2_500;
/** A POST waits for two commits behind each other: fewer at a time would measure the wait. */
const LINES_FACTOR = 2;
const LIMITED_RATES = [500];

export interface Sending {
  readonly context: BenchContext;
  readonly system: SystemUnderTest;
  readonly program: Program;
  readonly carrier: Carrier;
  readonly installation: Installation;
}

export const send: Bench = {
  name: "send",
  about: "POST /v1/messages → carrier's socket → result stored; then at limited rates",
  takes: { firstSeconds: 70, laterSeconds: 30 },
  run: async (context) => {
    await using carrier = await startCarrier();
    await using system = await freshSystem(context);
    const program = await system.start("all");
    const installation = await install({ api: program.api, carrierUrl: carrier.url, ...UNLIMITED });
    const sending: Sending = { context, system, program, carrier, installation };

    context.say("the carrier alone");
    const sink = await sinkAlone(context, carrier);
    await carrier.reset();
    context.say(`opening ${WARMUP_MESSAGES} conversations`);
    await (await prepareToSend(sending, { count: WARMUP_MESSAGES }))();
    const unlimited = await unlimitedRow(sending, "unlimited, without delivery reports", sink.acceptedMps);
    context.found.sendMps = unlimited.rateMps!;
    const others: BenchRow[] = [];
    if (context.run === 1) {
      others.push(await unlimitedRow(sending, "unlimited, with delivery reports", sink.acceptedMps, true));
      const seconds = context.seconds ?? LIMITED_SECONDS;
      for (const rateMps of LIMITED_RATES) {
        // As a channel of that rate would be declared, with all its traffic; then the hardest case.
        others.push(await limitedRow(sending, { rateMps, burst: rateMps / 10, reports: true, seconds }));
        others.push(await limitedRow(sending, { rateMps, burst: 1, reports: false, seconds }));
      }
    }
    return {
      rows: [unlimited, ...others, {
        what: "the carrier's simulator alone, same client (ceiling)",
        rateMps: sink.acceptedMps,
        latency: sink.latency,
      }],
      notes: [
        "Rate, unlimited: from the first POST until every result is stored, with twice the connections of the other benches. Latency: of the POST, answered when the " +
        "message is committed.",
        "All but the first row are measured in the first run alone.",
        "Rate, limited: at the carrier's socket, from the first message after the burst to the last; each of them waited in the queue.",
      ],
    };
  },
};

async function sinkAlone(context: BenchContext, carrier: Carrier): Promise<LoadResult> {
  using load = await prepareLoad({
    origin: carrier.url,
    lines: context.connections,
    rateMps: null,
    seconds: Math.min(SINK_SECONDS, context.seconds ?? SECONDS),
    requests: carrierSends(carrier.url),
  });
  const result = await load.run();
  assertClean(result);
  return result;
}

interface Sent {
  readonly posts: LoadResult;
  /** From the first POST until every result is stored. */
  readonly seconds: number;
}

/** What enqueues and waits until all results are stored, ready to be called. */
async function prepareToSend(
  { context, program, installation }: Sending,
  amount: { readonly count: number } | { readonly seconds: number },
): Promise<() => Promise<Sent>> {
  const { sent: before } = await untilCounts(program.api, installation.channelId, () => true, ONCE);
  const load = await prepareLoad({
    origin: program.url,
    lines: context.connections * LINES_FACTOR,
    rateMps: null,
    ...amount,
    requests: apiSends(program, installation),
  });
  return async () => {
    const startMs = performance.now();
    const posts = await load.run();
    assertClean(posts);
    const wanted = before + posts.accepted;
    const counts = await untilCounts(program.api, installation.channelId, ({ sent }) => sent >= wanted, {
      timeoutMs: SENT_MS_MAX,
      everyMs: 50,
    });
    if (counts.sent < wanted) {
      throw new Error(`${wanted - counts.sent} of ${posts.accepted} messages were not sent`);
    }
    return { posts, seconds: (performance.now() - startMs) / 1000 };
  };
}

const ONCE = { timeoutMs: 0, everyMs: 0 };

async function unlimitedRow(
  sending: Sending,
  what: string,
  sinkMps: number,
  reports = false,
): Promise<BenchRow> {
  const { context, carrier, program, system, installation } = sending;
  context.say(what);
  await carrier.setReports(reports);
  const sendAll = await prepareToSend(sending, { seconds: context.seconds ?? SECONDS });
  const watch = new UsageWatch([
    ...system.watched(program),
    { name: "carrier", pid: carrier.pid, tree: false },
  ]);
  const { posts, seconds } = await sendAll();
  const usage = watch.stop();
  await carrier.setReports(false);
  await carrier.untilReported();
  const { delivered } = await untilCounts(program.api, installation.channelId, () => true, ONCE);
  const rateMps = posts.accepted / seconds;
  return {
    what,
    rateMps,
    latency: posts.latency,
    ceiling: { what: "the carrier's simulator alone", rateMps: sinkMps, ratio: rateMps / sinkMps },
    headline: reports
      ? "… with delivery reports coming back"
      : "`send` API → carrier's socket → result stored, unlimited bucket",
    ...(reports ? {} : { targets: [atLeast(TARGET_MPS, { what: "", value: rateMps, unit: "/s" })] }),
    processes: costs(usage, posts.accepted),
    more: {
      messages: posts.accepted,
      "enqueued/s": posts.acceptedMps,
      "results stored after the last POST, s": seconds - posts.seconds,
      ...(reports ? { "delivered by then": delivered } : {}),
    },
  };
}
