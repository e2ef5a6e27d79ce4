/**
 * The durable consumer behind a platform's deliveries: it remembers what was delivered.
 *
 * @module
 */
import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  type JetStreamManager,
  ReplayPolicy,
} from "@nats-io/jetstream";

/** How `adapters/nats/topology.ts` names things. */
export interface PushNames {
  readonly eventStream: string;
  platformEvents(platformId: string): string;
  platformConsumer(platformId: string): string;
  platformFeeds(platformId: string): readonly string[];
}

/** Events that may be under way to one platform. */
export const ACKS_PENDING_MAX = 256;
export const ACK_WAIT_MS = 60_000;
const PLATFORM = /^(plt_[0-9a-v]{26})(?:_|$)/;

/**
 * The platform's consumer, ready to deliver everything that is not acknowledged, in order; made from now on when
 * there is none.
 *
 * What a former process took and did not acknowledge would come again only after {@link ACK_WAIT_MS}, behind what
 * is newer, and so out of order. Hence a consumer with such rests is replaced by one that starts after the last
 * event up to which all is acknowledged: what was acknowledged beyond it comes twice. The new one is
 * made before the old one goes, so that a crash in between loses nothing.
 */
export async function openConsumer(
  jsm: JetStreamManager,
  names: PushNames,
  platformId: string,
): Promise<ConsumerInfo> {
  const present = await listConsumers(jsm, names, platformId);
  const best = present.toSorted((a, b) => floorOf(b) - floorOf(a))[0];
  if (best !== undefined && best.num_ack_pending === 0 && present.length === 1) return best;
  const start = best === undefined
    ? (await jsm.streams.info(names.eventStream)).state.last_seq + 1
    : floorOf(best) + 1;
  const made = await jsm.consumers.add(names.eventStream, {
    durable_name: `${names.platformConsumer(platformId)}_${generation()}`,
    filter_subject: names.platformEvents(platformId),
    ack_policy: AckPolicy.Explicit,
    ack_wait: ACK_WAIT_MS * 1e6,
    max_ack_pending: ACKS_PENDING_MAX,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: start,
    replay_policy: ReplayPolicy.Instant,
  });
  for (const old of present) await deleteConsumer(jsm, names, old.name);
  return made;
}

/** Deletes the consumers of a platform that is gone. */
export async function forgetPlatform(
  jsm: JetStreamManager,
  names: PushNames,
  platformId: string,
): Promise<void> {
  for (const info of await listConsumers(jsm, names, platformId)) await deleteConsumer(jsm, names, info.name);
  for (const feed of names.platformFeeds(platformId)) await deleteConsumer(jsm, names, feed);
}

/** The platforms that have a consumer. */
export async function consumersPlatforms(jsm: JetStreamManager, names: PushNames): Promise<Set<string>> {
  const prefix = names.platformConsumer("");
  const platforms = new Set<string>();
  for await (const { name } of jsm.consumers.list(names.eventStream)) {
    const platform = name.startsWith(prefix) ? PLATFORM.exec(name.slice(prefix.length))?.[1] : undefined;
    if (platform !== undefined) platforms.add(platform);
  }
  return platforms;
}

async function listConsumers(
  jsm: JetStreamManager,
  names: PushNames,
  platformId: string,
): Promise<ConsumerInfo[]> {
  const base = names.platformConsumer(platformId);
  const found: ConsumerInfo[] = [];
  for await (const info of jsm.consumers.list(names.eventStream)) {
    if (info.name === base || info.name.startsWith(`${base}_`)) found.push(info);
  }
  return found;
}

async function deleteConsumer(jsm: JetStreamManager, names: PushNames, name: string): Promise<void> {
  // One that is gone already is as good as deleted; one that stays is found by the next open.
  await jsm.consumers.delete(names.eventStream, name).catch(() => false);
}

/** The last sequence up to which everything is acknowledged. */
function floorOf(info: ConsumerInfo): number {
  return Math.max(info.ack_floor.stream_seq, (info.config.opt_start_seq ?? 1) - 1);
}

function generation(): string {
  return Math.trunc(performance.timeOrigin + performance.now()).toString(36);
}
