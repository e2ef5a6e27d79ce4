/**
 * `e2e`: from the webhook until the rows are committed and a subscriber has the event, as fast as can be kept up.
 *
 * @module
 */
import { type Bench, type BenchContext, freshSystem, installForReceiving, warmUp } from "./bench_context.ts";
import { stageCeilings } from "./e2e_stages.ts";
import { listenToEvents } from "./event_listener.ts";
import { countsOf } from "./installation.ts";
import { type BenchRow, costs } from "./report.ts";
import { isSustained, runTrial, type Trial, type TrialOptions } from "./trial.ts";

const SECONDS = 30;
const OVERLOAD_SECONDS = 8;
const SEARCH_SECONDS = 8;
/** Of the rate under overload, tried in turn until one is kept up. */
const STEPS = [1, 0.92, 0.84, 0.76, 0.68, 0.6, 0.5, 0.4];
const TARGET_MPS = 3_000;
const MEMORY_TARGET_MB = 500;

export const e2e: Bench = {
  name: "e2e",
  about: "webhook → rows committed and event received by a subscriber, without a growing backlog",
  run: async (context) => {
    const stages = await stageCeilings(context);
    const slowest = stages.reduce((least, stage) => (stage.rateMps! < least.rateMps! ? stage : least));
    await using system = await freshSystem(context);
    const program = await system.start("all");
    const installation = await installForReceiving(program);
    await using listener = await listenToEvents(system.embedded);
    await warmUp(context, installation, listener);
    const { connections } = context;
    const options = { installation, listener, connections, watched: system.watched(program) };
    const top = await findTop(context, options);
    const counted = (await countsOf(program.api, installation.channelId)).received;
    const rate = top.found?.accept.acceptedMps ?? 0;
    if (top.found !== null) context.found.topRateMps = rate;
    const shown = top.found ?? top.last;
    const programMb = shown.usage[0]!.peakMb;
    const row: BenchRow = {
      what: `sustained for ${context.seconds ?? SECONDS} s, all roles`,
      rateMps: rate,
      latency: shown.toEvent,
      ceiling: {
        what: `${slowest.what}: the slowest stage alone`,
        rateMps: slowest.rateMps!,
        ratio: rate / slowest.rateMps!,
      },
      targets: [
        { text: `≥ ${TARGET_MPS}/s`, met: rate >= TARGET_MPS },
        { text: `memory < ${MEMORY_TARGET_MB} MB`, met: programMb < MEMORY_TARGET_MB },
      ],
      processes: costs(shown.usage, shown.messages),
      more: {
        "accept p50 ms": shown.accept.latency.p50Ms,
        "accept p99 ms": shown.accept.latency.p99Ms,
        "most not yet received": shown.backlogMost,
        "not yet received 1 s after the end": shown.backlogAfter1s,
        "received in the database": counted,
        "events received": listener.received,
        "every one is in both": counted === listener.received,
      },
    };
    return {
      rows: [
        row,
        trialRow("overload: accepted as fast as the connections allow, all roles", top.overload),
        ...stages,
      ],
      notes: [
        "Latency in the first two rows: from the webhook's leaving until its event was stored and received.",
        "Sustained: 98 % of the offered rate accepted, the p99 of webhook and event below 500 ms, every event received " +
        "within 1 s after the end.",
        "Stages alone: each with its own process on the same servers; the others stand still.",
      ],
    };
  },
};

interface Top {
  readonly overload: Trial;
  /** Null when not even the lowest step was kept up. */
  readonly found: Trial | null;
  readonly last: Trial;
}

/** Short trials from the rate under overload downwards, then the whole time at the first that is kept up. */
async function findTop(
  context: BenchContext,
  options: Omit<TrialOptions, "rateMps" | "seconds">,
): Promise<Top> {
  context.say("overload: as fast as the connections allow");
  const overload = await runTrial({ ...options, rateMps: null, seconds: OVERLOAD_SECONDS });
  context.say(`accepted ${mps(overload.accept.acceptedMps)}, received ${mps(overload.receivedMps)}`);
  let last = overload;
  for (const step of STEPS) {
    const rateMps = Math.round(Math.min(overload.receivedMps, overload.accept.acceptedMps) * step);
    for (const seconds of [SEARCH_SECONDS, context.seconds ?? SECONDS]) {
      last = await runTrial({ ...options, rateMps, seconds });
      const kept = isSustained(last);
      context.say(
        `${mps(rateMps)} for ${seconds} s: ${kept ? "kept up" : "not kept up"}, ` +
          `accepted ${mps(last.accept.acceptedMps)}, p99 to the event ${last.toEvent.p99Ms.toFixed(0)} ms`,
      );
      if (!kept) break;
      if (seconds !== SEARCH_SECONDS || context.seconds === SEARCH_SECONDS) {
        return { overload, found: last, last };
      }
    }
  }
  return { overload, found: null, last };
}

function trialRow(what: string, trial: Trial): BenchRow {
  return {
    what,
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

function mps(rate: number): string {
  return `${Math.round(rate)}/s`;
}
