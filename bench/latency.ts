/**
 * `latency`: how long a message takes at a tenth of the top rate.
 *
 * @module
 */
import { type Bench, freshSystem, installForReceiving, warmUp } from "./bench_context.ts";
import { listenToEvents } from "./event_listener.ts";
import { costs } from "./report.ts";
import { runTrial } from "./trial.ts";

const SECONDS = 20;
const OVERLOAD_SECONDS = 6;
const SHARE = 0.1;
const P50_TARGET_MS = 10;
const P99_TARGET_MS = 50;

export const latency: Bench = {
  name: "latency",
  about: "webhook to 2xx, and webhook to event, at a tenth of the top rate",
  run: async (context) => {
    await using system = await freshSystem(context);
    const program = await system.start("all");
    const installation = await installForReceiving(program);
    await using listener = await listenToEvents(system.embedded);
    await warmUp(context, installation, listener);
    const { connections } = context;
    const options = { installation, listener, connections, watched: system.watched(program) };
    let topMps = context.found.topRateMps;
    const from = topMps === undefined ? "under overload in this run" : "sustained by e2e in this run";
    if (topMps === undefined) {
      context.say("looking for the top rate");
      const overload = await runTrial({ ...options, rateMps: null, seconds: OVERLOAD_SECONDS });
      topMps = Math.min(overload.receivedMps, overload.accept.acceptedMps);
    }
    const rateMps = Math.round(topMps * SHARE);
    context.say(`${rateMps}/s, a tenth of ${Math.round(topMps)}/s`);
    const trial = await runTrial({ ...options, rateMps, seconds: context.seconds ?? SECONDS });
    const { toEvent, accept } = trial;
    return {
      rows: [
        { what: "webhook to 2xx", rateMps: accept.acceptedMps, latency: accept.latency },
        {
          what: "webhook to event received",
          rateMps: trial.receivedMps,
          latency: toEvent,
          targets: [
            { text: `p50 < ${P50_TARGET_MS} ms`, met: toEvent.p50Ms < P50_TARGET_MS },
            { text: `p99 < ${P99_TARGET_MS} ms`, met: toEvent.p99Ms < P99_TARGET_MS },
          ],
          processes: costs(trial.usage, trial.messages),
        },
      ],
      notes: [
        `A tenth of ${Math.round(topMps)}/s, ${from}.`,
        "The second row has the first in it: it counts from the webhook's leaving, not from its 2xx.",
      ],
    };
  },
};
