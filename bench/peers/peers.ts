/**
 * `peers`: what people would use instead, in the same run and on the same machine.
 *
 * @module
 */
import type { Bench, BenchContext } from "../bench_context.ts";
import type { BenchRow } from "../report.ts";
import { atLeast } from "../targets.ts";
import { ACCEPTED, acceptRow, SUSTAINED, sustainedRow } from "./bullmq.ts";
import { kannelRow } from "./kannel.ts";
import { ensurePipeline, missing } from "./programs.ts";

const ACCEPT_TARGET = 5;
const SUSTAINED_TARGET = 6;
const SEND_TARGET = 1.5;
const SEND_SECONDS = 8;
const KANNEL = "Kannel: sendsms → carrier's socket";

export const peers: Bench = {
  name: "peers",
  about: "an Express, BullMQ and PostgreSQL pipeline, and Kannel, beside ours in the same run",
  takes: { firstSeconds: 110, laterSeconds: 65 },
  needs: ["ingest", "e2e", "send"],
  run: async (context) => ({
    rows: [...await pipelineRows(context), await kannel(context)],
    notes: [
      "Ours: ingest with role ingress, e2e kept up for 60 s by the better of its two layouts, send with an unlimited bucket; all of them " +
      "fsynced before the answer.",
      "BullMQ: Redis with appendonly, appendfsync everysec as its guide recommends (always: the row beside it), " +
      "PostgreSQL with the settings of ours. One process of Express, one worker of 50 jobs at a time; it does less: no " +
      "order within a conversation, no routing, no exactly-once event. Kept up for 20 s only.",
      "Kannel: sendsms over HTTP to an HTTP provider, the same carrier simulator; it keeps what waits in memory.",
    ],
  }),
};

async function pipelineRows(context: BenchContext): Promise<BenchRow[]> {
  const reason = missing(["redis-server", "node", "npm"]) ?? await ensurePipeline(context.say);
  if (reason !== null) {
    context.say(`the BullMQ pipeline is not run: ${reason}`);
    return [
      { what: ACCEPTED, headline: "Express + BullMQ: accepted", rateMps: null, notRun: reason },
      {
        what: SUSTAINED,
        headline: "Express + BullMQ: rows committed, kept up",
        rateMps: null,
        notRun: reason,
      },
    ];
  }
  const { found } = context;
  const accepted = await acceptRow(context, "everysec");
  const always = context.run === 1 ? [await acceptRow(context, "always")] : [];
  const sustained = await sustainedRow(context, "everysec");
  return [
    against({ ...accepted, headline: "Express + BullMQ: accepted" }, found.acceptMps, ACCEPT_TARGET),
    ...always.map((row) => ({ ...row, headline: "… with Redis's fsync before the answer" })),
    against(
      { ...sustained, headline: "Express + BullMQ: rows committed, kept up" },
      found.topMps && Math.max(found.topMps.oneProcess, found.topMps.twoProcesses),
      SUSTAINED_TARGET,
    ),
  ];
}

async function kannel(context: BenchContext): Promise<BenchRow> {
  const headline = "Kannel: delivered";
  const reason = missing(["bearerbox", "smsbox"]);
  if (reason !== null) {
    context.say(`Kannel is not run: ${reason}`);
    return { what: KANNEL, headline, rateMps: null, notRun: reason };
  }
  context.say("Kannel, unlimited");
  const row = await kannelRow({
    what: KANNEL,
    seconds: context.seconds ?? SEND_SECONDS,
    connections: context.connections,
  });
  return against({ ...row, headline }, context.found.sendMps, SEND_TARGET);
}

/** The row with how much faster ours was in this run; ours is 0 when it kept nothing up. */
function against(row: BenchRow, ours = 0, target: number): BenchRow {
  const ratio = row.rateMps === null || row.rateMps === 0 ? 0 : ours / row.rateMps;
  return {
    ...row,
    targets: [atLeast(target, { what: "ours", value: ratio, unit: " ×" })],
    more: { "ours/s": ours, ...row.more },
  };
}
