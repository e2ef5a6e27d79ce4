/**
 * `e2e`: from the webhook until the rows are committed and a subscriber has the event, as fast as can be kept up.
 *
 * @module
 */
import { type Bench, type BenchContext, freshSystem, installForReceiving, warmUp } from "./bench_context.ts";
import { listenToEvents } from "./event_listener.ts";
import { countsOf } from "./installation.ts";
import { type BenchRow, costs } from "./report.ts";
import { atLeast, atMost, promised } from "./targets.ts";
import type { Program } from "./system_under_test.ts";
import { findTopRate } from "./top_rate.ts";
import type { Trial } from "./trial.ts";

const SECONDS = 60;
const TARGET_MPS = 3_000;
const RATIO_TARGET = 0.5;
const MEMORY_TARGET_MB = 500;

/** The programs' roles, the one that contacts write to first. */
interface Layout {
  readonly what: string;
  readonly headline: string;
  readonly roles: readonly string[];
}

const WHOLE: Layout = { what: "all roles in one process", headline: "one process", roles: ["all"] };
/** As the pipeline that it is held against: one process accepts, another works. */
const PAIR: Layout = {
  what: "two processes, ingress and the other roles",
  headline: "two processes, ingress and the rest",
  roles: ["ingress", "router,sender,dialer"],
};

export const e2e: Bench = {
  name: "e2e",
  about: "webhook → rows committed and event received by a subscriber, without a growing backlog",
  takes: { firstSeconds: 240, laterSeconds: 170 },
  needs: ["ingest"],
  run: async (context) => {
    const whole = await measure(context, WHOLE, context.found.topRateMps);
    found(context, "topRateMps", whole.rateMps);
    const pair = await measure(context, PAIR, context.found.pairTopRateMps);
    found(context, "pairTopRateMps", pair.rateMps);
    return {
      rows: [...pair.rows, ...whole.rows],
      notes: [
        "Latency: from the webhook's leaving until its event was stored and received.",
        `Kept up: over ${context.seconds ?? SECONDS} s, ` +
        "98 % of the offered rate accepted, the p99 of webhook and event below 500 ms, every event " +
        "received within 1 s after the end.",
        "The slowest stage: the slower one of accepting and applying alone, in ingest of the same run.",
        "Memory: of the larger process.",
      ],
    };
  },
};

/** Keeps what was kept up for the benches that are held against it; nothing when nothing was. */
function found(context: BenchContext, name: "topRateMps" | "pairTopRateMps", rateMps: number): void {
  if (rateMps === 0) delete context.found[name];
  else context.found[name] = rateMps;
}

async function measure(
  context: BenchContext,
  layout: Layout,
  hintMps: number | undefined,
): Promise<{ rateMps: number; rows: BenchRow[] }> {
  const seconds = context.seconds ?? SECONDS;
  const stage = context.found.slowestStage;
  if (stage === undefined) throw new Error("ingest has no figures to hold it against");
  context.say(layout.what);
  await using system = await freshSystem(context);
  const programs: Program[] = [];
  for (const roles of layout.roles) programs.push(await system.start(roles));
  const [program] = programs as [Program, ...Program[]];
  const installation = await installForReceiving(program);
  await using listener = await listenToEvents(system.embedded);
  await warmUp(context, installation, listener);
  const top = await findTopRate({
    installation,
    listener,
    connections: context.connections,
    seconds,
    watched: system.watched(...programs),
    hintMps,
    say: context.say,
  });
  const counted = (await countsOf(program.api, installation.channelId)).received;
  const rateMps = top.found?.accept.acceptedMps ?? 0;
  const shown = top.found ?? top.last;
  const ratio = rateMps / stage.rateMps;
  const memoryMb = Math.max(...shown.usage.slice(0, programs.length).map(({ peakMb }) => peakMb));
  const row: BenchRow = {
    what: `kept up, ${layout.what}`,
    headline: `\`e2e\` webhook → rows committed and event received, ${seconds} s, ${layout.headline}`,
    rateMps,
    latency: shown.toEvent,
    ceiling: { what: `${stage.what}, its slowest stage`, rateMps: stage.rateMps, ratio },
    targets: [
      atLeast(RATIO_TARGET, { what: "ratio", value: ratio }),
      atLeast(TARGET_MPS, { what: "", value: rateMps, unit: "/s" }),
      atMost(MEMORY_TARGET_MB, { what: "memory", value: memoryMb, unit: " MB" }),
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
  return { rateMps, rows: [row, ...top.overload === null ? [] : [overloadRow(top.overload, layout)]] };
}

function overloadRow(trial: Trial, layout: Layout): BenchRow {
  return {
    what: `overload: accepted as fast as the connections allow, ${layout.what}`,
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
