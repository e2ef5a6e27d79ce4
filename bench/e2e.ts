/**
 * `e2e`: from the webhook until the rows are committed and a subscriber has the event, as fast as can be kept up.
 *
 * @module
 */
import {
  type Bench,
  type BenchContext,
  type Found,
  freshSystem,
  installForReceiving,
  warmUp,
} from "./bench_context.ts";
import { listenToEvents } from "./event_listener.ts";
import { countsOf } from "./installation.ts";
import { type BenchRow, costs } from "./report.ts";
import type { Program } from "./system_under_test.ts";
import { atLeast, atMost, promised } from "./targets.ts";
import { findTopRate, type TopRate } from "./top_rate.ts";
import type { Trial } from "./trial.ts";

const SECONDS = 60;
const TARGET_MPS = 3_000;
const RATIO_TARGET = 0.5;
const MEMORY_TARGET_MB = 500;

/** How a system's roles are spread over processes. */
interface Layout {
  readonly name: keyof NonNullable<Found["topMps"]>;
  readonly what: string;
  readonly headline: (seconds: number) => string;
  readonly processes: readonly string[];
}

const ONE_PROCESS: Layout = {
  name: "oneProcess",
  what: "kept up, all roles",
  headline: (seconds) => `\`e2e\` webhook → rows committed and event received, ${seconds} s, no backlog`,
  processes: ["all"],
};
/** As the pipeline that it is held against is laid out. */
const TWO_PROCESSES: Layout = {
  name: "twoProcesses",
  what: "kept up, ingress by itself and the other roles in a second process",
  headline: () => "… ingress in a process of its own",
  processes: ["ingress", "router,sender,dialer"],
};

interface KeptUp {
  readonly top: TopRate;
  /** 0 where no rate was kept up. */
  readonly rateMps: number;
  readonly row: BenchRow;
}

export const e2e: Bench = {
  name: "e2e",
  about: "webhook → rows committed and event received by a subscriber, without a growing backlog",
  takes: { firstSeconds: 240, laterSeconds: 170 },
  needs: ["ingest"],
  run: async (context) => {
    const { found } = context;
    const stage = found.slowestStage;
    if (stage === undefined) throw new Error("ingest has no figures to hold it against");
    const one = await measure(context, ONE_PROCESS);
    const two = await measure(context, TWO_PROCESSES);
    found.topMps = { oneProcess: one.rateMps, twoProcesses: two.rateMps };
    const better = one.rateMps > two.rateMps ? one : two;
    const heldAgainst = (kept: KeptUp): BenchRow => {
      const ratio = kept.rateMps / stage.rateMps;
      return {
        ...kept.row,
        ceiling: { what: `${stage.what}, its slowest stage`, rateMps: stage.rateMps, ratio },
        targets: [
          ...kept === better ? [atLeast(RATIO_TARGET, { what: "ratio", value: ratio })] : [],
          ...kept.row.targets!,
        ],
      };
    };
    const oneRow = heldAgainst(one);
    return {
      rows: [
        {
          ...oneRow,
          targets: [
            atLeast(TARGET_MPS, { what: "", value: one.rateMps, unit: "/s" }),
            atMost(MEMORY_TARGET_MB, { what: "memory", value: memoryMb(one.top, ONE_PROCESS), unit: " MB" }),
            ...oneRow.targets!,
          ],
        },
        heldAgainst(two),
        ...one.top.overload === null ? [] : [overloadRow(one.top.overload)],
      ],
      notes: [
        "Latency: from the webhook's leaving until its event was stored and received.",
        `Kept up: over ${context.seconds ?? SECONDS} s, ` +
        "98 % of the offered rate accepted, the p99 of webhook and event below 500 ms, every event " +
        "received within 1 s after the end.",
        "The slowest stage: the slower one of accepting and applying alone, in ingest of the same run. The better " +
        "layout is held against it.",
      ],
    };
  },
};

/** What a layout keeps up. */
async function measure(context: BenchContext, layout: Layout): Promise<KeptUp> {
  const seconds = context.seconds ?? SECONDS;
  context.say(layout.what);
  await using system = await freshSystem(context);
  const programs: Program[] = [];
  for (const roles of layout.processes) programs.push(await system.start(roles));
  const [first] = programs as [Program];
  const installation = await installForReceiving(first);
  await using listener = await listenToEvents(system.embedded);
  await warmUp(context, installation, listener);
  const top = await findTopRate({
    installation,
    listener,
    connections: context.connections,
    seconds,
    watched: system.watched(...programs),
    hintMps: context.found.topMps?.[layout.name] || undefined,
    say: context.say,
  });
  const counted = (await countsOf(first.api, installation.channelId)).received;
  const rateMps = top.found?.accept.acceptedMps ?? 0;
  const shown = shownOf(top);
  const row: BenchRow = {
    what: layout.what,
    headline: layout.headline(seconds),
    rateMps,
    latency: shown.toEvent,
    targets: [
      promised(
        atMost(0, { what: "rows and events that differ", value: Math.abs(counted - listener.received) }),
      ),
    ],
    processes: costs(shown.usage, shown.messages),
    more: {
      "kept up for s": seconds,
      "memory of all its processes, MB": memoryMb(top, layout),
      "accept p50 ms": shown.accept.latency.p50Ms,
      "accept p99 ms": shown.accept.latency.p99Ms,
      "most not yet received": shown.backlogMost,
      "not yet received 1 s after the end": shown.backlogAfter1s,
      "received in the database": counted,
      "events received": listener.received,
    },
  };
  return { top, rateMps, row };
}

/** What was kept up, or tried last. */
function shownOf({ found, last }: TopRate): Trial {
  return found ?? last;
}

/** Patchbay's processes at their largest, together. */
function memoryMb(top: TopRate, { processes }: Layout): number {
  return shownOf(top).usage.slice(0, processes.length).reduce((sum, { peakMb }) => sum + peakMb, 0);
}

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
