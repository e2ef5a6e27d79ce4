/**
 * Sending at a limited rate, judged at the carrier's socket.
 *
 * @module
 */
import { untilCounts } from "./installation.ts";
import { prepareLoad } from "./load/load.ts";
import { assertClean } from "./load/plan.ts";
import { UsageWatch } from "./process_usage.ts";
import { type BenchRow, costs } from "./report.ts";
import { apiSends } from "./send_requests.ts";
import { atMost, promised, within } from "./targets.ts";
import type { Sending } from "./send.ts";
import { acceptedMoreThanOnce, slidingWindowMax } from "./simulator/audit.ts";

export interface LimitedOptions {
  readonly rateMps: number;
  /** Declared burst: messages that may leave at once after a pause. */
  readonly burst: number;
  /** Whether delivery reports come back meanwhile. */
  readonly reports: boolean;
  readonly seconds: number;
}

const LINES = 64;

/** Queues as many messages as the rate lets through in the time, and looks at when they arrived. */
export async function limitedRow(sending: Sending, options: LimitedOptions): Promise<BenchRow> {
  const { context, program, carrier, installation, system } = sending;
  const { rateMps, burst, reports, seconds } = options;
  const what = `limited to ${rateMps}/s, burst ${burst}, ${reports ? "with" : "without"} delivery reports`;
  context.say(what);
  const { api } = program;
  await carrier.reset();
  await carrier.setReports(reports);
  await api.patch(`/v1/channels/${installation.channelId}`, { rateMps, burst });
  const before = await untilCounts(api, installation.channelId, () => true, { timeoutMs: 0, everyMs: 0 });
  const count = Math.max(10, Math.round(rateMps * seconds));
  const requests = apiSends(program, installation);
  using load = await prepareLoad({ origin: program.url, lines: LINES, rateMps: null, count, requests });
  const watch = new UsageWatch([
    ...system.watched(program),
    { name: "carrier", pid: carrier.pid, tree: false },
  ]);
  assertClean(await load.run());
  const after = await untilCounts(api, installation.channelId, ({ sent }) => sent >= before.sent + count, {
    timeoutMs: seconds * 2_000 + 30_000,
    everyMs: 250,
  });
  const usage = watch.stop();
  if (after.sent < before.sent + count) {
    throw new Error(`${before.sent + count - after.sent} of ${count} messages were not sent at ${rateMps}/s`);
  }
  const calls = await carrier.record();
  await carrier.setReports(false);
  await carrier.untilReported();
  const times = calls.filter(({ accepted }) => accepted).map(({ atMs }) => atMs).sort((a, b) => a - b);
  // From a full bucket, burst + rate × time may leave in any time, wherever in it the burst leaves.
  const achievedMps = (times.length - burst) / ((times.at(-1)! - times[0]!) / 1000);
  const share = achievedMps / rateMps;
  const twice = acceptedMoreThanOnce(calls).size;
  const worst = slidingWindowMax(times, 1_000);
  return {
    what,
    headline: `… limited to ${rateMps}/s, burst ${burst}${reports ? ", reports on" : ""}`,
    rateMps: achievedMps,
    ceiling: { what: "the rate that was set", rateMps, ratio: share },
    targets: [
      within(98, 100, { what: "", value: share * 100, unit: " % of the rate" }),
      promised(atMost(rateMps + burst, { what: "worst second", value: worst })),
      promised(atMost(0, { what: "sent twice", value: twice })),
    ],
    processes: costs(usage, count),
    more: {
      messages: times.length,
      "% of the rate": share * 100,
      "most in any sliding second": worst,
      "calls refused": calls.length - times.length,
    },
  };
}
