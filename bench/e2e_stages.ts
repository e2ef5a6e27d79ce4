/**
 * The stages of `e2e`, each alone: accepting; applying and committing what lies in the log; publishing events.
 *
 * @module
 */
import { connectNats, hasAtomicBatches } from "../adapters/nats/connection.ts";
import { EventPublisher } from "../adapters/nats/event_publisher.ts";
import { ensureStreams, Names } from "../adapters/nats/topology.ts";
import { jetstreamManager } from "@nats-io/jetstream";
import type { Embedded } from "../adapters/embedded/embedded.ts";
import type { PatchbayEvent } from "../core/events.ts";
import { type BenchContext, freshSystem, installForReceiving, warmUp } from "./bench_context.ts";
import { assertClean, letContactsWrite } from "./contacts.ts";
import { listenToEvents } from "./event_listener.ts";
import { UsageWatch } from "./process_usage.ts";
import { type BenchRow, costs } from "./report.ts";

const ACCEPT_SECONDS = 8;
const DRAIN_MS_MAX = 300_000;
const PUBLISH_MS = 5_000;
/** Events that one commit has, and commits whose events are under way. */
const EVENTS_PER_COMMIT = 100;
const COMMITS_UNDER_WAY = 16;

/** One row for each stage. */
export async function stageCeilings(context: BenchContext): Promise<BenchRow[]> {
  await using system = await freshSystem(context);
  const ingress = await system.start("ingress");
  const installation = await installForReceiving(ingress);
  await using listener = await listenToEvents(system.embedded);
  const opener = await system.start("router");
  await warmUp(context, installation, listener);
  await opener.stop();

  context.say("stage: accepting alone");
  const acceptWatch = new UsageWatch(system.watched(ingress));
  const accept = await letContactsWrite({
    ...installation,
    rateMps: null,
    seconds: ACCEPT_SECONDS,
    connections: context.connections,
  }).done;
  const acceptUsage = acceptWatch.stop();
  assertClean(accept);

  context.say(`stage: applying ${accept.accepted} messages from the log`);
  const before = listener.received;
  const firstMs = firstEvent(() => listener.received > before);
  const router = await system.start("router");
  const drainWatch = new UsageWatch(system.watched(router));
  if (!await listener.until(before + accept.accepted, DRAIN_MS_MAX)) {
    throw new Error("the log was not drained");
  }
  const drainSeconds = (listener.lastMs - await firstMs) / 1000;
  const drainUsage = drainWatch.stop();
  await router.stop();

  context.say("stage: publishing events alone");
  const publish = await publishAlone(system.embedded);
  return [
    {
      what: "accepting alone, role ingress",
      rateMps: accept.acceptedMps,
      latency: accept.latency,
      processes: costs(acceptUsage, accept.accepted),
    },
    {
      what: "applying, committing and publishing from a full log, role router",
      rateMps: accept.accepted / drainSeconds,
      processes: costs(drainUsage, accept.accepted),
    },
    { what: "publishing events alone", rateMps: publish },
  ];
}

/** When something first held, by `performance.now()`. */
async function firstEvent(holds: () => boolean): Promise<number> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
  return performance.now();
}

/** Events a second into a stream of their own, groups of the size that commits have. */
async function publishAlone(embedded: Embedded): Promise<number> {
  const connection = await connectNats({
    url: embedded.natsUrl,
    token: embedded.natsToken,
    name: "bench publisher",
  });
  try {
    const names = new Names("bench");
    const atomicBatches = hasAtomicBatches(connection);
    const jsm = await jetstreamManager(connection);
    await ensureStreams(jsm, { names, partitions: 0, replicas: 1, retentionMs: 3_600_000, atomicBatches });
    const publisher = new EventPublisher({ connection, names, atomic: atomicBatches, deliver: () => false });
    let published = 0;
    let made = 0;
    const startMs = performance.now();
    const commits = async () => {
      while (performance.now() - startMs < PUBLISH_MS) {
        await publisher.publish({
          events: Array.from({ length: EVENTS_PER_COMMIT }, () => eventLike(++made)),
        });
        published += EVENTS_PER_COMMIT;
      }
    };
    await Promise.all(Array.from({ length: COMMITS_UNDER_WAY }, commits));
    return published / ((performance.now() - startMs) / 1000);
  } finally {
    await connection.close();
  }
}

/** As large as the event of a contact's message. */
function eventLike(index: number): PatchbayEvent {
  const id = String(index).padStart(26, "0");
  return {
    id: `evt_${id}`,
    type: "message.received",
    atMs: Date.now(),
    channelId: "ch_00000000000000000000000001",
    number: "+14155550100",
    audience: { queueId: "mq_00000000000000000000000001" },
    data: {
      messageId: `msg_${id}`,
      conversationId: `cnv_${id}`,
      sessionId: `ses_${id}`,
      channelId: "ch_00000000000000000000000001",
      number: "+14155550100",
      contact: "+12025550100",
      direction: "inbound",
      status: "received",
      text: "#1 a contact asks after an order @1234567.123",
      segments: 1,
      providerId: "SM00000000000000000000000000000000",
    },
  };
}
