/**
 * `e2e`: from the webhook until the rows are committed and a subscriber has the event, as fast as can be kept up.
 *
 * @module
 */
import { type Bench, freshSystem, installForReceiving, warmUp } from "./bench_context.ts";
import { listenToEvents } from "./event_listener.ts";
import { countsOf } from "./installation.ts";
import { type BenchRow, costs } from "./report.ts";
import { atLeast, atMost, promised } from "./targets.ts";
import { findTopRate } from "./top_rate.ts";
import type { Trial } from "./trial.ts";

const SECONDS = 60;
const TARGET_MPS = 3_000;
const RATIO_TARGET = 0.5;
const MEMORY_TARGET_MB = 500;

export const e2e: Bench = {
  name: "e2e",
  about: "webhook → rows committed and event received by a subscriber, without a growing backlog",
  takes: { firstSeconds: 120, laterSeconds: 85 },
  needs: ["ingest"],
  run: async (context) => {
    const { found, connections } = context;
    const seconds = context.seconds ?? SECONDS;
    const stage = found.slowestStage;
    if (stage === undefined) throw new Error("ingest has no figures to hold it against");
    await using system = await freshSystem(context);
    const program = await system.start("all");
    const installation = await installForReceiving(program);
    await using listener = await listenToEvents(system.embedded);
    await warmUp(context, installation, listener);
    const top = await findTopRate({
      installation,
      listener,
      connections,
      seconds,
      watched: system.watched(program),
      hintMps: found.topRateMps,
      say: context.say,
    });
    const counted = (await countsOf(program.api, installation.channelId)).received;
    const rateMps = top.found?.accept.acceptedMps ?? 0;
    if (top.found === null) delete found.topRateMps;
    else found.topRateMps = rateMps;
    const shown = top.found ?? top.last;
    const ratio = rateMps / stage.rateMps;
    const row: BenchRow = {
      what: "kept up, all roles",
      headline: `\`e2e\` webhook → rows committed and event received, ${seconds} s, no backlog`,
      rateMps,
      latency: shown.toEvent,
      ceiling: { what: `${stage.what}, its slowest stage`, rateMps: stage.rateMps, ratio },
      targets: [
        atLeast(RATIO_TARGET, { what: "ratio", value: ratio }),
        atLeast(TARGET_MPS, { what: "", value: rateMps, unit: "/s" }),
        atMost(MEMORY_TARGET_MB, { what: "memory", value: shown.usage[0]!.peakMb, unit: " MB" }),
        promised(
          atMost(0, { what: "rows and events that differ", value: Math.abs(counted - listener.received) }),
        ),
      ],
      processes: costs(shown.usage, shown.messages),
      more: {
        "kept up for s": seconds,
        "accept p50 ms": shown.accept.latency.p50Ms,
        "accept p99 ms": shown.accept.latency.p99Ms,
        "most not yet received": shown.backlogMost,
        "not yet received 1 s after the end": shown.backlogAfter1s,
        "received in the database": counted,
        "events received": listener.received,
      },
    };
    return {
      rows: [row, ...top.overload === null ? [] : [overloadRow(top.overload)]],
      notes: [
        "Latency: from the webhook's leaving until its event was stored and received.",
        `Kept up: over ${seconds} s, ` +
        "98 % of the offered rate accepted, the p99 of webhook and event below 500 ms, every event " +
        "received within 1 s after the end.",
        "The slowest stage: the slower one of accepting and applying alone, in ingest of the same run.",
      ],
    };
  },
};

function overloadRow(trial: Trial): BenchRow {
  return {
    what: "overload: accepted as fast as the connections allow, all roles",
    rateMps: trial.accept.acceptedMps,
    latency: trial.toEvent,
    processes: costs(trial.usage, trial.messages),
    more: {
      "received/s until the last": trial.receivedMps,
      "drained after s": trial.drainSeconds,
      "most not yet received": trial.backlogMost,
    },
  };
}
