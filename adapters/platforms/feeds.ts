/**
 * The consumers that platforms read their events from. They are made here and not by the platforms: whoever may make a
 * consumer may have its messages delivered to any subject.
 *
 * @module
 */
import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  type JetStreamManager,
  ReplayPolicy,
} from "@nats-io/jetstream";
import type { FollowRequest } from "../../core/platforms/requests.ts";

/** How `adapters/nats/topology.ts` names things. */
export interface FeedNames {
  readonly eventStream: string;
  platformEvents(platformId: string): string;
  platformFeeds(platformId: string): readonly string[];
}

/** Events that may be unacknowledged at a time. */
const ACKS_PENDING_MAX = 1_000;
/** What is not acknowledged for so long comes again. */
const ACK_WAIT_MS = 60_000;
/** One that nobody reads for so long is forgotten, as events are by then. */
const INACTIVE_MS = 7 * 86_400_000;

export interface Feed {
  readonly stream: string;
  readonly consumer: string;
}

/**
 * The platform's consumer, as it stands, or made anew where `from` says where it is to begin; made for what is new where
 * there is none. Null when the platform has no consumer of that name.
 */
export async function openFeed(
  jsm: JetStreamManager,
  names: FeedNames,
  platformId: string,
  request: Pick<FollowRequest, "consumer" | "from">,
): Promise<Feed | null> {
  const own = names.platformFeeds(platformId);
  const consumer = request.consumer ?? own[0];
  if (consumer === undefined || !own.includes(consumer)) return null;
  const stream = names.eventStream;
  const isThere = await hasConsumer(jsm, stream, consumer);
  if (isThere && request.from === undefined) return { stream, consumer };
  if (isThere) await jsm.consumers.delete(stream, consumer);
  await jsm.consumers.add(stream, {
    durable_name: consumer,
    filter_subject: names.platformEvents(platformId),
    ack_policy: AckPolicy.Explicit,
    ack_wait: ACK_WAIT_MS * 1e6,
    max_ack_pending: ACKS_PENDING_MAX,
    inactive_threshold: INACTIVE_MS * 1e6,
    replay_policy: ReplayPolicy.Instant,
    ...beginning(request.from ?? "new"),
  });
  return { stream, consumer };
}

function beginning(from: NonNullable<FollowRequest["from"]>): Partial<ConsumerConfig> {
  if (from === "new") return { deliver_policy: DeliverPolicy.New };
  if (from === "oldest") return { deliver_policy: DeliverPolicy.All };
  return "time" in from
    ? { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(from.time).toISOString() }
    : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from.sequence };
}

async function hasConsumer(jsm: JetStreamManager, stream: string, name: string): Promise<boolean> {
  for await (const info of jsm.consumers.list(stream)) if (info.name === name) return true;
  return false;
}
