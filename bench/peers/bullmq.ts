/**
 * The Express, BullMQ and PostgreSQL pipeline, measured as ours is: the same generator, the same signed webhooks over
 * the same conversations, the same search for the rate that is kept up.
 *
 * @module
 */
import type { BenchContext } from "../bench_context.ts";
import { CONVERSATIONS, openConversations, prepareContacts } from "../contacts.ts";
import { assertClean } from "../load/plan.ts";
import { UsageWatch } from "../process_usage.ts";
import { type BenchRow, costs } from "../report.ts";
import { findTopRate } from "../top_rate.ts";
import { type RedisFsync, startPipeline } from "./pipeline_system.ts";

const ACCEPT_SECONDS = 6;
/** A third of ours: what it keeps up for so long is to its advantage. */
const KEEP_SECONDS = 20;
const OPENED_MS_MAX = 120_000;
const NUMBERS = ["+14155550100", "+14155550101", "+14155550102", "+14155550103"];

export const ACCEPTED = "BullMQ pipeline: accepted, Express alone";
export const SUSTAINED = "BullMQ pipeline: webhook → rows committed and event published, kept up";

const DURABILITY: Readonly<Record<RedisFsync, string>> = {
  everysec: "Redis fsyncs every second: a killed machine loses up to that of what was answered 200",
  always: "Redis fsyncs before each answer",
};

/** Accepting alone, without the worker: as our role ingress. */
export async function acceptRow(context: BenchContext, fsync: RedisFsync): Promise<BenchRow> {
  await using pipeline = await startPipeline({ fsync, say: context.say });
  context.say(`accepting alone, appendfsync ${fsync}`);
  using contacts = await prepareContacts({
    webhookUrl: pipeline.webhookUrl,
    numbers: NUMBERS,
    rateMps: null,
    seconds: context.seconds ?? ACCEPT_SECONDS,
    connections: context.connections,
  });
  const watch = new UsageWatch(pipeline.watched);
  const result = await contacts.run();
  const usage = watch.stop();
  assertClean(result);
  return {
    what: fsync === "everysec" ? ACCEPTED : `${ACCEPTED}, appendfsync always`,
    rateMps: result.acceptedMps,
    latency: result.latency,
    processes: costs(usage, result.accepted),
    more: { durability: DURABILITY[fsync] },
  };
}

/** From the webhook to rows and event, as fast as it is kept up. */
export async function sustainedRow(context: BenchContext, fsync: RedisFsync): Promise<BenchRow> {
  const { connections, found } = context;
  await using pipeline = await startPipeline({ fsync, say: context.say });
  const worker = await pipeline.startWorker();
  await using listener = await pipeline.listen();
  const installation = { webhookUrl: pipeline.webhookUrl, numbers: NUMBERS };
  context.say(`opening ${CONVERSATIONS} conversations`);
  const { accepted } = await openConversations(installation, connections);
  if (!await listener.until(accepted, OPENED_MS_MAX)) throw new Error("the pipeline's warm-up did not end");
  const seconds = context.seconds ?? KEEP_SECONDS;
  const top = await findTopRate({
    installation,
    listener,
    watched: [worker, ...pipeline.watched],
    connections,
    seconds,
    hintMps: found.peerTopMps,
    say: context.say,
  });
  const shown = top.found ?? top.last;
  const rateMps = top.found?.accept.acceptedMps ?? 0;
  if (top.found !== null) found.peerTopMps = rateMps;
  const stored = await pipeline.stored();
  return {
    what: SUSTAINED,
    rateMps,
    latency: shown.toEvent,
    processes: costs(shown.usage, shown.messages),
    more: {
      "kept up for s": seconds,
      ...(top.overload === null ? {} : {
        "under overload accepted/s": top.overload.accept.acceptedMps,
        "under overload stored/s": top.overload.receivedMps,
      }),
      "rows stored": stored,
      "events received": listener.received,
      "every one is in both": stored === listener.received,
      durability: DURABILITY[fsync],
    },
  };
}
