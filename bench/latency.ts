/**
 * `latency`: how long a message takes until it is accepted, and until an agent has it, at a tenth of the top rate; and
 * at other rates, for the plot.
 *
 * @module
 */
import { type AgentListener, listenAsAgent } from "./agent_listener.ts";
import {
  type Bench,
  type BenchContext,
  freshSystem,
  installForReceiving,
  untilThere,
  warmUp,
} from "./bench_context.ts";
import { listenToEvents } from "./event_listener.ts";
import { costs, type Series } from "./report.ts";
import type { LatencySummary } from "./simulator/histogram.ts";
import { atMost } from "./targets.ts";
import { runTrial, type Trial, type TrialOptions } from "./trial.ts";

const SECONDS = 12;
const SHARE = 0.1;
const ACCEPT_P99_MS = 15;
const AGENT_P50_MS = 5;
const AGENT_P99_MS = 25;
/** Of the top rate, for the plot. */
const PLOT_SHARES = [0.02, 0.25, 0.5, 0.75, 0.9];
const PLOT_SECONDS = 5;

interface Measured {
  readonly trial: Trial;
  readonly toAgent: LatencySummary;
}

export const latency: Bench = {
  name: "latency",
  about: "webhook to 2xx, and webhook to an agent's event stream, at a tenth of the top rate",
  takes: { firstSeconds: 60, laterSeconds: 30 },
  needs: ["e2e"],
  run: async (context) => {
    // Of the same process: two keep up more, and each of them has a core for it.
    const topMps = context.found.topMps?.oneProcess;
    if (!topMps) throw new Error("e2e kept up no rate of which a tenth could be taken");
    await using system = await freshSystem(context);
    const program = await system.start("all");
    const installation = await installForReceiving(program);
    await using listener = await listenToEvents(system.embedded);
    await warmUp(context, installation, listener);
    await using agent = await listenAsAgent(program.api, installation.members[0]!);
    const { connections } = context;
    const options = { installation, listener, connections, watched: system.watched(program) };
    const seconds = context.seconds ?? SECONDS;
    const tenth = await measure(context, agent, options, topMps * SHARE, seconds);
    const { trial, toAgent } = tenth;
    const { toEvent, accept } = trial;
    const curves = context.run === 1 ? await curvesOf(context, agent, options, topMps, tenth) : {};
    return {
      ...curves,
      rows: [
        {
          what: "webhook to 2xx",
          headline: "`latency` at a tenth of the top rate, webhook → 2xx",
          shows: "latency",
          rateMps: accept.acceptedMps,
          latency: accept.latency,
          targets: [atMost(ACCEPT_P99_MS, { what: "p99", value: accept.latency.p99Ms, unit: " ms" })],
        },
        {
          what: "webhook to the agent's event stream",
          headline: "… webhook → an agent's event stream (SSE)",
          shows: "latency",
          rateMps: trial.receivedMps,
          latency: toAgent,
          targets: [
            atMost(AGENT_P50_MS, { what: "p50", value: toAgent.p50Ms, unit: " ms" }),
            atMost(AGENT_P99_MS, { what: "p99", value: toAgent.p99Ms, unit: " ms" }),
          ],
          processes: costs(trial.usage, trial.messages),
        },
        { what: "webhook to a subscriber of the stream", rateMps: trial.receivedMps, latency: toEvent },
      ],
      notes: [
        `A tenth of ${Math.round(topMps)}/s, kept up by e2e in one process in this run.`,
        "The other rows have the first in them: they count from the webhook's leaving, not from its 2xx.",
      ],
    };
  },
};

async function measure(
  context: BenchContext,
  agent: AgentListener,
  options: Omit<TrialOptions, "rateMps" | "seconds">,
  mps: number,
  seconds: number,
): Promise<Measured> {
  const rateMps = Math.max(1, Math.round(mps));
  context.say(`${rateMps}/s`);
  const before = agent.received;
  const trial = await runTrial({ ...options, alsoMeasured: [agent], rateMps, seconds });
  await untilThere(() => agent.received - before >= trial.messages, "the agent's events");
  return { trial, toAgent: agent.lag().summary() };
}

/** Latency against rate. */
async function curvesOf(
  context: BenchContext,
  agent: AgentListener,
  options: Omit<TrialOptions, "rateMps" | "seconds">,
  topMps: number,
  tenth: Measured,
): Promise<{ series: Series[] }> {
  const measured = [tenth];
  for (const share of PLOT_SHARES) {
    const seconds = Math.min(PLOT_SECONDS, context.seconds ?? PLOT_SECONDS);
    measured.push(await measure(context, agent, options, topMps * share, seconds));
  }
  measured.sort((a, b) => a.trial.offeredMps! - b.trial.offeredMps!);
  const curve = (name: string, value: (measured: Measured) => number): Series => ({
    plot: "latency",
    name,
    points: measured.map((one) => [one.trial.offeredMps!, value(one)]),
  });
  return {
    series: [
      curve("2xx, p50", ({ trial }) => trial.accept.latency.p50Ms),
      curve("2xx, p99", ({ trial }) => trial.accept.latency.p99Ms),
      curve("agent's event stream, p50", ({ toAgent }) => toAgent.p50Ms),
      curve("agent's event stream, p99", ({ toAgent }) => toAgent.p99Ms),
    ],
  };
}
